package conversations

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrTampered is returned if the audit log is not as it was written: an entry was changed, moved, added or removed.
var ErrTampered = errors.New("the audit log was tampered with")

// Break is the way in which the chain of the audit log is broken.
type Break string

// The breaks.
const (
	BreakLink   Break = "link"   // the entry does not continue the previous one
	BreakSealed Break = "sealed" // it cannot be decrypted with these keys
	BreakEntry  Break = "entry"  // it is not what was written
	BreakText   Break = "text"   // its text is not what was written
	BreakStart  Break = "start"  // the first entries are missing and too recent to have expired
	BreakEnd    Break = "end"    // the last entries are missing
)

// BrokenError describes the first break in the chain of the audit log. It wraps [ErrTampered].
type BrokenError struct {
	Month Month
	ID    string    // of the entry; "" at the end of the log
	At    time.Time // of the entry
	Break Break
}

// Error returns the entry and the kind of the break.
func (e *BrokenError) Error() string {
	if e.ID == "" {
		return fmt.Sprintf("%v: %s at the end of %s", ErrTampered, e.Break, e.Month)
	}
	return fmt.Sprintf("%v: %s in %s at entry %s of %s", ErrTampered, e.Break, e.Month, e.ID, e.At.Format(time.RFC3339))
}

// Unwrap returns [ErrTampered].
func (e *BrokenError) Unwrap() error { return ErrTampered }

// AuditRange describes the entries that [Store.Verify] has checked. To detect that an old copy of the whole database was
// restored, store Last elsewhere and compare it.
type AuditRange struct {
	Entries int
	First   time.Time // of the first entry
	Before  string    // the hash that the first entry continues; "" if no older entries have expired
	Last    string    // the hash of the last entry
	Texts   int       // number of texts that are stored
	Gone    []GoneText
}

// GoneText is an entry whose text is no longer stored.
type GoneText struct {
	ID      string
	At      time.Time
	ByEntry string // the id of the entry that recorded the erasure; "" if the text expired or was deleted directly in Redis
}

// Verify checks the chain of the audit log over all months. It fails with a [BrokenError] at the first break; the entries
// before it are intact.
func (s *Store) Verify(ctx context.Context) (AuditRange, error) {
	head, err := s.readHead(ctx)
	if err != nil {
		return AuditRange{}, err
	}
	v := verification{store: s, head: head.hash, erased: map[string]string{}}
	first, last := s.months(head.month)
	for month := first; month != "" && month <= last; month = month.next() {
		if err := v.month(ctx, month); err != nil {
			return v.chain, err
		}
	}
	if !v.reachedHead && (head.hash != "" || v.chain.Entries > 0) {
		return v.chain, &BrokenError{Month: max(head.month, v.last), Break: BreakEnd}
	}
	for i, gone := range v.chain.Gone {
		v.chain.Gone[i].ByEntry = v.erased[gone.ID]
	}
	return v.chain, nil
}

// months returns the first and the last month that may have entries. A month expires once its last entry is older than
// Lives.AuditLog.
func (s *Store) months(head Month) (first, last Month) {
	now := s.now()
	return MonthOf(now.Add(-s.lives.AuditLog).AddDate(0, -2, 0)), max(head, MonthOf(now.AddDate(0, 1, 0)))
}

// maxGap is the longest time without entries for which Verify accepts that older months have expired.
const maxGap = 92 * 24 * time.Hour

// oldest returns the latest month that the first stored entry may have if entries before it have expired: those are at
// least Lives.AuditLog old, and the next entry followed within maxGap. The month of an entry is authenticated by its
// encryption; the time in its id is not.
func (s *Store) oldest() Month { return MonthOf(s.now().Add(maxGap - s.lives.AuditLog)) }

// verification is the state of one [Store.Verify].
type verification struct {
	store       *Store
	chain       AuditRange
	head        string // the hash of the last entry when the verification began
	reachedHead bool   // the entry with that hash was found
	last        Month  // the last month with entries
	erased      map[string]string
}

func (v *verification) month(ctx context.Context, month Month) error {
	for from := "-"; ; {
		page, err := v.store.readEntries(ctx, month, from, auditPage)
		if err != nil {
			return err
		}
		for _, entry := range page {
			if err := v.entry(ctx, entry); err != nil {
				return err
			}
		}
		if len(page) < auditPage {
			return nil
		}
		from = "(" + page[len(page)-1].ID
	}
}

func (v *verification) entry(ctx context.Context, entry AuditEntry) error {
	broken := func(how Break) error {
		return &BrokenError{Month: entry.month, ID: entry.ID, At: entry.At(), Break: how}
	}
	if v.chain.Entries == 0 {
		if entry.Before != "" && entry.month > v.store.oldest() {
			return broken(BreakStart)
		}
		v.chain.Before, v.chain.Last, v.chain.First = entry.Before, entry.Before, entry.At()
	}
	if entry.Before != v.chain.Last {
		return broken(BreakLink)
	}
	entry, err := v.store.openEntry(entry)
	switch {
	case err != nil:
		return broken(BreakSealed)
	case entry.Hash != v.store.link(entry):
		return broken(BreakEntry)
	}
	_, err = v.store.Text(ctx, entry)
	switch {
	case errors.Is(err, ErrGone):
		v.chain.Gone = append(v.chain.Gone, GoneText{ID: entry.ID, At: entry.At()})
	case errors.Is(err, ErrTampered):
		return broken(BreakText)
	case err != nil:
		return err
	case entry.Text != "":
		v.chain.Texts++
	}
	if entry.Erases != "" {
		v.erased[entry.Erases] = entry.ID
	}
	v.chain.Entries++
	v.chain.Last, v.last = entry.Hash, entry.month
	v.reachedHead = v.reachedHead || entry.Hash == v.head
	return nil
}
