package conversations

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	maxDraft  = 256 << 10 // bytes of one draft, as stored before sealing
	maxDrafts = 50        // open at once, of one owner
)

// Draft is what one person has typed so far for one subject. Everything but ID and Version is sealed in Redis, and
// a printed draft shows no answers.
type Draft struct {
	ID      string            `json:"id"`      // opaque and unguessable (more than 128 random bits); safe to hand to a front end
	Owner   string            `json:"owner"`   // who types; nobody else finds the draft
	Subject string            `json:"subject"` // what it is for: the name of a tool, say
	Topic   string            `json:"topic"`   // what it is about: a process, say; may be empty
	Page    string            `json:"page"`    // where the person is
	Answers map[string]string `json:"answers"` // what was typed, by field
	Notes   map[string]string `json:"notes"`   // what the front end needs to continue
	Version int64             `json:"version"` // counts saves; 1 in a draft just started
	Started time.Time         `json:"started"`
	Saved   time.Time         `json:"saved"`
}

// Format prints what a draft is without what it says.
func (d Draft) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "draft of %s, version %d, %d answers hidden", d.Subject, d.Version, len(d.Answers))
}

// LogValue logs what a draft is without what it says.
func (d Draft) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(d)) }

// A draft is one hash: id, v (version) and body (sealed). There is one key per owner, subject and topic, so that a
// person has one open draft of a thing however many replicas start it at once; the digest in the key's name is also
// the second half of the draft's id, so that the id finds the key. A draft that ended leaves only the field ended (its
// id) and ender (who ended it). The index beside it is a sorted set of the owner's keys by when they expire.
var (
	startDraft = redis.NewScript(`
local id = redis.call('HGET', KEYS[1], 'id')
if id then return {id, redis.call('HGET', KEYS[1], 'v'), redis.call('HGET', KEYS[1], 'body')} end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[3])
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[6]) then return {} end
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'v', '1', 'body', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('ZADD', KEYS[2], ARGV[4], KEYS[1])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return {ARGV[1], '1', ARGV[2]}`)

	// A body is never sealed to the same bytes twice, so finding ours means that a first attempt, whose reply was
	// lost, took hold.
	saveDraft = redis.NewScript(`
local now = redis.call('HMGET', KEYS[1], 'id', 'v', 'body')
if now[1] ~= ARGV[1] then return {} end
if now[3] ~= ARGV[4] then
  if now[2] ~= ARGV[2] then return now end
  redis.call('HSET', KEYS[1], 'v', ARGV[3], 'body', ARGV[4])
end
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('ZADD', KEYS[2], ARGV[5], KEYS[1])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
return {ARGV[1], ARGV[3], ARGV[4]}`)

	endDraft = redis.NewScript(`
local now = redis.call('HMGET', KEYS[1], 'id', 'v', 'ended', 'ender')
if now[1] ~= ARGV[1] then
  if now[3] ~= ARGV[1] then return 'gone' end
  return now[4] == ARGV[3] and 'ended' or 'late'
end
if now[2] ~= ARGV[2] then return 'conflict' end
redis.call('HDEL', KEYS[1], 'id', 'v', 'body')
redis.call('HSET', KEYS[1], 'ended', ARGV[1], 'ender', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('ZREM', KEYS[2], KEYS[1])
return 'ended'`)
)

// StartDraft returns the owner's open draft of subject and topic: the one that is there, with everything typed, or a
// new one (Version 1). It fails with [ErrLimit] when the owner has 50 others open.
func (s *Store) StartDraft(ctx context.Context, owner, subject, topic string) (Draft, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	now := s.now().UTC()
	place := s.place(owner, s.name("topic", subject, topic))
	d := Draft{
		ID: rand.Text() + place.topic, Owner: owner, Subject: subject, Topic: topic, Version: 1, Started: now, Saved: now,
	}
	body, err := s.sealDraft(place, d)
	if err != nil {
		return Draft{}, err
	}
	found, err := s.run(ctx, startDraft, place.keys(), d.ID, body, now.UnixMilli(),
		now.Add(s.lives.Draft).UnixMilli(), millis(s.lives.Draft), maxDrafts).StringSlice()
	if err != nil {
		return Draft{}, failed("starting a draft", err)
	}
	if len(found) == 0 {
		return Draft{}, fmt.Errorf("starting a draft beside %d others: %w", maxDrafts, ErrLimit)
	}
	return s.openDraft(place, found)
}

// FindDraft returns the owner's open draft of subject and topic, if there is one.
func (s *Store) FindDraft(ctx context.Context, owner, subject, topic string) (Draft, bool, error) {
	d, err := s.readDraft(ctx, s.place(owner, s.name("topic", subject, topic)))
	if errors.Is(err, ErrGone) {
		return Draft{}, false, nil
	}
	return d, err == nil, err
}

var draftID = regexp.MustCompile(`^[A-Z2-7]{26}([0-9a-f]{32})$`)

// Draft returns the owner's open draft with this id. It fails with [ErrGone] when the draft has ended or expired, and
// just so when it is somebody else's or the id is no id.
func (s *Store) Draft(ctx context.Context, owner, id string) (Draft, error) {
	match := draftID.FindStringSubmatch(id)
	if match == nil {
		return Draft{}, fmt.Errorf("reading a draft: %w", ErrGone)
	}
	d, err := s.readDraft(ctx, s.place(owner, match[1]))
	if err == nil && d.ID != id {
		return Draft{}, fmt.Errorf("reading a draft that another has followed: %w", ErrGone)
	}
	return d, err
}

// SaveDraft stores page, answers and notes over the version that d was read at, renews the draft's life and returns it
// as saved. When somebody saved meanwhile it changes nothing and returns their draft with [ErrConflict]; when the draft
// has ended or expired, [ErrGone]; over 256 KiB, [ErrLimit].
func (s *Store) SaveDraft(ctx context.Context, d Draft) (Draft, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	place := s.place(d.Owner, s.name("topic", d.Subject, d.Topic))
	read, now := d.Version, s.now().UTC()
	d.Version, d.Saved = read+1, now
	body, err := s.sealDraft(place, d)
	if err != nil {
		return Draft{}, err
	}
	found, err := s.run(ctx, saveDraft, place.keys(), d.ID, read, d.Version, body,
		now.Add(s.lives.Draft).UnixMilli(), millis(s.lives.Draft)).StringSlice()
	if err != nil {
		return Draft{}, failed("saving a draft", err)
	}
	if len(found) == 0 {
		return Draft{}, fmt.Errorf("saving a draft: %w", ErrGone)
	}
	if found[2] == string(body) {
		return d, nil
	}
	newer, err := s.openDraft(place, found)
	if err != nil {
		return Draft{}, err
	}
	return newer, fmt.Errorf("saving version %d of a draft over version %d: %w", d.Version, newer.Version, ErrConflict)
}

// EndDraft ends the draft as d was read: of any number of callers exactly one gets true, and the others false. It fails
// with [ErrConflict] when the draft was saved meanwhile (what would be ended is not what the caller saw) and with
// [ErrGone] when it expired, or ended so long ago that its tombstone is gone.
//
// When it fails with [ErrUnavailable] the draft may have ended all the same. Whoever acts on an ending should therefore
// journal the act under the draft's ID first, and end the draft when the act is done.
func (s *Store) EndDraft(ctx context.Context, d Draft) (ended bool, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	place := s.place(d.Owner, s.name("topic", d.Subject, d.Topic))
	said, err := s.run(ctx, endDraft, place.keys(), d.ID, d.Version, rand.Text(), millis(s.lives.Tombstone)).Text()
	switch {
	case err != nil:
		return false, failed("ending a draft", err)
	case said == "conflict":
		return false, fmt.Errorf("ending version %d of a draft: %w", d.Version, ErrConflict)
	case said == "gone":
		return false, fmt.Errorf("ending a draft: %w", ErrGone)
	}
	return said == "ended", nil
}

// Drafts returns the owner's open drafts, the last saved first; never more than 50.
func (s *Store) Drafts(ctx context.Context, owner string) ([]Draft, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	tag := s.name("owner", owner)
	keys, err := s.redis.ZRange(ctx, draftIndex(tag), 0, maxDrafts-1).Result()
	if err != nil {
		return nil, failed("listing drafts", err)
	}
	reads := make([]*redis.SliceCmd, len(keys))
	if _, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, key := range keys {
			reads[i] = p.HMGet(ctx, key, "id", "v", "body")
		}
		return nil
	}); err != nil {
		return nil, failed("reading drafts", err)
	}
	var drafts []Draft
	for i, read := range reads {
		d, err := s.openDraft(draftPlace{owner: tag, key: keys[i]}, texts(read.Val()))
		if errors.Is(err, ErrGone) {
			continue // the index outlives what expired
		}
		if err != nil {
			return nil, err
		}
		drafts = append(drafts, d)
	}
	slices.SortFunc(drafts, func(a, b Draft) int {
		return cmp.Or(b.Saved.Compare(a.Saved), cmp.Compare(a.ID, b.ID))
	})
	return drafts, nil
}

// draftPlace is where a draft lies: everything of one owner shares a slot.
type draftPlace struct{ owner, topic, key string }

func (s *Store) place(owner, topic string) draftPlace {
	tag := s.name("owner", owner)
	return draftPlace{owner: tag, topic: topic, key: "draft:{" + tag + "}:" + topic}
}

func (p draftPlace) keys() []string { return []string{p.key, draftIndex(p.owner)} }

func draftIndex(tag string) string { return "drafts:{" + tag + "}" }

func (s *Store) readDraft(ctx context.Context, p draftPlace) (Draft, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	found, err := s.redis.HMGet(ctx, p.key, "id", "v", "body").Result()
	if err != nil {
		return Draft{}, failed("reading a draft", err)
	}
	return s.openDraft(p, texts(found))
}

func (s *Store) sealDraft(p draftPlace, d Draft) ([]byte, error) {
	body, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encoding a draft: %w", err)
	}
	if len(body) > maxDraft {
		return nil, fmt.Errorf("saving a draft of %d bytes: %w", len(body), ErrLimit)
	}
	return s.seal(p.key, body)
}

// openDraft makes a draft of its id, version and body. The two in the clear must be those under the seal: an older
// body put back in the place of a newer one does not pass.
func (s *Store) openDraft(p draftPlace, found []string) (Draft, error) {
	if len(found) != 3 || found[0] == "" {
		return Draft{}, fmt.Errorf("reading a draft: %w", ErrGone)
	}
	body, err := s.open(p.key, found[2])
	if err != nil {
		return Draft{}, fmt.Errorf("reading a draft: %w", err)
	}
	var d Draft
	if err := json.Unmarshal(body, &d); err != nil || d.ID != found[0] || fmt.Sprint(d.Version) != found[1] {
		return Draft{}, fmt.Errorf("reading a draft: %w", ErrSealed)
	}
	return d, nil
}

// texts reads the reply of HMGET, where an absent field is nil.
func texts(values []any) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i], _ = v.(string)
	}
	return out
}
