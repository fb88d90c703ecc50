package conversations

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/redis/go-redis/v9"
)

// The token tells a repetition of the same call, whose first reply was lost, from a second delivery.
var first = redis.NewScript(`
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
return redis.call('GET', KEYS[1]) == ARGV[1] and 1 or 0`)

// MarkSeen tells whether a delivery is new, and remembers it for life: of all callers with the same scope and id exactly
// one gets true. scope is a constant of the caller's code and readable in Redis; id may be anything.
func (s *Store) MarkSeen(ctx context.Context, scope, id string, life time.Duration) (bool, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	is, err := s.run(ctx, first, []string{s.seenKey(scope, id)}, rand.Text(), millis(life)).Bool()
	return is, failed("remembering a delivery", err)
}

// Claim lets one user use a thing that can be used once, for as long as life: the first that claims it is told true, as
// often as it asks, and all others false. scope is a constant of the caller's code and readable in Redis; id and by may
// be anything.
func (s *Store) Claim(ctx context.Context, scope, id, by string, life time.Duration) (bool, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	is, err := s.run(ctx, first, []string{s.claimKey(scope, id)}, s.name("claimed by", by), millis(life)).Bool()
	return is, failed("claiming a thing", err)
}

// Claimed tells whether anybody has claimed a thing, and that claim still lives.
func (s *Store) Claimed(ctx context.Context, scope, id string) (bool, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	found, err := s.redis.Exists(ctx, s.claimKey(scope, id)).Result()
	return found > 0, failed("looking for a claim", err)
}

func (s *Store) claimKey(scope, id string) string {
	return "claim:" + scope + ":{" + s.name("claim", scope, id) + "}"
}

// Forget makes a delivery new again. It is for the one whom First told true and who failed before anything happened,
// so that the sender's next attempt is not dropped.
func (s *Store) Forget(ctx context.Context, scope, id string) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return failed("forgetting a delivery", s.redis.Del(ctx, s.seenKey(scope, id)).Err())
}

func (s *Store) seenKey(scope, id string) string {
	return "seen:" + scope + ":{" + s.name("seen", scope, id) + "}"
}

// millis is what PX and PEXPIRE take; a life under a millisecond would be refused by Redis, or keep a key for good.
func millis(life time.Duration) int64 { return max(1, life.Milliseconds()) }
