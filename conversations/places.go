package conversations

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/internal/words"
)

// Destination is where people are told what moves, and of what they want to hear there: a channel, or one person.
type Destination struct {
	ID            string                  `json:"id"` // opaque, such as slack:C0TEAM
	Lang          words.Lang              `json:"lang,omitempty"`
	Subscriptions []Subscription          `json:"watches,omitempty"`
	Mutes         map[uuid.UUID]time.Time `json:"mutes,omitempty"`  // processes, and until when; the zero time is for good
	Quiet         QuietHours              `json:"quiet,omitzero"`   // when nothing is told
	Digest        string                  `json:"digest,omitempty"` // the time of a weekday, HH:MM, when all is told at once; "" tells each as it comes
}

// Subscription is what a place wants to hear of.
type Subscription struct {
	Kind  Scope  `json:"kind"`
	Value string `json:"value,omitempty"`
	Name  string `json:"name,omitempty"` // what people call it, for those who ask; says nothing of anybody
	By    string `json:"by,omitempty"`   // the actor who asked for it, and as whom it is read; "" for the team's
}

// Scope says what a watch's value names.
type Scope string

// The kinds.
const (
	ScopeAll     Scope = "all"     // every process; no value
	ScopeProcess Scope = "process" // a process's uuid
	ScopeBranch  Scope = "branch"  // an id of the bank's branches
	ScopePhase   Scope = "phase"   // an id of the bank's workflow phases
	ScopePerson  Scope = "person"  // the actor who owns a process
)

// QuietHours is the hours of each day, HH:MM in Lisbon, in which nothing is told; From after To goes over midnight. The zero
// value is none.
type QuietHours struct {
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

// What the store keeps of places at most.
const (
	maxPlaces  = 1000
	maxWatches = 50
	maxMutes   = 500
	maxPlace   = 64 << 10 // bytes
	placeLife  = 400 * 24 * time.Hour
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

// nothing tells whether there is nothing to keep of a place; a language alone is nothing.
func (p Destination) nothing() bool {
	return len(p.Subscriptions)+len(p.Mutes) == 0 && p.Quiet == QuietHours{} && p.Digest == ""
}

// Destinations gives every place of which something is kept, and the team's. With [ErrSealed] come those that do open.
func (s *Store) Destinations(ctx context.Context) ([]Destination, error) {
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
	places, err := []Destination{}, error(nil)
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
func (s *Store) Destination(ctx context.Context, id string) (Destination, error) {
	place, _, err := s.readPlace(ctx, id)
	return place, err
}

// ChangeDestination lets change change a place, and gives the place as it is then. Where somebody else was faster, change is
// called again with what they made of it. It fails with change's error as it is, and with [ErrLimit] over 50 watches, 500
// mutes, 64 KiB or 1000 places.
func (s *Store) ChangeDestination(ctx context.Context, id string, change func(*Destination) error) (Destination, error) {
	field := s.name("place", id)
	for range 10 {
		place, before, err := s.readPlace(ctx, id)
		if err == nil {
			err = change(&place)
		}
		if err == nil && (len(place.Subscriptions) > maxWatches || len(place.Mutes) > maxMutes) {
			err = fmt.Errorf("changing a place: %w", ErrLimit)
		}
		if err != nil {
			return Destination{}, err
		}
		place.ID = id
		changed, err := s.writePlace(ctx, field, before, place)
		if changed || err != nil {
			return place, err
		}
	}
	return Destination{}, fmt.Errorf("changing a place: %w", ErrConflict)
}

func (s *Store) readPlace(ctx context.Context, id string) (place Destination, sealed string, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	field := s.name("place", id)
	sealed, err = s.redis.HGet(ctx, placesKey, field).Result()
	if errors.Is(err, redis.Nil) {
		return s.unheard(id), "", nil
	}
	if err != nil {
		return Destination{}, "", failed("reading a place", err)
	}
	place, err = s.openPlace(field, sealed)
	return place, sealed, err
}

// unheard is a place of which nothing is kept.
func (s *Store) unheard(id string) Destination {
	if id == "" || id != s.team.ID {
		return Destination{ID: id}
	}
	team := s.team
	team.Subscriptions = slices.Clone(team.Subscriptions)
	return team
}

func (s *Store) writePlace(ctx context.Context, field, before string, place Destination) (changed bool, err error) {
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
	if !place.nothing() || place.ID == s.team.ID { // that the team wants to hear nothing is to be kept
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

func (s *Store) openPlace(field, sealed string) (place Destination, err error) {
	data, err := s.open(placesKey+" "+field, sealed)
	if err != nil {
		return Destination{}, err
	}
	if err := json.Unmarshal(data, &place); err != nil {
		return Destination{}, ErrSealed
	}
	return place, nil
}

// Client is the connection to Redis, for what is kept there in forms of its own.
func (s *Store) Client() redis.UniversalClient { return s.redis }
