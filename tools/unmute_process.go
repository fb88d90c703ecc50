package tools

import (
	"context"

	"github.com/google/uuid"
)

// UnmuteProcess ends what [MuteProcess] began.
var UnmuteProcess = Define(Spec{
	Name: "unmute_process", Command: "balcao unmute", Toolset: News, Effect: Remembers, Placed: true,
}, func(ctx context.Context, call *Call, in OfProcess) (Unmuted, error) {
	process, err := call.Process(ctx, in.Process)
	if err != nil {
		return Unmuted{}, err
	}
	unmuted := Unmuted{Process: process.ID, ProcessNumber: process.Number}
	return unmuted, call.change(ctx, func(place *PlaceSettings) error {
		if _, unmuted.Ended = place.Mutes[process.ID]; !unmuted.Ended {
			return errUnchanged
		}
		delete(place.Mutes, process.ID)
		return nil
	})
})

// Unmuted is a process of which a place hears again, if it wants to.
type Unmuted struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	Ended         bool      `json:"ended"` // false when it was not muted
}

// Card implements [Carder].
func (u Unmuted) Card(say Say) Card {
	card := Card{
		Title: say("card.title"), Text: say("card.text", "number", u.ProcessNumber),
		Next: []Step{{Label: say("step.watches"), Tool: "watches"}},
	}
	if !u.Ended {
		card.Text = say("card.none", "number", u.ProcessNumber)
	}
	return card
}
