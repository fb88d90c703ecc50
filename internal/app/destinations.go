package app

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/notifications"
	"github.com/balcao/balcao/tools"
)

// destinations stores what tools set of destinations, and posts the changes that concern others.
type destinations struct {
	store         *conversations.Store
	notifications func() *notifications.Service
	team          string // the destination that is the team's channel, "" for none
}

// Settings implements [tools.Destinations].
func (d destinations) Settings(ctx context.Context, id string) (destination.Settings, error) {
	settings, err := d.store.Destination(ctx, id)
	return d.subscribed(settings), err
}

// Change implements [tools.Destinations].
func (d destinations) Change(ctx context.Context, id string, change func(*destination.Settings) error) (destination.Settings, error) {
	settings, err := d.store.ChangeDestination(ctx, id, func(settings *destination.Settings) error {
		*settings = d.subscribed(*settings)
		return change(settings)
	})
	return d.subscribed(settings), err
}

// undoTTL is how long a change of a destination's settings can be undone.
const undoTTL = 24 * time.Hour

// Announce implements [tools.Destinations]. The last change of each destination is stored.
func (d destinations) Announce(ctx context.Context, id string, change tools.SettingsChange) error {
	data, err := json.Marshal(change)
	if err != nil {
		return err
	}
	if err := d.store.Put(ctx, lastChange, id, data, undoTTL); err != nil {
		return err
	}
	return d.notifications().Announce(ctx, id, notifications.Announcement{
		ID: change.ID, Lang: change.Lang, Title: change.Title, Text: change.Text, Undo: change.ID,
	})
}

// LastChange implements [tools.Destinations].
func (d destinations) LastChange(ctx context.Context, id string) (change tools.SettingsChange, ok bool, err error) {
	data, ok, err := d.store.Get(ctx, lastChange, id)
	if err == nil && ok {
		err = json.Unmarshal(data, &change)
	}
	return change, ok, err
}

const lastChange = "settings-change"

// ChangeOwner implements [tools.Destinations]. It announces the owner also if nothing changed: the call that changed it may have ended before.
func (d destinations) ChangeOwner(ctx context.Context, change tools.OwnerChange) (changed bool, err error) {
	allowed := func(owner string) bool { return change.OnlyFrom == "" || owner == change.OnlyFrom }
	owned, changed, err := d.store.ChangeOwner(ctx, change.Process, change.To, change.By.ID, allowed)
	if err == nil && owned.Owner == change.To && owned.By == change.By.ID {
		err = d.notifications().OwnerChanged(ctx, change.Process, change.Number, owned, change.By.Name)
	}
	return changed, err
}

// subscribed removes subscriptions without an author from destinations other than the team's channel, so that a person can
// subscribe instead.
func (d destinations) subscribed(settings destination.Settings) destination.Settings {
	if settings.ID != d.team {
		settings.Subscriptions = slices.DeleteFunc(slices.Clone(settings.Subscriptions), func(s destination.Subscription) bool { return s.By == "" })
	}
	return settings
}
