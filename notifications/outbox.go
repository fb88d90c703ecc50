package notifications

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/balcao/balcao/internal/destination"
)

// What is to be told stands in a queue for each place: a sorted set of processes by the time at which to look at them,
// in ms. A process stands there once, so that a queue is no longer than there are processes and a burst is told at once.
// Beside it, in the same slot, stand
//
//	story   for each process, what the place was told of it (see story), and sealed, which process it is
//	lock    who works the place now; every write is refused to anybody else
//	lull    is there while the place wants nothing, and says why
//
// Places are found through the index, in a slot of its own: their names by when to look at them. It is written after
// the queue, and only ever a hint: a name in it may come too early, and nothing but time is lost where it comes late.
const (
	placeIndex   = "outbox:places"
	troubleIndex = "outbox:trouble" // places that could not be told, since when

	storyLife = 400 * 24 * time.Hour
	wordLife  = 2 * 24 * time.Hour

	placesAtOnce = 16          // by one replica
	placesFound  = 64          // in one look at the index
	idleLook     = time.Hour   // between two looks at a place of which nothing is to be told
	longestTick  = time.Second // between two looks at the index
	silentSteps  = 50          // of a turn, as long as nothing is posted
)

// toAdministrator is how members of a queue begin that are no process.
const toAdministrator = "word:"

type pictureReader interface {
	picture(ctx context.Context, process uuid.UUID) (Snapshot, bool, error)
	updates(ctx context.Context, process uuid.UUID, after int64) ([]Update, error)
}

// outbox tells places what moved.
type outbox struct {
	sealer
	config      Config
	redis       redis.UniversalClient
	pictures    pictureReader
	instruments *instruments
	phases      *phases
	rights      *rights
	wake        chan struct{}

	mu    sync.Mutex
	ids   map[string]string // of places, by name
	works map[string]bool   // names of places that this replica works now
}

func newOutbox(config Config, pictures pictureReader, instruments *instruments) *outbox {
	o := &outbox{
		sealer:      sealer{config.Store, config.Fingerprint},
		config:      config,
		redis:       config.Store.Client(),
		pictures:    pictures,
		instruments: instruments,
		phases:      &phases{now: config.Now},
		rights:      &rights{reader: config.Reader, now: config.Now},
		wake:        make(chan struct{}, 1),
		ids:         map[string]string{},
		works:       map[string]bool{},
	}
	if config.Bank != nil {
		o.phases.read = config.Bank.Taxonomy
	}
	return o
}

// name is what a place is called in Redis.
func (o *outbox) name(place string) string { return o.config.Fingerprint([]byte("place " + place)) }

func (o *outbox) now() int64 { return o.config.Now().UnixMilli() }

func queueKey(name string) string         { return "queue:{" + name + "}" }
func lockKey(name string) string          { return "lock:{" + name + "}" }
func lullKey(name string) string          { return "lull:{" + name + "}" }
func summaryKey(name string) string       { return "summary:{" + name + "}" }
func storyKey(name, member string) string { return "story:{" + name + "}:" + member }

// member is what a process is called in the queue of a place: different in each, so that a copy of Redis does not tell
// who hears of the same process.
func (o *outbox) member(name string, process uuid.UUID) string {
	return o.fingerprint("member", name, process.String())
}

// storyAt is what the seal of a field of a story binds it to.
func storyAt(name, member, field string) string { return storyKey(name, member) + " " + field }

// What was told of a process before, and what came of it while nobody here watched it, is no news: told is moved up to
// just before the first version that is.
var putStory = redis.NewScript(`
local e = redis.call('HMGET', KEYS[2], 'told', 'upto')
local told, upto = tonumber(e[1] or 0), tonumber(e[2] or 0)
local version = tonumber(ARGV[2])
if version > upto then
  if told >= upto then
    told = version - 1
    redis.call('HSET', KEYS[2], 'told', string.format('%.0f', told), 'since', ARGV[4])
  end
  upto = version
  redis.call('HSET', KEYS[2], 'upto', ARGV[2])
  local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
  if not due or tonumber(due) > tonumber(ARGV[3]) then redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1]) end
end
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
if ARGV[7] ~= '' then redis.call('HSETNX', KEYS[2], 'about', ARGV[7]) end
if told < upto then return 1 end
return 0`)

var lookEarlier = redis.NewScript(`
local at = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not at or tonumber(at) > tonumber(ARGV[2]) then redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`)

// put queues the process of an update for every place that wants to hear of it. Putting it again changes nothing.
func (o *outbox) put(ctx context.Context, update Update) error {
	places, err := o.audience(ctx, update)
	if err != nil {
		return fmt.Errorf("finding who hears of an update: %w", err)
	}
	due := o.now() + o.config.Debounce.Milliseconds()
	for _, place := range places {
		name := o.name(place.ID)
		member := o.member(name, update.Process)
		process, err := o.seal(storyAt(name, member, "about"), update.Process)
		if err == nil {
			err = o.enqueue(ctx, place.ID, member, process, update.Version, due, storyLife)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// enqueue queues a member. process is the one that it stands for, sealed; "" of what tells of none.
func (o *outbox) enqueue(ctx context.Context, place, member, process string, version, due int64, life time.Duration) error {
	name := o.name(place)
	if err := o.remember(ctx, name, place); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	waits, err := putStory.Run(ctx, o.redis, []string{queueKey(name), storyKey(name, member)},
		member, version, due, o.now(), life.Milliseconds(), storyLife.Milliseconds(), process).Bool()
	if err == nil && waits {
		err = o.look(ctx, name, due)
	}
	return stored("queuing for a place", err)
}

// look has a place looked at, at the given time or earlier.
func (o *outbox) look(ctx context.Context, name string, at int64) error {
	err := lookEarlier.Run(ctx, o.redis, []string{placeIndex}, name, at, storyLife.Milliseconds()).Err()
	o.lookNow()
	return err
}

// lookAt has a place looked at, at the given time and not before.
func (o *outbox) lookAt(ctx context.Context, name string, at int64) error {
	_, err := o.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.ZAdd(ctx, placeIndex, redis.Z{Score: float64(at), Member: name})
		p.PExpire(ctx, placeIndex, storyLife)
		return nil
	})
	return err
}

var endLull = redis.NewScript(`
if string.find(redis.call('GET', KEYS[2]) or '', ARGV[2], 1, true) == 1 then redis.call('DEL', KEYS[2]) end
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do redis.call('ZADD', KEYS[1], ARGV[1], member) end
return 1`)

// retry looks at a place now: it may be reachable again, or want to hear at other times than before.
func (o *outbox) retry(ctx context.Context, place string) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	name, now := o.name(place), o.now()
	err := endLull.Run(ctx, o.redis, []string{queueKey(name), lullKey(name)}, now, lullUnreachable).Err()
	if err == nil {
		err = o.look(ctx, name, now)
	}
	return stored("trying a place again", err)
}

// waiting counts the places that should have been told something and were not, and says for how long the first of them
// has been waiting.
func (o *outbox) waiting(ctx context.Context) (places int, oldest time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	now := o.now()
	var trouble, late *redis.ZSliceCmd
	_, err = o.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		trouble = p.ZRangeWithScores(ctx, troubleIndex, 0, -1)
		late = p.ZRangeByScoreWithScores(ctx, placeIndex, &redis.ZRangeBy{Min: "-inf", Max: millis(now - o.config.Lease.Milliseconds())})
		return nil
	})
	if err != nil {
		return 0, 0, stored("counting the places that wait", err)
	}
	names := map[string]bool{}
	for _, place := range append(trouble.Val(), late.Val()...) {
		names[place.Member.(string)] = true
		oldest = max(oldest, time.Duration(now-int64(place.Score))*time.Millisecond)
	}
	return len(names), oldest, nil
}

// run works the places until ctx ends, many at once and each by one replica at a time.
func (o *outbox) run(ctx context.Context) error {
	var turns errgroup.Group
	turns.SetLimit(placesAtOnce)
	defer func() { _ = turns.Wait() }() // a turn's errors are in the log
	tick := min(max(o.config.Debounce/4, time.Millisecond), longestTick)
	failing := false
	for {
		names, next, err := o.due(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !failing:
			o.config.Log.Error("the queues of places cannot be read", "error", err)
		}
		failing = err != nil
		for _, name := range names {
			if !o.begins(name) {
				continue
			}
			began := turns.TryGo(func() error {
				worked := o.turn(ctx, name)
				o.ends(name, worked)
				return nil
			})
			if !began {
				o.ends(name, false)
				next = tick // or when one of them ends
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

// due gives the places to look at now, and how long it is until the next one.
func (o *outbox) due(ctx context.Context) (names []string, next time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	first, err := o.redis.ZRangeWithScores(ctx, placeIndex, 0, placesFound-1).Result()
	now := o.now()
	for _, place := range first {
		if wait := int64(math.Ceil(place.Score)) - now; wait > 0 {
			return names, time.Duration(wait) * time.Millisecond, nil
		}
		names = append(names, place.Member.(string))
	}
	return names, longestTick, stored("looking for places", err)
}

func (o *outbox) begins(name string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.works[name] {
		return false
	}
	o.works[name] = true
	return true
}

func (o *outbox) ends(name string, worked bool) {
	o.mu.Lock()
	delete(o.works, name)
	o.mu.Unlock()
	if worked {
		o.lookNow()
	}
}

func (o *outbox) lookNow() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

var (
	errTakenOver = errors.New("another replica works the place")
	errNoPlace   = errors.New("nothing is kept of the place")
)

// place finds a place by its name in Redis.
func (o *outbox) place(ctx context.Context, name string) (destination.Settings, error) {
	id, err := o.placeID(ctx, name)
	if err != nil {
		return destination.Settings{}, err
	}
	place, err := o.config.Store.Destination(ctx, id)
	place.Lang = cmp.Or(place.Lang, o.config.Lang)
	return place, err
}

// Names of places are digests; whose they are is kept sealed, for replicas that did not queue anything for the place.
const placeName = "place-name"

func (o *outbox) remember(ctx context.Context, name, id string) error {
	o.mu.Lock()
	known := o.ids[name] != ""
	o.mu.Unlock()
	if known {
		return nil
	}
	if err := o.config.Store.Put(ctx, placeName, name, []byte(id), storyLife); err != nil {
		return err
	}
	o.mu.Lock()
	o.ids[name] = id
	o.mu.Unlock()
	return nil
}

func (o *outbox) placeID(ctx context.Context, name string) (string, error) {
	o.mu.Lock()
	id := o.ids[name]
	o.mu.Unlock()
	if id != "" {
		return id, nil
	}
	kept, ok, err := o.config.Store.Get(ctx, placeName, name)
	if err == nil && !ok {
		err = errNoPlace
	}
	if err != nil {
		return "", err
	}
	return string(kept), o.remember(ctx, name, string(kept))
}

var takeLock = redis.NewScript(`
if redis.call('EXISTS', KEYS[2]) == 1 then return 'lull' end
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 'taken' end
if redis.call('GET', KEYS[1]) == ARGV[1] then return 'taken' end
return 'held'`)

var letLock = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`)

// turn works a place until it was told one thing: then others have theirs. What is under way when ctx ends is written
// down all the same. It gives false where another replica works the place.
func (o *outbox) turn(ctx context.Context, name string) (worked bool) {
	free := context.WithoutCancel(ctx)
	defer func() {
		if caught := recover(); caught != nil { // the claim runs out, and with it this place's wait
			o.config.Log.Error("working a place caused a panic", "place", name, "panic", fmt.Sprintf("%T", caught), "stack", string(debug.Stack()))
			worked = true
		}
	}()
	token := rand.Text()
	claimed, err := o.claim(free, name, token)
	if err == nil && claimed == "held" {
		return false
	}
	if err == nil && claimed == "taken" {
		err = o.work(ctx, name, token)
		o.letGo(free, name, token)
	}
	switch {
	case err == nil:
		err = o.lookAgain(free, name)
	case errors.Is(err, errTakenOver):
		return false
	case errors.Is(err, errNoPlace):
		err = o.leave(free, name)
	}
	if err != nil {
		o.config.Log.Error("a place could not be worked", "place", name, "error", err)
		o.lookLater(free, name, o.config.Lease/3)
	}
	return true
}

// claim takes a place for as long as a lease lasts; whoever sees it in the index looks after that.
func (o *outbox) claim(ctx context.Context, name, token string) (taken string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	lease := o.config.Lease.Milliseconds()
	taken, err = takeLock.Run(ctx, o.redis, []string{lockKey(name), lullKey(name)}, token, lease).Text()
	if err == nil && taken == "taken" {
		err = o.lookAt(ctx, name, o.now()+lease)
	}
	return taken, stored("claiming a place", err)
}

// letGo ends a claim; where that fails, it ends by itself.
func (o *outbox) letGo(ctx context.Context, name, token string) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	_ = letLock.Run(ctx, o.redis, []string{lockKey(name)}, token).Err()
}

// leave forgets a place; whatever is queued for it next brings it back.
func (o *outbox) leave(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return stored("leaving a place", o.redis.ZRem(ctx, placeIndex, name).Err())
}

// lookLater spares a place that cannot be worked. Where that fails, it is looked at when its claim is over.
func (o *outbox) lookLater(ctx context.Context, name string, wait time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	_ = o.lookAt(ctx, name, o.now()+wait.Milliseconds())
}

// work does the steps of a turn.
func (o *outbox) work(ctx context.Context, name, token string) error {
	place, err := o.place(context.WithoutCancel(ctx), name)
	if err != nil {
		return err
	}
	t := &turn{outbox: o, name: name, token: token, place: place}
	for range silentSteps {
		spoke, err := t.step(ctx)
		if spoke || err != nil || ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// lookAgain puts into the index when a place is to be looked at next. Somebody may queue something at the same time:
// they write the queue first and then the index, and here the queue is read again after the index was written.
func (o *outbox) lookAgain(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	at, err := o.nextLook(ctx, name)
	if err == nil {
		err = o.lookAt(ctx, name, at)
	}
	if err != nil {
		return stored("leaving a place", err)
	}
	again, err := o.nextLook(ctx, name)
	if err == nil && again < at {
		err = o.look(ctx, name, again)
	}
	return stored("leaving a place", err)
}

// nextLook is when the first in the queue is due, or when the place wants to hear again.
func (o *outbox) nextLook(ctx context.Context, name string) (at int64, err error) {
	var first *redis.ZSliceCmd
	var lull *redis.DurationCmd
	_, err = o.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		first = p.ZRangeWithScores(ctx, queueKey(name), 0, 0)
		lull = p.PTTL(ctx, lullKey(name))
		return nil
	})
	if err != nil {
		return 0, err
	}
	if len(first.Val()) == 0 {
		return o.now() + idleLook.Milliseconds(), nil
	}
	return max(int64(first.Val()[0].Score), o.now()+max(lull.Val(), 0).Milliseconds()+1), nil
}

func millis(at int64) string { return strconv.FormatInt(at, 10) }
