package conversations

import (
	"context"
	"errors"
	"fmt"
	"iter"
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

// Mark is one entry of the audit trail. Hash is the keyed digest of the entry and of the hash before it, which
// nobody can compute who can merely write to Redis.
type Mark struct {
	ID     string // given by Redis: milliseconds since 1970, a dash, a counter
	Entry  []byte
	Before string // the hash of the entry before; empty in the first of all
	Hash   string
}

// Chain is what [Store.Verify] walked: an unbroken run of entries. Who wants to be sure that nobody put back an old
// copy of the whole database keeps Last of a month elsewhere and compares.
type Chain struct {
	Month   Month
	Entries int
	Before  string // the hash that the first entry continues
	Last    string // the hash of the last entry
}

// ErrTampered says that the audit trail is not as it was written: an entry was changed, moved, added or removed.
var ErrTampered = errors.New("the audit trail was tampered with")

// The head only moves from the hash that the caller chained to; otherwise the caller learns the present one and chains
// again. A repetition, whose first reply was lost, finds its own hash at the head.
var appendMark = redis.NewScript(`
local head = redis.call('HMGET', KEYS[1], 'month', 'hash')
if head[2] == ARGV[4] then return {ARGV[1], ARGV[4]} end
if (head[2] or '') ~= ARGV[2] or (head[1] or '') > ARGV[1] then return head end
redis.call('XADD', KEYS[2], '*', 'before', ARGV[2], 'entry', ARGV[3], 'hash', ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
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
// one shows. Entries are kept in the clear for five years and must hold no personal data; those over 16 KiB are refused
// with [ErrLimit].
func (s *Store) Append(ctx context.Context, entry []byte) error {
	if len(entry) > maxAudit {
		return fmt.Errorf("auditing %d bytes: %w", len(entry), ErrLimit)
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	s.end.Lock() // entries of one replica queue here instead of racing each other in Redis
	defer s.end.Unlock()
	for {
		month := max(MonthOf(s.now()), s.end.month) // a slow clock does not go back to a month that is over
		hash := s.link(s.end.hash, entry)
		found, err := s.run(ctx, appendMark, []string{trailHead, trailPrefix + string(month)},
			string(month), s.end.hash, entry, hash, millis(s.lives.Trail)).Slice()
		if err != nil {
			return failed("appending to the audit trail", err)
		}
		end := texts(found)
		s.end.trailEnd = trailEnd{Month(end[0]), end[1]}
		if end[1] == hash {
			return nil
		}
	}
}

// Trail returns the entries of a month in the order in which they were appended.
func (s *Store) Trail(ctx context.Context, month Month) iter.Seq2[Mark, error] {
	return func(yield func(Mark, error) bool) {
		for from := "-"; ; {
			page, err := s.trailPage(ctx, month, from, trailPage)
			if err != nil {
				yield(Mark{}, err)
				return
			}
			for _, mark := range page {
				if !yield(mark, nil) {
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

// Verify walks the chain of a month, and looks that what follows it (the next month with entries, or the head of the
// trail) continues it. It fails with [ErrTampered], naming the entry, where the chain breaks.
func (s *Store) Verify(ctx context.Context, month Month) (Chain, error) {
	end, err := s.trailHead(ctx)
	if err != nil {
		return Chain{}, err
	}
	chain := Chain{Month: month}
	for mark, err := range s.Trail(ctx, month) {
		if err != nil {
			return chain, err
		}
		if chain.Entries == 0 {
			chain.Before, chain.Last = mark.Before, mark.Before
		}
		if mark.Before != chain.Last || mark.Hash != s.link(mark.Before, mark.Entry) {
			return chain, fmt.Errorf("entry %s of %s: %w", mark.ID, month, ErrTampered)
		}
		chain.Entries++
		chain.Last = mark.Hash
		if month == end.month && mark.Hash == end.hash {
			return chain, nil // entries appended since we looked belong to the next walk
		}
	}
	if month == end.month {
		return chain, fmt.Errorf("the end of %s: %w", month, ErrTampered)
	}
	for later := month.next(); chain.Entries > 0 && later != "" && later <= end.month; later = later.next() {
		page, err := s.trailPage(ctx, later, "-", 1)
		if err != nil {
			return chain, err
		}
		if len(page) == 0 {
			continue
		}
		if page[0].Before != chain.Last {
			return chain, fmt.Errorf("between %s and %s: %w", month, later, ErrTampered)
		}
		break
	}
	return chain, nil
}

// link is the hash of an entry that continues the hash before. That one is hex, so the two cannot run together.
func (s *Store) link(before string, entry []byte) string {
	return s.keys.Digest(append([]byte("trail "+before+" "), entry...))
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

func (s *Store) trailPage(ctx context.Context, month Month, from string, count int64) ([]Mark, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	messages, err := s.redis.XRangeN(ctx, trailPrefix+string(month), from, "+", count).Result()
	if err != nil {
		return nil, failed("reading the audit trail", err)
	}
	marks := make([]Mark, len(messages))
	for i, m := range messages {
		before, _ := m.Values["before"].(string)
		entry, _ := m.Values["entry"].(string)
		hash, _ := m.Values["hash"].(string)
		marks[i] = Mark{ID: m.ID, Entry: []byte(entry), Before: before, Hash: hash}
	}
	return marks, nil
}
