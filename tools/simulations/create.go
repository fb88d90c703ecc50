package simulations

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// Create creates a simulation (Simulation Create, and Simulation Detail for its costs).
var Create = tools.Define(Toolset, tools.Spec{
	Name: "create_simulation", Effect: tools.Creates, Operations: []portal.OperationID{portal.SimulationCreate},
	Next: tools.Next{
		"get_simulation": {"simulation"}, "get_simulation_esis": {"simulation"}, "update_simulation": {"simulation"},
	},
	PageOrder: pageOrder, Like: map[string]string{"secondBorrower": "borrower", "secondInsurance": "insurance"},
	Example: `{"loan":{"loanAmount":180000,"loanDurationMonths":420,"indexTypeId":3,"loanPurposeId":1,"productPurposeId":1},` +
		`"property":{"estimatedValue":225000,"acquisitionAmount":220000},` +
		`"borrower":{"name":"Rui Amostra","age":34,"income":2400},"secondBorrower":{"name":"Rita Amostra","age":33,"income":1600}}`,
}, func(ctx context.Context, call *tools.Call, in NewSimulation) (SimulationCreated, error) {
	created, err := call.Bank.CreateSimulation(ctx, in.request(ctx, call))
	if err != nil {
		return SimulationCreated{}, err
	}
	simulation, err := call.Bank.Simulation(ctx, created.SimulationUniqueID)
	if err != nil { // it is created all the same
		return SimulationCreated{Simulation: created.SimulationUniqueID, Number: created.SimulationNumber}, nil
	}
	return createdOf(ctx, call, simulation), nil
})

// NewSimulation is the data of a new simulation.
type NewSimulation struct {
	SimulationDetails
}

// CheckBank implements [tools.BankChecker]: the bank computes the costs, which a review shows, and says what it would refuse.
func (n NewSimulation) CheckBank(ctx context.Context, call *tools.Call) ([]tools.Problem, error) {
	return preview(ctx, call, n.request(ctx, call)), nil
}

// The limits of [NewSimulation.FindEffect].
const (
	newestRead = 20              // simulations that are compared with what was sent
	clockSkew  = 2 * time.Minute // between the clocks of the bank and of Balcão
)

// FindEffect implements [tools.Verifier]: it compares the newest simulations with what was sent. One from before the call is
// another. If several may be the one, or it is not known when one was created, the outcome stays unclear.
func (n NewSimulation) FindEffect(ctx context.Context, call *tools.Call) (tools.Carder, bool, error) {
	page, err := call.Bank.ListSimulations(ctx, portal.SimulationQuery{Limit: newestRead})
	if err != nil {
		return nil, false, err
	}
	var found []portal.Simulation
	unsure := false
	for _, row := range page.Simulations {
		created, known := createdAt(row)
		if known && created.Before(call.Begun().Add(-clockSkew)) {
			continue
		}
		simulation, err := call.Bank.Simulation(ctx, row.SimulationUniqueID)
		if err != nil {
			return nil, false, err
		}
		if n.made(ctx, call, simulation) {
			found, unsure = append(found, simulation), unsure || !known
		}
	}
	switch {
	case len(found) == 0:
		return nil, false, nil
	case len(found) > 1 || unsure:
		return nil, false, &tools.Error{Kind: tools.Unclear}
	}
	return createdOf(ctx, call, found[0]), true, nil
}

// createdAt returns when a simulation was created; known is false if the bank does not say the time of day.
func createdAt(row portal.SimulationSummary) (at time.Time, known bool) {
	at = row.CreationDate.Time
	hour, minute, second := at.Clock()
	return at, !at.IsZero() && hour+minute+second > 0
}

// made reports whether a simulation of the bank has all that was sent.
func (n NewSimulation) made(ctx context.Context, call *tools.Call, simulation portal.Simulation) bool {
	sent := n.request(ctx, call)
	sent.Insurances = nil // the bank does not say which of them it has computed itself
	changes := sent.Changes(simulation.Request())
	return changes.Loan == nil && changes.Property == nil && changes.Borrowers == nil
}

// Target implements [tools.Verifier].
func (n NewSimulation) Target(ctx context.Context, call *tools.Call) ([]string, error) {
	sent, err := clear(n.request(ctx, call))
	return []string{"new simulation", sent}, err
}

// SimulationCreated is a new simulation, with its costs if the bank has said them.
type SimulationCreated struct {
	Simulation uuid.UUID `json:"simulation"`
	Number     int64     `json:"number,omitzero"`
	Essentials
}

func createdOf(ctx context.Context, call *tools.Call, simulation portal.Simulation) SimulationCreated {
	call.NoteSimulations(ctx, simulation.SimulationSummary)
	return SimulationCreated{
		Simulation: simulation.SimulationUniqueID, Number: simulation.SimulationNumber, Essentials: essentialsOf(simulation.Results),
	}
}

// Subject implements [tools.Subjecter].
func (s SimulationCreated) Subject() tools.Subject { return tools.Subject{Simulation: s.Simulation} }

// Card implements [tools.Carder].
func (s SimulationCreated) Card(say tools.Say) tools.Card {
	return tools.Card{
		Title: say("card.title"), Text: say("card.text", "number", s.Number), Facts: s.facts(say),
		Next: []tools.Step{
			tools.NextStep("get_simulation", "simulation", s.Simulation),
			tools.NextStep("get_simulation_esis", "simulation", s.Simulation),
			tools.NextStep("update_simulation", "simulation", s.Simulation),
		},
	}
}

// preview returns what the bank says of a simulation that would be sent: the costs as a hint, and what it would refuse as
// warnings: that it would is not known. An error of the bank is no reason not to send.
func preview(ctx context.Context, call *tools.Call, request portal.SimulationRequest) []tools.Problem {
	validated, err := call.Bank.ValidateSimulation(ctx, request)
	if err != nil {
		return nil
	}
	if len(validated.Problems) > 0 {
		return refusals(call, validated.Problems)
	}
	var problems []tools.Problem
	facts := factsOf(ctx, call, validated.SimulationCosts)
	if len(facts) > 0 {
		hint := call.Problem("", "simulation.costs", "costs", listed(facts[:min(len(facts), shownInReview)]))
		hint.Severity = tools.Hints
		problems = append(problems, hint)
	}
	for _, warning := range costsOf(ctx, call, validated.SimulationCosts).Warnings {
		hint := call.Problem("", "simulation.warning", "text", warning)
		hint.Severity = tools.Hints
		problems = append(problems, hint)
	}
	return problems
}

// shownInReview is the number of figures in a review.
const shownInReview = 8

// refusals returns the bank's reasons against a simulation as warnings.
func refusals(call *tools.Call, messages []portal.ErrorMessage) []tools.Problem {
	problems, notes := call.Reasons(messages)
	for i := range problems {
		problems[i].Severity = tools.Warns
	}
	for _, note := range notes {
		if !slices.ContainsFunc(problems, func(p tools.Problem) bool { return p.Text == note }) {
			problems = append(problems, call.Warning("", "simulation.refused", "text", note))
		}
	}
	return problems
}
