package subscriptions

import (
	"context"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/tools"
)

// Unmute ends a [Mute].
var Unmute = tools.Define(Toolset, tools.Spec{
	Name: "unmute_process", Effect: tools.Remembers, NeedsDestination: true,
	Next:    tools.Next{"show_subscriptions": nil},
	Example: `{"process":"1042"}`,
}, func(ctx context.Context, call *tools.Call, in Unmuting) (Unmuted, error) {
	process, err := call.Process(ctx, in.Process)
	if err != nil {
		return Unmuted{}, err
	}
	unmuted := Unmuted{Process: process.ID, ProcessNumber: process.Number, Mine: in.Mine}
	unmute := func(settings *destination.Settings) error {
		if _, unmuted.Ended = settings.Mutes[process.ID]; !unmuted.Ended {
			return errUnchanged
		}
		delete(settings.Mutes, process.ID)
		return nil
	}
	if in.Mine {
		return unmuted, changeSettings(ctx, call, call.Actor.Direct, unmute)
	}
	return unmuted, changeHere(ctx, call, func(say tools.Say) string {
		return say("announce.unmuted", "who", actorName(call, say), "number", process.Number)
	}, unmute)
})

// Unmuting is a process to unmute.
type Unmuting struct {
	Process tools.ProcessRef `json:"process" page:"mute" validate:"required"`
	Mine    bool             `json:"mine,omitzero" page:"-" pii:"open"` // for the actor only
}

// Unmuted is a process that is no longer muted.
type Unmuted struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	Ended         bool      `json:"ended"` // false if it was not muted
	Mine          bool      `json:"mine,omitempty"`
}

// Card implements [tools.Carder].
func (u Unmuted) Card(say tools.Say) tools.Card {
	card := tools.Card{
		Title: say("card.title"), Text: say("card.text", "number", u.ProcessNumber),
		Next: []tools.Step{tools.NextStep("show_subscriptions")},
	}
	switch {
	case !u.Ended:
		card.Text = say("card.none", "number", u.ProcessNumber)
	case u.Mine:
		card.Text = say("card.mine", "number", u.ProcessNumber)
	}
	return card
}
