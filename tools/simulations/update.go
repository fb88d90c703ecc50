package simulations

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// Update changes a simulation (Simulation Update): only what changed is sent.
var Update = tools.Define(Toolset, tools.Spec{
	Name: "update_simulation", Effect: tools.Updates, Operations: []portal.OperationID{portal.SimulationUpdate}, Needs: tools.EditableSimulation, CardOrder: 3,
	PageOrder: append([]string{"simulation"}, pageOrder...),
	Next:      tools.Next{"get_simulation": {"simulation"}, "get_simulation_esis": {"simulation"}},
	Example:   `{"simulation":"2102","loan":{"loanDurationMonths":300}}`,
}, func(ctx context.Context, call *tools.Call, in SimulationUpdate) (SimulationUpdated, error) {
	id := in.was.SimulationUniqueID
	if _, err := call.Bank.UpdateSimulation(ctx, id, in.changes(ctx, call)); err != nil {
		return SimulationUpdated{}, err
	}
	simulation, err := call.Bank.Simulation(ctx, id)
	if err != nil { // it is changed all the same
		return SimulationUpdated{Simulation: id, Number: in.was.SimulationNumber}, nil
	}
	return updatedOf(simulation), nil
})

// SimulationUpdate has the changes of a simulation.
type SimulationUpdate struct {
	Simulation tools.SimulationRef `json:"simulation" page:"simulation" validate:"required"`
	SimulationDetails
	tools.Editing
	was portal.Simulation
}

// Current implements [tools.Editor].
func (u SimulationUpdate) Current(ctx context.Context, call *tools.Call) (any, error) {
	simulation, err := call.Simulation(ctx, u.Simulation)
	if err != nil {
		return nil, err
	}
	return u.of(call, simulation), nil
}

// of returns the update that changes nothing of a simulation.
func (u SimulationUpdate) of(call *tools.Call, simulation portal.Simulation) SimulationUpdate {
	return SimulationUpdate{
		Simulation: u.Simulation, SimulationDetails: detailsOf(simulation), Editing: tools.Editing{Version: version(call, simulation)}, was: simulation,
	}
}

// Reply implements [tools.Record].
func (u SimulationUpdate) Reply() any { return u.was }

// CheckFields implements [tools.FieldChecker]. The bank has no way to empty a field of a loan or a property but a period.
func (u SimulationUpdate) CheckFields(ctx context.Context, call *tools.Call) []tools.Problem {
	problems := u.SimulationDetails.CheckFields(ctx, call)
	if u.was.SimulationUniqueID == uuid.Nil {
		return problems
	}
	was := u.of(call, u.was)
	for _, field := range Update.Fields {
		group, _, _ := strings.Cut(field.Path, ".")
		_, had := field.Value(was)
		_, has := field.Value(u)
		if had && !has && (group == "loan" || group == "property") && !isPeriod(field) {
			problems = append(problems, call.Problem(field.Path, "simulation.emptied"))
		}
	}
	return problems
}

func isPeriod(field tools.Field) bool { return strings.HasSuffix(field.Name(), "FixedPeriodId") }

// CheckBank implements [tools.BankChecker] as that of [NewSimulation] does.
func (u SimulationUpdate) CheckBank(ctx context.Context, call *tools.Call) ([]tools.Problem, error) {
	return preview(ctx, call, u.request(ctx, call)), nil
}

// request returns the whole simulation as it will be.
func (u SimulationUpdate) request(ctx context.Context, call *tools.Call) portal.SimulationRequest {
	others := u.was.Borrowers[min(len(u.was.Borrowers), maxPeople):]
	request := u.SimulationDetails.request(ctx, call, others...)
	for i := range min(len(request.Borrowers), len(u.was.Borrowers)) { // the bank's own roles stay
		if role := u.was.Borrowers[i].BorrowerTypeID; role != nil {
			request.Borrowers[i].BorrowerTypeID = role
		}
	}
	return request
}

// changes returns the body of the update. A period with the id 0 is none.
func (u SimulationUpdate) changes(ctx context.Context, call *tools.Call) portal.SimulationRequest {
	to, from := u.request(ctx, call), u.was.Request()
	if was := from.Loan; was != nil {
		none(&to.Loan.MixedFixedPeriodID, was.MixedFixedPeriodID)
		none(&to.Loan.FixedFixedPeriodID, was.FixedFixedPeriodID)
	}
	return to.Changes(from)
}

func none(period **int32, was *int32) {
	if *period == nil && was != nil {
		*period = new(int32)
	}
}

// FindEffect implements [tools.Verifier]: the update was made if it would change nothing now.
func (u SimulationUpdate) FindEffect(ctx context.Context, call *tools.Call) (tools.Carder, bool, error) {
	simulation, err := call.ReadSimulation(ctx, u.Simulation)
	if err != nil && tools.AsError(err).Kind == tools.NotFound {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	current := u.of(call, simulation)
	if len(Update.Changed(current, Update.Merge(current, u))) > 0 {
		return nil, false, nil
	}
	return updatedOf(simulation), true, nil
}

// Target implements [tools.Verifier].
func (u SimulationUpdate) Target(ctx context.Context, call *tools.Call) ([]string, error) {
	return targetOf(ctx, call, u.Simulation)
}

// targetOf identifies a simulation that is changed or cancelled.
func targetOf(ctx context.Context, call *tools.Call, ref tools.SimulationRef) ([]string, error) {
	simulation, err := call.Simulation(ctx, ref)
	return []string{"simulation", simulation.SimulationUniqueID.String()}, err
}

// SimulationUpdated is a simulation that was changed, with its costs if the bank has said them.
type SimulationUpdated struct {
	Simulation uuid.UUID `json:"simulation"`
	Number     int64     `json:"number,omitzero"`
	Essentials
}

func updatedOf(simulation portal.Simulation) SimulationUpdated {
	return SimulationUpdated{
		Simulation: simulation.SimulationUniqueID, Number: simulation.SimulationNumber, Essentials: essentialsOf(simulation.Results),
	}
}

// Subject implements [tools.Subjecter].
func (s SimulationUpdated) Subject() tools.Subject { return tools.Subject{Simulation: s.Simulation} }

// Card implements [tools.Carder].
func (s SimulationUpdated) Card(say tools.Say) tools.Card {
	return tools.Card{
		Title: say("card.title"), Text: say("card.text", "number", s.Number), Facts: s.facts(say),
		Next: []tools.Step{
			tools.NextStep("get_simulation", "simulation", s.Simulation),
			tools.NextStep("get_simulation_esis", "simulation", s.Simulation),
		},
	}
}

// version returns a fingerprint of the data of a simulation: it changes with every field, and reveals none.
func version(call *tools.Call, simulation portal.Simulation) string {
	text, err := clear(simulation.Request())
	if err != nil {
		panic(fmt.Sprintf("tools: a simulation that the bank sent: %T", err)) // it was JSON a moment ago
	}
	digest := call.Fingerprint([]byte(text))
	return digest[:min(len(digest), 16)]
}

// clear returns a request as the bank gets it.
func clear(request portal.SimulationRequest) (string, error) {
	data, err := pii.MarshalClear(request)
	return string(data), err
}

// listed returns facts in a line.
func listed(facts []tools.Fact) string {
	var parts []string
	for _, fact := range facts {
		parts = append(parts, fact.Label+" "+fact.Value)
	}
	return strings.Join(parts, "; ")
}
