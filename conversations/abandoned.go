package conversations

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// maxReminders bounds the index of open calls. Beyond it the oldest are forgotten: whoever repeats such a call under its
// key still learns what became of it.
const maxReminders = 100_000

// reminders is the index of calls that were begun and not finished: a sorted set of the names of their entries, by the
// time at which to look after them, in ms by the clock of Redis. It lies in a slot of its own, so that it and an entry
// cannot change together: it is written before the entry begins, corrected when it is read, and only ever a hint.
const reminders = "journal:{open}"

var (
	addReminder = redis.NewScript(nowMillis + `
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`)

	dueReminders = redis.NewScript(nowMillis + `
return redis.call('ZRANGE', KEYS[1], '-inf', string.format('%.0f', now), 'BYSCORE', 'LIMIT', 0, ARGV[1])`)
)

// Orphaned gives the intents of up to limit calls that nobody holds any more, those that have waited longest first.
func (s *Store) Orphaned(ctx context.Context, limit int) (intents [][]byte, err error) {
	within, cancel := s.bounded(ctx)
	defer cancel()
	names, err := s.run(within, dueReminders, []string{reminders}, limit).StringSlice()
	if err != nil {
		return nil, failed("looking for abandoned calls", err)
	}
	for _, name := range names {
		intent, abandoned, err := s.abandoned(ctx, name)
		if err != nil {
			return intents, err
		}
		if abandoned {
			intents = append(intents, intent)
		}
	}
	return intents, nil
}

// abandoned looks at an entry of which the index reminds, and corrects the index where it is out of date.
func (s *Store) abandoned(ctx context.Context, name string) (intent []byte, abandoned bool, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	intent, token, lease, err := s.look(ctx, name)
	switch {
	case errors.Is(err, ErrSealed): // nobody can finish what nobody can read
		s.dismiss(ctx, name)
		return nil, false, nil
	case err != nil:
		return nil, false, err
	case token == 0:
		s.dismiss(ctx, name)
		return nil, false, nil
	case lease > 0:
		return nil, false, s.remind(ctx, name, lease)
	}
	return intent, true, nil
}

// remind has an entry looked after once its lease is over; a little later than that, since the entry may be begun as
// much later as one call to Redis lasts.
func (s *Store) remind(ctx context.Context, name string, lease time.Duration) error {
	err := s.run(ctx, addReminder, []string{reminders}, name, millis(lease+s.lives.Call), millis(s.lives.Journal), maxReminders).Err()
	return failed("remembering an open call", err)
}

// dismiss takes a finished entry from the index. Where that fails, who reads the index next does it.
func (s *Store) dismiss(ctx context.Context, name string) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	_ = s.redis.ZRem(ctx, reminders, name).Err()
}
