package conversations

import (
	"context"
	"iter"
)

// AuditEntries returns the entries of a month of all chains in the order of their times, which is the order in which they
// were appended within each chain; with [ErrSealed] for an entry that cannot be decrypted. Checkpoints are left out.
func (s *Store) AuditEntries(ctx context.Context, month Month) iter.Seq2[AuditEntry, error] {
	return func(yield func(AuditEntry, error) bool) {
		var cursors [maxChains]auditCursor
		for chain := range cursors {
			cursors[chain] = auditCursor{store: s, chain: chain, month: month, from: "-"}
		}
		for {
			var first *auditCursor
			for chain := range cursors {
				cursor := &cursors[chain]
				if err := cursor.fill(ctx); err != nil {
					yield(AuditEntry{}, err)
					return
				}
				if len(cursor.page) > 0 && (first == nil || compareStreamIDs(cursor.page[0].stream, first.page[0].stream) < 0) {
					first = cursor
				}
			}
			if first == nil {
				return
			}
			entry, err := s.openEntry(first.page[0])
			first.page = first.page[1:]
			if err == nil && entry.checkpoint {
				continue
			}
			if !yield(entry, err) {
				return
			}
		}
	}
}

// auditCursor reads the entries of a month of one chain, a page at a time.
type auditCursor struct {
	store *Store
	chain int
	month Month
	from  string
	page  []AuditEntry
	ended bool
	err   error // of the last read
}

// fill reads the next page if none is left of the last one.
func (c *auditCursor) fill(ctx context.Context) error {
	if len(c.page) > 0 || c.ended {
		return nil
	}
	page, err := c.store.readEntries(ctx, c.chain, c.month, c.from, auditPage)
	if c.err = err; err != nil {
		return err
	}
	c.page, c.ended = page, len(page) < auditPage
	if len(page) > 0 {
		c.from = "(" + page[len(page)-1].stream
	}
	return nil
}
