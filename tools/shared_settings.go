package tools

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/words"
)

// What acts for everybody in a channel is announced there, by name and with a button that undoes it: nobody changes what
// a team hears without the team seeing it. In a person's direct messages nothing is announced.

// SettingsChange is a change of what a place wants to hear, as it is announced there.
type SettingsChange struct {
	ID     string // by which it is undone
	Lang   words.Lang
	Title  string
	Text   string
	Before destination.Settings
	After  destination.Settings
	Undoes string // the change that it undid, "" for none
}

// change changes the place where the actor is, and announces it where others are told there too; said is the announcement,
// in the place's language. With errUnchanged of change, or where nothing differs, it stays as it is. A change that cannot
// be announced is taken back.
func (c *Call) change(ctx context.Context, said func(Say) string, change func(*destination.Settings) error) error {
	return c.changeBack(ctx, "", said, change)
}

// changeBack is [Call.change] where it undoes another change.
func (c *Call) changeBack(ctx context.Context, undoes string, said func(Say) string, change func(*destination.Settings) error) error {
	var before, after destination.Settings
	changed := false
	err := c.changeAt(ctx, c.Actor.Destination, func(place *destination.Settings) error {
		before, changed = place.Clone(), false
		if err := change(place); err != nil {
			return err
		}
		if place.Equals(before) {
			return errUnchanged
		}
		after, changed = place.Clone(), true
		return nil
	})
	if err != nil || !changed || c.Actor.Destination == c.Actor.Direct {
		return err
	}
	say := (&Tool{}).sayer(after.Lang)
	err = c.runner.Destinations.Announce(ctx, c.Actor.Destination, SettingsChange{
		ID: uuid.NewString(), Lang: after.Lang, Title: say("announce.title"), Text: said(say), Before: before, After: after, Undoes: undoes,
	})
	if err == nil {
		return nil
	}
	undone := c.changeAt(context.WithoutCancel(ctx), c.Actor.Destination, func(place *destination.Settings) error {
		if !place.Equals(after) {
			return errUnchanged
		}
		*place = before
		return nil
	})
	return kept(errors.Join(err, undone))
}

// who is what colleagues call the actor.
func (c *Call) who(say Say) string {
	if c.Actor.Name == "" {
		return say("announce.somebody")
	}
	return clean(c.Actor.Name)
}
