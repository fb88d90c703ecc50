package conversations

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// MaxOneTime is the most bytes of a value of [Store.PutOnce].
const MaxOneTime = 4 << 10

// takeOnce returns a value to its first taker, and again to the same one after a lost reply.
var takeOnce = redis.NewScript(`
local e = redis.call('HMGET', KEYS[1], 'value', 'taker')
if not e[1] or e[2] and e[2] ~= ARGV[1] then return '' end
redis.call('HSET', KEYS[1], 'taker', ARGV[1])
return e[1]`)

var putOnce = redis.NewScript(`
redis.call('HSET', KEYS[1], 'value', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`)

// PutOnce stores a value that can be taken once, with the secret that it returns: 256 random bits. scope is a constant of the
// caller's code and readable in Redis.
func (s *Store) PutOnce(ctx context.Context, scope string, value []byte, life time.Duration) (secret string, err error) {
	if len(value) > MaxOneTime {
		return "", fmt.Errorf("storing %d bytes: %w", len(value), ErrLimit)
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	secret = newSecret()
	key := s.onceKey(scope, secret)
	sealed, err := s.seal(key, value)
	if err != nil {
		return "", err
	}
	return secret, failed("storing a value for once", s.run(ctx, putOnce, []string{key}, sealed, millis(life)).Err())
}

// TakeOnce returns the value of a secret to the first caller. For others it fails with [ErrGone].
func (s *Store) TakeOnce(ctx context.Context, scope, secret string) ([]byte, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	key := s.onceKey(scope, secret)
	sealed, err := s.run(ctx, takeOnce, []string{key}, rand.Text()).Text()
	switch {
	case err != nil:
		return nil, failed("taking a value", err)
	case sealed == "":
		return nil, ErrGone
	}
	return s.open(key, sealed)
}

func (s *Store) onceKey(scope, secret string) string {
	return "onetime:" + scope + ":{" + s.name("onetime", scope, secret) + "}"
}
