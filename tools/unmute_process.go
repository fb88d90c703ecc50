package tools

import (
	"context"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/destination"
)

// Unmute ends what [Mute] began.
var Unmute = Define(Spec{
	Name: "unmute_process", Command: "balcao unmute", Effect: Remembers, NeedsDestination: true,
	Next: Next{"watches": nil},
}, func(ctx context.Context, call *Call, in Unmuting) (Unmuted, error) {
	process, err := call.Process(ctx, in.Process)
	if err != nil {
		return Unmuted{}, err
	}
	unmuted := Unmuted{Process: process.ID, ProcessNumber: process.Number, Mine: in.Mine}
	unmute := func(place *destination.Settings) error {
		if _, unmuted.Ended = place.Mutes[process.ID]; !unmuted.Ended {
			return errUnchanged
		}
		delete(place.Mutes, process.ID)
		return nil
	}
	if in.Mine {
		return unmuted, changeAt(ctx, call, call.Actor.Direct, unmute)
	}
	return unmuted, change(ctx, call, func(say Say) string {
		return say("announce.unmuted", "who", who(call, say), "number", process.Number)
	}, unmute)
})

// Unmuting is a process to hear of again.
type Unmuting struct {
	Process ProcessRef `json:"process" page:"mute" validate:"required"`
	Mine    bool       `json:"mine,omitzero" page:"-" pii:"open"` // by the actor alone, wherever it is asked
}

// Unmuted is a process of which a place hears again, if it wants to.
type Unmuted struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	Ended         bool      `json:"ended"` // false when it was not muted
	Mine          bool      `json:"mine,omitempty"`
}

// Card implements [Carder].
func (u Unmuted) Card(say Say) Card {
	card := Card{
		Title: say("card.title"), Text: say("card.text", "number", u.ProcessNumber),
		Next: []Step{NextStep("watches")},
	}
	switch {
	case !u.Ended:
		card.Text = say("card.none", "number", u.ProcessNumber)
	case u.Mine:
		card.Text = say("card.mine", "number", u.ProcessNumber)
	}
	return card
}
