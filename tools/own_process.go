package tools

import (
	"context"

	"github.com/google/uuid"
)

// OwnProcess makes the actor the one whom a process's news concern: who is mentioned when it moves.
var OwnProcess = Define(Spec{
	Name: "own_process", Command: "balcao own", Toolset: News, Effect: Remembers, Placed: true, OnCard: 3,
}, func(ctx context.Context, call *Call, in OfProcess) (Owned, error) {
	process, err := call.Process(ctx, in.Process)
	if err != nil {
		return Owned{}, err
	}
	owned := Owned{Process: process.ID, ProcessNumber: process.Number}
	return owned, kept(call.runner.Places.SetOwner(ctx, process.ID, call.Actor.ID))
})

// Owned is a process with an owner.
type Owned struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
}

// Card implements [Carder].
func (o Owned) Card(say Say) Card {
	return Card{
		Title: say("card.title", "number", o.ProcessNumber),
		Text:  say("card.text", "number", o.ProcessNumber),
		Next: []Step{
			{Label: say("step.watch_mine"), Tool: "watch_process", Args: map[string]any{"mine": true}},
			{Label: say("step.watches"), Tool: "watches"},
		},
	}
}
