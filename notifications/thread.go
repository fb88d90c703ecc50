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

// story is what a place was told of a process, as a hash of the fields' names. What is told there next begins after
// told; all up to upto was asked for.
type story struct {
	process uuid.UUID // uuid.Nil of what tells of none

	card   string  // the id of the live card, "" before there is one
	shown  int64   // the version that the card shows
	told   int64   // the last version of which the thread, or a digest, tells
	upto   int64   // the last version that the place wants to hear of
	since  int64   // since when there is something to tell, in ms
	rest   int64   // nothing is tried before, in ms
	tries  int     // failures in a row
	asked  int64   // counts how often the card was to be shown anew, for its owner say
	shows  int64   // the count that the card shows
	intent *intent // what may have been posted, and was not seen
}

// intent is written down before a notice is posted, so that whoever comes after a crash looks for it.
type intent struct {
	Kind string `json:"kind"`
	ID   string `json:"id"` // of the notice
	To   int64  `json:"to"` // the version that it tells or shows
}

const (
	ofCard  = "card"
	ofReply = "reply"
	ofWord  = "word"
)

// turn is one place that this replica holds.
type turn struct {
	*outbox
	name  string
	token string
	place destination.Settings
}

// step does the first thing that is due. The turn is over when something was posted, or tried, or nothing is due.
func (t *turn) step(ctx context.Context) (over bool, err error) {
	if over, err := t.resumeSummary(ctx); over || err != nil {
		return over, err
	}
	member, err := t.first(ctx)
	if member == "" || err != nil {
		return true, err
	}
	s, err := t.story(ctx, member)
	switch {
	case err != nil:
		return true, err
	case t.now() < s.rest:
		return false, t.save(ctx, member, change{due: s.rest, upto: s.upto})
	case s.intent != nil:
		return t.resolve(ctx, member, s)
	case strings.HasPrefix(member, toAdministrator):
		return t.tellAdministrator(ctx, member, s)
	case strings.HasPrefix(member, toPeople):
		return t.tellAnnouncement(ctx, member, s)
	}
	return t.tell(ctx, member, s)
}

// tell brings the card up to date, and then tells what is new where people want to hear it now.
func (t *turn) tell(ctx context.Context, member string, s story) (over bool, err error) {
	n, err := t.news(ctx, member, s)
	switch {
	case errors.Is(err, errRights):
		return false, t.postpone(ctx, member, s, err)
	case err != nil:
		return true, err
	}
	now := t.config.Now()
	if s.stale(n.picture.Version) && n.readable {
		return true, t.edit(ctx, member, s, n)
	}
	if !n.wanted || muted(t.place, n.process, now) {
		return false, t.finish(ctx, member, s)
	}
	if due, is := digestAfter(t.place.Digest, time.UnixMilli(s.since)); is {
		if due.After(now) {
			return false, t.save(ctx, member, change{due: due.UnixMilli(), upto: s.upto})
		}
		return t.summarise(ctx)
	}
	if end, quiet := quietUntil(t.place.Quiet, now); quiet {
		return false, t.save(ctx, member, change{due: end.UnixMilli(), upto: s.upto})
	}
	if s.card == "" {
		planned := intent{Kind: ofCard, ID: n.process.String() + ":card", To: n.picture.Version}
		return true, t.post(ctx, member, s, planned, t.cardOf(planned.ID, n))
	}
	notice, to := t.replyOf(n, s.upto)
	return true, t.post(ctx, member, s, intent{Kind: ofReply, ID: notice.ID, To: to}, notice)
}

// stale tells whether the card shows less than what is known.
func (s story) stale(version int64) bool {
	return s.card != "" && (s.shown < version || s.shows < s.asked)
}

// news is what there is to tell of a process.
type news struct {
	process    uuid.UUID
	picture    Snapshot
	updates    []Update // since what was told
	before     int64    // how many were not kept
	at         time.Time
	wanted     bool // by the watches that the place has now, of those who may read it
	readable   bool // by somebody who has the place subscribe to anything
	owner      string
	ownerMuted bool // the owner wants to hear nothing of the process
	waits      side
	phase      portal.TaxonomyItem
}

func (t *turn) news(ctx context.Context, member string, s story) (n news, err error) {
	ctx = context.WithoutCancel(ctx) // each reading has an end of its own
	if n.process = s.process; n.process == uuid.Nil {
		return news{}, nil // not ours: there is nothing to tell of it
	}
	var known bool
	if n.picture, known, err = t.pictures.picture(ctx, n.process); err != nil {
		return news{}, err
	}
	if n.updates, err = t.pictures.updates(ctx, n.process, s.told); err != nil {
		return news{}, err
	}
	if n.owner, n.ownerMuted, err = t.owner(ctx, n.process); err != nil {
		return news{}, err
	}
	n.at = n.picture.Read
	n.updates = slices.DeleteFunc(n.updates, func(u Update) bool { return u.Version > s.upto })
	if many := len(n.updates); many > 0 {
		last := n.updates[many-1]
		n.at, n.before = last.At, n.updates[0].Version-s.told-1
		if !known {
			n.picture = last.Snapshot
		}
	}
	n.phase, n.waits, _ = t.phases.of(ctx, n.picture.StatusID, n.picture.Status) // a card does without
	if n.wanted, err = t.wanted(ctx, n); err != nil {
		return news{}, err
	}
	if n.readable = n.wanted; !n.readable && s.card != "" {
		n.readable, err = t.mayRead(ctx, n.process, askers(t.place.Subscriptions))
	}
	return n, err
}

// owner gives the owner of a process, and whether the owner wants to hear nothing of it.
func (t *turn) owner(ctx context.Context, process uuid.UUID) (owner string, mutes bool, err error) {
	owner, err = t.config.Store.Owner(ctx, process)
	if owner == "" || err != nil {
		return "", false, err
	}
	direct, err := t.config.Store.Destination(ctx, conversations.Direct(owner))
	if errors.Is(err, conversations.ErrSealed) { // said where places are listed
		return owner, false, nil
	}
	return owner, muted(direct, process, t.config.Now()), err
}

// wanted tells whether the place is to be told of the updates: a watch is met by one of them, and who asked for it may
// read the process.
func (t *turn) wanted(ctx context.Context, n news) (bool, error) {
	var met []destination.Subscription
	for _, update := range n.updates {
		for _, watch := range t.place.Subscriptions {
			meets, err := t.meets(ctx, watch, update)
			if err != nil {
				return false, err
			}
			if meets {
				met = append(met, watch)
			}
		}
	}
	return t.mayRead(ctx, n.process, askers(met))
}

// askers are those who asked for watches.
func askers(watches []destination.Subscription) map[string]bool {
	asked := map[string]bool{}
	for _, watch := range watches {
		asked[watch.By] = true
	}
	return asked
}

// post writes down what is about to be posted, and posts it.
func (t *turn) post(ctx context.Context, member string, s story, planned intent, notice destination.Notice) error {
	if err := t.save(ctx, member, change{set: fields{"intent": planned}}); err != nil {
		return err
	}
	var id string
	err := t.call(ctx, func(ctx context.Context) (err error) {
		id, err = t.config.Poster.Post(ctx, t.place.ID, s.thread(planned), notice)
		return err
	})
	if err != nil {
		return t.failed(ctx, member, s, err, true)
	}
	return t.happened(ctx, member, planned, id)
}

// thread is where a notice goes.
func (s story) thread(planned intent) string {
	if planned.Kind == ofReply {
		return s.card
	}
	return ""
}

// happened writes down that something is posted.
func (t *turn) happened(ctx context.Context, member string, planned intent, id string) error {
	t.instruments.posted(planned.Kind)
	done := change{set: fields{"intent": "", "tries": "", "rest": ""}, lull: t.config.MinInterval, reason: lullSpace}
	if planned.Kind == ofCard {
		done.set["card"], done.set["shown"] = id, millis(planned.To)
	} else {
		done.set["told"], done.set["since"], done.done = millis(planned.To), millis(t.now()), true
	}
	return errors.Join(t.save(ctx, member, done), t.reached(ctx))
}

// resolve looks for what may have been posted, before anything else is told of the process. What is not there is
// planned anew.
func (t *turn) resolve(ctx context.Context, member string, s story) (over bool, err error) {
	t.instruments.retried()
	var id string
	var found bool
	err = t.call(ctx, func(ctx context.Context) (err error) {
		id, found, err = t.config.Poster.Find(ctx, t.place.ID, s.thread(*s.intent), s.intent.ID)
		return err
	})
	switch {
	case err != nil:
		return true, t.failed(ctx, member, s, err, false)
	case found:
		return true, t.happened(ctx, member, *s.intent, id)
	}
	return false, t.save(ctx, member, change{set: fields{"intent": ""}})
}

func (t *turn) edit(ctx context.Context, member string, s story, n news) error {
	err := t.call(ctx, func(ctx context.Context) error {
		return t.config.Poster.Edit(ctx, t.place.ID, s.card, t.cardOf(n.process.String()+":card", n))
	})
	if err != nil {
		return t.failed(ctx, member, s, err, false)
	}
	t.instruments.posted("edit")
	shown := change{
		set:  fields{"shown": millis(n.picture.Version), "shows": millis(s.asked), "tries": "", "rest": ""},
		lull: t.config.MinInterval, reason: lullSpace,
	}
	return errors.Join(t.save(ctx, member, shown), t.reached(ctx))
}

// finish leaves untold what a place does not want to hear, for good.
func (t *turn) finish(ctx context.Context, member string, s story) error {
	shown := max(s.shown, s.upto)
	return t.save(ctx, member, change{set: fields{"told": millis(s.upto), "shown": millis(shown), "shows": millis(s.asked), "since": millis(t.now())}, done: true})
}

// errNotHeld says that the poster was not called, since the place may not be ours.
var errNotHeld = errors.New("a place is not held")

// call makes one call of the poster's, which ends before our hold on the place does.
func (t *turn) call(ctx context.Context, do func(context.Context) error) error {
	if err := t.renew(ctx); err != nil {
		return fmt.Errorf("%w: %w", errNotHeld, err)
	}
	ctx, cancel := context.WithTimeout(ctx, t.config.Lease/2)
	defer cancel()
	return do(ctx)
}

// Why a place wants nothing for a while.
const (
	lullSpace       = "space"        // it was just told something
	lullAsked       = "asked"        // it asked for it
	lullUnreachable = "unreachable " // and a code
)

// maxDoublings keeps a wait from growing over what a number holds.
const maxDoublings = 20

// failed decides what a failure means for the place and for the process. sure says that but for this failure nothing
// can have been posted.
func (t *turn) failed(ctx context.Context, member string, s story, err error, sure bool) error {
	if errors.Is(err, errNotHeld) {
		return err
	}
	f := judge(err)
	t.instruments.posted(f.result)
	after := change{set: fields{}, lull: t.config.MinInterval, reason: lullSpace}
	if f.result == resultGone || sure && f.result != resultUnclear {
		after.set["intent"] = ""
	}
	switch f.result {
	case resultAsked:
		after.lull, after.reason = max(f.wait, t.config.MinInterval), lullAsked
	case resultUnreachable:
		if err := t.unreachable(ctx, f.reason); err != nil {
			return err
		}
		after.lull, after.reason = t.config.UnreachableRetry, lullUnreachable+f.reason
	case resultGone:
		after.set["card"], after.set["shown"] = "", ""
	default:
		rest := t.pauseAfter(s)
		if f.result == resultUnclear {
			rest = max(rest, t.config.Lease/3) // what is still on its way shows by then
		}
		after.set["tries"] = strconv.Itoa(s.tries + 1)
		after.set["rest"] = millis(t.now() + rest.Milliseconds())
		t.config.Log.Warn("a place could not be told", "place", t.name, "member", member, "result", f.result, "tries", s.tries+1, "error", err)
	}
	return errors.Join(t.save(ctx, member, after), t.troubled(ctx))
}

// pauseAfter is how long a process is not tried after one more failure.
func (t *turn) pauseAfter(s story) time.Duration {
	return min(t.config.MinInterval<<min(s.tries, maxDoublings), t.config.UnreachableRetry)
}

// postpone tries a process later of which it is not known whether the place may be told.
func (t *turn) postpone(ctx context.Context, member string, s story, why error) error {
	t.config.Log.WarnContext(ctx, "a place waits to be told", "place", t.name, "member", member, "tries", s.tries+1, "error", why)
	rest := t.now() + t.pauseAfter(s).Milliseconds()
	return t.save(ctx, member, change{set: fields{"tries": strconv.Itoa(s.tries + 1), "rest": millis(rest)}, due: rest, upto: s.upto})
}

// What a failure of the poster's comes to.
const (
	resultAsked       = "asked to wait"
	resultUnreachable = "unreachable"
	resultGone        = "gone"
	resultNotSent     = "not sent"
	resultUnclear     = "unclear"
)

type failure struct {
	result string
	wait   time.Duration
	reason string
}

func judge(err error) failure {
	var asked interface{ RetryAfter() time.Duration }
	var unreachable interface{ Unreachable() string }
	var gone interface{ Gone() bool }
	var notSent interface{ NotSent() bool }
	switch {
	case errors.As(err, &unreachable) && unreachable.Unreachable() != "":
		return failure{result: resultUnreachable, reason: code(unreachable.Unreachable())}
	case errors.As(err, &asked) && asked.RetryAfter() > 0:
		return failure{result: resultAsked, wait: asked.RetryAfter()}
	case errors.As(err, &gone) && gone.Gone():
		return failure{result: resultGone}
	case errors.As(err, &notSent) && notSent.NotSent():
		return failure{result: resultNotSent}
	}
	return failure{result: resultUnclear}
}

// code keeps of a reason what may stand in a key and in a metric.
func code(reason string) string {
	letters := strings.Map(func(r rune) rune {
		if r == '_' || 'a' <= r && r <= 'z' {
			return r
		}
		return -1
	}, reason)
	return cmp.Or(letters[:min(len(letters), 40)], "other")
}

// hopeless are the reasons that hold for every place: the administrator cannot be told there either.
var hopeless = []string{"token_revoked", "account_inactive", "invalid_auth", "not_authed", "token_expired"}

// unreachable has the administrator told what to do: once for each place, reason and day.
func (t *turn) unreachable(ctx context.Context, reason string) error {
	if slices.Contains(hopeless, reason) {
		t.config.Log.Error("NOBODY CAN BE TOLD ANYTHING: the access to where people are told was taken away; everything waits until it is renewed",
			"reason", reason, "place", t.name)
		return nil
	}
	t.config.Log.Error("a place cannot be reached; what it is to be told waits", "reason", reason, "place", t.name)
	if t.config.Admin == "" || t.config.Admin == t.place.ID {
		return nil
	}
	day := t.config.Now().In(lisbon.Zone).Format(time.DateOnly)
	member := toAdministrator + t.name + ":" + reason + ":" + day
	return t.enqueue(context.WithoutCancel(ctx), t.config.Admin, member, "", 1, t.now(), wordLife)
}

// tellAdministrator says which place cannot be reached, and what to do. It waits for no quiet hours.
func (t *turn) tellAdministrator(ctx context.Context, member string, s story) (over bool, err error) {
	parts := strings.Split(member, ":")
	if s.told >= s.upto || len(parts) != 4 {
		return false, t.finish(ctx, member, s)
	}
	place, err := t.placeID(context.WithoutCancel(ctx), parts[1])
	if errors.Is(err, errNoPlace) {
		return false, t.finish(ctx, member, s)
	}
	if err != nil {
		return true, err
	}
	return true, t.post(ctx, member, s, intent{Kind: ofWord, ID: member, To: s.upto}, unreachableNotice(t.place.Lang, member, place, parts[2]))
}

// troubled remembers since when a place waits to be told something, and reached that it no longer does.
func (t *turn) troubled(ctx context.Context) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	_, err := t.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.ZAddNX(ctx, troubleIndex, redis.Z{Score: float64(t.now()), Member: t.name})
		p.PExpire(ctx, troubleIndex, storyLife)
		return nil
	})
	return stored("remembering that a place waits", err)
}

func (t *turn) reached(ctx context.Context) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return stored("remembering that a place was reached", t.redis.ZRem(ctx, troubleIndex, t.name).Err())
}

// bounded gives what is written down an end of its own, whatever ends meanwhile.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), callTime)
}

// first is the member of the queue that is due the longest, "" when none is.
func (t *turn) first(ctx context.Context) (member string, err error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	first, err := t.redis.ZRangeByScore(ctx, queueKey(t.name), &redis.ZRangeBy{Min: "-inf", Max: millis(t.now()), Count: 1}).Result()
	if len(first) == 0 {
		return "", stored("reading the queue of a place", err)
	}
	return first[0], nil
}

func (t *turn) story(ctx context.Context, member string) (story, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	hash, err := t.redis.HGetAll(ctx, storyKey(t.name, member)).Result()
	if err != nil {
		return story{}, stored("reading what a place was told", err)
	}
	return t.readStory(member, hash)
}

func (t *turn) readStory(member string, hash map[string]string) (s story, err error) {
	number := func(field string) int64 {
		n, _ := strconv.ParseInt(hash[field], 10, 64) // only this package writes it
		return n
	}
	s = story{
		shown: number("shown"), told: number("told"), upto: number("upto"),
		asked: number("asked"), shows: number("shows"), since: number("since"), rest: number("rest"), tries: int(min(number("tries"), math.MaxInt32)),
	}
	for field, into := range map[string]any{"about": &s.process, "card": &s.card, "intent": &s.intent} {
		if sealed := hash[field]; sealed != "" {
			err = errors.Join(err, t.open("what a place was told", storyAt(t.name, member, field), sealed, into))
		}
	}
	return s, err
}

// change is what a step writes down, all of it or nothing.
type change struct {
	set    fields        // of the story, card and intent to be sealed; "" takes a field away
	done   bool          // takes the process from the queue, unless there is more to tell or to show
	due    int64         // when to look at it again, unless more than upto is asked for by now; 0 leaves it
	upto   int64         //
	lull   time.Duration // how long the place wants nothing
	reason string
}

type fields map[string]any

var saveStory = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for i = 9, #ARGV, 2 do
  if ARGV[i+1] == '' then redis.call('HDEL', KEYS[3], ARGV[i]) else redis.call('HSET', KEYS[3], ARGV[i], ARGV[i+1]) end
end
redis.call('PEXPIRE', KEYS[3], ARGV[3])
if ARGV[7] ~= '0' then redis.call('SET', KEYS[4], ARGV[8], 'PX', ARGV[7]) end
local e = redis.call('HMGET', KEYS[3], 'told', 'upto', 'shown', 'card', 'asked', 'shows')
local told, upto, shown = tonumber(e[1] or 0), tonumber(e[2] or 0), tonumber(e[3] or 0)
local fresh = shown >= upto and tonumber(e[6] or 0) >= tonumber(e[5] or 0)
if ARGV[4] == '1' and told >= upto and (not e[4] or fresh) then redis.call('ZREM', KEYS[2], ARGV[2]) end
if ARGV[5] ~= '0' and upto == tonumber(ARGV[6]) then redis.call('ZADD', KEYS[2], ARGV[5], ARGV[2]) end
return 1`)

// save writes a change down, unless the place was taken over.
func (t *turn) save(ctx context.Context, member string, c change) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	life, done := storyLife, 0
	if !isProcess(member) {
		life = wordLife
	}
	if c.done {
		done = 1
	}
	lull := c.lull.Milliseconds()
	if c.lull > 0 {
		lull = max(lull, 1)
	}
	args := []any{t.token, member, life.Milliseconds(), done, c.due, c.upto, lull, c.reason}
	for field, value := range c.set {
		if (field == "card" || field == "intent") && value != "" {
			sealed, err := t.seal(storyAt(t.name, member, field), value)
			if err != nil {
				return err
			}
			value = sealed
		}
		args = append(args, field, value)
	}
	keys := []string{lockKey(t.name), queueKey(t.name), storyKey(t.name, member), lullKey(t.name)}
	ours, err := saveStory.Run(ctx, t.redis, keys, args...).Bool()
	if err == nil && !ours {
		return errTakenOver
	}
	return stored("writing down what a place was told", err)
}

var renewLock = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`)

// renew makes sure that the place is ours for the whole of a lease from now.
func (t *turn) renew(ctx context.Context) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	ours, err := renewLock.Run(ctx, t.redis, []string{lockKey(t.name)}, t.token, t.config.Lease.Milliseconds()).Bool()
	if err == nil && !ours {
		return errTakenOver
	}
	return stored("holding a place", err)
}
