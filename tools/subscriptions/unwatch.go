package subscriptions

import (
	"context"
	"slices"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/tools"
)

// Unwatch removes a subscription of the destination.
var Unwatch = tools.Define(Toolset, tools.Spec{
	Name: "unwatch", Effect: tools.Remembers, NeedsDestination: true, AlwaysForm: true,
	Next: tools.Next{"watches": nil, "mute_process": {"process"}},
}, func(ctx context.Context, call *tools.Call, in Selector) (Unwatched, error) {
	settings, err := settings(ctx, call)
	if err != nil {
		return Unwatched{}, err
	}
	var ended destination.Subscription
	if i := slices.IndexFunc(settings.Subscriptions, func(w destination.Subscription) bool { return in.matches(w, call.Actor.ID) }); i >= 0 {
		ended = settings.Subscriptions[i]
	} else if ended, err = in.subscription(ctx, call); err != nil {
		return Unwatched{}, err
	}
	unwatched := Unwatched{Subscription: viewOf(ctx, call, ended), stepArgs: in.stepArgs(ended)}
	announcement := func(say tools.Say) string {
		return say("announce.unwatched", "who", actorName(call, say), "what", unwatched.Subscription.publicText(say))
	}
	err = changeHere(ctx, call, announcement, func(settings *destination.Settings) error {
		before := len(settings.Subscriptions)
		settings.Subscriptions = slices.DeleteFunc(settings.Subscriptions, ended.Same)
		unwatched.Ended = len(settings.Subscriptions) < before
		unwatched.Everything = slices.ContainsFunc(settings.Subscriptions, destination.Subscription{Kind: destination.ScopeAll}.Same)
		if !unwatched.Ended {
			return errUnchanged
		}
		return nil
	})
	return unwatched, err
})

// Unwatched is a removed subscription.
type Unwatched struct {
	Subscription SubscriptionView `json:"heard"`
	Ended        bool             `json:"ended"`                // false if there was none
	Everything   bool             `json:"everything,omitempty"` // the destination is still subscribed to all processes
	stepArgs     map[string]any
}

// Card implements [tools.Carder].
func (u Unwatched) Card(say tools.Say) tools.Card {
	card := tools.Card{
		Title: say("card.title"), Text: say("card.text", "what", u.Subscription.text(say)),
		Next: []tools.Step{tools.NextStep("watches")},
	}
	if !u.Ended {
		card.Text = say("card.none", "what", u.Subscription.text(say))
	}
	if !u.Everything {
		return card
	}
	card.Text += " " + say("card.everything")
	if u.Subscription.Kind == destination.ScopeProcess {
		card.Next = append([]tools.Step{{Tool: "mute_process", Args: u.stepArgs}}, card.Next...)
	}
	return card
}
