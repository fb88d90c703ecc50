package subscriptions

import (
	"context"
	"slices"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/tools"
)

// Follow subscribes the destination to updates of processes and simulations that the actor may read at the bank.
var Follow = tools.Define(Toolset, tools.Spec{
	Name: "follow_processes", Effect: tools.Remembers, NeedsDestination: true, Subscribes: true, AlwaysForm: true,
	Next:    tools.Next{"show_subscriptions": nil, "stop_following": {"process", "simulation", "branch", "phaseId", "mine", "everything"}},
	Example: `{"process":"1042"}`,
}, func(ctx context.Context, call *tools.Call, in Selector) (Followed, error) {
	subscription, err := in.subscription(ctx, call)
	if err != nil {
		return Followed{}, err
	}
	followed := Followed{Subscription: viewOf(ctx, call, subscription), stepArgs: in.stepArgs(subscription)}
	followed.Already, err = subscribe(ctx, call, call.Actor.Destination, subscription)
	return followed, err
})

// subscribe adds a subscription to a destination; already reports that it exists.
func subscribe(ctx context.Context, call *tools.Call, to string, subscription destination.Subscription) (already bool, err error) {
	subscription.By = call.Actor.ID
	err = changeSettings(ctx, call, to, func(settings *destination.Settings) error {
		already = slices.ContainsFunc(settings.Subscriptions, func(w destination.Subscription) bool {
			return w.Same(subscription) && (w.By == "" || w.By == subscription.By)
		})
		switch {
		case already:
			return errUnchanged
		case len(settings.Subscriptions) >= destination.MaxSubscriptions:
			return call.Invalid("process", "subscription.full", "count", destination.MaxSubscriptions)
		}
		settings.Subscriptions = append(settings.Subscriptions, subscription)
		return nil
	})
	return already, err
}

// stepArgs returns the selector as arguments of a step.
func (s Selector) stepArgs(w destination.Subscription) map[string]any {
	switch w.Kind {
	case destination.ScopeProcess:
		return map[string]any{"process": w.Value}
	case destination.ScopeSimulation:
		return map[string]any{"simulation": w.Value}
	case destination.ScopeBranch:
		return map[string]any{"branch": w.Name}
	case destination.ScopePhase:
		return map[string]any{"phaseId": s.Phase}
	case destination.ScopePerson:
		return map[string]any{"mine": true}
	}
	return map[string]any{"everything": true}
}

// Followed is a new subscription.
type Followed struct {
	Subscription SubscriptionView `json:"subscription"`
	Already      bool             `json:"already,omitempty"` // before the call
	stepArgs     map[string]any
}

// Card implements [tools.Carder].
func (w Followed) Card(say tools.Say) tools.Card {
	card := tools.Card{
		Title: say("card.title"),
		Text:  say("card.text", "what", w.Subscription.text(say), "stop", command(say, StopFollowing, "")),
		Next: []tools.Step{
			{Tool: "stop_following", Args: w.stepArgs},
			tools.NextStep("show_subscriptions"),
		},
	}
	if w.Already {
		card.Text = say("card.already", "what", w.Subscription.text(say), "stop", command(say, StopFollowing, ""))
	}
	return card
}
