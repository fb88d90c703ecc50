package subscriptions

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/tools"
)

// List shows the subscriptions of the destination, its mutes, quiet hours and digest.
var List = tools.Define(Toolset, tools.Spec{
	Name: "show_subscriptions", Effect: tools.Reads, NeedsDestination: true,
	Next:    tools.Next{"follow_processes": nil, "set_quiet": nil, "set_digest": nil},
	Example: `{}`,
}, func(ctx context.Context, call *tools.Call, _ tools.Nothing) (DestinationView, error) {
	settings, err := settings(ctx, call)
	if err != nil {
		return DestinationView{}, err
	}
	view := DestinationView{Subscriptions: []SubscriptionView{}, Muted: []Muted{}, Quiet: settings.Quiet.String(), Digest: settings.Digest}
	for _, subscription := range settings.Subscriptions {
		if each := viewOf(ctx, call, subscription); each.Kind == destination.ScopePerson || !slices.Contains(view.Subscriptions, each) { // of several people
			view.Subscriptions = append(view.Subscriptions, each)
		}
	}
	for id, until := range maps.All(settings.Mutes) {
		if !destination.Ended(until, call.Now()) {
			view.Muted = append(view.Muted, Muted{About: About{Process: id}, Until: until})
		}
	}
	slices.SortFunc(view.Muted, func(a, b Muted) int {
		return cmp.Or(soonest(a.Until, b.Until), cmp.Compare(a.Process.String(), b.Process.String()))
	})
	view.More = max(0, len(view.Muted)-mutesShown)
	view.Muted = view.Muted[:len(view.Muted)-view.More]
	number(ctx, call, view.Muted)
	return view, nil
})

// mutesShown is the number of mutes that are listed: the bank is asked for the number of each.
const mutesShown = 20

// soonest compares ends of mutes: the earliest first, those without an end last.
func soonest(a, b time.Time) int {
	if a.IsZero() || b.IsZero() {
		return -a.Compare(b)
	}
	return a.Compare(b)
}

// number finds what is muted, with its number, four at a time.
func number(ctx context.Context, call *tools.Call, muted []Muted) {
	var group errgroup.Group
	group.SetLimit(4)
	for i := range muted {
		group.Go(func() error {
			muted[i].About = lookUp(ctx, call, muted[i].Process)
			return nil
		})
	}
	_ = group.Wait() // none fails
}

// DestinationView has the settings of a destination.
type DestinationView struct {
	Subscriptions []SubscriptionView `json:"subscriptions"`
	Muted         []Muted            `json:"muted"`
	More          int                `json:"more,omitempty"` // mutes that are not listed
	Quiet         string             `json:"quiet,omitempty" pii:"open"`
	Digest        string             `json:"digest,omitempty" pii:"open"`
}

// Card implements [tools.Carder].
func (p DestinationView) Card(say tools.Say) tools.Card {
	card := tools.Card{
		Title: say("card.title"),
		Facts: []tools.Fact{{Label: say("label.quiet"), Value: say("card.no_quiet")}, {Label: say("label.digest"), Value: say("card.no_digest")}},
		Next: []tools.Step{
			tools.NextStep("follow_processes"),
			tools.NextStep("set_quiet"),
			tools.NextStep("set_digest"),
		},
	}
	if p.Quiet != "" {
		card.Facts[0].Value = say("card.quiet", "hours", p.Quiet)
	}
	if p.Digest != "" {
		card.Facts[1].Value = say("card.digest", "time", p.Digest)
	}
	switch {
	case len(p.Subscriptions) == 0:
		card.Text = say("card.none")
	case p.More > 0:
		card.Text = say("card.more", "count", p.More)
	}
	if len(p.Subscriptions)+len(p.Muted) == 0 {
		return card
	}
	card.Table.Columns = []string{say("label.news"), say("label.status")}
	for _, subscription := range p.Subscriptions {
		card.Table.Rows = append(card.Table.Rows, []string{subscription.text(say), say("card.followed")})
	}
	for _, muted := range p.Muted {
		card.Table.Rows = append(card.Table.Rows, []string{muted.text(say), say("card.muted", "simulation", muted.isSimulation(), "day", tools.FormatDay(say, muted.Until))})
	}
	return card
}
