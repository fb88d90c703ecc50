package subscriptions

import (
	"context"
	"slices"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/tools"
)

// Watch has the place where it is asked hear of what moves: of what the actor may read at the bank.
var Watch = tools.Define(tools.Spec{
	Name: "watch_process", Command: "balcao watch", Effect: tools.Remembers, NeedsDestination: true, Subscribes: true, AlwaysForm: true,
	Next: tools.Next{"watches": nil, "unwatch": {"process", "branch", "phaseId", "mine", "everything"}},
}, func(ctx context.Context, call *tools.Call, in Selector) (Watching, error) {
	wanted, err := in.subscription(ctx, call)
	if err != nil {
		return Watching{}, err
	}
	watching := Watching{Heard: heard(ctx, call, wanted), again: in.again(wanted)}
	watching.Already, err = watchAt(ctx, call, call.Actor.Destination, wanted)
	return watching, err
})

// watchAt has a place hear of what is wanted; already tells that it does.
func watchAt(ctx context.Context, call *tools.Call, place string, wanted destination.Subscription) (already bool, err error) {
	wanted.By = call.Actor.ID
	err = changeAt(ctx, call, place, func(place *destination.Settings) error {
		already = slices.ContainsFunc(place.Subscriptions, func(w destination.Subscription) bool { return w.Same(wanted) && (w.By == "" || w.By == wanted.By) })
		switch {
		case already:
			return errUnchanged
		case len(place.Subscriptions) >= destination.MaxSubscriptions:
			return call.Invalid("process", "watch.full", "count", destination.MaxSubscriptions)
		}
		place.Subscriptions = append(place.Subscriptions, wanted)
		return nil
	})
	return already, err
}

// again are the arguments by which a step means the same.
func (s Selector) again(w destination.Subscription) map[string]any {
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

// Watching says what a place hears about from now on.
type Watching struct {
	Heard   SubscriptionView `json:"heard"`
	Already bool             `json:"already,omitempty"` // before it was asked for
	again   map[string]any
}

// Card implements [tools.Carder].
func (w Watching) Card(say tools.Say) tools.Card {
	card := tools.Card{
		Title: say("card.title"),
		Text:  say("card.text", "what", w.Heard.said(say), "stop", command(Unwatch, "")),
		Next: []tools.Step{
			{Tool: "unwatch", Args: w.again},
			tools.NextStep("watches"),
		},
	}
	if w.Already {
		card.Text = say("card.already", "what", w.Heard.said(say), "stop", command(Unwatch, ""))
	}
	return card
}
