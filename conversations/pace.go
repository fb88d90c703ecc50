package conversations

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"golang.org/x/time/rate"

	"github.com/balcao/balcao/internal/pause"
)

const (
	paceUserLife = time.Minute            // after which a replica that reserved nothing has no share
	paceCall     = 250 * time.Millisecond // the time-out of a reservation
	paceRest     = time.Second            // before Redis is asked again after it did not answer
	longestPace  = time.Minute            // that a caller without a deadline waits
)

// reserve reserves the next request of all replicas (the generic cell rate algorithm): it returns how long to wait for it, in
// µs, and reserves nothing if that is longer than the caller can wait. It also returns the number of replicas that reserved
// something lately. All by the clock of Redis.
//
// KEYS: the time of the next request in µs, and the replicas with the time of their last reservation. ARGV: the interval
// between two requests in µs, the burst, the longest wait in µs, the replica, the lifetime of its share in ms.
var reserve = redis.NewScript(`
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local life = tonumber(ARGV[5])
redis.call('ZADD', KEYS[2], string.format('%.0f', now), ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now - life * 1000))
redis.call('PEXPIRE', KEYS[2], life)
local users = redis.call('ZCARD', KEYS[2])
local next = math.max(now, tonumber(redis.call('GET', KEYS[1])) or 0)
local wait = math.max(0, next - now - (ARGV[2] - 1) * ARGV[1])
if wait > tonumber(ARGV[3]) then return {string.format('%.0f', wait), users} end
redis.call('SET', KEYS[1], string.format('%.0f', next + ARGV[1]), 'PX', string.format('%.0f', (next + ARGV[1] - now) / 1000 + life))
return {string.format('%.0f', wait), users}`)

// Pace limits something to a number of times a second over all replicas. While Redis does not answer, a replica keeps to its
// share: the limit divided by the number of replicas that were there last. Create one with [Store.NewPace]. It is safe for
// concurrent use.
type Pace struct {
	store    *Store
	keys     []string
	interval time.Duration
	burst    int
	replica  string

	mu      sync.Mutex
	alone   *rate.Limiter // for the share of this replica
	retryAt time.Time     // until then Redis is not asked
}

// NewPace returns the limit of a topic: perSecond on average, and burst at once after a time without any.
func (s *Store) NewPace(topic string, perSecond float64, burst int) *Pace {
	name := "pace:{" + s.name("pace", topic) + "}:"
	return &Pace{
		store: s, keys: []string{name + "next", name + "replicas"}, interval: time.Duration(float64(time.Second) / perSecond), burst: burst,
		replica: uuid.NewString(), alone: rate.NewLimiter(rate.Limit(perSecond), burst),
	}
}

// Wait waits for the next time. It fails at once if the deadline of ctx, or a minute, comes first, and once ctx ends.
func (p *Pace) Wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, longestPace)
	defer cancel()
	deadline, _ := ctx.Deadline()
	wait, err := p.next(ctx, time.Until(deadline))
	if err != nil {
		return p.alone.Wait(ctx) // the share of this replica
	}
	if pause.For(ctx, wait) {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("waiting %v for the rate of all replicas: %w", wait.Round(time.Millisecond), context.DeadlineExceeded)
}

// next reserves the next time, unless it is longer away than longest. It fails if Redis did not answer lately.
func (p *Pace) next(ctx context.Context, longest time.Duration) (wait time.Duration, err error) {
	p.mu.Lock()
	resting := time.Now().Before(p.retryAt)
	p.mu.Unlock()
	if resting {
		return 0, ErrUnavailable
	}
	asking, cancel := context.WithTimeout(ctx, min(paceCall, p.store.lives.Call))
	defer cancel()
	found, err := p.store.run(asking, reserve, p.keys, p.interval.Microseconds(), p.burst, max(0, longest.Microseconds()), p.replica, millis(paceUserLife)).Slice()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		if ctx.Err() == nil {
			p.retryAt = time.Now().Add(paceRest)
		}
		return 0, failed("reserving a request to the bank", err)
	}
	text, _ := found[0].(string)
	replicas, _ := found[1].(int64)
	p.share(max(1, replicas))
	return microsecondsIn(text), nil
}

// share sets the limit of this replica alone.
func (p *Pace) share(replicas int64) {
	p.alone.SetLimit(rate.Limit(float64(time.Second) / float64(p.interval) / float64(replicas)))
	p.alone.SetBurst(max(1, p.burst/int(replicas)))
}

func microsecondsIn(text string) time.Duration {
	n, _ := strconv.ParseInt(text, 10, 64) // the script writes numbers
	return time.Duration(n) * time.Microsecond
}
