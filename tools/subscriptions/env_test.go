package subscriptions_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/tools"
)

// fakeDestinations implements [tools.Destinations] in memory, and fails on request.
type fakeDestinations struct {
	mu            sync.Mutex
	settings      map[string]destination.Settings
	owners        map[uuid.UUID]string
	announcements []tools.SettingsChange // at all destinations
	last          map[string]tools.SettingsChange
	announceErr   error // returned by Announce
	err           error // returned by all other methods
}

func (d *fakeDestinations) Announce(_ context.Context, dest string, change tools.SettingsChange) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.announceErr != nil {
		return d.announceErr
	}
	d.announcements, d.last[dest] = append(d.announcements, change), change
	return nil
}

func (d *fakeDestinations) LastChange(_ context.Context, dest string) (tools.SettingsChange, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change, ok := d.last[dest]
	return change, ok, d.err
}

// wantAnnounced requires this many announcements, and returns the text of the newest one.
func (d *fakeDestinations) wantAnnounced(t *testing.T, many int) string {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.announcements) != many {
		t.Errorf("there are %d announcements, want %d: %+v", len(d.announcements), many, d.announcements)
		return ""
	}
	return d.announcements[many-1].Text
}

func (d *fakeDestinations) Settings(_ context.Context, dest string) (destination.Settings, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.settings[dest], d.err
}

func (d *fakeDestinations) Change(_ context.Context, dest string, change func(*destination.Settings) error) (destination.Settings, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return destination.Settings{}, d.err
	}
	changed := d.settings[dest]
	changed.Subscriptions, changed.Mutes = slices.Clone(changed.Subscriptions), maps.Clone(changed.Mutes)
	if err := change(&changed); err != nil {
		return destination.Settings{}, err
	}
	d.settings[dest] = changed
	return changed, nil
}

func (d *fakeDestinations) ChangeOwner(_ context.Context, change tools.OwnerChange) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	owner := d.owners[change.Process]
	if d.err != nil || owner == change.To || change.OnlyFrom != "" && change.OnlyFrom != owner {
		return false, d.err
	}
	d.owners[change.Process] = change.To
	return true, nil
}

const team = "slack:C0TEAM"

var noon = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

// env is an environment in which Ana writes in the team's channel, at noon.
type env struct {
	*testenv.Env
	*fakeDestinations
}

func start(t *testing.T, change ...func(*tools.Config)) env {
	t.Helper()
	return startWith(t, testenv.Options{}, change...)
}

func startWith(t *testing.T, options testenv.Options, change ...func(*tools.Config)) env {
	t.Helper()
	d := &fakeDestinations{settings: map[string]destination.Settings{}, owners: map[uuid.UUID]string{}, last: map[string]tools.SettingsChange{}}
	options.Now = func() time.Time { return noon }
	options.Runner = func(c *tools.Config) {
		c.Destinations = d
		for _, each := range change {
			each(c)
		}
	}
	e := testenv.Start(t, options)
	e.Actor.Destination, e.Actor.Direct = team, "slack:U0ANA"
	return env{e, d}
}
