package subscriptions

import (
	"context"

	"github.com/google/uuid"

	"github.com/balcao/balcao/tools"
)

// Release removes the actor as the owner of a process.
var Release = tools.Define(Toolset, tools.Spec{
	Name: "release_process", Effect: tools.Remembers, NeedsDestination: true,
	Next:    tools.Next{"own_process": {"process"}},
	Example: `{"process":"1042"}`,
}, func(ctx context.Context, call *tools.Call, in tools.OfProcess) (Released, error) {
	process, err := call.Process(ctx, in.Process)
	if err != nil {
		return Released{}, err
	}
	released, err := call.Destinations().ChangeOwner(ctx, tools.OwnerChange{
		Process: process.ID, Number: process.Number, By: call.Actor, OnlyFrom: call.Actor.ID,
	})
	return Released{Process: process.ID, ProcessNumber: process.Number, Ended: released}, tools.StoreError(err)
})

// Released is a process that its owner gave up.
type Released struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	Ended         bool      `json:"ended"` // false if the actor did not own it
}

// Card implements [tools.Carder].
func (r Released) Card(say tools.Say) tools.Card {
	card := tools.Card{
		Title: say("card.title"), Text: say("card.text", "number", r.ProcessNumber),
		Next: []tools.Step{
			tools.NextStep("own_process", "process", r.Process),
			assignStep(r.Process, say),
		},
	}
	if !r.Ended {
		card.Text = say("card.none", "number", r.ProcessNumber)
	}
	return card
}
