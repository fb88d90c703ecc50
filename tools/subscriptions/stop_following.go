package subscriptions

import (
	"context"
	"slices"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/tools"
)

// StopFollowing removes a subscription of the destination.
var StopFollowing = tools.Define(Toolset, tools.Spec{
	Name: "stop_following", Effect: tools.Remembers, NeedsDestination: true, AlwaysForm: true,
	Next:    tools.Next{"show_subscriptions": nil, "mute_process": {"process", "simulation"}},
	Example: `{"process":"1042"}`,
}, func(ctx context.Context, call *tools.Call, in Selector) (Stopped, error) {
	settings, err := settings(ctx, call)
	if err != nil {
		return Stopped{}, err
	}
	var ended destination.Subscription
	if i := slices.IndexFunc(settings.Subscriptions, func(w destination.Subscription) bool { return in.matches(w, call.Actor.ID) }); i >= 0 {
		ended = settings.Subscriptions[i]
	} else if ended, err = in.subscription(ctx, call); err != nil {
		return Stopped{}, err
	}
	stopped := Stopped{Subscription: viewOf(ctx, call, ended), stepArgs: in.stepArgs(ended)}
	announcement := func(say tools.Say) string {
		return say("announce.stopped", "who", actorName(call, say), "what", stopped.Subscription.publicText(say))
	}
	err = changeHere(ctx, call, announcement, func(settings *destination.Settings) error {
		before := len(settings.Subscriptions)
		settings.Subscriptions = slices.DeleteFunc(settings.Subscriptions, ended.Same)
		stopped.Ended = len(settings.Subscriptions) < before
		stopped.Everything = slices.ContainsFunc(settings.Subscriptions, destination.Subscription{Kind: destination.ScopeAll}.Same)
		if !stopped.Ended {
			return errUnchanged
		}
		return nil
	})
	return stopped, err
})

// Stopped is a removed subscription.
type Stopped struct {
	Subscription SubscriptionView `json:"subscription"`
	Ended        bool             `json:"ended"`                // false if there was none
	Everything   bool             `json:"everything,omitempty"` // the destination is still subscribed to everything
	stepArgs     map[string]any
}

// Card implements [tools.Carder].
func (u Stopped) Card(say tools.Say) tools.Card {
	card := tools.Card{
		Title: say("card.title"), Text: say("card.text", "what", u.Subscription.text(say)),
		Next: []tools.Step{tools.NextStep("show_subscriptions")},
	}
	if !u.Ended {
		card.Text = say("card.none", "what", u.Subscription.text(say))
	}
	if !u.Everything {
		return card
	}
	card.Text += " " + say("card.everything")
	if kind := u.Subscription.Kind; kind == destination.ScopeProcess || kind == destination.ScopeSimulation {
		card.Next = append([]tools.Step{{Tool: "mute_process", Args: u.stepArgs}}, card.Next...)
	}
	return card
}
