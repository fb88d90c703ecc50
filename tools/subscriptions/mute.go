package subscriptions

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/tools"
)

// Mute mutes a process or simulation in the destination, whatever its subscriptions. From its card it mutes it for the actor only, who is not mentioned in its updates either.
var Mute = tools.Define(Toolset, tools.Spec{
	Name: "mute_process", Effect: tools.Remembers, NeedsDestination: true, AlwaysForm: true, CardOrder: 4, CardArgs: map[string]any{"mine": true},
	Next:    tools.Next{"unmute_process": {"process", "simulation", "mine"}, "show_subscriptions": nil},
	Example: `{"process":"1042","until":"2099-12-31"}`,
}, func(ctx context.Context, call *tools.Call, in Muting) (Muted, error) {
	about, err := in.about(ctx, call)
	if err != nil {
		return Muted{}, err
	}
	muted := Muted{About: about, Until: in.Until.Begins(), Mine: in.Mine}
	mute := func(settings *destination.Settings) error {
		if _, again := settings.Mutes[about.id()]; len(settings.Mutes) >= destination.MaxMutes && !again {
			return call.Invalid("process", "mute.full", "count", destination.MaxMutes)
		}
		if settings.Mutes == nil {
			settings.Mutes = map[uuid.UUID]time.Time{}
		}
		settings.Mutes[about.id()] = muted.Until
		return nil
	}
	if in.Mine {
		return muted, changeSettings(ctx, call, call.Actor.Direct, mute)
	}
	return muted, changeHere(ctx, call, func(say tools.Say) string {
		return say("announce.muted", "who", actorName(call, say), "what", about.text(say), "day", tools.FormatDay(say, muted.Until))
	}, mute)
})

// Muting is a process or simulation to mute.
type Muting struct {
	OfEither
	Until tools.Day `json:"until,omitzero" page:"subject" validate:"omitempty,date"` // without it, indefinitely
	Mine  bool      `json:"mine,omitzero" page:"-" pii:"open"`                       // for the actor only
}

// CheckFields implements [tools.FieldChecker].
func (m Muting) CheckFields(ctx context.Context, call *tools.Call) []tools.Problem {
	problems := m.OfEither.CheckFields(ctx, call)
	if day := m.Until.Begins(); destination.Ended(day, call.Now()) {
		problems = append(problems, call.Problem("until", "mute.past"))
	}
	return problems
}

// Muted is a muted process or simulation.
type Muted struct {
	About
	Until time.Time `json:"until,omitzero"` // zero if indefinitely
	Mine  bool      `json:"mine,omitempty"` // for the actor only
}

// Card implements [tools.Carder].
func (m Muted) Card(say tools.Say) tools.Card {
	unmute := m.step("unmute_process")
	if m.Mine {
		unmute.Args["mine"] = true
		return tools.Card{
			Title: m.say(say, "card.mine"),
			Text:  m.say(say, "card.mine_text", "command", m.command(say, Mute)),
			Next:  []tools.Step{unmute},
		}
	}
	return tools.Card{
		Title: m.say(say, "card.title"),
		Text:  m.say(say, "card.text", "day", tools.FormatDay(say, m.Until)),
		Next:  []tools.Step{unmute, tools.NextStep("show_subscriptions")},
	}
}
