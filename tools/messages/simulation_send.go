package messages

import (
	"context"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// SendOnSimulation writes a message to the bank on a simulation (Simulations Message Create). It cannot be taken back.
var SendOnSimulation = tools.Define(Toolset, tools.Spec{
	Name: "send_simulation_message", Effect: tools.Sends, Operations: []portal.OperationID{portal.SimulationsMessageCreate},
	Next:    tools.Next{"list_simulation_messages": {"simulation"}, "get_simulation": {"simulation"}},
	Example: `{"simulation":"2103","subject":"Prazo","text":"Bom dia, os clientes preferem 30 anos."}`,
}, func(ctx context.Context, call *tools.Call, in NewSimulationMessage) (SimulationMessageSent, error) {
	simulation, err := call.Simulation(ctx, in.Simulation)
	if err != nil {
		return SimulationMessageSent{}, err
	}
	if _, err := call.Bank.CreateSimulationMessage(ctx, simulation.SimulationUniqueID, in.message()); err != nil {
		return SimulationMessageSent{}, err
	}
	return SimulationMessageSent{simulation.SimulationUniqueID, simulation.SimulationNumber}, nil
})

// NewSimulationMessage is a message to the bank on a simulation.
type NewSimulationMessage struct {
	Simulation tools.SimulationRef `json:"simulation" page:"simulation" validate:"required"`
	Subject    pii.Title           `json:"subject" page:"message" validate:"required,text=200"`
	Text       pii.FreeText        `json:"text" page:"message" validate:"required"`
}

func (n NewSimulationMessage) message() portal.MessageRequest {
	return portal.MessageRequest{Subject: n.Subject, Text: n.Text}
}

func (n NewSimulationMessage) list(call *tools.Call, simulation uuid.UUID) pages {
	return func(ctx context.Context, query portal.MessageQuery) (portal.MessagePage, error) {
		return call.Bank.ListSimulationMessages(ctx, simulation, query)
	}
}

// CheckFields implements [tools.FieldChecker] with the lengths that the bank takes. Nothing is cut.
func (n NewSimulationMessage) CheckFields(_ context.Context, call *tools.Call) []tools.Problem {
	return checkLengths(call, portal.SimulationsMessageCreate, n.message())
}

// CheckBank implements [tools.BankChecker] as that of [NewMessage] does.
func (n NewSimulationMessage) CheckBank(ctx context.Context, call *tools.Call) ([]tools.Problem, error) {
	simulation, err := call.Simulation(ctx, n.Simulation)
	if err != nil {
		return nil, err
	}
	return confirm(ctx, call, n.list(call, simulation.SimulationUniqueID), n.message(), "message.confirm_simulation", simulation.SimulationNumber)
}

// FindEffect implements [tools.Verifier]: the simulation has the message. It did not have it when the call was checked.
func (n NewSimulationMessage) FindEffect(ctx context.Context, call *tools.Call) (tools.Carder, bool, error) {
	simulation, err := call.Simulation(ctx, n.Simulation)
	if err != nil {
		return nil, false, err
	}
	sent, err := n.list(call, simulation.SimulationUniqueID).have(ctx, call, n.message())
	if err != nil || !sent {
		return nil, false, err
	}
	return SimulationMessageSent{simulation.SimulationUniqueID, simulation.SimulationNumber}, true, nil
}

// Target implements [tools.Verifier].
func (n NewSimulationMessage) Target(ctx context.Context, call *tools.Call) ([]string, error) {
	simulation, err := call.Simulation(ctx, n.Simulation)
	return []string{"message", simulation.SimulationUniqueID.String(), essence(n.Subject.Reveal()), essence(n.Text.Reveal())}, err
}

// SimulationMessageSent is a message on a simulation that the bank has.
type SimulationMessageSent struct {
	Simulation uuid.UUID `json:"simulation"`
	Number     int64     `json:"number"`
}

// Subject implements [tools.Subjecter].
func (m SimulationMessageSent) Subject() tools.Subject {
	return tools.Subject{Simulation: m.Simulation}
}

// Card implements [tools.Carder].
func (m SimulationMessageSent) Card(say tools.Say) tools.Card {
	return tools.Card{
		Title: say("card.title"), Text: say("card.text", "number", m.Number),
		Next: []tools.Step{
			tools.NextStep("list_simulation_messages", "simulation", m.Simulation), tools.NextStep("get_simulation", "simulation", m.Simulation),
		},
	}
}
