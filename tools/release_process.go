package tools

import (
	"context"

	"github.com/google/uuid"
)

// Release ends what [Own] began for who owns a process: nobody owns it then.
var Release = Define(Spec{
	Name: "release_process", Command: "balcao release", Effect: Remembers, NeedsDestination: true,
	Next: Next{"own_process": {"process"}},
}, func(ctx context.Context, call *Call, in OfProcess) (Released, error) {
	process, err := call.Process(ctx, in.Process)
	if err != nil {
		return Released{}, err
	}
	released, err := call.Destinations().ChangeOwner(ctx, OwnerChange{
		Process: process.ID, Number: process.Number, By: call.Actor, OnlyFrom: call.Actor.ID,
	})
	return Released{Process: process.ID, ProcessNumber: process.Number, Ended: released}, StoreError(err)
})

// Released is a process that its owner gave up.
type Released struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	Ended         bool      `json:"ended"` // false when it was not the actor's
}

// Card implements [Carder].
func (r Released) Card(say Say) Card {
	card := Card{
		Title: say("card.title"), Text: say("card.text", "number", r.ProcessNumber),
		Next: []Step{
			NextStep("own_process", "process", r.Process),
			assignStep(r.Process, say),
		},
	}
	if !r.Ended {
		card.Text = say("card.none", "number", r.ProcessNumber)
	}
	return card
}
