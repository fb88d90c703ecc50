package tools

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/destination"
)

// Mute keeps a place from hearing about one process, whatever else it hears about; from the card of a process, the
// actor alone, who is not mentioned of it either.
var Mute = Define(Spec{
	Name: "mute_process", Command: "balcao mute", Effect: Remembers, NeedsDestination: true, CardOrder: 4, CardArgs: map[string]any{"mine": true},
	Next: Next{"unmute_process": {"process", "mine"}, "watches": nil},
}, func(ctx context.Context, call *Call, in Muting) (Muted, error) {
	process, err := call.Process(ctx, in.Process)
	if err != nil {
		return Muted{}, err
	}
	muted := Muted{Process: process.ID, ProcessNumber: process.Number, Until: in.Until.Begins(), Mine: in.Mine}
	mute := func(place *destination.Settings) error {
		if _, again := place.Mutes[process.ID]; len(place.Mutes) >= destination.MaxMutes && !again {
			return call.Invalid("process", "mute.full", "count", destination.MaxMutes)
		}
		if place.Mutes == nil {
			place.Mutes = map[uuid.UUID]time.Time{}
		}
		place.Mutes[process.ID] = muted.Until
		return nil
	}
	if in.Mine {
		return muted, changeAt(ctx, call, call.Actor.Direct, mute)
	}
	return muted, change(ctx, call, func(say Say) string {
		return say("announce.muted", "who", who(call, say), "number", process.Number, "day", FormatDay(say, muted.Until))
	}, mute)
})

// Muting is a process to mute.
type Muting struct {
	Process ProcessRef `json:"process" page:"mute" validate:"required"`
	Until   Day        `json:"until,omitzero" page:"mute" validate:"omitempty,date"` // for good without it
	Mine    bool       `json:"mine,omitzero" page:"-" pii:"open"`                    // for the actor alone, wherever it is asked
}

// CheckFields implements [FieldChecker].
func (m Muting) CheckFields(_ context.Context, call *Call) []Problem {
	if day := m.Until.Begins(); destination.Ended(day, call.Now()) {
		return []Problem{call.Problem("until", "mute.past")}
	}
	return nil
}

// Muted is a process of which a place hears nothing.
type Muted struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	Until         time.Time `json:"until,omitzero"` // for good when zero
	Mine          bool      `json:"mine,omitempty"` // of which the actor alone hears nothing
}

// Card implements [Carder].
func (m Muted) Card(say Say) Card {
	unmute := NextStep("unmute_process", "process", m.Process)
	if m.Mine {
		unmute.Args["mine"] = true
		return Card{
			Title: say("card.mine", "number", m.ProcessNumber),
			Text:  say("card.mine_text", "number", m.ProcessNumber, "command", "/balcao mute "+FormatNumber(m.ProcessNumber)),
			Next:  []Step{unmute},
		}
	}
	return Card{
		Title: say("card.title", "number", m.ProcessNumber),
		Text:  say("card.text", "number", m.ProcessNumber, "day", FormatDay(say, m.Until)),
		Next:  []Step{unmute, NextStep("watches")},
	}
}
