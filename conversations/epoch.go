package conversations

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// The epoch is a hash that is created in an empty Redis and lost with its data: value (random) and rest (the time, in ms by
// the clock of Redis, until which no write is sent to the bank). A store that reads another value than the last time knows
// that Redis has lost its data, and with them every lease.
const epochKey = leases + "epoch"

var readEpoch = redis.NewScript(nowMillis + `
local e = redis.call('HMGET', KEYS[1], 'value', 'rest')
local value, rest = e[1], tonumber(e[2]) or 0
if not value then
	value = ARGV[2]
	redis.call('HSET', KEYS[1], 'value', value)
end
if ARGV[1] ~= '' and ARGV[1] ~= value and rest == 0 then
	rest = now + ARGV[3]
	redis.call('HSET', KEYS[1], 'rest', string.format('%.0f', rest))
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {value, string.format('%.0f', math.max(0, rest - now))}`)

// lastEpoch is the epoch that a store read last.
type lastEpoch struct {
	sync.Mutex
	seen string // "" before the first time
}

func (e *lastEpoch) last() string {
	e.Lock()
	defer e.Unlock()
	return e.seen
}

// follow replaces the epoch last by next, unless another call replaced it meanwhile. It reports whether this is the first
// call to read another epoch than before.
func (e *lastEpoch) follow(last, next string) (lost bool) {
	e.Lock()
	defer e.Unlock()
	if e.seen != last {
		return false
	}
	e.seen = next
	return last != "" && last != next
}

// Epoch returns an identifier that changes whenever Redis has lost its data. If this store read another one before, calls
// whose intent was lost may still be on their way to the bank. left is more than 0 then, at every replica, for the time
// rest, and no write should be sent to the bank.
func (s *Store) Epoch(ctx context.Context, rest time.Duration) (epoch string, left time.Duration, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	last := s.epoch.last()
	found, err := s.run(ctx, readEpoch, []string{epochKey}, last, rand.Text(), millis(rest), millis(s.lives.Journal)).Slice()
	if err != nil {
		return "", 0, failed("reading the epoch", err)
	}
	fields := stringsOf(found)
	if s.epoch.follow(last, fields[0]) {
		s.log.WarnContext(ctx, "Redis has lost its data: no writes are sent to the bank for a while", "rest", rest)
	}
	return fields[0], millisIn(fields[1]), nil
}
