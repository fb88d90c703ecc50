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
	maxDraft  = 256 << 10 // bytes of one draft, before encryption
	maxDrafts = 50        // open at once, of one owner
)

// Draft is what one person has typed so far for one subject. Everything but ID and Version is encrypted in Redis, and
// a printed draft shows no answers.
type Draft struct {
	ID      string            `json:"id"`      // opaque and unguessable (more than 128 random bits)
	Owner   string            `json:"owner"`   // who types; no other owner can read the draft
	Subject string            `json:"subject"` // what it is for, such as the name of a tool
	Topic   string            `json:"topic"`   // what it is about, such as a process; may be empty
	Page    string            `json:"page"`    // the page of the form that is open
	Answers map[string]string `json:"answers"` // what was typed, by field
	Notes   map[string]string `json:"notes"`   // the state of the front end
	Version int64             `json:"version"` // counts saves; 1 in a new draft
	Started time.Time         `json:"started"`
	Saved   time.Time         `json:"saved"`
}

// Format prints a draft without its contents.
func (d Draft) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "draft of %s, version %d, %d answers hidden", d.Subject, d.Version, len(d.Answers))
}

// LogValue returns a draft without its contents.
func (d Draft) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(d)) }

// A draft is one hash: id, v (version) and body (encrypted). There is one key per owner, subject and topic, so that several
// replicas cannot start the same draft twice. The fingerprint in the name of the key is also the second half of the id, so
// that the id determines the key. A draft that has ended keeps only the fields ended (its id) and ender (a random token of
// the call that ended it). The index is a sorted set of the owner's keys, scored with the time at which they expire.
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

	// A body never encrypts to the same bytes twice. If the stored body is ours, this is a repetition after a lost reply.
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

// StartDraft returns the owner's open draft of subject and topic, or a new one (Version 1). It fails with [ErrLimit] if the
// owner has 50 others open.
func (s *Store) StartDraft(ctx context.Context, owner, subject, topic string) (Draft, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	now := s.now().UTC()
	key := s.draftKey(owner, s.name("topic", subject, topic))
	d := Draft{
		ID: rand.Text() + key.topic, Owner: owner, Subject: subject, Topic: topic, Version: 1, Started: now, Saved: now,
	}
	body, err := s.sealDraft(key, d)
	if err != nil {
		return Draft{}, err
	}
	found, err := s.run(ctx, startDraft, key.keys(), d.ID, body, now.UnixMilli(),
		now.Add(s.lives.Draft).UnixMilli(), millis(s.lives.Draft), maxDrafts).StringSlice()
	if err != nil {
		return Draft{}, failed("starting a draft", err)
	}
	if len(found) == 0 {
		return Draft{}, fmt.Errorf("starting a draft with %d others open: %w", maxDrafts, ErrLimit)
	}
	return s.openDraft(key, found)
}

// FindDraft returns the owner's open draft of subject and topic, and whether there is one.
func (s *Store) FindDraft(ctx context.Context, owner, subject, topic string) (Draft, bool, error) {
	d, err := s.readDraft(ctx, s.draftKey(owner, s.name("topic", subject, topic)))
	if errors.Is(err, ErrGone) {
		return Draft{}, false, nil
	}
	return d, err == nil, err
}

var draftID = regexp.MustCompile(`^[A-Z2-7]{26}([0-9a-f]{32})$`)

// Draft returns the owner's open draft with this id. It fails with [ErrGone] if the draft has ended or expired, if it
// belongs to another owner, or if the id is malformed.
func (s *Store) Draft(ctx context.Context, owner, id string) (Draft, error) {
	match := draftID.FindStringSubmatch(id)
	if match == nil {
		return Draft{}, fmt.Errorf("reading a draft: %w", ErrGone)
	}
	d, err := s.readDraft(ctx, s.draftKey(owner, match[1]))
	if err == nil && d.ID != id {
		return Draft{}, fmt.Errorf("reading a draft that was replaced by another: %w", ErrGone)
	}
	return d, err
}

// SaveDraft stores the page, answers and notes of d if the stored version is the one that d was read at, extends its
// lifetime and returns it as saved. If the draft was saved meanwhile, SaveDraft returns the stored draft with [ErrConflict].
// It returns [ErrGone] if the draft has ended or expired, and [ErrLimit] over 256 KiB.
func (s *Store) SaveDraft(ctx context.Context, d Draft) (Draft, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	key := s.draftKey(d.Owner, s.name("topic", d.Subject, d.Topic))
	read, now := d.Version, s.now().UTC()
	d.Version, d.Saved = read+1, now
	body, err := s.sealDraft(key, d)
	if err != nil {
		return Draft{}, err
	}
	found, err := s.run(ctx, saveDraft, key.keys(), d.ID, read, d.Version, body,
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
	newer, err := s.openDraft(key, found)
	if err != nil {
		return Draft{}, err
	}
	return newer, fmt.Errorf("saving version %d of a draft over version %d: %w", d.Version, newer.Version, ErrConflict)
}

// EndDraft ends a draft if the stored version is the one that d was read at. Exactly one of several callers gets true, the
// others false. EndDraft fails with [ErrConflict] if the draft was saved meanwhile, and with [ErrGone] if it expired or
// ended so long ago that its tombstone has expired.
//
// If EndDraft fails with [ErrUnavailable], the draft may have ended. A caller that acts on the end of a draft should
// therefore journal the act under the draft's ID first, and end the draft when the act is done.
func (s *Store) EndDraft(ctx context.Context, d Draft) (ended bool, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	key := s.draftKey(d.Owner, s.name("topic", d.Subject, d.Topic))
	outcome, err := s.run(ctx, endDraft, key.keys(), d.ID, d.Version, rand.Text(), millis(s.lives.Tombstone)).Text()
	switch {
	case err != nil:
		return false, failed("ending a draft", err)
	case outcome == "conflict":
		return false, fmt.Errorf("ending version %d of a draft: %w", d.Version, ErrConflict)
	case outcome == "gone":
		return false, fmt.Errorf("ending a draft: %w", ErrGone)
	}
	return outcome == "ended", nil
}

// Drafts returns the owner's open drafts, the last saved first; at most 50.
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
		d, err := s.openDraft(draftKey{owner: tag, name: keys[i]}, stringsOf(read.Val()))
		if errors.Is(err, ErrGone) {
			continue // expired, and still in the index
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

// draftKey is the key of a draft. All keys of one owner share a slot.
type draftKey struct{ owner, topic, name string }

func (s *Store) draftKey(owner, topic string) draftKey {
	tag := s.name("owner", owner)
	return draftKey{owner: tag, topic: topic, name: "draft:{" + tag + "}:" + topic}
}

func (k draftKey) keys() []string { return []string{k.name, draftIndex(k.owner)} }

func draftIndex(tag string) string { return "drafts:{" + tag + "}" }

func (s *Store) readDraft(ctx context.Context, k draftKey) (Draft, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	found, err := s.redis.HMGet(ctx, k.name, "id", "v", "body").Result()
	if err != nil {
		return Draft{}, failed("reading a draft", err)
	}
	return s.openDraft(k, stringsOf(found))
}

func (s *Store) sealDraft(k draftKey, d Draft) ([]byte, error) {
	body, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encoding a draft: %w", err)
	}
	if len(body) > maxDraft {
		return nil, fmt.Errorf("saving a draft of %d bytes: %w", len(body), ErrLimit)
	}
	return s.seal(k.name, body)
}

// openDraft returns the draft with this id, version and body. The id and the version must match those in the encrypted body,
// so that an older body cannot replace a newer one.
func (s *Store) openDraft(k draftKey, found []string) (Draft, error) {
	if len(found) != 3 || found[0] == "" {
		return Draft{}, fmt.Errorf("reading a draft: %w", ErrGone)
	}
	body, err := s.open(k.name, found[2])
	if err != nil {
		return Draft{}, fmt.Errorf("reading a draft: %w", err)
	}
	var d Draft
	if err := json.Unmarshal(body, &d); err != nil || d.ID != found[0] || fmt.Sprint(d.Version) != found[1] {
		return Draft{}, fmt.Errorf("reading a draft: %w", ErrSealed)
	}
	return d, nil
}

// stringsOf returns the reply of HMGET, in which an absent field is nil, as strings.
func stringsOf(values []any) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i], _ = v.(string)
	}
	return out
}
