package subscriptions

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/tools"
)

// What acts for everybody in a channel is announced there, by name and with a button that undoes it: nobody changes what
// a team hears without the team seeing it. In a person's direct messages nothing is announced.

// changeHere changes the place where the actor is, and announces it where others are told there too; said is the announcement,
// in the place's language. With errUnchanged of change, or where nothing differs, it stays as it is. A change that cannot
// be announced is taken back.
func changeHere(ctx context.Context, call *tools.Call, announcement func(tools.Say) string, change func(*destination.Settings) error) error {
	return changeUndoing(ctx, call, "", announcement, change)
}

// changeUndoing is [Call.changeHere] where it undoes another change.
func changeUndoing(ctx context.Context, call *tools.Call, undoes string, announcement func(tools.Say) string, change func(*destination.Settings) error) error {
	var before, after destination.Settings
	changed := false
	err := changeSettings(ctx, call, call.Actor.Destination, func(settings *destination.Settings) error {
		before, changed = settings.Clone(), false
		if err := change(settings); err != nil {
			return err
		}
		if settings.Equals(before) {
			return errUnchanged
		}
		after, changed = settings.Clone(), true
		return nil
	})
	if err != nil || !changed || call.Actor.Destination == call.Actor.Direct {
		return err
	}
	say := call.Say(after.Lang)
	err = call.Destinations().Announce(ctx, call.Actor.Destination, tools.SettingsChange{
		ID: uuid.NewString(), Lang: after.Lang, Title: say("announce.title"), Text: announcement(say), Before: before, After: after, Undoes: undoes,
	})
	if err == nil {
		return nil
	}
	undone := changeSettings(context.WithoutCancel(ctx), call, call.Actor.Destination, func(settings *destination.Settings) error {
		if !settings.Equals(after) {
			return errUnchanged
		}
		*settings = before
		return nil
	})
	return tools.StoreError(errors.Join(err, undone))
}

// who is what colleagues call the actor.
func actorName(call *tools.Call, say tools.Say) string {
	if call.Actor.Name == "" {
		return say("announce.somebody")
	}
	return tools.Clean(call.Actor.Name)
}
