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

// Place is where people are told what moves, and of what they want to hear there: a channel, or one person.
type Place struct {
	ID      string                  `json:"id"` // opaque, such as slack:C0TEAM
	Lang    words.Lang              `json:"lang,omitempty"`
	Watches []Watch                 `json:"watches,omitempty"`
	Mutes   map[uuid.UUID]time.Time `json:"mutes,omitempty"`  // processes, and until when; the zero time is for good
	Quiet   Quiet                   `json:"quiet,omitzero"`   // when nothing is told
	Digest  string                  `json:"digest,omitempty"` // the time of a weekday, HH:MM, when all is told at once; "" tells each as it comes
}

// Watch is what a place wants to hear of.
type Watch struct {
	Kind  WatchKind `json:"kind"`
	Value string    `json:"value,omitempty"`
	Name  string    `json:"name,omitempty"` // what people call it, for those who ask; says nothing of anybody
	By    string    `json:"by,omitempty"`   // the actor who asked for it, and as whom it is read; "" for the team's
}

// WatchKind says what a watch's value names.
type WatchKind string

// The kinds.
const (
	WatchAll     WatchKind = "all"     // every process; no value
	WatchProcess WatchKind = "process" // a process's uuid
	WatchBranch  WatchKind = "branch"  // an id of the bank's branches
	WatchPhase   WatchKind = "phase"   // an id of the bank's workflow phases
	WatchPerson  WatchKind = "person"  // the actor who owns a process
)

// Quiet is the hours of each day, HH:MM in Lisbon, in which nothing is told; From after To goes over midnight. The zero
// value is none.
type Quiet struct {
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
func (p Place) nothing() bool {
	return len(p.Watches)+len(p.Mutes) == 0 && p.Quiet == Quiet{} && p.Digest == ""
}

// Places gives every place of which something is kept, and the team's. With [ErrSealed] come those that do open.
func (s *Store) Places(ctx context.Context) ([]Place, error) {
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
	places, err := []Place{}, error(nil)
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

// Place gives what is kept of a place: of one that is unknown, nothing but its id, and of the team's that it hears of
// everything.
func (s *Store) Place(ctx context.Context, id string) (Place, error) {
	place, _, err := s.readPlace(ctx, id)
	return place, err
}

// ChangePlace lets change change a place, and gives the place as it is then. Where somebody else was faster, change is
// called again with what they made of it. It fails with change's error as it is, and with [ErrLimit] over 50 watches, 500
// mutes, 64 KiB or 1000 places.
func (s *Store) ChangePlace(ctx context.Context, id string, change func(*Place) error) (Place, error) {
	field := s.name("place", id)
	for range 10 {
		place, before, err := s.readPlace(ctx, id)
		if err == nil {
			err = change(&place)
		}
		if err == nil && (len(place.Watches) > maxWatches || len(place.Mutes) > maxMutes) {
			err = fmt.Errorf("changing a place: %w", ErrLimit)
		}
		if err != nil {
			return Place{}, err
		}
		place.ID = id
		changed, err := s.writePlace(ctx, field, before, place)
		if changed || err != nil {
			return place, err
		}
	}
	return Place{}, fmt.Errorf("changing a place: %w", ErrConflict)
}

func (s *Store) readPlace(ctx context.Context, id string) (place Place, sealed string, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	field := s.name("place", id)
	sealed, err = s.redis.HGet(ctx, placesKey, field).Result()
	if errors.Is(err, redis.Nil) {
		return s.unheard(id), "", nil
	}
	if err != nil {
		return Place{}, "", failed("reading a place", err)
	}
	place, err = s.openPlace(field, sealed)
	return place, sealed, err
}

// unheard is a place of which nothing is kept.
func (s *Store) unheard(id string) Place {
	if id == "" || id != s.team.ID {
		return Place{ID: id}
	}
	team := s.team
	team.Watches = slices.Clone(team.Watches)
	return team
}

func (s *Store) writePlace(ctx context.Context, field, before string, place Place) (changed bool, err error) {
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

func (s *Store) openPlace(field, sealed string) (place Place, err error) {
	data, err := s.open(placesKey+" "+field, sealed)
	if err != nil {
		return Place{}, err
	}
	if err := json.Unmarshal(data, &place); err != nil {
		return Place{}, ErrSealed
	}
	return place, nil
}

// Client is the connection to Redis, for what is kept there in forms of its own.
func (s *Store) Client() redis.UniversalClient { return s.redis }
