package notifications

import (
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// delivery is the state of a process or simulation at a destination, stored as a hash with the names of these fields, and
// process or simulation for its id. The next message begins after delivered; all up to requested is to be posted.
type delivery struct {
	subject Subject // zero for a member that is about neither

	card             string  // the id of the live card, "" before there is one
	shown            int64   // the version that the card shows
	delivered        int64   // the last version that a reply or a digest contains
	requested        int64   // the last version that the destination subscribed to
	since            int64   // since when there is something to post, in ms
	notBefore        int64   // no attempt is made before, in ms
	attempts         int     // failures in a row
	refreshRequested int64   // counts requests to edit the card, such as after a change of owner
	refreshed        int64   // the count that the card shows
	intent           *intent // a message that may have been posted, and is not confirmed
}

// intent is stored before a notice is posted, so that after a crash it is looked for before it is posted again.
type intent struct {
	Kind string `json:"kind"`
	ID   string `json:"id"` // of the notice
	To   int64  `json:"to"` // the version that it contains or shows
}

// The kinds of intents.
const (
	kindCard   = "card"
	kindReply  = "reply"
	kindNotice = "notice"
)

// bounded returns a context for storing an outcome, with a time-out of its own that does not end with ctx.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
}

// firstDue returns the member of the queue that has been due longest, "" if none is due.
func (w *worker) firstDue(ctx context.Context) (member string, err error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	first, err := w.redis.ZRangeByScore(ctx, queueKey(w.name), &redis.ZRangeBy{Min: "-inf", Max: millis(w.now()), Count: 1}).Result()
	if len(first) == 0 {
		return "", redisError("reading the queue of a destination", err)
	}
	return first[0], nil
}

func (w *worker) delivery(ctx context.Context, member string) (delivery, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	hash, err := w.redis.HGetAll(ctx, deliveryKey(w.name, member)).Result()
	if err != nil {
		return delivery{}, redisError("reading a delivery", err)
	}
	return w.parseDelivery(member, hash)
}

func (w *worker) parseDelivery(member string, hash map[string]string) (s delivery, err error) {
	number := func(field string) int64 {
		n, _ := strconv.ParseInt(hash[field], 10, 64) // only this package writes it
		return n
	}
	s = delivery{
		shown: number("shown"), delivered: number("delivered"), requested: number("requested"),
		refreshRequested: number("refresh_requested"), refreshed: number("refreshed"), since: number("since"), notBefore: number("not_before"), attempts: int(min(number("attempts"), math.MaxInt32)),
	}
	for field, into := range map[string]any{"process": &s.subject.Process, "simulation": &s.subject.Simulation, "card": &s.card, "intent": &s.intent} {
		if sealed := hash[field]; sealed != "" {
			err = errors.Join(err, w.open("a delivery", deliveryBinding(w.name, member, field), sealed, into))
		}
	}
	return s, err
}

// outcome is what a step stores, in one script.
type outcome struct {
	set       fields        // fields of the delivery; card and intent are sealed; "" deletes a field
	done      bool          // removes the member from the queue, unless there is more to post or to edit
	due       int64         // when it is due again, unless more than requested is requested by now; 0 leaves it
	requested int64         //
	backoff   time.Duration // how long nothing is posted at the destination
	reason    string
}

type fields map[string]any

var saveDelivery = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for i = 9, #ARGV, 2 do
  if ARGV[i+1] == '' then redis.call('HDEL', KEYS[3], ARGV[i]) else redis.call('HSET', KEYS[3], ARGV[i], ARGV[i+1]) end
end
redis.call('PEXPIRE', KEYS[3], ARGV[3])
if ARGV[7] ~= '0' then redis.call('SET', KEYS[4], ARGV[8], 'PX', ARGV[7]) end
local e = redis.call('HMGET', KEYS[3], 'delivered', 'requested', 'shown', 'card', 'refresh_requested', 'refreshed')
local delivered, requested, shown = tonumber(e[1] or 0), tonumber(e[2] or 0), tonumber(e[3] or 0)
local fresh = shown >= requested and tonumber(e[6] or 0) >= tonumber(e[5] or 0)
if ARGV[4] == '1' and delivered >= requested and (not e[4] or fresh) then redis.call('ZREM', KEYS[2], ARGV[2]) end
if ARGV[5] ~= '0' and requested == tonumber(ARGV[6]) then redis.call('ZADD', KEYS[2], ARGV[5], ARGV[2]) end
return 1`)

// save stores an outcome. It returns errLockLost if another replica holds the destination.
func (w *worker) save(ctx context.Context, member string, c outcome) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	life, done := deliveryTTL, 0
	if !isSubject(member) {
		life = noticeTTL
	}
	if c.done {
		done = 1
	}
	backoff := c.backoff.Milliseconds()
	if c.backoff > 0 {
		backoff = max(backoff, 1)
	}
	args := []any{w.token, member, life.Milliseconds(), done, c.due, c.requested, backoff, c.reason}
	for field, value := range c.set {
		if (field == "card" || field == "intent") && value != "" {
			sealed, err := w.seal(deliveryBinding(w.name, member, field), value)
			if err != nil {
				return err
			}
			value = sealed
		}
		args = append(args, field, value)
	}
	keys := []string{lockKey(w.name), queueKey(w.name), deliveryKey(w.name, member), backoffKey(w.name)}
	ours, err := saveDelivery.Run(ctx, w.redis, keys, args...).Bool()
	if err == nil && !ours {
		return errLockLost
	}
	return redisError("storing a delivery", err)
}

var renewLock = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`)

// renew extends the lock of the destination by a whole lease.
func (w *worker) renew(ctx context.Context) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	ours, err := renewLock.Run(ctx, w.redis, []string{lockKey(w.name)}, w.token, w.config.Lease.Milliseconds()).Bool()
	if err == nil && !ours {
		return errLockLost
	}
	return redisError("renewing the lock of a destination", err)
}
