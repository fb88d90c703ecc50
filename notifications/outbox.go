package notifications

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"
)

// Each destination has a queue: a sorted set of processes and simulations, by the time in ms at which each is due. Each
// is in it once, so that the queue is bounded by their number and a burst becomes one message. In the same slot are
//
//	delivery  for each, what was delivered (see delivery), and its id, sealed
//	lock      held by the worker of the destination; writes of anybody else are refused
//	backoff   exists while nothing may be posted at the destination, and holds the reason
//
// Destinations are found through the index, which is in a slot of its own: their names by the time they are due. It is
// written after the queue, so that a destination may be found too early, or late by the time of a lease at most.
const (
	destinationIndex = "outbox:destinations"
	failingIndex     = "outbox:failing" // destinations that fail, by the time since which they do

	deliveryTTL = 400 * 24 * time.Hour
	noticeTTL   = 2 * 24 * time.Hour

	maxWorkers   = 16          // of one replica
	indexBatch   = 64          // destinations read from the index at once
	idleInterval = time.Hour   // between two checks of a destination with an empty queue
	maxTick      = time.Second // between two reads of the index
	maxSteps     = 50          // of one run, while nothing is posted
)

// adminPrefix begins the queue members that are notices to the administrator.
const adminPrefix = "admin:"

type snapshotReader interface {
	snapshot(ctx context.Context, subject Subject) (Snapshot, bool, error)
	updates(ctx context.Context, subject Subject, after int64) ([]Update, error)
}

// outbox posts updates at destinations.
type outbox struct {
	sealer
	config      Config
	redis       redis.UniversalClient
	snapshots   snapshotReader
	instruments *instruments
	phases      *phases
	rights      *rights
	wake        chan struct{}

	mu      sync.Mutex
	ids     map[string]string // of destinations, by name
	working map[string]bool   // names of destinations that this replica works on now
}

func newOutbox(config Config, snapshots snapshotReader, instruments *instruments) *outbox {
	o := &outbox{
		sealer:      sealer{config.Store, config.Fingerprint},
		config:      config,
		redis:       config.Store.Client(),
		snapshots:   snapshots,
		instruments: instruments,
		phases:      &phases{states: config.Profile.States, simulation: config.Profile.SimulationMeaning, unknown: config.UnknownState, now: config.Now},
		rights:      &rights{reader: config.Reader, now: config.Now},
		wake:        make(chan struct{}, 1),
		ids:         map[string]string{},
		working:     map[string]bool{},
	}
	if config.Bank != nil {
		o.phases.read = config.Bank.Taxonomy
	}
	return o
}

// name returns the fingerprint by which Redis names a destination.
func (o *outbox) name(dest string) string { return o.config.Fingerprint([]byte("destination " + dest)) }

func (o *outbox) now() int64                 { return o.config.Now().UnixMilli() }
func queueKey(name string) string            { return "queue:{" + name + "}" }
func lockKey(name string) string             { return "lock:{" + name + "}" }
func backoffKey(name string) string          { return "backoff:{" + name + "}" }
func digestKey(name string) string           { return "digest:{" + name + "}" }
func deliveryKey(name, member string) string { return "delivery:{" + name + "}:" + member }

// member returns the fingerprint by which the queue of a destination names a process or simulation. It differs between
// destinations, so that a copy of Redis does not show which of them follow the same one.
func (o *outbox) member(name string, subject Subject) string {
	return o.fingerprint("member", name, subject.UID().String())
}

// deliveryBinding returns what a sealed field of a delivery is bound to.
func deliveryBinding(name, member, field string) string {
	return deliveryKey(name, member) + " " + field
}

// waiting returns the number of destinations with an overdue message, and how long the oldest one has been due.
func (o *outbox) waiting(ctx context.Context) (dests int, oldest time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	now := o.now()
	var trouble, late *redis.ZSliceCmd
	_, err = o.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		trouble = p.ZRangeWithScores(ctx, failingIndex, 0, -1)
		late = p.ZRangeByScoreWithScores(ctx, destinationIndex, &redis.ZRangeBy{Min: "-inf", Max: millis(now - o.config.Lease.Milliseconds())})
		return nil
	})
	if err != nil {
		return 0, 0, redisError("counting the waiting destinations", err)
	}
	names := map[string]bool{}
	for _, dest := range append(trouble.Val(), late.Val()...) {
		names[dest.Member.(string)] = true
		oldest = max(oldest, time.Duration(now-int64(dest.Score))*time.Millisecond)
	}
	return len(names), oldest, nil
}

// run delivers to all destinations until ctx ends: to many at once, to each from one replica at a time.
func (o *outbox) run(ctx context.Context) error {
	var runs errgroup.Group
	runs.SetLimit(maxWorkers)
	defer func() { _ = runs.Wait() }() // runs log their own errors
	tick := min(max(o.config.Debounce/4, time.Millisecond), maxTick)
	failing := false
	for {
		names, next, err := o.due(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !failing:
			o.config.Log.Error("reading the index of destinations failed", "error", err)
		}
		failing = err != nil
		for _, name := range names {
			if !o.startWorking(name) {
				continue
			}
			began := runs.TryGo(func() error {
				worked := o.deliverTo(ctx, name)
				o.stopWorking(name, worked)
				return nil
			})
			if !began {
				o.stopWorking(name, false)
				next = tick // or when a run ends
				break
			}
		}
		timer := time.NewTimer(min(next, tick))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-o.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// due returns the names of the destinations that are due, and the time until the next one is.
func (o *outbox) due(ctx context.Context) (names []string, next time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	first, err := o.redis.ZRangeWithScores(ctx, destinationIndex, 0, indexBatch-1).Result()
	now := o.now()
	for _, dest := range first {
		if wait := int64(math.Ceil(dest.Score)) - now; wait > 0 {
			return names, time.Duration(wait) * time.Millisecond, nil
		}
		names = append(names, dest.Member.(string))
	}
	return names, maxTick, redisError("reading the index of destinations", err)
}

func (o *outbox) startWorking(name string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.working[name] {
		return false
	}
	o.working[name] = true
	return true
}

func (o *outbox) stopWorking(name string, worked bool) {
	o.mu.Lock()
	delete(o.working, name)
	o.mu.Unlock()
	if worked {
		o.wakeUp()
	}
}

func (o *outbox) wakeUp() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

var (
	errLockLost           = errors.New("the lock of the destination was lost")
	errUnknownDestination = errors.New("unknown destination")
)

var takeLock = redis.NewScript(`
if redis.call('EXISTS', KEYS[2]) == 1 then return 'backoff' end
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 'locked' end
if redis.call('GET', KEYS[1]) == ARGV[1] then return 'locked' end
return 'held'`)

var releaseLock = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`)

// deliverTo locks a destination and posts one message there: then others are served. A call that is under way when ctx
// ends is still recorded. It reports false if another replica holds the lock.
func (o *outbox) deliverTo(ctx context.Context, name string) (worked bool) {
	free := context.WithoutCancel(ctx)
	defer func() {
		if caught := recover(); caught != nil { // the lock expires, and the destination is retried then
			o.config.Log.Error("delivering to destination panicked", "destination", name, "panic", fmt.Sprintf("%T", caught), "stack", string(debug.Stack()))
			worked = true
		}
	}()
	token := rand.Text()
	claimed, err := o.lock(free, name, token)
	if err == nil && claimed == "held" {
		return false
	}
	if err == nil && claimed == "locked" {
		err = o.runSteps(ctx, name, token)
		o.unlock(free, name, token)
	}
	switch {
	case err == nil:
		err = o.reschedule(free, name)
	case errors.Is(err, errLockLost):
		return false
	case errors.Is(err, errUnknownDestination):
		err = o.removeFromIndex(free, name)
	}
	if err != nil {
		o.config.Log.Error("delivering to destination failed", "destination", name, "error", err)
		o.delay(free, name, o.config.Lease/3)
	}
	return true
}

// lock locks a destination for the time of a lease, and schedules it for the end of the lease.
func (o *outbox) lock(ctx context.Context, name, token string) (taken string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	lease := o.config.Lease.Milliseconds()
	taken, err = takeLock.Run(ctx, o.redis, []string{lockKey(name), backoffKey(name)}, token, lease).Text()
	if err == nil && taken == "locked" {
		err = o.scheduleAt(ctx, name, o.now()+lease)
	}
	return taken, redisError("locking a destination", err)
}

// unlock releases the lock. If that fails, the lock expires.
func (o *outbox) unlock(ctx context.Context, name, token string) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_ = releaseLock.Run(ctx, o.redis, []string{lockKey(name)}, token).Err()
}

// removeFromIndex removes a destination from the index. The next message queued for it adds it again.
func (o *outbox) removeFromIndex(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return redisError("removing a destination from the index", o.redis.ZRem(ctx, destinationIndex, name).Err())
}

// delay schedules a destination that failed. If that fails too, it is due when its lock expires.
func (o *outbox) delay(ctx context.Context, name string, wait time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_ = o.scheduleAt(ctx, name, o.now()+wait.Milliseconds())
}

// runSteps makes steps until a message is posted or nothing is due.
func (o *outbox) runSteps(ctx context.Context, name, token string) error {
	dest, err := o.settings(context.WithoutCancel(ctx), name)
	if err != nil {
		return err
	}
	t := &worker{outbox: o, name: name, token: token, dest: dest}
	for range maxSteps {
		spoke, err := t.step(ctx)
		if spoke || err != nil || ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// reschedule stores when a destination is due next. Somebody may queue a message at the same time: they write the queue
// and then the index, so here the queue is read again after the index is written.
func (o *outbox) reschedule(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	at, err := o.nextDue(ctx, name)
	if err == nil {
		err = o.scheduleAt(ctx, name, at)
	}
	if err != nil {
		return redisError("scheduling a destination", err)
	}
	again, err := o.nextDue(ctx, name)
	if err == nil && again < at {
		err = o.scheduleBy(ctx, name, again)
	}
	return redisError("scheduling a destination", err)
}

// nextDue returns when the first member of the queue is due, or the end of the backoff if that is later.
func (o *outbox) nextDue(ctx context.Context, name string) (at int64, err error) {
	var first *redis.ZSliceCmd
	var backoff *redis.DurationCmd
	_, err = o.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		first = p.ZRangeWithScores(ctx, queueKey(name), 0, 0)
		backoff = p.PTTL(ctx, backoffKey(name))
		return nil
	})
	if err != nil {
		return 0, err
	}
	if len(first.Val()) == 0 {
		return o.now() + idleInterval.Milliseconds(), nil
	}
	return max(int64(first.Val()[0].Score), o.now()+max(backoff.Val(), 0).Milliseconds()+1), nil
}

func millis(at int64) string { return strconv.FormatInt(at, 10) }
