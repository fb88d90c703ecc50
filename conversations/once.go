package conversations

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/redis/go-redis/v9"
)

// setOnce sets a key that does not exist and reports whether it has the value. The value is random or names the caller, so
// that a repetition after a lost reply reports the same.
var setOnce = redis.NewScript(`
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
return redis.call('GET', KEYS[1]) == ARGV[1] and 1 or 0`)

// MarkSeen records a delivery for life and reports whether it is new: exactly one of all callers with the same scope and id
// gets true. scope is a constant of the caller's code and readable in Redis; id may be anything.
func (s *Store) MarkSeen(ctx context.Context, scope, id string, life time.Duration) (bool, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	first, err := s.run(ctx, setOnce, []string{s.seenKey(scope, id)}, rand.Text(), millis(life)).Bool()
	return first, failed("recording a delivery", err)
}

// Claim assigns something that only one user may use, for life: it returns true for the first user that claims it, also when
// that user claims it again, and false for all others. scope is a constant of the caller's code and readable in Redis; id
// and by may be anything.
func (s *Store) Claim(ctx context.Context, scope, id, by string, life time.Duration) (bool, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	claimed, err := s.run(ctx, setOnce, []string{s.claimKey(scope, id)}, s.name("claimed by", by), millis(life)).Bool()
	return claimed, failed("claiming", err)
}

// Claimed reports whether a user has a claim that has not expired.
func (s *Store) Claimed(ctx context.Context, scope, id string) (bool, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	found, err := s.redis.Exists(ctx, s.claimKey(scope, id)).Result()
	return found > 0, failed("reading a claim", err)
}

func (s *Store) claimKey(scope, id string) string {
	return "claim:" + scope + ":{" + s.name("claim", scope, id) + "}"
}

// Forget makes a delivery new again. A caller for which MarkSeen returned true calls it if it failed before it had any
// effect, so that the next attempt of the sender is not dropped.
func (s *Store) Forget(ctx context.Context, scope, id string) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return failed("forgetting a delivery", s.redis.Del(ctx, s.seenKey(scope, id)).Err())
}

func (s *Store) seenKey(scope, id string) string {
	return "seen:" + scope + ":{" + s.name("seen", scope, id) + "}"
}

// millis returns life in milliseconds, at least one. With zero, Redis would reject the command or the key would
// not expire.
func millis(life time.Duration) int64 { return max(1, life.Milliseconds()) }
