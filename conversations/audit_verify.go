package conversations

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// ErrTampered is returned if the audit log is not as it was written: an entry was changed, moved, added or removed.
var ErrTampered = errors.New("the audit log was tampered with")

// Break is the way in which a chain of the audit log is broken.
type Break string

// The breaks.
const (
	BreakLink   Break = "link"   // the entry does not continue the previous one
	BreakSealed Break = "sealed" // it cannot be decrypted with these keys
	BreakEntry  Break = "entry"  // it is not what was written
	BreakText   Break = "text"   // its text is not what was written
	BreakStart  Break = "start"  // the first entries are missing and too recent to have expired
	BreakEnd    Break = "end"    // the last entries are missing
	BreakNamed  Break = "named"  // an entry that a checkpoint of another chain names, or that is known, is missing
)

// BrokenError describes a break in a chain of the audit log. It wraps [ErrTampered].
type BrokenError struct {
	Chain int
	Month Month
	ID    string    // of the entry; "" at the end of the chain
	At    time.Time // of the entry
	Break Break
}

// Error returns the entry and the kind of the break.
func (e *BrokenError) Error() string {
	if e.ID == "" {
		return fmt.Sprintf("%v: %s at the end of %s in chain %d", ErrTampered, e.Break, e.Month, e.Chain)
	}
	return fmt.Sprintf("%v: %s in %s at entry %s of %s", ErrTampered, e.Break, e.Month, e.ID, e.At.Format(time.RFC3339))
}

// Unwrap returns [ErrTampered].
func (e *BrokenError) Unwrap() error { return ErrTampered }

// AuditRange describes the entries that [Store.Verify] has checked.
type AuditRange struct {
	Entries int         // without checkpoints
	First   time.Time   // of the first entry
	Chains  []AuditEnds // those with entries
	Texts   int         // number of texts that are stored
	Gone    []GoneText
}

// Known returns the last entries of all chains.
func (r AuditRange) Known() (last []Known) {
	for _, chain := range r.Chains {
		last = append(last, chain.Last)
	}
	return last
}

// AuditEnds are the ends of a chain.
type AuditEnds struct {
	Chain       int
	Checkpoints int
	Before      string // the hash that the first entry continues; "" if no older entries have expired
	Last        Known  // the last entry
}

// Known is the last entry of a chain at some time, as text: its hash, with the number of the chain and a colon before it but
// for chain 0. Stored elsewhere and given to [Store.Verify] later, it detects that an old copy of the database was restored.
type Known string

var knowns = regexp.MustCompile(`^(?:([1-9]\d?):)?([0-9a-f]{32})$`)

// ParseKnown returns the text as a [Known], and false if it is none.
func ParseKnown(text string) (Known, bool) {
	chain, _ := Known(text).parts()
	return Known(text), knowns.MatchString(text) && chain < maxChains
}

func knownOf(chain int, hash string) Known {
	if chain == 0 {
		return Known(hash)
	}
	return Known(strconv.Itoa(chain) + ":" + hash)
}

func (k Known) parts() (chain int, hash string) {
	number, hash, found := strings.Cut(string(k), ":")
	if !found {
		return 0, string(k)
	}
	chain, _ = strconv.Atoi(number) // ParseKnown has checked it
	return chain, hash
}

// GoneText is an entry whose text is no longer stored.
type GoneText struct {
	ID      string
	At      time.Time
	ByEntry string // the id of the entry that recorded the erasure; "" if the text expired or was deleted directly in Redis
}

// Verify checks each chain of the audit log over all months, and that they have the entries which checkpoints of other
// chains name and those that are known from before. It fails with a [BrokenError] at the first break.
func (s *Store) Verify(ctx context.Context, known ...Known) (AuditRange, error) {
	v := verification{store: s, erased: map[string]string{}}
	for chain := range maxChains {
		if err := v.chain(ctx, chain, known); err != nil {
			return v.found, err
		}
	}
	for chain, references := range v.references {
		for _, named := range references {
			if err := v.named(ctx, named); err != nil {
				return v.found, fmt.Errorf("a checkpoint in chain %d: %w", chain, err)
			}
		}
	}
	for i, gone := range v.found.Gone {
		v.found.Gone[i].ByEntry = v.erased[gone.ID]
	}
	return v.found, nil
}

// months returns the first and the last month that may have entries. A month expires once its last entry is older than
// Lives.AuditLog.
func (s *Store) months(head Month) (first, last Month) {
	now := s.now()
	return MonthOf(now.Add(-s.lives.AuditLog).AddDate(0, -2, 0)), max(head, MonthOf(now.AddDate(0, 1, 0)))
}

// clockMargin is by how much the clocks of Redis and of the replicas may differ.
const clockMargin = 24 * time.Hour

// mayHaveExpired reports whether the entries of a month are old enough to have expired.
func (s *Store) mayHaveExpired(month Month) bool {
	return month <= MonthOf(s.now().Add(clockMargin-s.lives.AuditLog))
}

// maxGap is the longest time without entries for which Verify accepts that older months have expired, of entries of older
// versions, which do not say of which month the entry before is.
const maxGap = 92 * 24 * time.Hour

// mayBeFirst reports whether the entries before this one may have expired. Its month and that of the entry before are
// authenticated; the time in its id is not.
func (s *Store) mayBeFirst(entry AuditEntry) bool {
	switch {
	case entry.Before == "":
		return true
	case entry.previous != "":
		return s.mayHaveExpired(entry.previous)
	}
	return entry.month <= MonthOf(s.now().Add(maxGap-s.lives.AuditLog))
}

// verification is the state of one [Store.Verify].
type verification struct {
	store      *Store
	found      AuditRange
	references [maxChains][]reference // of the last checkpoint of each chain
	erased     map[string]string
}

// chainVerification is the state of the verification of one chain.
type chainVerification struct {
	*verification
	ends    AuditEnds
	last    AuditEntry
	missing map[string]bool // the hashes that were not found yet: of the head, and those that are known
}

// chain verifies one chain.
func (v *verification) chain(ctx context.Context, number int, known []Known) error {
	head, err := v.store.readHead(ctx, number)
	if err != nil {
		return err
	}
	c := chainVerification{verification: v, ends: AuditEnds{Chain: number}, missing: map[string]bool{}}
	if head.hash != "" {
		c.missing[head.hash] = true
	}
	for _, one := range known {
		if chain, hash := one.parts(); chain == number {
			c.missing[hash] = true
		}
	}
	first, last := v.store.months(head.month)
	for month := first; month != "" && month <= last; month = month.next() {
		cursor := auditCursor{store: v.store, chain: number, month: month, from: "-"}
		for cursor.fill(ctx) == nil && len(cursor.page) > 0 {
			if err := c.entry(ctx, cursor.page[0]); err != nil {
				return err
			}
			cursor.page = cursor.page[1:]
		}
		if cursor.err != nil {
			return cursor.err
		}
	}
	if c.last.Hash != "" {
		c.ends.Last = knownOf(number, c.last.Hash)
		v.found.Chains = append(v.found.Chains, c.ends)
	}
	broken := &BrokenError{Chain: number, Month: cmp.Or(max(head.month, c.last.month), MonthOf(v.store.now())), Break: BreakEnd}
	switch {
	case head.hash == "" && c.last.Hash != "", c.missing[head.hash]:
		return broken
	case len(c.missing) > 0:
		broken.Break = BreakNamed
		return broken
	}
	return nil
}

// entry verifies the next entry of the chain.
func (c *chainVerification) entry(ctx context.Context, entry AuditEntry) error {
	broken := func(how Break) error {
		return &BrokenError{Chain: entry.Chain, Month: entry.month, ID: entry.ID, At: entry.At(), Break: how}
	}
	first := c.last.Hash == ""
	switch {
	case first && !c.store.mayBeFirst(entry):
		return broken(BreakStart)
	case first:
		c.ends.Before = entry.Before
		delete(c.missing, entry.Before)
	case entry.Before != c.last.Hash:
		return broken(BreakLink)
	}
	entry, err := c.store.openEntry(entry)
	switch {
	case err != nil:
		return broken(BreakSealed)
	case entry.Hash != c.store.link(entry):
		return broken(BreakEntry)
	}
	if err := c.text(ctx, entry); errors.Is(err, ErrTampered) {
		return broken(BreakText)
	} else if err != nil {
		return err
	}
	if entry.Erases != "" {
		c.erased[entry.Erases] = entry.ID
	}
	delete(c.missing, entry.Hash)
	c.last = entry
	if entry.checkpoint {
		c.ends.Checkpoints++
		c.references[entry.Chain] = nil
		if json.Unmarshal(entry.Entry, &c.references[entry.Chain]) != nil {
			return broken(BreakEntry)
		}
		return nil
	}
	c.found.Entries++
	if at := entry.At(); c.found.First.IsZero() || at.Before(c.found.First) {
		c.found.First = at
	}
	return nil
}

// text verifies the text of an entry.
func (c *chainVerification) text(ctx context.Context, entry AuditEntry) error {
	_, err := c.store.Text(ctx, entry)
	switch {
	case errors.Is(err, ErrGone):
		c.found.Gone = append(c.found.Gone, GoneText{ID: entry.ID, At: entry.At()})
	case err != nil:
		return err
	case entry.Text != "":
		c.found.Texts++
	}
	return nil
}

// named verifies that the entry that a checkpoint names is there, unless it has expired. All chains are verified by then, so
// that with the entry everything before it is as it was.
func (v *verification) named(ctx context.Context, named reference) error {
	found, err := v.store.readEntries(ctx, named.Chain, named.Month, named.Entry, 1)
	if err != nil {
		return err
	}
	if len(found) == 1 && found[0].stream == named.Entry && found[0].Hash == named.Hash || len(found) == 0 && v.store.mayHaveExpired(named.Month) {
		return nil
	}
	missing := AuditEntry{ID: entryID(named.Chain, named.Entry)}
	return &BrokenError{Chain: named.Chain, Month: named.Month, ID: missing.ID, At: missing.At(), Break: BreakNamed}
}
