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

// Announcement is something that people did, which a place is told once, whatever it watches.
type Announcement struct {
	ID      string     `json:"id"` // tells it apart: announced again under the same, it is told no second time
	Lang    words.Lang `json:"lang,omitempty"`
	Title   string     `json:"title"`
	Text    string     `json:"text"`
	Process uuid.UUID  `json:"process,omitzero"` // it is told where this process may be read; uuid.Nil is everywhere
	Undo    string     `json:"change,omitempty"` // of the place's settings, which a button undoes
	Waits   bool       `json:"waits,omitempty"`  // until the quiet hours of the place are over
}

// toPeople is how members of a queue begin that are announcements; what they say is kept sealed beside.
const (
	toPeople         = "announcement:"
	announcementKind = "announcement"
)

// Announce has a place told what people did.
func (s *Service) Announce(ctx context.Context, place string, a Announcement) error {
	return s.outbox.announce(ctx, place, a)
}

func (o *outbox) announce(ctx context.Context, place string, a Announcement) error {
	data, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("writing an announcement as JSON: %w", err)
	}
	member := toPeople + o.fingerprint("announcement", o.name(place), a.ID)
	if err := o.config.Store.Put(ctx, announcementKind, o.name(place)+" "+member, data, wordLife); err != nil {
		return err
	}
	return o.enqueue(ctx, place, member, "", 1, o.now(), wordLife)
}

// tellAnnouncement tells one, if the place may still read of it.
func (t *turn) tellAnnouncement(ctx context.Context, member string, s story) (over bool, err error) {
	a, kept, err := t.announcement(ctx, member)
	switch {
	case err != nil:
		return true, err
	case !kept || s.told >= s.upto:
		return false, t.finish(ctx, member, s)
	}
	if a.Process != uuid.Nil {
		may, err := t.mayRead(ctx, a.Process, map[string]bool{"": true})
		switch {
		case errors.Is(err, errRights):
			return false, t.postpone(ctx, member, s, err)
		case err != nil:
			return true, err
		case !may:
			return false, t.finish(ctx, member, s)
		}
	}
	if end, quiet := quietUntil(t.place.Quiet, t.config.Now()); quiet && a.Waits {
		return false, t.save(ctx, member, change{due: end.UnixMilli(), upto: s.upto})
	}
	notice := destination.Notice{ID: member, Lang: t.place.Lang, Title: a.Title, Text: a.Text, Process: a.Process, Undo: a.Undo}
	if a.Lang != "" {
		notice.Lang = a.Lang
	}
	return true, t.post(ctx, member, s, intent{Kind: ofWord, ID: member, To: s.upto}, notice)
}

func (t *turn) announcement(ctx context.Context, member string) (a Announcement, kept bool, err error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	data, kept, err := t.config.Store.Get(ctx, announcementKind, t.name+" "+member)
	if err == nil && kept && json.Unmarshal(data, &a) != nil {
		err = errors.New("an announcement is not understood")
	}
	return a, kept, err
}

// announcedFor is how long a change of owner is announced again when somebody asks for what is so already: whoever made
// it may have died before it was announced.
const announcedFor = time.Hour

// Whom a change of owner concerns.
const (
	formerOwner = "former"
	newOwner    = "new"
)

// OwnerChanged has those told whom a change of owner concerns, unless they made it, and shows it on every card. by is what
// people call who made it, "" where that is not known. Announcing the same change again changes nothing.
func (s *Service) OwnerChanged(ctx context.Context, process uuid.UUID, number int64, owned conversations.Ownership, by string) error {
	return s.outbox.ownerChanged(ctx, process, number, owned, by)
}

func (o *outbox) ownerChanged(ctx context.Context, process uuid.UUID, number int64, owned conversations.Ownership, by string) error {
	if owned.Version == 0 || o.config.Now().Sub(owned.At) > announcedFor {
		return nil
	}
	var failed []error
	for role, actor := range map[string]string{formerOwner: owned.Former, newOwner: owned.Owner} {
		if actor == "" || actor == owned.By || role == formerOwner && actor == owned.Owner {
			continue
		}
		failed = append(failed, o.tellOfOwner(ctx, process, number, owned, role, actor, by))
	}
	return errors.Join(append(failed, o.refresh(ctx, process))...)
}

func (o *outbox) tellOfOwner(ctx context.Context, process uuid.UUID, number int64, owned conversations.Ownership, role, actor, by string) error {
	place, err := o.config.Store.Destination(ctx, conversations.Direct(actor))
	if err != nil {
		return err
	}
	lang := place.Lang
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
	return o.announce(ctx, place.ID, Announcement{
		ID:   fmt.Sprintf("owner %s %d %s", process, owned.Version, role),
		Lang: lang, Process: process, Waits: true,
		Title: say(lang, "process", "number", fmt.Sprint(number)),
		Text:  text,
	})
}

// A card is asked to be shown anew by a count in its story, so that whoever edits it sees whether more was asked meanwhile.
var askRefresh = redis.NewScript(`
if redis.call('HEXISTS', KEYS[2], 'card') == 0 then return 0 end
redis.call('HINCRBY', KEYS[2], 'asked', 1)
local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not due or tonumber(due) > tonumber(ARGV[2]) then redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`)

// refresh has every card of a process shown anew, at once.
func (o *outbox) refresh(ctx context.Context, process uuid.UUID) error {
	names, err := o.withCard(ctx, process)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	for _, name := range names {
		member := o.member(name, process)
		keys := []string{queueKey(name), storyKey(name, member)}
		asked, err := askRefresh.Run(ctx, o.redis, keys, member, o.now(), storyLife.Milliseconds()).Bool()
		if err == nil && asked {
			err = o.look(ctx, name, o.now())
		}
		if err != nil {
			return stored("asking for a card to be shown anew", err)
		}
	}
	return nil
}

// withCard finds the places that have a card of a process.
func (o *outbox) withCard(ctx context.Context, process uuid.UUID) (found []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	names, err := o.redis.ZRange(ctx, placeIndex, 0, -1).Result()
	if err != nil {
		return nil, stored("looking for places", err)
	}
	cards := map[string]*redis.BoolCmd{}
	_, err = o.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, name := range names {
			cards[name] = p.HExists(ctx, storyKey(name, o.member(name, process)), "card")
		}
		return nil
	})
	for _, name := range names {
		if cards[name].Val() {
			found = append(found, name)
		}
	}
	return found, stored("looking for cards", err)
}

// isProcess tells whether a member of a queue is a process, and no word to the administrator or to people.
func isProcess(member string) bool {
	return !strings.HasPrefix(member, toAdministrator) && !strings.HasPrefix(member, toPeople)
}
