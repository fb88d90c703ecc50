package subscriptions

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/tools"
)

// changeHere changes the settings of the actor's destination. A change for a whole channel is announced there by name, with a
// button that undoes it, so that the team sees it; a change of a person's direct messages is not. said is the announcement,
// in the destination's language. If change returns errUnchanged, or nothing differs, nothing is announced. A change that
// cannot be announced is reverted.
func changeHere(ctx context.Context, call *tools.Call, announcement func(tools.Say) string, change func(*destination.Settings) error) error {
	return changeUndoing(ctx, call, "", announcement, change)
}

// changeUndoing is changeHere for a change that undoes another.
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

// who returns the actor's name for colleagues.
func actorName(call *tools.Call, say tools.Say) string {
	if call.Actor.Name == "" {
		return say("announce.somebody")
	}
	return tools.Clean(call.Actor.Name)
}
