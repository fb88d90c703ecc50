package conversations

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// The epoch is a hash that begins with the data of a Redis and is lost with it: value (random) and rest (the time, in ms by
// the clock of Redis, until which nothing that changes the bank is sent). A store that finds another value than it saw
// last knows that Redis has lost its data, and with them every lease.
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

// lastEpoch is the epoch that a store saw last.
type lastEpoch struct {
	sync.Mutex
	seen string // "" before the first time
}

func (e *lastEpoch) last() string {
	e.Lock()
	defer e.Unlock()
	return e.seen
}

// follow goes on to the next epoch, unless another call did so meanwhile: answers may come late. It tells whether this is
// the first to see the next after another.
func (e *lastEpoch) follow(last, next string) (lost bool) {
	e.Lock()
	defer e.Unlock()
	if e.seen != last {
		return false
	}
	e.seen = next
	return last != "" && last != next
}

// Epoch names the time since Redis last began without data. Where this store saw another epoch before, Redis has lost
// what was under way, and other calls may still be on their way to the bank: then, for the time of rest, left is more
// than 0 at every replica, and nothing should be sent.
func (s *Store) Epoch(ctx context.Context, rest time.Duration) (epoch string, left time.Duration, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	last := s.epoch.last()
	found, err := s.run(ctx, readEpoch, []string{epochKey}, last, rand.Text(), millis(rest), millis(s.lives.Journal)).Slice()
	if err != nil {
		return "", 0, failed("reading the epoch", err)
	}
	fields := texts(found)
	if s.epoch.follow(last, fields[0]) {
		s.log.WarnContext(ctx, "Redis has lost its data: for a while nothing is sent to the bank that changes anything", "rest", rest)
	}
	return fields[0], millisIn(fields[1]), nil
}
