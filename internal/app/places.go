package app

import (
	"context"
	"encoding/json"
	"time"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/notifications"
	"github.com/balcao/balcao/tools"
)

// places keeps in the store what the catalogue's tools say of places, and has it told whom it concerns.
type places struct {
	store *conversations.Store
	news  func() *notifications.Service
	team  string // the place of the team's channel, "" for none
}

func (p places) Settings(ctx context.Context, place string) (tools.DestinationSettings, error) {
	kept, err := p.store.Destination(ctx, place)
	return p.settings(kept), err
}

func (p places) Change(ctx context.Context, place string, change func(*tools.DestinationSettings) error) (tools.DestinationSettings, error) {
	kept, err := p.store.ChangeDestination(ctx, place, func(kept *conversations.Destination) error {
		settings := p.settings(*kept)
		if err := change(&settings); err != nil {
			return err
		}
		kept.Lang, kept.Mutes, kept.Digest = settings.Lang, settings.Mutes, settings.Digest
		kept.Quiet, kept.Subscriptions = conversations.QuietHours(settings.Quiet), nil
		for _, watch := range settings.Subscriptions {
			kept.Subscriptions = append(kept.Subscriptions, conversations.Subscription{
				Kind: conversations.Scope(watch.Kind), Value: watch.Value, Name: watch.Name, By: watch.By,
			})
		}
		return nil
	})
	return p.settings(kept), err
}

// undoLife is how long a change of a place's settings can be undone.
const undoLife = 24 * time.Hour

// Announce implements [tools.Destinations]. Of each place the last change is kept.
func (p places) Announce(ctx context.Context, place string, change tools.SettingsChange) error {
	data, err := json.Marshal(change)
	if err != nil {
		return err
	}
	if err := p.store.Put(ctx, lastChange, place, data, undoLife); err != nil {
		return err
	}
	return p.news().Announce(ctx, place, notifications.Announcement{
		ID: change.ID, Lang: change.Lang, Title: change.Title, Text: change.Text, Undo: change.ID,
	})
}

// LastChange implements [tools.Destinations].
func (p places) LastChange(ctx context.Context, place string) (change tools.SettingsChange, ok bool, err error) {
	data, ok, err := p.store.Get(ctx, lastChange, place)
	if err == nil && ok {
		err = json.Unmarshal(data, &change)
	}
	return change, ok, err
}

const lastChange = "settings-change"

// ChangeOwner implements [tools.Destinations]. What is so already is announced again: whoever made it so may have died before.
func (p places) ChangeOwner(ctx context.Context, change tools.OwnerChange) (changed bool, err error) {
	allowed := func(owner string) bool { return change.OnlyFrom == "" || owner == change.OnlyFrom }
	owned, changed, err := p.store.ChangeOwner(ctx, change.Process, change.To, change.By.ID, allowed)
	if err == nil && owned.Owner == change.To && owned.By == change.By.ID {
		err = p.news().OwnerChanged(ctx, change.Process, change.Number, owned, change.By.Name)
	}
	return changed, err
}

// settings are what is kept of a place, as tools know it. What nobody subscribed to is told in the team's channel alone, and
// is left out elsewhere, so that it can be subscribed to.
func (p places) settings(kept conversations.Destination) tools.DestinationSettings {
	settings := tools.DestinationSettings{Lang: kept.Lang, Mutes: kept.Mutes, Digest: kept.Digest, Quiet: tools.QuietHours(kept.Quiet)}
	for _, watch := range kept.Subscriptions {
		if watch.By != "" || kept.ID == p.team {
			settings.Subscriptions = append(settings.Subscriptions, tools.Subscription{Kind: tools.Scope(watch.Kind), Value: watch.Value, Name: watch.Name, By: watch.By})
		}
	}
	return settings
}
