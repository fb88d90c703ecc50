package notifications

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/words"
)

// Announcement is a message about what people did. A destination gets it once, whatever it subscribed to.
type Announcement struct {
	ID            string     `json:"id"` // unique: an announcement is posted once for each id
	Lang          words.Lang `json:"lang,omitempty"`
	Title         string     `json:"title"`
	Text          string     `json:"text"`
	Process       uuid.UUID  `json:"process,omitzero"`        // it is posted if the destination may read this process; uuid.Nil is always
	Undo          string     `json:"undo,omitempty"`          // a change of settings that a button undoes
	RespectsQuiet bool       `json:"respectsQuiet,omitempty"` // it is posted after the quiet hours
}

// announcementPrefix begins the queue members that are announcements; their content is stored sealed, by the same name.
const (
	announcementPrefix = "announcement:"
	announcementKind   = "announcement"
)

// Announce posts an announcement at a destination. Announcing the same ID again changes nothing.
func (s *Service) Announce(ctx context.Context, dest string, a Announcement) error {
	return s.outbox.announce(ctx, dest, a)
}

func (o *outbox) announce(ctx context.Context, dest string, a Announcement) error {
	data, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("writing an announcement as JSON: %w", err)
	}
	member := announcementPrefix + o.fingerprint("announcement", o.name(dest), a.ID)
	if err := o.config.Store.Put(ctx, announcementKind, o.name(dest)+" "+member, data, noticeTTL); err != nil {
		return err
	}
	return o.enqueueMember(ctx, dest, member, sealedSubject{}, 1, o.now(), noticeTTL)
}

// postAnnouncement posts an announcement, if the destination may still read about its process.
func (w *worker) postAnnouncement(ctx context.Context, member string, s delivery) (over bool, err error) {
	a, found, err := w.announcement(ctx, member)
	switch {
	case err != nil:
		return true, err
	case !found || s.delivered >= s.requested:
		return false, w.skip(ctx, member, s)
	}
	if a.Process != uuid.Nil {
		may, err := w.mayRead(ctx, OfProcess(a.Process), map[string]bool{"": true})
		switch {
		case errors.Is(err, errRights):
			return false, w.postpone(ctx, member, s, err)
		case err != nil:
			return true, err
		case !may:
			return false, w.skip(ctx, member, s)
		}
	}
	if end, quiet := quietUntil(w.dest.Quiet, w.config.Now()); quiet && a.RespectsQuiet {
		return false, w.save(ctx, member, outcome{due: end.UnixMilli(), requested: s.requested})
	}
	notice := destination.Notice{ID: member, Lang: w.dest.Lang, Title: a.Title, Text: a.Text, Process: a.Process, Undo: a.Undo}
	if a.Lang != "" {
		notice.Lang = a.Lang
	}
	return true, w.post(ctx, member, s, intent{Kind: kindNotice, ID: member, To: s.requested}, notice)
}

func (w *worker) announcement(ctx context.Context, member string) (a Announcement, found bool, err error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	data, found, err := w.config.Store.Get(ctx, announcementKind, w.name+" "+member)
	if err == nil && found && json.Unmarshal(data, &a) != nil {
		err = errors.New("an announcement cannot be decoded")
	}
	return a, found, err
}

// announcePeriod is how long a change of owner is announced again when the same change is requested again: the replica
// that made it may have crashed before it was announced.
const announcePeriod = time.Hour

// The people concerned by a change of owner.
const (
	formerOwner = "former"
	newOwner    = "new"
)

// OwnerChanged notifies the former and the new owner of a process, unless they made the change themselves, and
// refreshes every card of the process. by is the display name of who made the change, "" if unknown. Announcing the
// same change again changes nothing.
func (s *Service) OwnerChanged(ctx context.Context, process uuid.UUID, number int64, owned conversations.Ownership, by string) error {
	return s.outbox.ownerChanged(ctx, process, number, owned, by)
}

func (o *outbox) ownerChanged(ctx context.Context, process uuid.UUID, number int64, owned conversations.Ownership, by string) error {
	if owned.Version == 0 || o.config.Now().Sub(owned.At) > announcePeriod {
		return nil
	}
	var failed []error
	for role, actor := range map[string]string{formerOwner: owned.Former, newOwner: owned.Owner} {
		if actor == "" || actor == owned.By || role == formerOwner && actor == owned.Owner {
			continue
		}
		failed = append(failed, o.announceOwner(ctx, process, number, owned, role, actor, by))
	}
	return errors.Join(append(failed, o.refresh(ctx, OfProcess(process)))...)
}

func (o *outbox) announceOwner(ctx context.Context, process uuid.UUID, number int64, owned conversations.Ownership, role, actor, by string) error {
	dest, err := o.config.Store.Destination(ctx, conversations.Direct(actor))
	if err != nil {
		return err
	}
	lang := dest.Lang
	if lang == "" {
		lang = o.config.Lang
	}
	who := say(lang, "announce.somebody")
	if by != "" {
		who = plain(by)
	}
	text := say(lang, "announce.taken", "who", who, "number", number)
	switch {
	case role == newOwner:
		text = say(lang, "announce.given", "who", who, "number", number)
	case owned.Owner != owned.By:
		text = say(lang, "announce.passed", "who", who, "number", number)
	}
	return o.announce(ctx, dest.ID, Announcement{
		ID:   fmt.Sprintf("owner %s %d %s", process, owned.Version, role),
		Lang: lang, Process: process, RespectsQuiet: true,
		Title: say(lang, "process", "number", fmt.Sprint(number)),
		Text:  text,
	})
}

// requestRefresh counts the requests to refresh a card, so that the worker that edits the card notices a request that
// comes meanwhile.
var requestRefresh = redis.NewScript(`
if redis.call('HEXISTS', KEYS[2], 'card') == 0 then return 0 end
redis.call('HINCRBY', KEYS[2], 'refresh_requested', 1)
local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not due or tonumber(due) > tonumber(ARGV[2]) then redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`)

// refresh requests that every card of a process or simulation is edited now.
func (o *outbox) refresh(ctx context.Context, subject Subject) error {
	names, err := o.withCard(ctx, subject)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	for _, name := range names {
		member := o.member(name, subject)
		keys := []string{queueKey(name), deliveryKey(name, member)}
		hasCard, err := requestRefresh.Run(ctx, o.redis, keys, member, o.now(), deliveryTTL.Milliseconds()).Bool()
		if err == nil && hasCard {
			err = o.scheduleBy(ctx, name, o.now())
		}
		if err != nil {
			return redisError("requesting the refresh of a card", err)
		}
	}
	return nil
}

// withCard returns the names of the destinations that have a card of a process or simulation.
func (o *outbox) withCard(ctx context.Context, subject Subject) (found []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	names, err := o.redis.ZRange(ctx, destinationIndex, 0, -1).Result()
	if err != nil {
		return nil, redisError("reading the index of destinations", err)
	}
	cards := map[string]*redis.BoolCmd{}
	_, err = o.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, name := range names {
			cards[name] = p.HExists(ctx, deliveryKey(name, o.member(name, subject)), "card")
		}
		return nil
	})
	for _, name := range names {
		if cards[name].Val() {
			found = append(found, name)
		}
	}
	return found, redisError("finding cards", err)
}

// isSubject reports whether a queue member is a process or simulation, and not an admin notice or an announcement.
func isSubject(member string) bool {
	return !strings.HasPrefix(member, adminPrefix) && !strings.HasPrefix(member, announcementPrefix)
}
