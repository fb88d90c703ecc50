package notifications

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

// errMoved says that the parts of a process do not fit together, because it changed between their reads.
var errMoved = errors.New("the process changed while it was read")

func readBorrowers(ctx context.Context, r reader, _ Snapshot, snapshot *Snapshot) error {
	process := snapshot.Process
	listed, err := r.bank.ListBorrowers(ctx, process)
	if err != nil {
		return err
	}
	snapshot.Borrowers = make(map[string]string, len(listed))
	var all []portal.Borrower
	for _, one := range listed {
		borrower, err := r.bank.Borrower(ctx, process, one.BorrowerUniqueID)
		if portal.IsMissing(err) {
			return fmt.Errorf("%w: a borrower that was listed is gone", errMoved)
		}
		if err != nil {
			return err
		}
		// The request form has no descriptions, which change with the language and the bank's lists.
		data, err := pii.MarshalClear(borrower.Request())
		if err != nil {
			return errors.New("writing a borrower as JSON") // without the cause, which may hold a value
		}
		// The process is part of the fingerprinted data, so that the same person in two processes cannot be linked.
		all = append(all, borrower)
		snapshot.Borrowers[one.BorrowerUniqueID.String()] = r.fingerprint(fmt.Appendf(nil, "borrower of %s %s", process, data))
	}
	if r.index != nil {
		r.index.AddBorrowers(ctx, process, all)
	}
	return nil
}

func diffBorrowers(before, after Snapshot) (changes []Change) {
	var added, removed, changed int
	for id, digest := range after.Borrowers {
		switch was, there := before.Borrowers[id]; {
		case !there:
			added++
		case was != digest:
			changed++
		}
	}
	for id := range maps.Keys(before.Borrowers) {
		if _, there := after.Borrowers[id]; !there {
			removed++
		}
	}
	for _, c := range []struct {
		kind string
		many int
	}{{BorrowerAdded, added}, {BorrowerRemoved, removed}, {BorrowerChanged, changed}} {
		if c.many > 0 {
			changes = append(changes, Change{Kind: c.kind, To: strconv.Itoa(c.many)})
		}
	}
	return changes
}
