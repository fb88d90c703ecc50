package tools

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/validation"
)

// MuteProcess keeps a place from hearing about one process, whatever else it hears about.
var MuteProcess = Define(Spec{
	Name: "mute_process", Command: "balcao mute", Toolset: News, Effect: Remembers, Placed: true, OnCard: 4,
}, func(ctx context.Context, call *Call, in Muting) (Muted, error) {
	process, err := call.Process(ctx, in.Process)
	if err != nil {
		return Muted{}, err
	}
	muted := Muted{Process: process.ID, ProcessNumber: process.Number, Until: in.Until.begins()}
	return muted, call.change(ctx, func(place *PlaceSettings) error {
		if _, again := place.Mutes[process.ID]; len(place.Mutes) >= maxMutes && !again {
			return call.invalid("process", "mute.full", "count", maxMutes)
		}
		if place.Mutes == nil {
			place.Mutes = map[uuid.UUID]time.Time{}
		}
		place.Mutes[process.ID] = muted.Until
		return nil
	})
})

// Muting is a process to mute.
type Muting struct {
	Process ProcessRef `json:"process" page:"mute" validate:"required"`
	Until   Day        `json:"until,omitzero" page:"mute" validate:"omitempty,date"` // for good without it
}

// CheckFields implements [FieldChecker].
func (m Muting) CheckFields(_ context.Context, call *Call) []Problem {
	if day := m.Until.begins(); over(day, call.runner.now()) {
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
	return time.Date(date.Year, date.Month, date.Day, 0, 0, 0, 0, lisbon)
}

var lisbon = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Lisbon")
	if err != nil {
		panic(err) // package validation embeds it
	}
	return zone
}()

// Muted is a process of which a place hears nothing.
type Muted struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	Until         time.Time `json:"until,omitzero"` // for good when zero
}

// Card implements [Carder].
func (m Muted) Card(say Say) Card {
	return Card{
		Title: say("card.title", "number", m.ProcessNumber),
		Text:  say("card.text", "number", m.ProcessNumber, "day", day(say, m.Until)),
		Next: []Step{
			{Label: say("step.unmute_process"), Tool: "unmute_process", Args: ofProcess(m.Process)},
			{Label: say("step.watches"), Tool: "watches"},
		},
	}
}
