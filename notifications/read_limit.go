package notifications

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/internal/pause"
)

// A callback token may leak, and forged callbacks make us read the bank. So reads for callbacks are limited: a process
// with a snapshot is read once in ReadInterval, and of processes without one only a few are read in a minute. For the
// others a reconciliation is requested, which finds those that exist.
const (
	unknownKey         = "{triggers}:unknown" // counts the reads of processes that were never seen, for a minute
	maxUnknownReads    = 30                   // in a minute, by all replicas
	unknownReadsPeriod = time.Minute
)

var countUnknown = redis.NewScript(`
local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return n`)

// allowed reports whether a process without a snapshot may be read for a callback: not if the bank did not have it in
// the last hour, and not beyond the limit.
func (e *engine) allowed(ctx context.Context, before storedState) (bool, error) {
	if before.upTo != "" {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	n, err := countUnknown.Run(ctx, e.stream.redis, []string{unknownKey}, unknownReadsPeriod.Milliseconds()).Int64()
	return n <= maxUnknownReads, redisError("counting the reads of unknown processes", err)
}

// waitReadInterval waits until ReadInterval has passed since a process was last read; the same read answers the
// triggers that come meanwhile. It reports whether it had to wait.
func (e *engine) waitReadInterval(ctx context.Context, before storedState) bool {
	left := e.config.ReadInterval - e.config.Now().Sub(before.snapshot.Read)
	if left <= 0 {
		return false
	}
	pause.For(ctx, min(left, e.config.ReadInterval)) // bounded, since the clock of the replica that read it may be wrong
	return true
}
