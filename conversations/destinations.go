package conversations

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/internal/destination"
)

// The limits on the settings of destinations.
const (
	maxDestinations = 1000
	maxDestination  = 64 << 10 // bytes
	destinationLife = 400 * 24 * time.Hour
)

const destinationsKey = "destinations"

// All settings are fields of one hash: they are few, and read together whenever a process changes. A field without settings
// is deleted.
var changeDestination = redis.NewScript(`
local now = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if now == ARGV[3] then return 1 end
if now ~= ARGV[2] then return 0 end
if ARGV[3] == '' then
	redis.call('HDEL', KEYS[1], ARGV[1])
	return 1
end
if now == '' and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[5]) then return -1 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1`)

// empty reports whether s has nothing to store. A language alone is not stored.
func empty(s destination.Settings) bool {
	return len(s.Subscriptions)+len(s.Mutes) == 0 && s.Quiet == destination.QuietHours{} && s.Digest == ""
}

// Destinations returns the settings of every destination that has any, and of the team's channel. If some cannot be
// decrypted, it returns the others with [ErrSealed].
func (s *Store) Destinations(ctx context.Context) ([]destination.Settings, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	var stored *redis.MapStringStringCmd
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		stored = p.HGetAll(ctx, destinationsKey)
		p.PExpire(ctx, destinationsKey, destinationLife)
		return nil
	})
	if err != nil {
		return nil, failed("listing destinations", err)
	}
	all, err := []destination.Settings{}, error(nil)
	for field, sealed := range stored.Val() {
		settings, unreadable := s.openDestination(field, sealed)
		if unreadable != nil {
			err = unreadable
			continue
		}
		all = append(all, settings)
	}
	if _, found := stored.Val()[s.name("destination", s.team.ID)]; s.team.ID != "" && !found {
		all = append(all, s.defaultSettings(s.team.ID))
	}
	return all, err
}

// Destination returns the settings of a destination. Without stored settings they are empty, except that the team's channel
// subscribes to everything.
func (s *Store) Destination(ctx context.Context, id string) (destination.Settings, error) {
	settings, _, err := s.readDestination(ctx, id)
	return settings, err
}

// ChangeDestination applies change to the settings of a destination and returns the stored settings. If they were changed
// concurrently, it calls change again with the new ones, and fails with [ErrConflict] after ten attempts. It returns the
// error of change unwrapped, and [ErrLimit] over 50 subscriptions, 500 mutes, 64 KiB or 1000 destinations.
func (s *Store) ChangeDestination(ctx context.Context, id string, change func(*destination.Settings) error) (destination.Settings, error) {
	field := s.name("destination", id)
	for range 10 {
		settings, before, err := s.readDestination(ctx, id)
		if err == nil {
			err = change(&settings)
		}
		if err == nil && (len(settings.Subscriptions) > destination.MaxSubscriptions || len(settings.Mutes) > destination.MaxMutes) {
			err = fmt.Errorf("changing a destination: %w", ErrLimit)
		}
		if err != nil {
			return destination.Settings{}, err
		}
		settings.ID = id
		changed, err := s.writeDestination(ctx, field, before, settings)
		if changed || err != nil {
			return settings, err
		}
	}
	return destination.Settings{}, fmt.Errorf("changing a destination: %w", ErrConflict)
}

func (s *Store) readDestination(ctx context.Context, id string) (settings destination.Settings, sealed string, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	field := s.name("destination", id)
	sealed, err = s.redis.HGet(ctx, destinationsKey, field).Result()
	if errors.Is(err, redis.Nil) {
		return s.defaultSettings(id), "", nil
	}
	if err != nil {
		return destination.Settings{}, "", failed("reading a destination", err)
	}
	settings, err = s.openDestination(field, sealed)
	return settings, sealed, err
}

// defaultSettings returns the settings of a destination that has none stored.
func (s *Store) defaultSettings(id string) destination.Settings {
	if id == "" || id != s.team.ID {
		return destination.Settings{ID: id}
	}
	team := s.team
	team.Subscriptions = slices.Clone(team.Subscriptions)
	return team
}

func (s *Store) writeDestination(ctx context.Context, field, before string, settings destination.Settings) (changed bool, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	data, err := json.Marshal(settings)
	if err != nil {
		return false, fmt.Errorf("changing a destination: %w", err)
	}
	if len(data) > maxDestination {
		return false, fmt.Errorf("storing %d bytes of settings: %w", len(data), ErrLimit)
	}
	var after []byte
	if !empty(settings) || settings.ID == s.team.ID { // the team's channel without subscriptions differs from its default
		if after, err = s.seal(destinationsKey+" "+field, data); err != nil {
			return false, err
		}
	}
	outcome, err := s.run(ctx, changeDestination, []string{destinationsKey}, field, before, after, millis(destinationLife), maxDestinations).Int()
	switch {
	case err != nil:
		return false, failed("changing a destination", err)
	case outcome < 0:
		return false, fmt.Errorf("adding a destination: %w", ErrLimit)
	}
	return outcome == 1, nil
}

func (s *Store) openDestination(field, sealed string) (settings destination.Settings, err error) {
	data, err := s.open(destinationsKey+" "+field, sealed)
	if err != nil {
		return destination.Settings{}, err
	}
	if err := json.Unmarshal(data, &settings); err != nil {
		return destination.Settings{}, ErrSealed
	}
	return settings, nil
}

// Client returns the connection to Redis, for packages with data structures of their own.
func (s *Store) Client() redis.UniversalClient { return s.redis }
