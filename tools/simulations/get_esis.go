package simulations

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/spool"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// GetESIS fetches the ESIS of a simulation (Simulation ESIS Get), always by the rules of Law 24/2023: it is made to be handed to
// the client.
var GetESIS = tools.Define(Toolset, tools.Spec{
	Name: "get_simulation_esis", Effect: tools.Reads, Operations: []portal.OperationID{portal.SimulationESISGet}, Resource: "balcao://simulations/{simulation}/esis",
	Needs: tools.OpenSimulation, CardOrder: 1, Example: `{"simulation":"2103"}`,
	Next: tools.Next{"send_simulation_esis": {"simulation"}, "get_simulation": {"simulation"}},
}, func(ctx context.Context, call *tools.Call, in tools.OfSimulation) (ESIS, error) {
	simulation, err := call.Simulation(ctx, in.Simulation)
	if err != nil {
		return ESIS{}, err
	}
	esis, err := call.Bank.SimulationESIS(ctx, simulation.SimulationUniqueID, portal.ESISOptions{})
	if err != nil {
		return ESIS{}, err
	}
	return ESIS{
		Simulation: simulation.SimulationUniqueID, Number: simulation.SimulationNumber,
		FileName: call.Say(call.Actor.Lang)("file", "number", simulation.SimulationNumber), Size: esis.Size(), content: esis.File,
	}, nil
})

// ESIS describes the document. Its content is in the card.
type ESIS struct {
	Simulation uuid.UUID `json:"simulation"`
	Number     int64     `json:"number"`
	FileName   string    `json:"fileName" pii:"open"`
	Size       int64     `json:"size"` // bytes
	content    *spool.File
}

// Close removes the content, which the card has too.
func (e ESIS) Close() error { return e.content.Close() }

// Card implements [tools.Carder].
func (e ESIS) Card(say tools.Say) tools.Card {
	return tools.Card{
		Title: say("card.title", "number", e.Number), Text: say("card.text"),
		File: &tools.File{
			Name: e.FileName, MediaType: "application/pdf", File: e.content,
			URI: fmt.Sprintf("balcao://simulations/%s/esis", e.Simulation),
		},
		Next: []tools.Step{
			tools.NextStep("send_simulation_esis", "simulation", e.Simulation),
			tools.NextStep("get_simulation", "simulation", e.Simulation),
		},
	}
}
