package subscriptions

import (
	"context"
	"slices"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/tools"
)

// Watch subscribes the destination to updates of processes that the actor may read at the bank.
var Watch = tools.Define(Toolset, tools.Spec{
	Name: "watch_process", Effect: tools.Remembers, NeedsDestination: true, Subscribes: true, AlwaysForm: true,
	Next: tools.Next{"watches": nil, "unwatch": {"process", "branch", "phaseId", "mine", "everything"}},
}, func(ctx context.Context, call *tools.Call, in Selector) (Watching, error) {
	subscription, err := in.subscription(ctx, call)
	if err != nil {
		return Watching{}, err
	}
	watching := Watching{Subscription: viewOf(ctx, call, subscription), stepArgs: in.stepArgs(subscription)}
	watching.Already, err = subscribe(ctx, call, call.Actor.Destination, subscription)
	return watching, err
})

// subscribe adds a subscription to a destination; already reports that it exists.
func subscribe(ctx context.Context, call *tools.Call, settings string, subscription destination.Subscription) (already bool, err error) {
	subscription.By = call.Actor.ID
	err = changeSettings(ctx, call, settings, func(settings *destination.Settings) error {
		already = slices.ContainsFunc(settings.Subscriptions, func(w destination.Subscription) bool {
			return w.Same(subscription) && (w.By == "" || w.By == subscription.By)
		})
		switch {
		case already:
			return errUnchanged
		case len(settings.Subscriptions) >= destination.MaxSubscriptions:
			return call.Invalid("process", "watch.full", "count", destination.MaxSubscriptions)
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
	case destination.ScopeBranch:
		return map[string]any{"branch": w.Name}
	case destination.ScopePhase:
		return map[string]any{"phaseId": s.Phase}
	case destination.ScopePerson:
		return map[string]any{"mine": true}
	}
	return map[string]any{"everything": true}
}

// Watching is a new subscription.
type Watching struct {
	Subscription SubscriptionView `json:"heard"`
	Already      bool             `json:"already,omitempty"` // before the call
	stepArgs     map[string]any
}

// Card implements [tools.Carder].
func (w Watching) Card(say tools.Say) tools.Card {
	card := tools.Card{
		Title: say("card.title"),
		Text:  say("card.text", "what", w.Subscription.text(say), "stop", command(say, Unwatch, "")),
		Next: []tools.Step{
			{Tool: "unwatch", Args: w.stepArgs},
			tools.NextStep("watches"),
		},
	}
	if w.Already {
		card.Text = say("card.already", "what", w.Subscription.text(say), "stop", command(say, Unwatch, ""))
	}
	return card
}
