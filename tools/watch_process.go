package tools

import (
	"context"
	"slices"
)

// StartWatch has the place where it is asked hear of what moves: of what the actor may read at the bank.
var StartWatch = Define(Spec{
	Name: "watch_process", Command: "balcao watch", Toolset: News, Effect: Remembers, Placed: true, Subscribes: true, Asks: true,
}, func(ctx context.Context, call *Call, in Subject) (Watching, error) {
	wanted, err := in.watch(ctx, call)
	if err != nil {
		return Watching{}, err
	}
	watching := Watching{Heard: call.heard(ctx, wanted), again: in.again(wanted)}
	watching.Already, err = call.watchAt(ctx, call.Actor.Place, wanted)
	return watching, err
})

// watchAt has a place hear of what is wanted; already tells that it does.
func (c *Call) watchAt(ctx context.Context, place string, wanted Watch) (already bool, err error) {
	wanted.By = c.Actor.ID
	err = c.changeAt(ctx, place, func(place *PlaceSettings) error {
		already = slices.ContainsFunc(place.Watches, func(w Watch) bool { return w.same(wanted) && (w.By == "" || w.By == wanted.By) })
		switch {
		case already:
			return errUnchanged
		case len(place.Watches) >= maxWatches:
			return c.invalid("process", "watch.full", "count", maxWatches)
		}
		place.Watches = append(place.Watches, wanted)
		return nil
	})
	return already, err
}

// again are the arguments by which a step means the same.
func (s Subject) again(w Watch) map[string]any {
	switch w.Kind {
	case WatchProcess:
		return map[string]any{"process": w.Value}
	case WatchBranch:
		return map[string]any{"branch": w.Name}
	case WatchPhase:
		return map[string]any{"phaseId": s.Phase}
	case WatchPerson:
		return map[string]any{"mine": true}
	}
	return map[string]any{"everything": true}
}

// Watching says what a place hears about from now on.
type Watching struct {
	Heard   Heard `json:"heard"`
	Already bool  `json:"already,omitempty"` // before it was asked for
	again   map[string]any
}

// Card implements [Carder].
func (w Watching) Card(say Say) Card {
	card := Card{
		Title: say("card.title"),
		Text:  say("card.text", "what", w.Heard.said(say), "stop", command(Unwatch, "")),
		Next: []Step{
			{Label: say("step.unwatch"), Tool: "unwatch", Args: w.again},
			{Label: say("step.watches"), Tool: "watches"},
		},
	}
	if w.Already {
		card.Text = say("card.already", "what", w.Heard.said(say), "stop", command(Unwatch, ""))
	}
	return card
}
