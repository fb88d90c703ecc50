package simulations

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// Find searches the broker's simulations (Simulation List).
var Find = tools.Define(Toolset, tools.Spec{
	Name: "find_simulations", Effect: tools.Reads, Operations: []portal.OperationID{portal.SimulationList}, Example: `{"text":"Ensaiado"}`,
	Next: tools.Next{"find_simulations": {"cursor"}, "get_simulation": {"simulation"}, "create_simulation": {}},
}, func(ctx context.Context, call *tools.Call, in SimulationSearch) (SimulationList, error) {
	found, err := call.SearchSimulations(ctx, tools.SimulationFilter{Text: in.Text, State: in.State}, in.Cursor, simulationsShown)
	if err != nil {
		return SimulationList{}, err
	}
	list := SimulationList{Total: found.Total, Next: found.Next, Simulations: []SimulationRow{}}
	for _, simulation := range found.Simulations {
		list.Simulations = append(list.Simulations, SimulationRow{
			Simulation: simulation.SimulationUniqueID, Number: simulation.SimulationNumber, Borrower: simulation.BorrowerName,
			Status: call.Word(ctx, simulation, "SimulationStatusID"), Branch: call.Word(ctx, simulation, "BranchID"),
			LastAction: simulation.LastActionDate.Time,
		})
	}
	return list, nil
})

// simulationsShown is the number of simulations in one result, so that it fits into a message and is short for assistants.
const simulationsShown = 20

// SimulationSearch is a search for simulations. With a cursor the other fields do not count.
type SimulationSearch struct {
	Text   pii.Name `json:"text,omitzero" page:"search" validate:"omitempty,text=100"` // perhaps a borrower's name
	State  int32    `json:"state,omitzero" page:"search" taxonomy:"workflowStatesSimulation" pii:"open"`
	Cursor string   `json:"cursor,omitzero" page:"-" validate:"omitempty,text=100" pii:"open"`
}

// SimulationList is a page of simulations, newest first.
type SimulationList struct {
	Simulations []SimulationRow `json:"simulations"`
	Total       int             `json:"total,omitzero"`            // absent if it is not known
	Next        string          `json:"next,omitempty" pii:"open"` // the cursor of the next page
}

// SimulationRow is one simulation.
type SimulationRow struct {
	Simulation uuid.UUID `json:"simulation"`
	Number     int64     `json:"number"`
	Borrower   pii.Name  `json:"borrower"`
	Status     string    `json:"status" pii:"open"`
	Branch     string    `json:"branch,omitempty" pii:"open"`
	LastAction time.Time `json:"lastAction,omitzero"`
}

// Card implements [tools.Carder].
func (l SimulationList) Card(say tools.Say) tools.Card {
	card := tools.Card{Title: say("card.title"), Next: []tools.Step{tools.NextStep("create_simulation")}}
	if l.Next != "" {
		card.Next = append([]tools.Step{tools.NextStep("find_simulations", "cursor", l.Next).Labelled(say("step.more"))}, card.Next...)
	}
	switch {
	case len(l.Simulations) == 0:
		card.Text = say("card.none")
		return card
	case l.Total > len(l.Simulations):
		card.Text = say("card.page", "shown", len(l.Simulations), "total", l.Total)
	case l.Next != "":
		card.Text = say("card.more")
	}
	card.Table.Columns = []string{say("label.number"), say("label.borrower"), say("label.status"), say("label.lastAction")}
	for _, s := range l.Simulations {
		card.Table.Rows = append(card.Table.Rows, []string{tools.FormatNumber(s.Number), s.Borrower.String(), s.Status, tools.FormatDay(say, s.LastAction)})
		card.Table.Steps = append(card.Table.Steps, tools.NextStep("get_simulation", "simulation", s.Simulation).Labelled(say("step.open")))
	}
	return card
}
