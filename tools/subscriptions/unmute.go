package subscriptions

import (
	"context"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/tools"
)

// Unmute ends a [Mute].
var Unmute = tools.Define(Toolset, tools.Spec{
	Name: "unmute_process", Effect: tools.Remembers, NeedsDestination: true, AlwaysForm: true,
	Next:    tools.Next{"show_subscriptions": nil},
	Example: `{"process":"1042"}`,
}, func(ctx context.Context, call *tools.Call, in Unmuting) (Unmuted, error) {
	about, err := in.about(ctx, call)
	if err != nil {
		return Unmuted{}, err
	}
	unmuted := Unmuted{About: about, Mine: in.Mine}
	unmute := func(settings *destination.Settings) error {
		if _, unmuted.Ended = settings.Mutes[about.id()]; !unmuted.Ended {
			return errUnchanged
		}
		delete(settings.Mutes, about.id())
		return nil
	}
	if in.Mine {
		return unmuted, changeSettings(ctx, call, call.Actor.Direct, unmute)
	}
	return unmuted, changeHere(ctx, call, func(say tools.Say) string {
		return say("announce.unmuted", "who", actorName(call, say), "what", about.text(say))
	}, unmute)
})

// Unmuting is a process or simulation to unmute.
type Unmuting struct {
	OfEither
	Mine bool `json:"mine,omitzero" page:"-" pii:"open"` // for the actor only
}

// Unmuted is a process or simulation that is no longer muted.
type Unmuted struct {
	About
	Ended bool `json:"ended"` // false if it was not muted
	Mine  bool `json:"mine,omitempty"`
}

// Card implements [tools.Carder].
func (u Unmuted) Card(say tools.Say) tools.Card {
	card := tools.Card{
		Title: u.say(say, "card.title"), Text: u.say(say, "card.text"),
		Next: []tools.Step{tools.NextStep("show_subscriptions")},
	}
	switch {
	case !u.Ended:
		card.Text = u.say(say, "card.none")
	case u.Mine:
		card.Text = u.say(say, "card.mine")
	}
	return card
}
