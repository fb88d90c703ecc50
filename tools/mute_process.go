package tools

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/lisbon"
	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/validation"
)

// MuteProcess keeps a place from hearing about one process, whatever else it hears about; from the card of a process, the
// actor alone, who is not mentioned of it either.
var MuteProcess = Define(Spec{
	Name: "mute_process", Command: "balcao mute", Toolset: News, Effect: Remembers, NeedsDestination: true, CardOrder: 4, CardArgs: map[string]any{"mine": true},
}, func(ctx context.Context, call *Call, in Muting) (Muted, error) {
	process, err := call.Process(ctx, in.Process)
	if err != nil {
		return Muted{}, err
	}
	muted := Muted{Process: process.ID, ProcessNumber: process.Number, Until: in.Until.begins(), Mine: in.Mine}
	mute := func(place *destination.Settings) error {
		if _, again := place.Mutes[process.ID]; len(place.Mutes) >= destination.MaxMutes && !again {
			return call.invalid("process", "mute.full", "count", destination.MaxMutes)
		}
		if place.Mutes == nil {
			place.Mutes = map[uuid.UUID]time.Time{}
		}
		place.Mutes[process.ID] = muted.Until
		return nil
	}
	if in.Mine {
		return muted, call.changeAt(ctx, call.Actor.Direct, mute)
	}
	return muted, call.change(ctx, func(say Say) string {
		return say("announce.muted", "who", call.who(say), "number", process.Number, "day", day(say, muted.Until))
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
	if day := m.Until.begins(); destination.Ended(day, call.runner.now()) {
		return []Problem{problem(call.Actor.Lang, "until", "mute.past")}
	}
	return nil
}

// Day is a day of the calendar that tells nothing of a person.
type Day string

// Class says so.
func (Day) Class() pii.Class { return pii.Open }

// begins is the moment in Lisbon when the day begins; the zero time for what is no day.
func (d Day) begins() time.Time {
	date, err := validation.ParseDateInput(string(d))
	if err != nil {
		return time.Time{}
	}
	return time.Date(date.Year, date.Month, date.Day, 0, 0, 0, 0, lisbon.Zone)
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
	unmute := Step{Label: say("step.unmute_process"), Tool: "unmute_process", Args: ofProcess(m.Process)}
	if m.Mine {
		unmute.Args["mine"] = true
		return Card{
			Title: say("card.mine", "number", m.ProcessNumber),
			Text:  say("card.mine_text", "number", m.ProcessNumber, "command", "/balcao mute "+number(m.ProcessNumber)),
			Next:  []Step{unmute},
		}
	}
	return Card{
		Title: say("card.title", "number", m.ProcessNumber),
		Text:  say("card.text", "number", m.ProcessNumber, "day", day(say, m.Until)),
		Next:  []Step{unmute, {Label: say("step.watches"), Tool: "watches"}},
	}
}
