package conversations

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrTampered says that the audit trail is not as it was written: an entry was changed, moved, added or removed.
var ErrTampered = errors.New("the audit trail was tampered with")

// Break says how the chain of the audit trail is broken.
type Break string

// The breaks.
const (
	BreakLink   Break = "link"   // the entry does not continue the one before it
	BreakSealed Break = "sealed" // it cannot be opened with these keys
	BreakEntry  Break = "entry"  // it is not what was written
	BreakText   Break = "text"   // the text beside it is not what was written
	BreakStart  Break = "start"  // the first entries are missing, and are too young to have expired
	BreakEnd    Break = "end"    // the last entries are missing
)

// BrokenError says where the chain of the audit trail breaks. It is an [ErrTampered].
type BrokenError struct {
	Month Month
	ID    string    // of the entry; "" at the end of the trail
	At    time.Time // of the entry
	Break Break
}

// Error names the place and the reason.
func (e *BrokenError) Error() string {
	if e.ID == "" {
		return fmt.Sprintf("%v: %s at the end of %s", ErrTampered, e.Break, e.Month)
	}
	return fmt.Sprintf("%v: %s in %s at entry %s of %s", ErrTampered, e.Break, e.Month, e.ID, e.At.Format(time.RFC3339))
}

// Unwrap gives the kind.
func (e *BrokenError) Unwrap() error { return ErrTampered }

// AuditRange is what [Store.Verify] walked: an unbroken run of entries. Who wants to be sure that nobody put back an old
// copy of the whole database keeps Last elsewhere and compares.
type AuditRange struct {
	Entries int
	First   time.Time // of the first entry
	Before  string    // the hash that the first entry continues; "" unless older entries have expired
	Last    string    // the hash of the last entry
	Texts   int       // that people typed and that are there
	Gone    []GoneText
}

// GoneText is an entry whose text is no longer there.
type GoneText struct {
	ID      string
	At      time.Time
	ByEntry string // the id of the entry that says so; "" when none does, because it expired or was deleted past the program
}

// Verify walks the chain of the audit trail over all its months. It fails with a [BrokenError] where the chain breaks;
// what comes before that place is whole.
func (s *Store) Verify(ctx context.Context) (AuditRange, error) {
	end, err := s.trailHead(ctx)
	if err != nil {
		return AuditRange{}, err
	}
	walk := walk{store: s, end: end.hash, erased: map[string]string{}}
	first, last := s.kept(end.month)
	for month := first; month != "" && month <= last; month = month.next() {
		if err := walk.month(ctx, month); err != nil {
			return walk.chain, err
		}
	}
	if !walk.ended && (end.hash != "" || walk.chain.Entries > 0) {
		return walk.chain, &BrokenError{Month: max(end.month, walk.last), Break: BreakEnd}
	}
	for i, gone := range walk.chain.Gone {
		walk.chain.Gone[i].ByEntry = walk.erased[gone.ID]
	}
	return walk.chain, nil
}

// kept is the first and the last month that may have entries: no month outlives its last entry by more than the life of
// the trail.
func (s *Store) kept(head Month) (first, last Month) {
	now := s.now()
	return MonthOf(now.Add(-s.lives.AuditLog).AddDate(0, -2, 0)), max(head, MonthOf(now.AddDate(0, 1, 0)))
}

// longestSilence is how long a trail may be without entries at most.
const longestSilence = 92 * 24 * time.Hour

// oldest is the last month that the first entry kept may be of, once those before it have expired: months expire when
// the last of their entries is as old as the trail lives, and the next entry came within the longest silence. The
// month is sealed with the entry, its id is not.
func (s *Store) oldest() Month { return MonthOf(s.now().Add(longestSilence - s.lives.AuditLog)) }

// walk is a walk over the chain.
type walk struct {
	store  *Store
	chain  AuditRange
	end    string // the hash at the head, as it was when the walk began
	ended  bool   // it was met
	last   Month  // with entries
	erased map[string]string
}

func (w *walk) month(ctx context.Context, month Month) error {
	for from := "-"; ; {
		page, err := w.store.trailPage(ctx, month, from, trailPage)
		if err != nil {
			return err
		}
		for _, mark := range page {
			if err := w.entry(ctx, mark); err != nil {
				return err
			}
		}
		if len(page) < trailPage {
			return nil
		}
		from = "(" + page[len(page)-1].ID
	}
}

func (w *walk) entry(ctx context.Context, mark AuditEntry) error {
	broken := func(how Break) error {
		return &BrokenError{Month: mark.month, ID: mark.ID, At: mark.At(), Break: how}
	}
	if w.chain.Entries == 0 {
		if mark.Before != "" && mark.month > w.store.oldest() {
			return broken(BreakStart)
		}
		w.chain.Before, w.chain.Last, w.chain.First = mark.Before, mark.Before, mark.At()
	}
	if mark.Before != w.chain.Last {
		return broken(BreakLink)
	}
	mark, err := w.store.openMark(mark)
	switch {
	case err != nil:
		return broken(BreakSealed)
	case mark.Hash != w.store.link(mark):
		return broken(BreakEntry)
	}
	_, err = w.store.Text(ctx, mark)
	switch {
	case errors.Is(err, ErrGone):
		w.chain.Gone = append(w.chain.Gone, GoneText{ID: mark.ID, At: mark.At()})
	case errors.Is(err, ErrTampered):
		return broken(BreakText)
	case err != nil:
		return err
	case mark.Text != "":
		w.chain.Texts++
	}
	if mark.Erases != "" {
		w.erased[mark.Erases] = mark.ID
	}
	w.chain.Entries++
	w.chain.Last, w.last = mark.Hash, mark.month
	w.ended = w.ended || mark.Hash == w.end
	return nil
}
