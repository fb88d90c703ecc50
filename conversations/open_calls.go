package conversations

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// maxOpenCalls is the largest size of the index of open calls. Beyond it the oldest are removed from the index; their
// entries stay in the journal and are found by their keys.
const maxOpenCalls = 100_000

// openCallsKey is the index of calls that were begun and not finished: a sorted set of the names of their keys, scored with
// the time at which to check them, in ms by the clock of Redis. It is in another slot than the calls, so that it cannot
// change together with one: it is written before a call begins and corrected when it is read.
const openCallsKey = "journal:{open}"

var (
	addOpenCall = redis.NewScript(nowMillis + `
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`)

	dueOpenCalls = redis.NewScript(nowMillis + `
return redis.call('ZRANGE', KEYS[1], '-inf', string.format('%.0f', now), 'BYSCORE', 'LIMIT', 0, ARGV[1])`)
)

// Orphaned returns the intents of up to limit calls that are not finished and whose lease has expired, the oldest first.
func (s *Store) Orphaned(ctx context.Context, limit int) (intents [][]byte, err error) {
	within, cancel := s.bounded(ctx)
	defer cancel()
	names, err := s.run(within, dueOpenCalls, []string{openCallsKey}, limit).StringSlice()
	if err != nil {
		return nil, failed("looking for orphaned calls", err)
	}
	for _, name := range names {
		intent, orphaned, err := s.orphaned(ctx, name)
		if err != nil {
			return intents, err
		}
		if orphaned {
			intents = append(intents, intent)
		}
	}
	return intents, nil
}

// orphaned reads a call that is in the index, and corrects the index if it is out of date.
func (s *Store) orphaned(ctx context.Context, name string) (intent []byte, orphaned bool, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	intent, token, lease, err := s.look(ctx, name)
	switch {
	case errors.Is(err, ErrSealed): // a call that cannot be decrypted cannot be finished
		s.removeFromIndex(ctx, name)
		return nil, false, nil
	case err != nil:
		return nil, false, err
	case token == 0:
		s.removeFromIndex(ctx, name)
		return nil, false, nil
	case lease > 0:
		return nil, false, s.addToIndex(ctx, name, lease)
	}
	return intent, true, nil
}

// addToIndex adds a call to the index, to be checked once its lease has expired and Lives.Recovery has passed, since the
// call may begin later than this.
func (s *Store) addToIndex(ctx context.Context, name string, lease time.Duration) error {
	err := s.run(ctx, addOpenCall, []string{openCallsKey}, name, millis(lease+cmp.Or(s.lives.Recovery, s.lives.Call)), millis(s.lives.Journal), maxOpenCalls).Err()
	return failed("adding to the index of open calls", err)
}

// removeFromIndex removes a finished call from the index. If that fails, the next read of the index removes it.
func (s *Store) removeFromIndex(ctx context.Context, name string) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	_ = s.redis.ZRem(ctx, openCallsKey, name).Err()
}
