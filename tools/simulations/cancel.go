package simulations

import (
	"context"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// Cancel cancels a simulation (Simulation Cancel). The bank has no list of reasons for it, and takes none.
var Cancel = tools.Define(Toolset, tools.Spec{
	Name: "cancel_simulation", Effect: tools.Deletes, Operations: []portal.OperationID{portal.SimulationCancel}, Needs: tools.CancelableSimulation,
	Next: tools.Next{"get_simulation": {"simulation"}, "find_simulations": {}}, Example: `{"simulation":"2101"}`,
}, func(ctx context.Context, call *tools.Call, in SimulationCancel) (SimulationCancelled, error) {
	simulation, err := call.Simulation(ctx, in.Simulation)
	if err != nil {
		return SimulationCancelled{}, err
	}
	if _, err := call.Bank.CancelSimulation(ctx, simulation.SimulationUniqueID); err != nil {
		return SimulationCancelled{}, err
	}
	return cancelled(simulation), nil
})

// SimulationCancel names a simulation to cancel.
type SimulationCancel struct {
	Simulation tools.SimulationRef `json:"simulation" page:"simulation" validate:"required"`
}

// CheckBank implements [tools.BankChecker]: a person confirms what is cancelled.
func (c SimulationCancel) CheckBank(ctx context.Context, call *tools.Call) ([]tools.Problem, error) {
	simulation, err := call.Simulation(ctx, c.Simulation)
	if err != nil {
		return nil, err
	}
	args := []any{"number", simulation.SimulationNumber, "who", simulation.BorrowerName}
	warning := call.InClear(call.Warning("", "simulation.cancel", args...), args...)
	return []tools.Problem{call.About(warning, "number", simulation.SimulationNumber, "who", simulation.BorrowerName.Reveal(), "status", simulation.SimulationStatusID)}, nil
}

// FindEffect implements [tools.Verifier].
func (c SimulationCancel) FindEffect(ctx context.Context, call *tools.Call) (tools.Carder, bool, error) {
	simulation, err := call.ReadSimulation(ctx, c.Simulation)
	if err != nil {
		return nil, false, err
	}
	state := call.SimulationState(ctx, simulation.SimulationSummary)
	switch {
	case state.Name == "cancelled":
		return cancelled(simulation), true, nil
	case state.Name == "":
		return nil, false, &tools.Error{Kind: tools.Unclear}
	}
	return nil, false, nil
}

// Target implements [tools.Verifier].
func (c SimulationCancel) Target(ctx context.Context, call *tools.Call) ([]string, error) {
	return targetOf(ctx, call, c.Simulation)
}

func cancelled(simulation portal.Simulation) SimulationCancelled {
	return SimulationCancelled{simulation.SimulationUniqueID, simulation.SimulationNumber}
}

// SimulationCancelled is a simulation that was cancelled.
type SimulationCancelled struct {
	Simulation uuid.UUID `json:"simulation"`
	Number     int64     `json:"number"`
}

// Subject implements [tools.Subjecter].
func (s SimulationCancelled) Subject() tools.Subject {
	return tools.Subject{Simulation: s.Simulation}
}

// Card implements [tools.Carder].
func (s SimulationCancelled) Card(say tools.Say) tools.Card {
	return tools.Card{
		Title: say("card.title"), Text: say("card.text", "number", s.Number),
		Next: []tools.Step{tools.NextStep("get_simulation", "simulation", s.Simulation), tools.NextStep("find_simulations")},
	}
}
