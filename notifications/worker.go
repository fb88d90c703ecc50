package notifications

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/lisbon"
	"github.com/balcao/balcao/portal"
)

// delivery is the state of a process at a destination, stored as a hash with the names of these fields. The next
// message begins after delivered; all up to requested is to be posted.
type delivery struct {
	process uuid.UUID // uuid.Nil for a member that is about none

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

const (
	kindCard   = "card"
	kindReply  = "reply"
	kindNotice = "notice"
)

// worker delivers to one destination, which it has locked.
type worker struct {
	*outbox
	name  string
	token string
	dest  destination.Settings
}

// step does the first thing that is due. over is true once a message was posted or attempted, or nothing is due.
func (w *worker) step(ctx context.Context) (over bool, err error) {
	if over, err := w.resumeDigest(ctx); over || err != nil {
		return over, err
	}
	member, err := w.firstDue(ctx)
	if member == "" || err != nil {
		return true, err
	}
	s, err := w.delivery(ctx, member)
	switch {
	case err != nil:
		return true, err
	case w.now() < s.notBefore:
		return false, w.save(ctx, member, outcome{due: s.notBefore, requested: s.requested})
	case s.intent != nil:
		return w.resolve(ctx, member, s)
	case strings.HasPrefix(member, adminPrefix):
		return w.postAdminNotice(ctx, member, s)
	case strings.HasPrefix(member, announcementPrefix):
		return w.postAnnouncement(ctx, member, s)
	}
	return w.deliver(ctx, member, s)
}

// deliver edits the card if it is stale, and then posts what is new if it is due.
func (w *worker) deliver(ctx context.Context, member string, s delivery) (over bool, err error) {
	n, err := w.load(ctx, member, s)
	switch {
	case errors.Is(err, errRights):
		return false, w.postpone(ctx, member, s, err)
	case err != nil:
		return true, err
	}
	now := w.config.Now()
	if s.stale(n.snapshot.Version) && n.readable {
		return true, w.edit(ctx, member, s, n)
	}
	if !n.wanted || muted(w.dest, n.process, now) {
		return false, w.skip(ctx, member, s)
	}
	if due, is := digestAfter(w.dest.Digest, time.UnixMilli(s.since)); is {
		if due.After(now) {
			return false, w.save(ctx, member, outcome{due: due.UnixMilli(), requested: s.requested})
		}
		return w.postDigest(ctx)
	}
	if end, quiet := quietUntil(w.dest.Quiet, now); quiet {
		return false, w.save(ctx, member, outcome{due: end.UnixMilli(), requested: s.requested})
	}
	if s.card == "" {
		planned := intent{Kind: kindCard, ID: n.process.String() + ":card", To: n.snapshot.Version}
		return true, w.post(ctx, member, s, planned, w.card(planned.ID, n))
	}
	notice, to := w.reply(n, s.requested)
	return true, w.post(ctx, member, s, intent{Kind: kindReply, ID: notice.ID, To: to}, notice)
}

// stale reports whether the card shows less than what is known.
func (s delivery) stale(version int64) bool {
	return s.card != "" && (s.shown < version || s.refreshed < s.refreshRequested)
}

// content is what there is to post about a process.
type content struct {
	process    uuid.UUID
	snapshot   Snapshot
	updates    []Update // since what is delivered
	missing    int64    // how many updates are no longer stored
	at         time.Time
	wanted     bool // a subscription of somebody who may read the process matches
	readable   bool // somebody who subscribed the destination to anything may read the process
	owner      string
	ownerMuted bool // the owner muted the process
	waitsOn    side
	phase      portal.TaxonomyItem
}

func (w *worker) load(ctx context.Context, member string, s delivery) (n content, err error) {
	ctx = context.WithoutCancel(ctx) // each call has a time-out of its own
	if n.process = s.process; n.process == uuid.Nil {
		return content{}, nil // the delivery names no process
	}
	var known bool
	if n.snapshot, known, err = w.snapshots.snapshot(ctx, n.process); err != nil {
		return content{}, err
	}
	if n.updates, err = w.snapshots.updates(ctx, n.process, s.delivered); err != nil {
		return content{}, err
	}
	if n.owner, n.ownerMuted, err = w.owner(ctx, n.process); err != nil {
		return content{}, err
	}
	n.at = n.snapshot.Read
	n.updates = slices.DeleteFunc(n.updates, func(u Update) bool { return u.Version > s.requested })
	if many := len(n.updates); many > 0 {
		last := n.updates[many-1]
		n.at, n.missing = last.At, n.updates[0].Version-s.delivered-1
		if !known {
			n.snapshot = last.Snapshot
		}
	}
	n.phase, n.waitsOn, _ = w.phases.phase(ctx, n.snapshot.StatusID, n.snapshot.Status) // a card without a phase is still of use
	if n.wanted, err = w.wanted(ctx, n); err != nil {
		return content{}, err
	}
	if n.readable = n.wanted; !n.readable && s.card != "" {
		n.readable, err = w.mayRead(ctx, n.process, subscribers(w.dest.Subscriptions))
	}
	return n, err
}

// owner returns the owner of a process, and whether the owner muted it.
func (w *worker) owner(ctx context.Context, process uuid.UUID) (owner string, mutes bool, err error) {
	owner, err = w.config.Store.Owner(ctx, process)
	if owner == "" || err != nil {
		return "", false, err
	}
	direct, err := w.config.Store.Destination(ctx, conversations.Direct(owner))
	if errors.Is(err, conversations.ErrSealed) { // logged where destinations are listed
		return owner, false, nil
	}
	return owner, muted(direct, process, w.config.Now()), err
}

// wanted reports whether the updates are to be posted: a subscription matches one of them, and who made it may read the
// process.
func (w *worker) wanted(ctx context.Context, n content) (bool, error) {
	var met []destination.Subscription
	for _, update := range n.updates {
		for _, sub := range w.dest.Subscriptions {
			meets, err := w.matches(ctx, sub, update)
			if err != nil {
				return false, err
			}
			if meets {
				met = append(met, sub)
			}
		}
	}
	return w.mayRead(ctx, n.process, subscribers(met))
}

// subscribers returns who made the subscriptions.
func subscribers(subs []destination.Subscription) map[string]bool {
	by := map[string]bool{}
	for _, sub := range subs {
		by[sub.By] = true
	}
	return by
}

// post stores an intent, and then posts the notice.
func (w *worker) post(ctx context.Context, member string, s delivery, planned intent, notice destination.Notice) error {
	if err := w.save(ctx, member, outcome{set: fields{"intent": planned}}); err != nil {
		return err
	}
	var id string
	err := w.call(ctx, func(ctx context.Context) (err error) {
		id, err = w.config.Poster.Post(ctx, w.dest.ID, s.thread(planned), notice)
		return err
	})
	if err != nil {
		return w.failed(ctx, member, s, err, true)
	}
	return w.posted(ctx, member, planned, id)
}

// thread returns where a notice goes: "" for the channel itself.
func (s delivery) thread(planned intent) string {
	if planned.Kind == kindReply {
		return s.card
	}
	return ""
}

// posted stores that a notice is posted.
func (w *worker) posted(ctx context.Context, member string, planned intent, id string) error {
	w.instruments.post(planned.Kind)
	done := outcome{set: fields{"intent": "", "attempts": "", "not_before": ""}, backoff: w.config.MinInterval, reason: backoffInterval}
	if planned.Kind == kindCard {
		done.set["card"], done.set["shown"] = id, millis(planned.To)
	} else {
		done.set["delivered"], done.set["since"], done.done = millis(planned.To), millis(w.now()), true
	}
	return errors.Join(w.save(ctx, member, done), w.clearFailing(ctx))
}

// resolve looks for a message that may have been posted, before anything else is posted about the process. If it is not
// found it is posted again.
func (w *worker) resolve(ctx context.Context, member string, s delivery) (over bool, err error) {
	w.instruments.retry()
	var id string
	var found bool
	err = w.call(ctx, func(ctx context.Context) (err error) {
		id, found, err = w.config.Poster.Find(ctx, w.dest.ID, s.thread(*s.intent), s.intent.ID)
		return err
	})
	switch {
	case err != nil:
		return true, w.failed(ctx, member, s, err, false)
	case found:
		return true, w.posted(ctx, member, *s.intent, id)
	}
	return false, w.save(ctx, member, outcome{set: fields{"intent": ""}})
}

func (w *worker) edit(ctx context.Context, member string, s delivery, n content) error {
	err := w.call(ctx, func(ctx context.Context) error {
		return w.config.Poster.Edit(ctx, w.dest.ID, s.card, w.card(n.process.String()+":card", n))
	})
	if err != nil {
		return w.failed(ctx, member, s, err, false)
	}
	w.instruments.post("edit")
	shown := outcome{
		set:     fields{"shown": millis(n.snapshot.Version), "refreshed": millis(s.refreshRequested), "attempts": "", "not_before": ""},
		backoff: w.config.MinInterval, reason: backoffInterval,
	}
	return errors.Join(w.save(ctx, member, shown), w.clearFailing(ctx))
}

// skip marks all requested versions as delivered without posting them.
func (w *worker) skip(ctx context.Context, member string, s delivery) error {
	shown := max(s.shown, s.requested)
	return w.save(ctx, member, outcome{set: fields{"delivered": millis(s.requested), "shown": millis(shown), "refreshed": millis(s.refreshRequested), "since": millis(w.now())}, done: true})
}

// errNotHeld: the lock was lost before the call, so the Poster was not called.
var errNotHeld = errors.New("the destination is not locked")

// call makes one call to the Poster or the bank, which ends before the lock of the destination expires.
func (w *worker) call(ctx context.Context, do func(context.Context) error) error {
	if err := w.renew(ctx); err != nil {
		return fmt.Errorf("%w: %w", errNotHeld, err)
	}
	ctx, cancel := context.WithTimeout(ctx, w.config.Lease/2)
	defer cancel()
	return do(ctx)
}

// The reasons of a backoff.
const (
	backoffInterval    = "interval"     // a message was just posted
	backoffRateLimited = "rate_limited" // the Poster asked for it
	backoffUnreachable = "unreachable " // and a code
)

// maxDoublings keeps a doubled delay from overflowing.
const maxDoublings = 20

// failed stores what follows from a failure, for the destination and for the process. notPosted is true if nothing was
// posted unless this very call did.
func (w *worker) failed(ctx context.Context, member string, s delivery, err error, notPosted bool) error {
	if errors.Is(err, errNotHeld) {
		return err
	}
	f := classify(err)
	w.instruments.post(f.result)
	after := outcome{set: fields{}, backoff: w.config.MinInterval, reason: backoffInterval}
	if f.result == resultGone || notPosted && f.result != resultUnclear {
		after.set["intent"] = ""
	}
	switch f.result {
	case resultRateLimited:
		after.backoff, after.reason = max(f.wait, w.config.MinInterval), backoffRateLimited
	case resultUnreachable:
		if err := w.reportUnreachable(ctx, f.reason); err != nil {
			return err
		}
		after.backoff, after.reason = w.config.UnreachableRetry, backoffUnreachable+f.reason
	case resultGone:
		after.set["card"], after.set["shown"] = "", ""
	default:
		rest := w.delayAfter(s)
		if f.result == resultUnclear {
			rest = max(rest, w.config.Lease/3) // by then a message that was on its way can be found
		}
		after.set["attempts"] = strconv.Itoa(s.attempts + 1)
		after.set["not_before"] = millis(w.now() + rest.Milliseconds())
		w.config.Log.Warn("posting to destination failed", "destination", w.name, "member", member, "result", f.result, "attempts", s.attempts+1, "error", err)
	}
	return errors.Join(w.save(ctx, member, after), w.markFailing(ctx))
}

// delayAfter returns how long a process is not attempted after one more failure.
func (w *worker) delayAfter(s delivery) time.Duration {
	return min(w.config.MinInterval<<min(s.attempts, maxDoublings), w.config.UnreachableRetry)
}

// postpone delays a process of which it is unknown whether it may be posted at the destination.
func (w *worker) postpone(ctx context.Context, member string, s delivery, why error) error {
	w.config.Log.WarnContext(ctx, "permission unknown, delivery postponed", "destination", w.name, "member", member, "attempts", s.attempts+1, "error", why)
	rest := w.now() + w.delayAfter(s).Milliseconds()
	return w.save(ctx, member, outcome{set: fields{"attempts": strconv.Itoa(s.attempts + 1), "not_before": millis(rest)}, due: rest, requested: s.requested})
}

// The results of a failed call to the Poster.
const (
	resultRateLimited = "rate_limited"
	resultUnreachable = "unreachable"
	resultGone        = "gone"
	resultNotSent     = "not_sent"
	resultUnclear     = "unclear"
)

type failure struct {
	result string
	wait   time.Duration
	reason string
}

func classify(err error) failure {
	var asked interface{ RetryAfter() time.Duration }
	var unreachable interface{ Unreachable() string }
	var gone interface{ Gone() bool }
	var notSent interface{ NotSent() bool }
	switch {
	case errors.As(err, &unreachable) && unreachable.Unreachable() != "":
		return failure{result: resultUnreachable, reason: code(unreachable.Unreachable())}
	case errors.As(err, &asked) && asked.RetryAfter() > 0:
		return failure{result: resultRateLimited, wait: asked.RetryAfter()}
	case errors.As(err, &gone) && gone.Gone():
		return failure{result: resultGone}
	case errors.As(err, &notSent) && notSent.NotSent():
		return failure{result: resultNotSent}
	}
	return failure{result: resultUnclear}
}

// code returns what of a reason may be part of a key and a metric's label.
func code(reason string) string {
	deadLetters := strings.Map(func(r rune) rune {
		if r == '_' || 'a' <= r && r <= 'z' {
			return r
		}
		return -1
	}, reason)
	return cmp.Or(deadLetters[:min(len(deadLetters), 40)], "other")
}

// globalReasons are failures that concern every destination, that of the administrator included.
var globalReasons = []string{"token_revoked", "account_inactive", "invalid_auth", "not_authed", "token_expired"}

// reportUnreachable notifies the administrator, once for each destination, reason and day.
func (w *worker) reportUnreachable(ctx context.Context, reason string) error {
	if slices.Contains(globalReasons, reason) {
		w.config.Log.Error("NOTHING CAN BE POSTED: the access token was revoked; all messages wait until it is renewed",
			"reason", reason, "destination", w.name)
		return nil
	}
	w.config.Log.Error("destination unreachable, its messages wait", "reason", reason, "destination", w.name)
	if w.config.Admin == "" || w.config.Admin == w.dest.ID {
		return nil
	}
	day := w.config.Now().In(lisbon.Zone).Format(time.DateOnly)
	member := adminPrefix + w.name + ":" + reason + ":" + day
	return w.enqueueMember(context.WithoutCancel(ctx), w.config.Admin, member, "", 1, w.now(), noticeTTL)
}

// postAdminNotice posts which destination is unreachable, and what to do. It ignores quiet hours.
func (w *worker) postAdminNotice(ctx context.Context, member string, s delivery) (over bool, err error) {
	parts := strings.Split(member, ":")
	if s.delivered >= s.requested || len(parts) != 4 {
		return false, w.skip(ctx, member, s)
	}
	dest, err := w.destinationID(context.WithoutCancel(ctx), parts[1])
	if errors.Is(err, errUnknownDestination) {
		return false, w.skip(ctx, member, s)
	}
	if err != nil {
		return true, err
	}
	return true, w.post(ctx, member, s, intent{Kind: kindNotice, ID: member, To: s.requested}, unreachableNotice(w.dest.Lang, member, dest, parts[2]))
}

// markFailing records since when a destination has been failing; clearFailing removes the record.
func (w *worker) markFailing(ctx context.Context) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	_, err := w.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.ZAddNX(ctx, failingIndex, redis.Z{Score: float64(w.now()), Member: w.name})
		p.PExpire(ctx, failingIndex, deliveryTTL)
		return nil
	})
	return redisError("marking a destination as failing", err)
}

func (w *worker) clearFailing(ctx context.Context) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return redisError("clearing the mark of a failing destination", w.redis.ZRem(ctx, failingIndex, w.name).Err())
}

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
	for field, into := range map[string]any{"process": &s.process, "card": &s.card, "intent": &s.intent} {
		if sealed := hash[field]; sealed != "" {
			err = errors.Join(err, w.open("a delivery", deliveryBinding(w.name, member, field), sealed, into))
		}
	}
	return s, err
}

// outcome is what a step stores, in one script.
type outcome struct {
	set       fields        // fields of the delivery; card and intent are sealed; "" deletes a field
	done      bool          // removes the process from the queue, unless there is more to post or to edit
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
	if !isProcess(member) {
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
