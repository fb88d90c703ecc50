package subscriptions

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/tools"
)

// Mute mutes a process in the destination, whatever its subscriptions. From the card of a process it mutes the process for
// the actor only, who is not mentioned in its updates either.
var Mute = tools.Define(Toolset, tools.Spec{
	Name: "mute_process", Effect: tools.Remembers, NeedsDestination: true, CardOrder: 4, CardArgs: map[string]any{"mine": true},
	Next:    tools.Next{"unmute_process": {"process", "mine"}, "show_subscriptions": nil},
	Example: `{"process":"1042","until":"2099-12-31"}`,
}, func(ctx context.Context, call *tools.Call, in Muting) (Muted, error) {
	process, err := call.Process(ctx, in.Process)
	if err != nil {
		return Muted{}, err
	}
	muted := Muted{Process: process.ID, ProcessNumber: process.Number, Until: in.Until.Begins(), Mine: in.Mine}
	mute := func(settings *destination.Settings) error {
		if _, again := settings.Mutes[process.ID]; len(settings.Mutes) >= destination.MaxMutes && !again {
			return call.Invalid("process", "mute.full", "count", destination.MaxMutes)
		}
		if settings.Mutes == nil {
			settings.Mutes = map[uuid.UUID]time.Time{}
		}
		settings.Mutes[process.ID] = muted.Until
		return nil
	}
	if in.Mine {
		return muted, changeSettings(ctx, call, call.Actor.Direct, mute)
	}
	return muted, changeHere(ctx, call, func(say tools.Say) string {
		return say("announce.muted", "who", actorName(call, say), "number", process.Number, "day", tools.FormatDay(say, muted.Until))
	}, mute)
})

// Muting is a process to mute.
type Muting struct {
	Process tools.ProcessRef `json:"process" page:"mute" validate:"required"`
	Until   tools.Day        `json:"until,omitzero" page:"mute" validate:"omitempty,date"` // without it, indefinitely
	Mine    bool             `json:"mine,omitzero" page:"-" pii:"open"`                    // for the actor only
}

// CheckFields implements [tools.FieldChecker].
func (m Muting) CheckFields(_ context.Context, call *tools.Call) []tools.Problem {
	if day := m.Until.Begins(); destination.Ended(day, call.Now()) {
		return []tools.Problem{call.Problem("until", "mute.past")}
	}
	return nil
}

// Muted is a muted process.
type Muted struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	Until         time.Time `json:"until,omitzero"` // zero if indefinitely
	Mine          bool      `json:"mine,omitempty"` // for the actor only
}

// Card implements [tools.Carder].
func (m Muted) Card(say tools.Say) tools.Card {
	unmute := tools.NextStep("unmute_process", "process", m.Process)
	if m.Mine {
		unmute.Args["mine"] = true
		return tools.Card{
			Title: say("card.mine", "number", m.ProcessNumber),
			Text:  say("card.mine_text", "number", m.ProcessNumber, "command", command(say, Mute, tools.FormatNumber(m.ProcessNumber))),
			Next:  []tools.Step{unmute},
		}
	}
	return tools.Card{
		Title: say("card.title", "number", m.ProcessNumber),
		Text:  say("card.text", "number", m.ProcessNumber, "day", tools.FormatDay(say, m.Until)),
		Next:  []tools.Step{unmute, tools.NextStep("show_subscriptions")},
	}
}
