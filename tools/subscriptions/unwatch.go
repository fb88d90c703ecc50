package subscriptions

import (
	"context"
	"slices"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/tools"
)

// Unwatch ends what [Watch] began.
var Unwatch = tools.Define(tools.Spec{
	Name: "unwatch", Command: "balcao unwatch", Effect: tools.Remembers, NeedsDestination: true, AlwaysForm: true,
	Next: tools.Next{"watches": nil, "mute_process": {"process"}},
}, func(ctx context.Context, call *tools.Call, in Selector) (Unwatched, error) {
	place, err := settings(ctx, call)
	if err != nil {
		return Unwatched{}, err
	}
	var ended destination.Subscription
	if i := slices.IndexFunc(place.Subscriptions, func(w destination.Subscription) bool { return in.means(w, call.Actor.ID) }); i >= 0 {
		ended = place.Subscriptions[i]
	} else if ended, err = in.subscription(ctx, call); err != nil {
		return Unwatched{}, err
	}
	unwatched := Unwatched{Heard: heard(ctx, call, ended), again: in.again(ended)}
	said := func(say tools.Say) string {
		return say("announce.unwatched", "who", who(call, say), "what", unwatched.Heard.saidToAll(say))
	}
	err = change(ctx, call, said, func(place *destination.Settings) error {
		before := len(place.Subscriptions)
		place.Subscriptions = slices.DeleteFunc(place.Subscriptions, ended.Same)
		unwatched.Ended = len(place.Subscriptions) < before
		unwatched.Everything = slices.ContainsFunc(place.Subscriptions, destination.Subscription{Kind: destination.ScopeAll}.Same)
		if !unwatched.Ended {
			return errUnchanged
		}
		return nil
	})
	return unwatched, err
})

// Unwatched says what a place no longer hears about.
type Unwatched struct {
	Heard      SubscriptionView `json:"heard"`
	Ended      bool             `json:"ended"`                // false when it heard nothing about it
	Everything bool             `json:"everything,omitempty"` // it hears about every process all the same
	again      map[string]any
}

// Card implements [tools.Carder].
func (u Unwatched) Card(say tools.Say) tools.Card {
	card := tools.Card{
		Title: say("card.title"), Text: say("card.text", "what", u.Heard.said(say)),
		Next: []tools.Step{tools.NextStep("watches")},
	}
	if !u.Ended {
		card.Text = say("card.none", "what", u.Heard.said(say))
	}
	if !u.Everything {
		return card
	}
	card.Text += " " + say("card.everything")
	if u.Heard.Kind == destination.ScopeProcess {
		card.Next = append([]tools.Step{{Tool: "mute_process", Args: u.again}}, card.Next...)
	}
	return card
}
