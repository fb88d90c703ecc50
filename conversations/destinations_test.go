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

// watching adds a watch of one process after another.
func watching(values ...string) func(*destination.Settings) error {
	return func(p *destination.Settings) error {
		for _, value := range values {
			p.Subscriptions = append(p.Subscriptions, destination.Subscription{Kind: destination.ScopeProcess, Value: value, Name: value})
		}
		return nil
	}
}

func TestAPlaceKeepsWhatItWantsToHearUntilSomebodyChangesIt(t *testing.T) {
	on(t, func(t *testing.T, p *place) {
		one, other := p.replica(t), p.replica(t)
		ctx, muted := t.Context(), uuid.New()
		if unknown := must(one.Destination(ctx, "slack:C0TEAM"))(t); unknown.ID != "slack:C0TEAM" || len(unknown.Subscriptions) > 0 {
			t.Errorf("an unknown place is %+v", unknown)
		}
		changed := must(one.ChangeDestination(ctx, "slack:C0TEAM", func(p *destination.Settings) error {
			p.Lang, p.Digest, p.Quiet = words.English, "09:00", destination.QuietHours{From: "20:00", To: "08:00"}
			p.Subscriptions = []destination.Subscription{{Kind: destination.ScopeAll}, {Kind: destination.ScopeBranch, Value: "101", Name: "Lisboa"}}
			p.Mutes = map[uuid.UUID]time.Time{muted: {}}
			return nil
		}))(t)
		must(other.ChangeDestination(ctx, "slack:U0ANA", watching("1")))(t)
		read := must(other.Destination(ctx, "slack:C0TEAM"))(t)
		for _, is := range []destination.Settings{changed, read} {
			until, silent := is.Mutes[muted]
			if is.ID != "slack:C0TEAM" || is.Lang != words.English || is.Digest != "09:00" || is.Quiet.To != "08:00" || len(is.Subscriptions) != 2 ||
				is.Subscriptions[1].Name != "Lisboa" || !silent || !until.IsZero() {
				t.Errorf("it is %+v", is)
			}
		}
		ids := []string{}
		for _, each := range must(other.Destinations(ctx))(t) {
			ids = append(ids, each.ID)
		}
		if slices.Sort(ids); !slices.Equal(ids, []string{"slack:C0TEAM", "slack:U0ANA"}) {
			t.Errorf("the places are %v", ids)
		}
	}, embeddedRedis, oneNode, aCluster, aSentinel)
}

func TestOfManyWhoChangeAPlaceAtOnceNobodyIsLost(t *testing.T) {
	on(t, func(t *testing.T, p *place) {
		replicas := []*Store{p.replica(t), p.replica(t)}
		said := atOnce(6, func(i int) string {
			_, err := replicas[i%2].ChangeDestination(t.Context(), "slack:C0TEAM", watching(fmt.Sprint(i)))
			return fmt.Sprint(err)
		})
		place := must(replicas[0].Destination(t.Context(), "slack:C0TEAM"))(t)
		values := map[string]bool{}
		for _, watch := range place.Subscriptions {
			values[watch.Value] = true
		}
		if said["<nil>"] != 6 || len(values) != 6 || len(place.Subscriptions) != 6 {
			t.Errorf("they were told %v, and it keeps %v", said, place.Subscriptions)
		}
	}, embeddedRedis, oneNode, aCluster)
}

func TestWhoIsAlwaysSlowerIsToldSo(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		s, rival := p.replica(t), p.replica(t)
		calls := 0
		_, err := s.ChangeDestination(t.Context(), "slack:C0TEAM", func(p *destination.Settings) error {
			calls++
			must(rival.ChangeDestination(t.Context(), "slack:C0TEAM", func(p *destination.Settings) error {
				p.Digest = fmt.Sprintf("%02d:00", calls)
				return nil
			}))(t)
			return watching("1")(p)
		})
		wantError(t, err, ErrConflict)
		if kept := must(s.Destination(t.Context(), "slack:C0TEAM"))(t); len(kept.Subscriptions) > 0 || calls < 2 || calls > 20 {
			t.Errorf("after %d attempts it keeps %v", calls, kept)
		}
	})
}

func TestAChangeThatFailsChangesNothingAndFailsAsItIs(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		s, refusal := p.replica(t), errors.New("not like this")
		_, err := s.ChangeDestination(t.Context(), "slack:C0TEAM", func(p *destination.Settings) error {
			p.Digest = "09:00"
			return refusal
		})
		if err != refusal {
			t.Errorf("got %v", err)
		}
		if kept := must(s.Destinations(t.Context()))(t); len(kept) > 0 {
			t.Errorf("it keeps %v", kept)
		}
	})
}

func TestAPlaceCannotTakeAnotherOnesName(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		s := p.replica(t)
		must(s.ChangeDestination(t.Context(), "slack:C0TEAM", func(p *destination.Settings) error {
			p.ID, p.Digest = "slack:C0OTHER", "09:00"
			return nil
		}))(t)
		if kept := must(s.Destinations(t.Context()))(t); len(kept) != 1 || kept[0].ID != "slack:C0TEAM" {
			t.Errorf("it keeps %v", kept)
		}
	})
}

func TestPlacesAndWhatTheyKeepAreBounded(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		s, ctx := p.replica(t), t.Context()
		watches := slices.Collect(func(yield func(string) bool) {
			for i := range destination.MaxSubscriptions {
				if !yield(fmt.Sprint(i)) {
					return
				}
			}
		})
		must(s.ChangeDestination(ctx, "slack:C0TEAM", watching(watches...)))(t)
		_, err := s.ChangeDestination(ctx, "slack:C0TEAM", watching("one more"))
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
			p.Subscriptions = []destination.Subscription{{Kind: destination.ScopeBranch, Value: "1", Name: string(make([]byte, maxPlace))}}
			return nil
		})
		wantError(t, err, ErrLimit)
		filled := map[string]any{}
		for i := range maxPlaces - 1 {
			filled[fmt.Sprint("filler ", i)] = "sealed by nobody"
		}
		must(s.redis.HSet(ctx, placesKey, filled).Result())(t)
		_, err = s.ChangeDestination(ctx, "slack:C0ONEMORE", watching("1"))
		wantError(t, err, ErrLimit)
		must(s.ChangeDestination(ctx, "slack:C0TEAM", func(p *destination.Settings) error { // one that is there already may go on changing
			p.Digest = "09:00"
			return nil
		}))(t)
	})
}

func TestAPlaceThatKeepsNothingTakesNoRoom(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		s, ctx := p.replica(t), t.Context()
		must(s.ChangeDestination(ctx, "slack:C0TEAM", watching("1")))(t)
		must(s.ChangeDestination(ctx, "slack:C0OTHER", watching("1")))(t)
		must(s.ChangeDestination(ctx, "slack:C0TEAM", func(p *destination.Settings) error {
			p.Subscriptions = nil
			return nil
		}))(t)
		if left := must(s.redis.HLen(ctx, placesKey).Result())(t); left != 1 {
			t.Errorf("%d places are kept", left)
		}
		must(s.ChangeDestination(ctx, "slack:C0NEW", func(*destination.Settings) error { return nil }))(t)
		if left := must(s.redis.HLen(ctx, placesKey).Result())(t); left != 1 {
			t.Errorf("%d places are kept", left)
		}
	})
}

func TestPlacesLiveOnWhileSomebodyReadsOrChangesThem(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		s, ctx := p.replica(t), t.Context()
		must(s.ChangeDestination(ctx, "slack:C0TEAM", watching("1")))(t)
		for name, use := range map[string]func() error{
			"listing": func() error { _, err := s.Destinations(ctx); return err },
			"changing": func() error {
				_, err := s.ChangeDestination(ctx, "slack:C0TEAM", watching(uuid.NewString()))
				return err
			},
			"changing nothing": func() error {
				_, err := s.ChangeDestination(ctx, "slack:C0TEAM", func(*destination.Settings) error { return nil })
				return err
			},
		} {
			must(s.redis.Expire(ctx, placesKey, time.Hour).Result())(t)
			if err := use(); err != nil {
				t.Fatal(err)
			}
			if left := must(s.redis.PTTL(ctx, placesKey).Result())(t); left < placeLife-time.Minute {
				t.Errorf("after %s they live for %s", name, left)
			}
		}
		must(s.Destinations(ctx))(t)
		if err := s.redis.Del(ctx, placesKey).Err(); err != nil {
			t.Fatal(err)
		}
		must(s.Destinations(ctx))(t)
		if there := must(s.redis.Exists(ctx, placesKey).Result())(t); there != 0 {
			t.Error("reading nothing leaves something behind")
		}
	})
}

func TestOnePlacesSecretsPutInAnothersNameDoNotOpen(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		s, ctx := p.replica(t), t.Context()
		must(s.ChangeDestination(ctx, "slack:C0TEAM", watching("1")))(t)
		must(s.ChangeDestination(ctx, "slack:U0ANA", watching("2")))(t)
		fields := slices.Sorted(maps.Keys(must(s.redis.HGetAll(ctx, placesKey).Result())(t)))
		must(s.redis.HSet(ctx, placesKey, fields[0], s.redis.HGet(ctx, placesKey, fields[1]).Val()).Result())(t)
		places, err := s.Destinations(ctx)
		wantError(t, err, ErrSealed)
		if len(places) != 1 {
			t.Errorf("%d places open, want the other one", len(places))
		}
	})
}

func TestTheConnectionIsThere(t *testing.T) {
	s := open(t, "memory", newKeys(t))
	if err := s.Client().Set(t.Context(), "a", "b", time.Minute).Err(); err != nil {
		t.Error(err)
	}
}

func TestTheTeamsPlaceHearsOfEverythingUntilSomebodyThereSaysOtherwise(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		s, ctx := p.replica(t, WithTeam("slack:C0TEAM", words.Portuguese)), t.Context()
		heard := func() []destination.Settings {
			t.Helper()
			place, listed := must(s.Destination(ctx, "slack:C0TEAM"))(t), must(s.Destinations(ctx))(t)
			if len(listed) != 1 || !reflect.DeepEqual(listed[0], place) {
				t.Errorf("listed are %v, and asked for is %v", listed, place)
			}
			return listed
		}
		if got := heard(); got[0].Lang != words.Portuguese || !slices.Equal(got[0].Subscriptions, []destination.Subscription{{Kind: destination.ScopeAll}}) {
			t.Errorf("at first it hears of %v", got)
		}
		must(s.ChangeDestination(ctx, "slack:C0TEAM", watching("1")))(t)
		if got := heard(); len(got[0].Subscriptions) != 2 {
			t.Errorf("beside what it heard of it hears of %v", got)
		}
		must(s.ChangeDestination(ctx, "slack:C0TEAM", func(p *destination.Settings) error { p.Subscriptions = nil; return nil }))(t)
		if got := heard(); len(got[0].Subscriptions) != 0 {
			t.Errorf("that it wants to hear nothing is forgotten: %v", got)
		}
	})
}
