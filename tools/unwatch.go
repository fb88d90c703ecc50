package tools

import (
	"context"
	"slices"
)

// Unwatch ends what [StartWatch] began.
var Unwatch = Define(Spec{
	Name: "unwatch", Command: "balcao unwatch", Toolset: News, Effect: Remembers, Placed: true, Asks: true,
}, func(ctx context.Context, call *Call, in Subject) (Unwatched, error) {
	place, err := call.settings(ctx)
	if err != nil {
		return Unwatched{}, err
	}
	var ended Watch
	if i := slices.IndexFunc(place.Watches, func(w Watch) bool { return in.means(w, call.Actor.ID) }); i >= 0 {
		ended = place.Watches[i]
	} else if ended, err = in.watch(ctx, call); err != nil {
		return Unwatched{}, err
	}
	unwatched := Unwatched{Heard: call.heard(ctx, ended), again: in.again(ended)}
	said := func(say Say) string {
		return say("announce.unwatched", "who", call.who(say), "what", unwatched.Heard.saidToAll(say))
	}
	err = call.change(ctx, said, func(place *PlaceSettings) error {
		before := len(place.Watches)
		place.Watches = slices.DeleteFunc(place.Watches, ended.same)
		unwatched.Ended = len(place.Watches) < before
		unwatched.Everything = slices.ContainsFunc(place.Watches, Watch{Kind: WatchAll}.same)
		if !unwatched.Ended {
			return errUnchanged
		}
		return nil
	})
	return unwatched, err
})

// Unwatched says what a place no longer hears about.
type Unwatched struct {
	Heard      Heard `json:"heard"`
	Ended      bool  `json:"ended"`                // false when it heard nothing about it
	Everything bool  `json:"everything,omitempty"` // it hears about every process all the same
	again      map[string]any
}

// Card implements [Carder].
func (u Unwatched) Card(say Say) Card {
	card := Card{
		Title: say("card.title"), Text: say("card.text", "what", u.Heard.said(say)),
		Next: []Step{{Label: say("step.watches"), Tool: "watches"}},
	}
	if !u.Ended {
		card.Text = say("card.none", "what", u.Heard.said(say))
	}
	if !u.Everything {
		return card
	}
	card.Text += " " + say("card.everything")
	if u.Heard.Kind == WatchProcess {
		card.Next = append([]Step{{Label: say("step.mute_process"), Tool: "mute_process", Args: u.again}}, card.Next...)
	}
	return card
}
