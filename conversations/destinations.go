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

// What the store keeps of places at most.
const (
	maxPlaces = 1000
	maxPlace  = 64 << 10 // bytes
	placeLife = 400 * 24 * time.Hour
)

const placesKey = "places"

// The fields of one hash are few, and read together each time something moves. One that keeps nothing is taken out.
var changePlace = redis.NewScript(`
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

// empty tells whether there is nothing to keep of a destination; a language alone is nothing.
func empty(s destination.Settings) bool {
	return len(s.Subscriptions)+len(s.Mutes) == 0 && s.Quiet == destination.QuietHours{} && s.Digest == ""
}

// Destinations gives every place of which something is kept, and the team's. With [ErrSealed] come those that do open.
func (s *Store) Destinations(ctx context.Context) ([]destination.Settings, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	var all *redis.MapStringStringCmd
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		all = p.HGetAll(ctx, placesKey)
		p.PExpire(ctx, placesKey, placeLife)
		return nil
	})
	if err != nil {
		return nil, failed("listing places", err)
	}
	places, err := []destination.Settings{}, error(nil)
	for field, sealed := range all.Val() {
		place, unreadable := s.openPlace(field, sealed)
		if unreadable != nil {
			err = unreadable
			continue
		}
		places = append(places, place)
	}
	if _, kept := all.Val()[s.name("place", s.team.ID)]; s.team.ID != "" && !kept {
		places = append(places, s.unheard(s.team.ID))
	}
	return places, err
}

// Destination gives what is kept of a place: of one that is unknown, nothing but its id, and of the team's that it hears of
// everything.
func (s *Store) Destination(ctx context.Context, id string) (destination.Settings, error) {
	place, _, err := s.readPlace(ctx, id)
	return place, err
}

// ChangeDestination lets change change a place, and gives the place as it is then. Where somebody else was faster, change is
// called again with what they made of it. It fails with change's error as it is, and with [ErrLimit] over 50 watches, 500
// mutes, 64 KiB or 1000 places.
func (s *Store) ChangeDestination(ctx context.Context, id string, change func(*destination.Settings) error) (destination.Settings, error) {
	field := s.name("place", id)
	for range 10 {
		place, before, err := s.readPlace(ctx, id)
		if err == nil {
			err = change(&place)
		}
		if err == nil && (len(place.Subscriptions) > destination.MaxSubscriptions || len(place.Mutes) > destination.MaxMutes) {
			err = fmt.Errorf("changing a place: %w", ErrLimit)
		}
		if err != nil {
			return destination.Settings{}, err
		}
		place.ID = id
		changed, err := s.writePlace(ctx, field, before, place)
		if changed || err != nil {
			return place, err
		}
	}
	return destination.Settings{}, fmt.Errorf("changing a place: %w", ErrConflict)
}

func (s *Store) readPlace(ctx context.Context, id string) (place destination.Settings, sealed string, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	field := s.name("place", id)
	sealed, err = s.redis.HGet(ctx, placesKey, field).Result()
	if errors.Is(err, redis.Nil) {
		return s.unheard(id), "", nil
	}
	if err != nil {
		return destination.Settings{}, "", failed("reading a place", err)
	}
	place, err = s.openPlace(field, sealed)
	return place, sealed, err
}

// unheard is a place of which nothing is kept.
func (s *Store) unheard(id string) destination.Settings {
	if id == "" || id != s.team.ID {
		return destination.Settings{ID: id}
	}
	team := s.team
	team.Subscriptions = slices.Clone(team.Subscriptions)
	return team
}

func (s *Store) writePlace(ctx context.Context, field, before string, place destination.Settings) (changed bool, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	data, err := json.Marshal(place)
	if err != nil {
		return false, fmt.Errorf("changing a place: %w", err)
	}
	if len(data) > maxPlace {
		return false, fmt.Errorf("keeping %d bytes of a place: %w", len(data), ErrLimit)
	}
	var after []byte
	if !empty(place) || place.ID == s.team.ID { // that the team wants to hear nothing is to be kept
		if after, err = s.seal(placesKey+" "+field, data); err != nil {
			return false, err
		}
	}
	outcome, err := s.run(ctx, changePlace, []string{placesKey}, field, before, after, millis(placeLife), maxPlaces).Int()
	switch {
	case err != nil:
		return false, failed("changing a place", err)
	case outcome < 0:
		return false, fmt.Errorf("keeping one more place: %w", ErrLimit)
	}
	return outcome == 1, nil
}

func (s *Store) openPlace(field, sealed string) (place destination.Settings, err error) {
	data, err := s.open(placesKey+" "+field, sealed)
	if err != nil {
		return destination.Settings{}, err
	}
	if err := json.Unmarshal(data, &place); err != nil {
		return destination.Settings{}, ErrSealed
	}
	return place, nil
}

// Client is the connection to Redis, for what is kept there in forms of its own.
func (s *Store) Client() redis.UniversalClient { return s.redis }
