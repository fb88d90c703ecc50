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
	auditPage = 200      // entries read at once
)

// Redis keys of the audit log. They share a slot, because the chain continues from month to month.
const (
	auditHeadKey = "audit:{audit}:head" // a hash: month and hash of the last entry
	auditPrefix  = "audit:{audit}:"     // followed by the month: a stream of entries
)

// Month is a month of the audit log in UTC, in the form «2026-11».
type Month string

// MonthOf returns the month of t.
func MonthOf(t time.Time) Month { return Month(t.UTC().Format("2006-01")) }

func (m Month) next() Month {
	t, err := time.Parse("2006-01", string(m))
	if err != nil {
		return ""
	}
	return MonthOf(t.AddDate(0, 1, 0))
}

// AuditEntry is one entry of the audit log. Hash is a keyed hash of the entry and of the hash of the entry before. It cannot
// be computed with access to Redis alone.
type AuditEntry struct {
	ID     string // assigned by Redis: milliseconds since 1970, a dash, a counter
	Entry  []byte
	Text   string // the fingerprint of the text stored with the entry, for [Store.Text]; "" if it has none
	Erases string // the id of the entry whose text was erased, or ""
	Before string // the hash of the previous entry; "" in the first one
	Hash   string
	month  Month
	sealed string
}

// At returns the time at which Redis stored the entry.
func (m AuditEntry) At() time.Time {
	before, _, _ := strings.Cut(m.ID, "-")
	at, _ := strconv.ParseInt(before, 10, 64) // Redis wrote it
	return time.UnixMilli(at).UTC()
}

// appendEntry appends an entry if the head still has the hash that the entry continues, and returns the head. Otherwise the
// caller continues from that head and tries again. A repetition after a lost reply finds its own hash at the head. The text
// of the entry is written, and the text that it erases is deleted, in the same script.
var appendEntry = redis.NewScript(`
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

// auditHead is the month and the hash of the last entry.
type auditHead struct {
	month Month
	hash  string
}

// knownHead is the head that this replica read last. It may be out of date; appendEntry corrects it.
type knownHead struct {
	sync.Mutex
	auditHead
}

// Append adds an entry to the audit log. Entries are chained by hash, so that [Store.Verify] detects a changed, moved or
// removed entry. text, which may be "", is what a person typed. It is stored separately and the entry holds only its
// fingerprint, so that [Store.EraseText] can delete it. Entries and texts are encrypted and kept for five years. Append
// returns [ErrLimit] if both together exceed 16 KiB.
func (s *Store) Append(ctx context.Context, entry []byte, text string) error {
	if size := len(entry) + len(text); size > maxAudit {
		return fmt.Errorf("auditing %d bytes: %w", size, ErrLimit)
	}
	stored, err := s.newText(text)
	if err != nil {
		return err
	}
	return s.appendToChain(ctx, AuditEntry{Entry: entry, Text: stored.fingerprint}, stored)
}

// appendToChain appends entry, and in the same step stores its text or deletes the text that it erases. Which of the two
// follows from entry.Text and entry.Erases; text has the fingerprint in both cases.
func (s *Store) appendToChain(ctx context.Context, entry AuditEntry, text storedText) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	s.head.Lock() // entries of one replica wait here instead of competing in Redis
	defer s.head.Unlock()
	for {
		entry.month = max(MonthOf(s.now()), s.head.month) // a slow clock does not return to an earlier month
		entry.Before = s.head.hash
		entry.Hash = s.link(entry)
		sealed, err := s.seal(entry.bound(), entry.Entry)
		if err != nil {
			return err
		}
		found, err := s.run(ctx, appendEntry, []string{auditHeadKey, auditPrefix + string(entry.month), textKey(text.fingerprint)},
			string(entry.month), entry.Before, sealed, entry.Hash, millis(s.lives.AuditLog),
			entry.Text, entry.Erases, text.sealed, millis(s.textLife(entry.month))).Slice()
		if err != nil {
			return failed("appending to the audit log", err)
		}
		head := stringsOf(found)
		s.head.auditHead = auditHead{Month(head[0]), head[1]}
		if head[1] == entry.Hash {
			return nil
		}
	}
}

// bound returns the associated data of an encrypted entry: its month and its position in the chain.
func (m AuditEntry) bound() string { return auditPrefix + string(m.month) + " " + m.Before }

// AuditEntries returns the entries of a month in the order in which they were appended, with [ErrSealed] for an entry that
// cannot be decrypted.
func (s *Store) AuditEntries(ctx context.Context, month Month) iter.Seq2[AuditEntry, error] {
	return func(yield func(AuditEntry, error) bool) {
		for from := "-"; ; {
			page, err := s.readEntries(ctx, month, from, auditPage)
			if err != nil {
				yield(AuditEntry{}, err)
				return
			}
			for _, entry := range page {
				if entry, err = s.openEntry(entry); !yield(entry, err) {
					return
				}
			}
			if len(page) < auditPage {
				return
			}
			from = "(" + page[len(page)-1].ID
		}
	}
}

// link returns the hash of an entry. The parts before the entry are hex or ids assigned by Redis, so that their boundaries
// are unambiguous.
func (s *Store) link(m AuditEntry) string {
	return s.keys.Fingerprint(append([]byte("audit "+m.Before+" "+m.Text+" "+m.Erases+" "), m.Entry...))
}

// openEntry decrypts an entry as it was read from Redis.
func (s *Store) openEntry(m AuditEntry) (AuditEntry, error) {
	var err error
	if m.Entry, err = s.open(m.bound(), m.sealed); err != nil {
		return m, fmt.Errorf("reading entry %s of the audit log: %w", m.ID, err)
	}
	return m, nil
}

func (s *Store) readHead(ctx context.Context) (auditHead, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	found, err := s.redis.HMGet(ctx, auditHeadKey, "month", "hash").Result()
	if err != nil {
		return auditHead{}, failed("reading the audit log", err)
	}
	head := stringsOf(found)
	return auditHead{Month(head[0]), head[1]}, nil
}

func (s *Store) readEntries(ctx context.Context, month Month, from string, count int64) ([]AuditEntry, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	messages, err := s.redis.XRangeN(ctx, auditPrefix+string(month), from, "+", count).Result()
	if err != nil {
		return nil, failed("reading the audit log", err)
	}
	entries := make([]AuditEntry, len(messages))
	for i, m := range messages {
		text := func(field string) string { value, _ := m.Values[field].(string); return value }
		entries[i] = AuditEntry{
			ID: m.ID, Text: text("text"), Erases: text("erases"), Before: text("before"), Hash: text("hash"),
			month: month, sealed: text("entry"),
		}
	}
	return entries, nil
}
