package conversations

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	maxAudit  = 16 << 10 // bytes of one entry
	trailPage = 200      // entries read at once
)

// Redis keys of the audit trail. They share a slot, because the chain runs on from month to month.
const (
	trailHead   = "trail:{trail}:head" // a hash: month and hash of the last entry
	trailPrefix = "trail:{trail}:"     // and a month: a stream of entries
)

// Month is a month of the audit trail, written «2026-11», in UTC.
type Month string

// MonthOf returns the month that t lies in.
func MonthOf(t time.Time) Month { return Month(t.UTC().Format("2006-01")) }

func (m Month) next() Month {
	t, err := time.Parse("2006-01", string(m))
	if err != nil {
		return ""
	}
	return MonthOf(t.AddDate(0, 1, 0))
}

// AuditEntry is one entry of the audit trail. Hash is the keyed digest of the entry and of the hash before it, which
// nobody can compute who can merely write to Redis.
type AuditEntry struct {
	ID     string // given by Redis: milliseconds since 1970, a dash, a counter
	Entry  []byte
	Text   string // the fingerprint of the text beside the entry, for [Store.Text]; "" where there is none
	Erases string // the id of the entry whose text this one erased, or ""
	Before string // the hash of the entry before; empty in the first of all
	Hash   string
	month  Month
	sealed string
}

// At is when Redis took the entry.
func (m AuditEntry) At() time.Time {
	before, _, _ := strings.Cut(m.ID, "-")
	at, _ := strconv.ParseInt(before, 10, 64) // Redis wrote it
	return time.UnixMilli(at).UTC()
}

// The head only moves from the hash that the caller chained to; otherwise the caller learns the present one and chains
// again. A repetition, whose first reply was lost, finds its own hash at the head. The text that an entry brings is
// written, and the text that it erases deleted, together with the entry.
var appendMark = redis.NewScript(`
local head = redis.call('HMGET', KEYS[1], 'month', 'hash')
if head[2] == ARGV[4] then return {ARGV[1], ARGV[4]} end
if (head[2] or '') ~= ARGV[2] or (head[1] or '') > ARGV[1] then return head end
redis.call('XADD', KEYS[2], '*', 'before', ARGV[2], 'entry', ARGV[3], 'hash', ARGV[4], 'text', ARGV[6], 'erases', ARGV[7])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
if ARGV[6] ~= '' then redis.call('SET', KEYS[3], ARGV[8], 'PX', ARGV[9]) end
if ARGV[7] ~= '' then redis.call('DEL', KEYS[3]) end
redis.call('HSET', KEYS[1], 'month', ARGV[1], 'hash', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {ARGV[1], ARGV[4]}`)

// trailEnd is where the trail ends: the month and the hash of its last entry.
type trailEnd struct {
	month Month
	hash  string
}

// lastEnd is the end as this replica last saw it, a guess that the script corrects.
type lastEnd struct {
	sync.Mutex
	trailEnd
}

// Append adds an entry to the audit trail, for good: entries are chained by hash, so that changing, moving or removing
// one shows. text, which may be "", is what a person typed: it is sealed beside the entry, which holds only its
// fingerprint, so that [Store.EraseText] can take it away. Entries and texts are sealed and kept for five years; those
// over 16 KiB together are refused with [ErrLimit].
func (s *Store) Append(ctx context.Context, entry []byte, text string) error {
	if size := len(entry) + len(text); size > maxAudit {
		return fmt.Errorf("auditing %d bytes: %w", size, ErrLimit)
	}
	beside, err := s.newText(text)
	if err != nil {
		return err
	}
	return s.chain(ctx, AuditEntry{Entry: entry, Text: beside.fingerprint}, beside)
}

// chain adds an entry at the end of the trail, and does with the text beside it, or with the one that it erases, what it
// says.
func (s *Store) chain(ctx context.Context, mark AuditEntry, beside textBeside) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	s.end.Lock() // entries of one replica queue here instead of racing each other in Redis
	defer s.end.Unlock()
	for {
		mark.month = max(MonthOf(s.now()), s.end.month) // a slow clock does not go back to a month that is over
		mark.Before = s.end.hash
		mark.Hash = s.link(mark)
		sealed, err := s.seal(mark.bound(), mark.Entry)
		if err != nil {
			return err
		}
		found, err := s.run(ctx, appendMark, []string{trailHead, trailPrefix + string(mark.month), textKey(beside.fingerprint)},
			string(mark.month), mark.Before, sealed, mark.Hash, millis(s.lives.AuditLog),
			mark.Text, mark.Erases, beside.sealed, millis(s.textLife(mark.month))).Slice()
		if err != nil {
			return failed("appending to the audit trail", err)
		}
		end := texts(found)
		s.end.trailEnd = trailEnd{Month(end[0]), end[1]}
		if end[1] == mark.Hash {
			return nil
		}
	}
}

// bound is what the seal of an entry binds it to: its month and its place in the chain.
func (m AuditEntry) bound() string { return trailPrefix + string(m.month) + " " + m.Before }

// AuditLog returns the entries of a month in the order in which they were appended, and [ErrSealed] for one that does not
// open.
func (s *Store) AuditEntries(ctx context.Context, month Month) iter.Seq2[AuditEntry, error] {
	return func(yield func(AuditEntry, error) bool) {
		for from := "-"; ; {
			page, err := s.trailPage(ctx, month, from, trailPage)
			if err != nil {
				yield(AuditEntry{}, err)
				return
			}
			for _, mark := range page {
				if mark, err = s.openMark(mark); !yield(mark, err) {
					return
				}
			}
			if len(page) < trailPage {
				return
			}
			from = "(" + page[len(page)-1].ID
		}
	}
}

// link is the hash of an entry that continues the hash before. All before the entry is hex, or an id of Redis's, so that
// no two parts can run together.
func (s *Store) link(m AuditEntry) string {
	return s.keys.Fingerprint(append([]byte("trail "+m.Before+" "+m.Text+" "+m.Erases+" "), m.Entry...))
}

// openMark opens an entry as it was read.
func (s *Store) openMark(m AuditEntry) (AuditEntry, error) {
	var err error
	if m.Entry, err = s.open(m.bound(), m.sealed); err != nil {
		return m, fmt.Errorf("reading entry %s of the audit trail: %w", m.ID, err)
	}
	return m, nil
}

func (s *Store) trailHead(ctx context.Context) (trailEnd, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	found, err := s.redis.HMGet(ctx, trailHead, "month", "hash").Result()
	if err != nil {
		return trailEnd{}, failed("reading the audit trail", err)
	}
	head := texts(found)
	return trailEnd{Month(head[0]), head[1]}, nil
}

func (s *Store) trailPage(ctx context.Context, month Month, from string, count int64) ([]AuditEntry, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	messages, err := s.redis.XRangeN(ctx, trailPrefix+string(month), from, "+", count).Result()
	if err != nil {
		return nil, failed("reading the audit trail", err)
	}
	marks := make([]AuditEntry, len(messages))
	for i, m := range messages {
		text := func(field string) string { value, _ := m.Values[field].(string); return value }
		marks[i] = AuditEntry{
			ID: m.ID, Text: text("text"), Erases: text("erases"), Before: text("before"), Hash: text("hash"),
			month: month, sealed: text("entry"),
		}
	}
	return marks, nil
}
