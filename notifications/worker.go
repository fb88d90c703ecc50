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

// test is what a place was told of a process, as a hash of the fields' names. What is told there next begins after
// told; all up to upto was asked for.
type delivery struct {
	process uuid.UUID // uuid.Nil of what tells of none

	card             string  // the id of the live card, "" before there is one
	shown            int64   // the version that the card shows
	delivered        int64   // the last version of which the thread, or a digest, tells
	requested        int64   // the last version that the place wants to hear of
	since            int64   // since when there is something to tell, in ms
	notBefore        int64   // nothing is tried before, in ms
	attempts         int     // failures in a row
	refreshRequested int64   // counts how often the card was to be shown anew, for its owner say
	refreshed        int64   // the count that the card shows
	intent           *intent // what may have been posted, and was not seen
}

// intent is written down before a notice is posted, so that whoever comes after a crash looks for it.
type intent struct {
	Kind string `json:"kind"`
	ID   string `json:"id"` // of the notice
	To   int64  `json:"to"` // the version that it tells or shows
}

const (
	kindCard   = "card"
	kindReply  = "reply"
	kindNotice = "notice"
)

// worker is one place that this replica holds.
type worker struct {
	*outbox
	name  string
	token string
	dest  destination.Settings
}

// step does the first thing that is due. The turn is over when something was posted, or tried, or nothing is due.
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

// deliver brings the card up to date, and then tells what is new where people want to hear it now.
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

// stale tells whether the card shows less than what is known.
func (s delivery) stale(version int64) bool {
	return s.card != "" && (s.shown < version || s.refreshed < s.refreshRequested)
}

// content is what there is to tell of a process.
type content struct {
	process    uuid.UUID
	snapshot   Snapshot
	updates    []Update // since what was told
	missing    int64    // how many were not kept
	at         time.Time
	wanted     bool // by the watches that the place has now, of those who may read it
	readable   bool // by somebody who has the place subscribe to anything
	owner      string
	ownerMuted bool // the owner wants to hear nothing of the process
	waitsOn    side
	phase      portal.TaxonomyItem
}

func (w *worker) load(ctx context.Context, member string, s delivery) (n content, err error) {
	ctx = context.WithoutCancel(ctx) // each reading has an end of its own
	if n.process = s.process; n.process == uuid.Nil {
		return content{}, nil // not ours: there is nothing to tell of it
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
	n.phase, n.waitsOn, _ = w.phases.phase(ctx, n.snapshot.StatusID, n.snapshot.Status) // a card does without
	if n.wanted, err = w.wanted(ctx, n); err != nil {
		return content{}, err
	}
	if n.readable = n.wanted; !n.readable && s.card != "" {
		n.readable, err = w.mayRead(ctx, n.process, subscribers(w.dest.Subscriptions))
	}
	return n, err
}

// owner gives the owner of a process, and whether the owner wants to hear nothing of it.
func (w *worker) owner(ctx context.Context, process uuid.UUID) (owner string, mutes bool, err error) {
	owner, err = w.config.Store.Owner(ctx, process)
	if owner == "" || err != nil {
		return "", false, err
	}
	direct, err := w.config.Store.Destination(ctx, conversations.Direct(owner))
	if errors.Is(err, conversations.ErrSealed) { // said where places are listed
		return owner, false, nil
	}
	return owner, muted(direct, process, w.config.Now()), err
}

// wanted tells whether the place is to be told of the updates: a watch is met by one of them, and who asked for it may
// read the process.
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

// subscribers are those who asked for watches.
func subscribers(subs []destination.Subscription) map[string]bool {
	asked := map[string]bool{}
	for _, sub := range subs {
		asked[sub.By] = true
	}
	return asked
}

// post writes down what is about to be posted, and posts it.
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

// thread is where a notice goes.
func (s delivery) thread(planned intent) string {
	if planned.Kind == kindReply {
		return s.card
	}
	return ""
}

// posted writes down that something is posted.
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

// resolve looks for what may have been posted, before anything else is told of the process. What is not there is
// planned anew.
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

// skip leaves untold what a place does not want to hear, for good.
func (w *worker) skip(ctx context.Context, member string, s delivery) error {
	shown := max(s.shown, s.requested)
	return w.save(ctx, member, outcome{set: fields{"delivered": millis(s.requested), "shown": millis(shown), "refreshed": millis(s.refreshRequested), "since": millis(w.now())}, done: true})
}

// errNotHeld says that the poster was not called, since the place may not be ours.
var errNotHeld = errors.New("the destination is not locked")

// call makes one call of the poster's, which ends before our hold on the place does.
func (w *worker) call(ctx context.Context, do func(context.Context) error) error {
	if err := w.renew(ctx); err != nil {
		return fmt.Errorf("%w: %w", errNotHeld, err)
	}
	ctx, cancel := context.WithTimeout(ctx, w.config.Lease/2)
	defer cancel()
	return do(ctx)
}

// Why a place wants nothing for a while.
const (
	backoffInterval    = "interval"     // it was just told something
	backoffRateLimited = "rate_limited" // it asked for it
	backoffUnreachable = "unreachable " // and a code
)

// maxDoublings keeps a wait from growing over what a number holds.
const maxDoublings = 20

// failed decides what a failure means for the place and for the process. sure says that but for this failure nothing
// can have been posted.
func (w *worker) failed(ctx context.Context, member string, s delivery, err error, sure bool) error {
	if errors.Is(err, errNotHeld) {
		return err
	}
	f := classify(err)
	w.instruments.post(f.result)
	after := outcome{set: fields{}, backoff: w.config.MinInterval, reason: backoffInterval}
	if f.result == resultGone || sure && f.result != resultUnclear {
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
			rest = max(rest, w.config.Lease/3) // what is still on its way shows by then
		}
		after.set["attempts"] = strconv.Itoa(s.attempts + 1)
		after.set["not_before"] = millis(w.now() + rest.Milliseconds())
		w.config.Log.Warn("posting to destination failed", "destination", w.name, "member", member, "result", f.result, "attempts", s.attempts+1, "error", err)
	}
	return errors.Join(w.save(ctx, member, after), w.markFailing(ctx))
}

// delayAfter is how long a process is not tried after one more failure.
func (w *worker) delayAfter(s delivery) time.Duration {
	return min(w.config.MinInterval<<min(s.attempts, maxDoublings), w.config.UnreachableRetry)
}

// postpone tries a process later of which it is not known whether the place may be told.
func (w *worker) postpone(ctx context.Context, member string, s delivery, why error) error {
	w.config.Log.WarnContext(ctx, "permission unknown, delivery postponed", "destination", w.name, "member", member, "attempts", s.attempts+1, "error", why)
	rest := w.now() + w.delayAfter(s).Milliseconds()
	return w.save(ctx, member, outcome{set: fields{"attempts": strconv.Itoa(s.attempts + 1), "not_before": millis(rest)}, due: rest, requested: s.requested})
}

// What a failure of the poster's comes to.
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

// code keeps of a reason what may stand in a key and in a metric.
func code(reason string) string {
	deadLetters := strings.Map(func(r rune) rune {
		if r == '_' || 'a' <= r && r <= 'z' {
			return r
		}
		return -1
	}, reason)
	return cmp.Or(deadLetters[:min(len(deadLetters), 40)], "other")
}

// globalReasons are the reasons that hold for every place: the administrator cannot be told there either.
var globalReasons = []string{"token_revoked", "account_inactive", "invalid_auth", "not_authed", "token_expired"}

// unreachableError has the administrator told what to do: once for each place, reason and day.
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

// postAdminNotice says which place cannot be reached, and what to do. It waits for no quiet hours.
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

// markFailing remembers since when a place waits to be told something, and reached that it no longer does.
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

// bounded gives what is written down an end of its own, whatever ends meanwhile.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
}

// silent is the member of the queue that is due the longest, "" when none is.
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

// outcome is what a step writes down, all of it or nothing.
type outcome struct {
	set       fields        // of the story, card and intent to be sealed; "" takes a field away
	done      bool          // takes the process from the queue, unless there is more to tell or to show
	due       int64         // when to look at it again, unless more than upto is asked for by now; 0 leaves it
	requested int64         //
	backoff   time.Duration // how long the place wants nothing
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

// save writes a change down, unless the place was taken over.
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

// renew makes sure that the place is ours for the whole of a lease from now.
func (w *worker) renew(ctx context.Context) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	ours, err := renewLock.Run(ctx, w.redis, []string{lockKey(w.name)}, w.token, w.config.Lease.Milliseconds()).Bool()
	if err == nil && !ours {
		return errLockLost
	}
	return redisError("renewing the lock of a destination", err)
}
