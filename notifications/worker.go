package notifications

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/portal/profile"
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
	n, err := w.load(ctx, s)
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
	if !n.wanted || muted(w.dest, n.subject, now) {
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
		planned := intent{Kind: kindCard, ID: n.subject.UID().String() + ":card", To: n.snapshot.Version}
		return true, w.post(ctx, member, s, planned, w.card(planned.ID, n))
	}
	notice, to := w.reply(n, s.requested)
	return true, w.post(ctx, member, s, intent{Kind: kindReply, ID: notice.ID, To: to}, notice)
}

// stale reports whether the card shows less than what is known.
func (s delivery) stale(version int64) bool {
	return s.card != "" && (s.shown < version || s.refreshed < s.refreshRequested)
}

// content is what there is to post about a process or simulation.
type content struct {
	subject    Subject
	snapshot   Snapshot
	updates    []Update // since what is delivered
	missing    int64    // how many updates are no longer stored
	at         time.Time
	wanted     bool // a subscription of somebody who may read the subject matches
	readable   bool // somebody who subscribed the destination to anything may read the subject
	owner      string
	ownerMuted bool // the owner muted the subject
	turn       profile.Turn
	phase      profile.Phase
	ends       profile.End
}

func (w *worker) load(ctx context.Context, s delivery) (n content, err error) {
	ctx = context.WithoutCancel(ctx) // each call has a time-out of its own
	if n.subject = s.subject; n.subject.isZero() {
		return content{}, nil // the delivery names neither a process nor a simulation
	}
	var known bool
	if n.snapshot, known, err = w.snapshots.snapshot(ctx, n.subject); err != nil {
		return content{}, err
	}
	if n.updates, err = w.snapshots.updates(ctx, n.subject, s.delivered); err != nil {
		return content{}, err
	}
	if n.owner, n.ownerMuted, err = w.owner(ctx, n.subject); err != nil {
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
	n.snapshot.Status = w.phases.describe(ctx, n.snapshot)
	phase, meaning, _ := w.phases.of(ctx, n.snapshot) // a card without a phase is still of use
	n.phase, n.turn, n.ends = phase, meaning.Turn, meaning.Ends
	if n.wanted, err = w.wanted(ctx, n); err != nil {
		return content{}, err
	}
	if n.readable = n.wanted; !n.readable && s.card != "" {
		n.readable, err = w.mayRead(ctx, n.subject, subscribers(w.dest.Subscriptions))
	}
	return n, err
}

// owner returns the owner of a process or simulation, and whether the owner muted it.
func (w *worker) owner(ctx context.Context, subject Subject) (owner string, mutes bool, err error) {
	owner, err = w.config.Store.Owner(ctx, subject.UID())
	if owner == "" || err != nil {
		return "", false, err
	}
	direct, err := w.config.Store.Destination(ctx, conversations.Direct(owner))
	if errors.Is(err, conversations.ErrSealed) { // logged where destinations are listed
		return owner, false, nil
	}
	return owner, muted(direct, subject, w.config.Now()), err
}

// wanted reports whether the updates are to be posted: a subscription matches one of them, and who made it may read the
// subject.
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
	return w.mayRead(ctx, n.subject, subscribers(met))
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
		return w.config.Poster.Edit(ctx, w.dest.ID, s.card, w.card(n.subject.UID().String()+":card", n))
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
