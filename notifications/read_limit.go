package notifications

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// A callback token may become known to others. What they send can then make us read the bank, so reads for callbacks
// have an allowance: a process that we know is read at a pace, and of those that we never saw only a few a minute are.
// The walk over the bank's list finds the others where they exist, and is asked for.
const (
	unknownKey         = "{triggers}:unknown" // counts the reads of processes that were never seen, for a minute
	maxUnknownReads    = 30                   // in a minute, by all replicas
	unknownReadsPeriod = time.Minute
)

var countUnknown = redis.NewScript(`
local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return n`)

// allowed tells whether a process that was never seen may be read for a callback: not where the bank was asked in vain
// within the last hour, and not beyond the allowance.
func (e *engine) allowed(ctx context.Context, before processState) (bool, error) {
	if before.upTo != "" {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	n, err := countUnknown.Run(ctx, e.stream.redis, []string{unknownKey}, unknownReadsPeriod.Milliseconds()).Int64()
	return n <= maxUnknownReads, redisError("counting the reads of unknown processes", err)
}

// notBefore waits until a process was left alone for a while after it was last read. What comes for it meanwhile is answered
// by the same reading. It tells whether it had to wait.
func (e *engine) waitReadInterval(ctx context.Context, before processState) bool {
	left := e.config.ReadInterval - e.config.Now().Sub(before.snapshot.Read)
	if left <= 0 {
		return false
	}
	timer := time.NewTimer(min(left, e.config.ReadInterval)) // however wrong the clock of whoever read it
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return true
}
