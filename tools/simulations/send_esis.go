package simulations

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// SendESIS lets the bank send the ESIS of a simulation by e-mail (Simulation ESIS Email). Its input is no [tools.Verifier]: the
// bank does not show whether an e-mail was sent, so that one with an unclear outcome is never sent again.
var SendESIS = tools.Define(Toolset, tools.Spec{
	Name: "send_simulation_esis", Effect: tools.Sends, Operations: []portal.OperationID{portal.SimulationESISEmail}, Needs: tools.OpenSimulation,
	Next: tools.Next{"get_simulation": {"simulation"}}, Example: `{"simulation":"2103","borrower":"1"}`,
}, func(ctx context.Context, call *tools.Call, in ESISEmail) (ESISSent, error) {
	simulation, to, err := in.recipient(ctx, call)
	if err != nil {
		return ESISSent{}, err
	}
	if _, err := call.Bank.EmailSimulationESIS(ctx, simulation.SimulationUniqueID, portal.ESISEmail{To: to}); err != nil {
		return ESISSent{}, err
	}
	return ESISSent{Simulation: simulation.SimulationUniqueID, Number: simulation.SimulationNumber, To: to}, nil
})

// ESISEmail names a simulation and the recipient of its ESIS: a borrower, by the position, or an address. An assistant may only
// send to an address that the bank has; if a simulation has none, only people may send.
type ESISEmail struct {
	Simulation tools.SimulationRef       `json:"simulation" page:"simulation" validate:"required"`
	Borrower   tools.SimulationPersonRef `json:"borrower,omitzero" page:"recipient" required:"assistants"`
	Email      pii.Email                 `json:"email,omitzero" page:"recipient" only:"people" validate:"omitempty,email_address"`
}

// CheckFields implements [tools.FieldChecker].
func (e ESISEmail) CheckFields(_ context.Context, call *tools.Call) []tools.Problem {
	return call.CheckRecipient(e.Borrower != "", e.Email)
}

// CheckBank implements [tools.BankChecker]: a person confirms the recipient, and once more if the address is not of a borrower of
// the simulation.
func (e ESISEmail) CheckBank(ctx context.Context, call *tools.Call) ([]tools.Problem, error) {
	simulation, to, err := e.recipient(ctx, call)
	if err != nil {
		return nil, err
	}
	if e.Borrower != "" {
		return call.ConfirmRecipient(ctx, to, simulation.SimulationNumber, nil)
	}
	return call.ConfirmRecipient(ctx, to, simulation.SimulationNumber, func() (bool, error) {
		return slices.ContainsFunc(simulation.Borrowers, func(b portal.SimulationBorrower) bool { return strings.EqualFold(b.Email.Reveal(), to.Reveal()) }), nil
	})
}

// recipient returns the address to send to.
func (e ESISEmail) recipient(ctx context.Context, call *tools.Call) (portal.Simulation, pii.Email, error) {
	if e.Borrower == "" {
		simulation, err := call.Simulation(ctx, e.Simulation)
		return simulation, e.Email, err
	}
	simulation, borrower, err := call.SimulationBorrower(ctx, e.Simulation, e.Borrower)
	if err == nil && borrower.Email.IsZero() {
		err = call.Invalid("borrower", "recipient.no_address")
	}
	return simulation, borrower.Email, err
}

// ESISSent has the recipient of a document.
type ESISSent struct {
	Simulation uuid.UUID `json:"simulation"`
	Number     int64     `json:"number"`
	To         pii.Email `json:"to"`
}

// Subject implements [tools.Subjecter].
func (e ESISSent) Subject() tools.Subject { return tools.Subject{Simulation: e.Simulation} }

// Card implements [tools.Carder].
func (e ESISSent) Card(say tools.Say) tools.Card {
	return tools.Card{
		Title: say("card.title", "number", e.Number), Text: say("card.text", "email", e.To),
		Next: []tools.Step{tools.NextStep("get_simulation", "simulation", e.Simulation)},
	}
}
