package conversations

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/words"
)

// subscribeTo returns a change that adds a subscription to each process.
func subscribeTo(values ...string) func(*destination.Settings) error {
	return func(p *destination.Settings) error {
		for _, value := range values {
			p.Subscriptions = append(p.Subscriptions, destination.Subscription{Kind: destination.ScopeProcess, Value: value, Name: value})
		}
		return nil
	}
}

func TestSettingsOfADestinationAreStoredUntilTheyAreChanged(t *testing.T) {
	on(t, func(t *testing.T, p *testRedis) {
		one, other := p.replica(t), p.replica(t)
		ctx, muted := t.Context(), uuid.New()
		if unknown := must(one.Destination(ctx, "slack:C0TEAM"))(t); unknown.ID != "slack:C0TEAM" || len(unknown.Subscriptions) > 0 {
			t.Errorf("the settings of an unknown destination are %+v", unknown)
		}
		changed := must(one.ChangeDestination(ctx, "slack:C0TEAM", func(p *destination.Settings) error {
			p.Lang, p.Digest, p.Quiet = words.English, "09:00", destination.QuietHours{From: "20:00", To: "08:00"}
			p.Subscriptions = []destination.Subscription{{Kind: destination.ScopeAll}, {Kind: destination.ScopeBranch, Value: "101", Name: "Lisboa"}}
			p.Mutes = map[uuid.UUID]time.Time{muted: {}}
			return nil
		}))(t)
		must(other.ChangeDestination(ctx, "slack:U0ANA", subscribeTo("1")))(t)
		read := must(other.Destination(ctx, "slack:C0TEAM"))(t)
		for _, got := range []destination.Settings{changed, read} {
			until, silent := got.Mutes[muted]
			if got.ID != "slack:C0TEAM" || got.Lang != words.English || got.Digest != "09:00" || got.Quiet.To != "08:00" || len(got.Subscriptions) != 2 ||
				got.Subscriptions[1].Name != "Lisboa" || !silent || !until.IsZero() {
				t.Errorf("the settings are %+v", got)
			}
		}
		ids := []string{}
		for _, each := range must(other.Destinations(ctx))(t) {
			ids = append(ids, each.ID)
		}
		if slices.Sort(ids); !slices.Equal(ids, []string{"slack:C0TEAM", "slack:U0ANA"}) {
			t.Errorf("the destinations are %v", ids)
		}
	}, embeddedRedis, oneNode, aCluster, aSentinel)
}

func TestNoConcurrentChangeOfADestinationIsLost(t *testing.T) {
	on(t, func(t *testing.T, p *testRedis) {
		replicas := []*Store{p.replica(t), p.replica(t)}
		replies := atOnce(6, func(i int) string {
			_, err := replicas[i%2].ChangeDestination(t.Context(), "slack:C0TEAM", subscribeTo(fmt.Sprint(i)))
			return fmt.Sprint(err)
		})
		stored := must(replicas[0].Destination(t.Context(), "slack:C0TEAM"))(t)
		values := map[string]bool{}
		for _, subscription := range stored.Subscriptions {
			values[subscription.Value] = true
		}
		if replies["<nil>"] != 6 || len(values) != 6 || len(stored.Subscriptions) != 6 {
			t.Errorf("the calls returned %v, and stored are %v", replies, stored.Subscriptions)
		}
	}, embeddedRedis, oneNode, aCluster)
}

func TestAChangeThatIsAlwaysTooLateFailsWithAConflict(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s, rival := p.replica(t), p.replica(t)
		calls := 0
		_, err := s.ChangeDestination(t.Context(), "slack:C0TEAM", func(p *destination.Settings) error {
			calls++
			must(rival.ChangeDestination(t.Context(), "slack:C0TEAM", func(p *destination.Settings) error {
				p.Digest = fmt.Sprintf("%02d:00", calls)
				return nil
			}))(t)
			return subscribeTo("1")(p)
		})
		wantError(t, err, ErrConflict)
		if kept := must(s.Destination(t.Context(), "slack:C0TEAM"))(t); len(kept.Subscriptions) > 0 || calls < 2 || calls > 20 {
			t.Errorf("after %d attempts stored are %v", calls, kept)
		}
	})
}

func TestTheErrorOfAChangeIsReturnedAndNothingIsStored(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s, refusal := p.replica(t), errors.New("not like this")
		_, err := s.ChangeDestination(t.Context(), "slack:C0TEAM", func(p *destination.Settings) error {
			p.Digest = "09:00"
			return refusal
		})
		if err != refusal {
			t.Errorf("got %v", err)
		}
		if kept := must(s.Destinations(t.Context()))(t); len(kept) > 0 {
			t.Errorf("stored are %v", kept)
		}
	})
}

func TestAChangeCannotChangeTheIDOfADestination(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t)
		must(s.ChangeDestination(t.Context(), "slack:C0TEAM", func(p *destination.Settings) error {
			p.ID, p.Digest = "slack:C0OTHER", "09:00"
			return nil
		}))(t)
		if kept := must(s.Destinations(t.Context()))(t); len(kept) != 1 || kept[0].ID != "slack:C0TEAM" {
			t.Errorf("stored are %v", kept)
		}
	})
}

func TestDestinationsAndTheirSettingsHaveLimits(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s, ctx := p.replica(t), t.Context()
		processes := slices.Collect(func(yield func(string) bool) {
			for i := range destination.MaxSubscriptions {
				if !yield(fmt.Sprint(i)) {
					return
				}
			}
		})
		must(s.ChangeDestination(ctx, "slack:C0TEAM", subscribeTo(processes...)))(t)
		_, err := s.ChangeDestination(ctx, "slack:C0TEAM", subscribeTo("one more"))
		wantError(t, err, ErrLimit)
		mute := func(count int) func(*destination.Settings) error {
			return func(p *destination.Settings) error {
				p.Mutes = map[uuid.UUID]time.Time{}
				for range count {
					p.Mutes[uuid.New()] = time.Time{}
				}
				return nil
			}
		}
		must(s.ChangeDestination(ctx, "slack:C0TEAM", mute(destination.MaxMutes)))(t)
		_, err = s.ChangeDestination(ctx, "slack:C0TEAM", mute(destination.MaxMutes+1))
		wantError(t, err, ErrLimit)
		_, err = s.ChangeDestination(ctx, "slack:C0TEAM", func(p *destination.Settings) error {
			p.Subscriptions = []destination.Subscription{{Kind: destination.ScopeBranch, Value: "1", Name: string(make([]byte, maxDestination))}}
			return nil
		})
		wantError(t, err, ErrLimit)
		filled := map[string]any{}
		for i := range maxDestinations - 1 {
			filled[fmt.Sprint("filler ", i)] = "not encrypted"
		}
		must(s.redis.HSet(ctx, destinationsKey, filled).Result())(t)
		_, err = s.ChangeDestination(ctx, "slack:C0ONEMORE", subscribeTo("1"))
		wantError(t, err, ErrLimit)
		must(s.ChangeDestination(ctx, "slack:C0TEAM", func(p *destination.Settings) error { // a stored destination can still be changed
			p.Digest = "09:00"
			return nil
		}))(t)
	})
}

func TestADestinationWithoutSettingsIsDeleted(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s, ctx := p.replica(t), t.Context()
		must(s.ChangeDestination(ctx, "slack:C0TEAM", subscribeTo("1")))(t)
		must(s.ChangeDestination(ctx, "slack:C0OTHER", subscribeTo("1")))(t)
		must(s.ChangeDestination(ctx, "slack:C0TEAM", func(p *destination.Settings) error {
			p.Subscriptions = nil
			return nil
		}))(t)
		if left := must(s.redis.HLen(ctx, destinationsKey).Result())(t); left != 1 {
			t.Errorf("%d destinations are stored", left)
		}
		must(s.ChangeDestination(ctx, "slack:C0NEW", func(*destination.Settings) error { return nil }))(t)
		if left := must(s.redis.HLen(ctx, destinationsKey).Result())(t); left != 1 {
			t.Errorf("%d destinations are stored", left)
		}
	})
}

func TestReadingOrChangingDestinationsExtendsTheirLifetime(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s, ctx := p.replica(t), t.Context()
		must(s.ChangeDestination(ctx, "slack:C0TEAM", subscribeTo("1")))(t)
		for name, use := range map[string]func() error{
			"listing": func() error { _, err := s.Destinations(ctx); return err },
			"changing": func() error {
				_, err := s.ChangeDestination(ctx, "slack:C0TEAM", subscribeTo(uuid.NewString()))
				return err
			},
			"changing nothing": func() error {
				_, err := s.ChangeDestination(ctx, "slack:C0TEAM", func(*destination.Settings) error { return nil })
				return err
			},
		} {
			must(s.redis.Expire(ctx, destinationsKey, time.Hour).Result())(t)
			if err := use(); err != nil {
				t.Fatal(err)
			}
			if left := must(s.redis.PTTL(ctx, destinationsKey).Result())(t); left < destinationLife-time.Minute {
				t.Errorf("after %s they live for %s", name, left)
			}
		}
		must(s.Destinations(ctx))(t)
		if err := s.redis.Del(ctx, destinationsKey).Err(); err != nil {
			t.Fatal(err)
		}
		must(s.Destinations(ctx))(t)
		if there := must(s.redis.Exists(ctx, destinationsKey).Result())(t); there != 0 {
			t.Error("reading nothing leaves something behind")
		}
	})
}

func TestTheSettingsOfOneDestinationCannotBeDecryptedAsAnothers(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s, ctx := p.replica(t), t.Context()
		must(s.ChangeDestination(ctx, "slack:C0TEAM", subscribeTo("1")))(t)
		must(s.ChangeDestination(ctx, "slack:U0ANA", subscribeTo("2")))(t)
		fields := slices.Sorted(maps.Keys(must(s.redis.HGetAll(ctx, destinationsKey).Result())(t)))
		must(s.redis.HSet(ctx, destinationsKey, fields[0], s.redis.HGet(ctx, destinationsKey, fields[1]).Val()).Result())(t)
		settings, err := s.Destinations(ctx)
		wantError(t, err, ErrSealed)
		if len(settings) != 1 {
			t.Errorf("%d destinations are returned, want the other one", len(settings))
		}
	})
}

func TestClientIsConnected(t *testing.T) {
	s := open(t, "memory", newKeys(t))
	if err := s.Client().Set(t.Context(), "a", "b", time.Minute).Err(); err != nil {
		t.Error(err)
	}
}

func TestTheTeamsChannelIsSubscribedToEverythingUntilThatIsChanged(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s, ctx := p.replica(t, WithTeam("slack:C0TEAM", words.Portuguese)), t.Context()
		settings := func() []destination.Settings {
			t.Helper()
			read, listed := must(s.Destination(ctx, "slack:C0TEAM"))(t), must(s.Destinations(ctx))(t)
			if len(listed) != 1 || !reflect.DeepEqual(listed[0], read) {
				t.Errorf("Destinations returned %v, and Destination %v", listed, read)
			}
			return listed
		}
		if got := settings(); got[0].Lang != words.Portuguese || !slices.Equal(got[0].Subscriptions, []destination.Subscription{{Kind: destination.ScopeAll}}) {
			t.Errorf("the default is %v", got)
		}
		must(s.ChangeDestination(ctx, "slack:C0TEAM", subscribeTo("1")))(t)
		if got := settings(); len(got[0].Subscriptions) != 2 {
			t.Errorf("after a subscription it is %v", got)
		}
		must(s.ChangeDestination(ctx, "slack:C0TEAM", func(p *destination.Settings) error { p.Subscriptions = nil; return nil }))(t)
		if got := settings(); len(got[0].Subscriptions) != 0 {
			t.Errorf("the default is back: %v", got)
		}
	})
}
