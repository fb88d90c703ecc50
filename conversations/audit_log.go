package conversations

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	maxAudit  = 16 << 10 // bytes of one entry
	auditPage = 200      // entries read at once
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

// AuditEntry is one entry of the audit log. Hash is a keyed hash of the entry, of its chain and of the hash of the entry
// before. It cannot be computed with access to Redis alone.
type AuditEntry struct {
	ID     string // assigned by Redis: milliseconds since 1970, a dash, a counter; a dash and the chain follow, but for chain 0
	Chain  int
	Entry  []byte
	Text   string // the fingerprint of the text stored with the entry, for [Store.Text]; "" if it has none
	Erases string // the id of the entry whose text was erased, or ""
	Before string // the hash of the previous entry of the chain; "" in the first one
	Hash   string

	month      Month
	previous   Month // of the previous entry; its own month in the first one; "" in entries of older versions, which have none
	checkpoint bool  // Entry has references to other chains
	sealed     string
	stream     string // its id in its stream
}

// At returns the time at which Redis stored the entry.
func (m AuditEntry) At() time.Time {
	before, _, _ := strings.Cut(m.ID, "-")
	at, _ := strconv.ParseInt(before, 10, 64) // Redis wrote it
	return time.UnixMilli(at).UTC()
}

// Append adds an entry to the audit log, and returns once it is stored. Entries are chained by hash, so that [Store.Verify]
// detects a changed, moved or removed entry. Each replica has a chain of its own; entries that are appended at once are
// written together. text, which may be "", is what a person typed. It is stored separately and the entry holds only its
// fingerprint, so that [Store.EraseText] can delete it. Entries and texts are encrypted and kept for five years; of a Redis
// inside this process, which is lost with it, only the last ones are. Append returns [ErrLimit] if both together exceed 16 KiB.
func (s *Store) Append(ctx context.Context, entry []byte, text string) error {
	if size := len(entry) + len(text); size > maxAudit {
		return fmt.Errorf("auditing %d bytes: %w", size, ErrLimit)
	}
	stored, err := s.newText(text)
	if err != nil {
		return err
	}
	return s.appendInGroup(ctx, newEntry{AuditEntry{Entry: entry, Text: stored.fingerprint}, stored})
}

// bound returns the associated data of an encrypted entry: its chain, its month and its position.
func (m AuditEntry) bound() string {
	at := auditStream(m.Chain, m.month) + " " + m.Before
	if m.checkpoint {
		at += " " + checkpointMark
	}
	return at
}

// link returns the hash of an entry. The parts before the entry are hex, numbers, months or ids assigned by Redis, so that
// their boundaries are unambiguous.
func (s *Store) link(m AuditEntry) string {
	head := "audit " + m.Before + " " + m.Text + " " + m.Erases + " "
	if m.previous != "" {
		head = fmt.Sprintf("audit/2 %d %s %t %s %s %s ", m.Chain, m.previous, m.checkpoint, m.Before, m.Text, m.Erases)
	}
	return s.keys.Fingerprint(append([]byte(head), m.Entry...))
}

// openEntry decrypts an entry as it was read from Redis.
func (s *Store) openEntry(m AuditEntry) (AuditEntry, error) {
	var err error
	if m.Entry, err = s.open(m.bound(), m.sealed); err != nil {
		return m, fmt.Errorf("reading entry %s of the audit log: %w", m.ID, err)
	}
	return m, nil
}

// auditHead is the month and the hash of the last entry of a chain.
type auditHead struct {
	month Month
	hash  string
}

func (s *Store) readHead(ctx context.Context, chain int) (auditHead, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	found, err := s.redis.HMGet(ctx, auditHeadKey(chain), "month", "hash").Result()
	if err != nil {
		return auditHead{}, failed("reading the audit log", err)
	}
	head := stringsOf(found)
	return auditHead{Month(head[0]), head[1]}, nil
}

// readEntries returns the next entries of a month of a chain, from an id in its stream, or after it with «(» before the id.
func (s *Store) readEntries(ctx context.Context, chain int, month Month, from string, count int64) ([]AuditEntry, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	messages, err := s.redis.XRangeN(ctx, auditStream(chain, month), from, "+", count).Result()
	if err != nil {
		return nil, failed("reading the audit log", err)
	}
	entries := make([]AuditEntry, len(messages))
	for i, m := range messages {
		entries[i] = entryOf(chain, month, m)
	}
	return entries, nil
}

func entryOf(chain int, month Month, m redis.XMessage) AuditEntry {
	text := func(field string) string { value, _ := m.Values[field].(string); return value }
	return AuditEntry{
		ID: entryID(chain, m.ID), Chain: chain, Text: text("text"), Erases: text("erases"), Before: text("before"), Hash: text("hash"),
		month: month, previous: Month(text("previous")), checkpoint: text("kind") == checkpointMark, sealed: text("entry"), stream: m.ID,
	}
}
