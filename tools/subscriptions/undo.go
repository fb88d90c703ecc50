package subscriptions

import (
	"context"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/tools"
)

// Undo restores the settings of a destination from before the last change that was announced there, unless something else
// has changed since.
var Undo = tools.Define(Toolset, tools.Spec{
	Name: "undo_change", Effect: tools.Remembers, NeedsDestination: true,
	Next:    tools.Next{"show_subscriptions": nil},
	Example: `{}`,
}, func(ctx context.Context, call *tools.Call, in Undoing) (Undone, error) {
	last, known, err := call.Destinations().LastChange(ctx, call.Actor.Destination)
	if err != nil || !known {
		return Undone{}, tools.StoreError(err)
	}
	undone := Undone{Known: true}
	now := call.Now()
	before, after := last.Before.At(now), last.After.At(now)
	announcement := func(say tools.Say) string { return say("announce.undone", "who", actorName(call, say)) }
	err = changeUndoing(ctx, call, last.ID, announcement, func(settings *destination.Settings) error {
		undone.Done, undone.Already = false, in.Change != "" && in.Change == last.Undoes && settings.Equals(after)
		if in.Change != "" && in.Change != last.ID || !settings.Equals(after) {
			return errUnchanged
		}
		*settings, undone.Done = before.Clone(), true
		return nil
	})
	return undone, err
})

// Undoing names the change to undo; "" is the last one.
type Undoing struct {
	Change string `json:"change,omitzero" page:"-" validate:"omitempty,text=40" pii:"open"`
}

// Undone is the result of undoing a change.
type Undone struct {
	Known   bool `json:"known"` // there was something to undo
	Done    bool `json:"done"`
	Already bool `json:"already,omitempty"` // the settings are what they were before
}

// Card implements [tools.Carder].
func (u Undone) Card(say tools.Say) tools.Card {
	card := tools.Card{Title: say("card.title"), Text: say("card.overtaken"), Next: []tools.Step{tools.NextStep("show_subscriptions")}}
	switch {
	case u.Done:
		card.Text = say("card.done")
	case !u.Known:
		card.Text = say("card.none")
	case u.Already:
		card.Text = say("card.already")
	}
	return card
}
