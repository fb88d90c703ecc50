package messages

import (
	"context"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// ListOfSimulation shows the messages on a simulation, the newest first, with their whole texts (Simulations Message List).
var ListOfSimulation = tools.Define(Toolset, tools.Spec{
	Name: "list_simulation_messages", Effect: tools.Reads, Operations: []portal.OperationID{portal.SimulationsMessageList}, CardOrder: 5,
	Next: tools.Next{
		"send_simulation_message": {"simulation"}, "list_simulation_messages": {"simulation", "cursor"}, "get_simulation": {"simulation"},
	},
	Example: `{"simulation":"2103"}`,
}, func(ctx context.Context, call *tools.Call, in SimulationMessageQuery) (SimulationMessages, error) {
	simulation, err := call.Simulation(ctx, in.Simulation)
	if err != nil {
		return SimulationMessages{}, err
	}
	id := simulation.SimulationUniqueID
	page, err := call.Bank.ListSimulationMessages(ctx, id, portal.MessageQuery{Limit: listed, After: in.Cursor})
	if portal.KindOf(err) == portal.NotFound && in.Cursor != "" {
		return SimulationMessages{}, call.Invalid("cursor", "cursor.unknown")
	}
	if err != nil {
		return SimulationMessages{}, err
	}
	list := SimulationMessages{Simulation: id, Number: simulation.SimulationNumber, Total: page.TotalCount, Messages: []Message{}, Next: page.Next}
	for _, message := range page.Messages {
		list.Messages = append(list.Messages, shown(call, message, wholeText))
	}
	if call.Actor.Assistant && len(list.Messages) > 0 {
		list.Notice = call.Say(call.Actor.Lang)("notice")
	}
	return list, nil
})

// SimulationMessageQuery names a simulation and a page of its messages.
type SimulationMessageQuery struct {
	Simulation tools.SimulationRef `json:"simulation" page:"simulation" validate:"required"`
	Cursor     string              `json:"cursor,omitzero" page:"-" validate:"omitempty,text=100" pii:"open"`
}

// SimulationMessages is a page of messages on a simulation, the newest first.
type SimulationMessages struct {
	Simulation uuid.UUID `json:"simulation"`
	Number     int64     `json:"number"`
	Total      int       `json:"total,omitzero"` // 0 if the bank does not say
	Notice     string    `json:"notice,omitempty" pii:"open"`
	Messages   []Message `json:"messages"`
	Next       string    `json:"next,omitempty" pii:"open"` // the cursor of older messages
}

// Card implements [tools.Carder].
func (l SimulationMessages) Card(say tools.Say) tools.Card {
	card := tools.Card{Title: say("card.title", "number", l.Number)}
	if len(l.Messages) == 0 {
		card.Text = say("card.none")
	}
	for i, m := range l.Messages {
		if i > 0 {
			card.Text += "\n\n"
		}
		card.Text += m.headline(say) + "\n" + m.Text
	}
	answer := tools.NextStep("send_simulation_message", "simulation", l.Simulation)
	answer.Form = true
	card.Next = []tools.Step{answer}
	if l.Next != "" {
		card.Next = append(card.Next, tools.NextStep("list_simulation_messages", "simulation", l.Simulation, "cursor", l.Next).Labelled(say("step.older")))
	}
	card.Next = append(card.Next, tools.NextStep("get_simulation", "simulation", l.Simulation))
	return card
}
