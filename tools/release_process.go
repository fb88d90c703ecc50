package tools

import (
	"context"

	"github.com/google/uuid"
)

// ReleaseProcess ends what [OwnProcess] began for who owns a process: nobody owns it then.
var ReleaseProcess = Define(Spec{
	Name: "release_process", Command: "balcao release", Toolset: News, Effect: Remembers, NeedsDestination: true,
}, func(ctx context.Context, call *Call, in OfProcess) (Released, error) {
	process, err := call.Process(ctx, in.Process)
	if err != nil {
		return Released{}, err
	}
	released, err := call.runner.Destinations.ChangeOwner(ctx, OwnerChange{
		Process: process.ID, Number: process.Number, By: call.Actor, OnlyFrom: call.Actor.ID,
	})
	return Released{Process: process.ID, ProcessNumber: process.Number, Ended: released}, kept(err)
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
			{Label: say("step.own_process"), Tool: "own_process", Args: ofProcess(r.Process)},
			{Label: say("step.assign"), Tool: "own_process", Args: ofProcess(r.Process), Form: true},
		},
	}
	if !r.Ended {
		card.Text = say("card.none", "number", r.ProcessNumber)
	}
	return card
}
