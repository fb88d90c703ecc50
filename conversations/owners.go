package conversations

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// Ownership is the owner of a process, and its last change.
type Ownership struct {
	Owner   string    `json:"owner,omitempty"`  // an actor; "" for none
	Former  string    `json:"former,omitempty"` // the previous owner
	By      string    `json:"by,omitempty"`     // the actor who changed it
	Version int64     `json:"version"`          // counts changes, from 1
	At      time.Time `json:"at,omitzero"`      // of the last change
}

const ownerLife = 400 * 24 * time.Hour

var changeOwner = redis.NewScript(`
local now = redis.call('GET', KEYS[1]) or ''
if now == ARGV[2] then return 1 end
if now ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`)

// ChangeOwner sets the owner of a process, "" for none, on behalf of the actor by. It changes nothing if allowed returns
// false for the current owner. It returns the stored ownership, and whether this call changed it. Concurrent calls are
// applied one after another.
func (s *Store) ChangeOwner(ctx context.Context, process uuid.UUID, owner, by string, allowed func(owner string) bool) (now Ownership, changed bool, err error) {
	for range 10 {
		before, sealed, err := s.readOwner(ctx, process)
		if err != nil || before.Owner == owner || !allowed(before.Owner) {
			return before, false, err
		}
		after := Ownership{Owner: owner, Former: before.Owner, By: by, Version: before.Version + 1, At: s.now().UTC()}
		if changed, err := s.writeOwner(ctx, process, sealed, after); changed || err != nil {
			return after, changed, err
		}
	}
	return Ownership{}, false, fmt.Errorf("changing the owner of a process: %w", ErrConflict)
}

// Ownership returns the ownership of a process; the zero value if it never had an owner.
func (s *Store) Ownership(ctx context.Context, process uuid.UUID) (Ownership, error) {
	owned, _, err := s.readOwner(ctx, process)
	return owned, err
}

// Owner returns the owner of a process, "" if there is none.
func (s *Store) Owner(ctx context.Context, process uuid.UUID) (actor string, err error) {
	owned, err := s.Ownership(ctx, process)
	return owned.Owner, err
}

func (s *Store) readOwner(ctx context.Context, process uuid.UUID) (owned Ownership, sealed string, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	key := s.ownerKey(process)
	sealed, err = s.redis.Get(ctx, key).Result()
	if errors.Is(err, redis.Nil) {
		return Ownership{}, "", nil
	}
	if err != nil {
		return Ownership{}, "", failed("reading the owner of a process", err)
	}
	data, err := s.open(key, sealed)
	if err != nil {
		return Ownership{}, "", err
	}
	if json.Unmarshal(data, &owned) != nil {
		return Ownership{}, "", ErrSealed
	}
	return owned, sealed, nil
}

func (s *Store) writeOwner(ctx context.Context, process uuid.UUID, before string, after Ownership) (bool, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	data, err := json.Marshal(after)
	if err != nil {
		return false, fmt.Errorf("changing the owner of a process: %w", err)
	}
	key := s.ownerKey(process)
	sealed, err := s.seal(key, data)
	if err != nil {
		return false, err
	}
	changed, err := s.run(ctx, changeOwner, []string{key}, before, sealed, millis(ownerLife)).Bool()
	return changed, failed("changing the owner of a process", err)
}

func (s *Store) ownerKey(process uuid.UUID) string {
	return "owner:{" + s.name("owner of", process.String()) + "}"
}

// Direct returns the destination of an actor's direct messages: "slack:U0ANA" for "slack:T0TEAM/U0ANA".
func Direct(actor string) string {
	frontEnd, id, found := strings.Cut(actor, ":")
	if !found {
		return actor
	}
	return frontEnd + ":" + id[strings.LastIndexByte(id, '/')+1:]
}
