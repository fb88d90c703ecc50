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

// The kinds of change.
const (
	Opened          = "opened"           // seen for the first time; To is the status
	StatusChanged   = "status"           // From and To are the bank's texts
	BranchChanged   = "branch"           // as above
	BorrowerAdded   = "borrower_added"   // To is how many
	BorrowerRemoved = "borrower_removed" // as above
	BorrowerChanged = "borrower_changed" // as above
	Acted           = "action"           // the bank dates a last action of which nothing else can be seen
)

// reading is one part that is read of a process, and how two snapshots differ in it. A further part is a further row of
// readings.
type reading struct {
	name string
	read func(ctx context.Context, r reader, snapshot *Snapshot) error
	diff func(before, after Snapshot) []Change
}

var readings = []reading{
	{"process", readProcess, diffProcess},
	{"borrowers", readBorrowers, diffBorrowers},
}

// reader reads processes from the bank.
type reader struct {
	bank        *portal.User
	fingerprint func([]byte) string
	index       Index
}

// read returns a snapshot of a process as the bank has it now.
func (r reader) read(ctx context.Context, subject Subject) (Snapshot, error) {
	snapshot := Snapshot{Subject: subject}
	for _, reading := range readings {
		if err := reading.read(ctx, r, &snapshot); err != nil {
			return Snapshot{}, fmt.Errorf("reading the %s: %w", reading.name, err)
		}
	}
	return snapshot, nil
}

// diff returns the changes between two snapshots. A later action is a change only if nothing else changed.
func diff(before, after Snapshot) []Change {
	var changes []Change
	for _, reading := range readings {
		changes = append(changes, reading.diff(before, after)...)
	}
	if len(changes) == 0 && !before.LastAction.Equal(after.LastAction) {
		changes = []Change{{Kind: Acted}}
	}
	return changes
}

func readProcess(ctx context.Context, r reader, snapshot *Snapshot) error {
	found, err := r.bank.Process(ctx, snapshot.Process)
	if err != nil {
		return err
	}
	snapshot.Number = found.ProcessNumber
	snapshot.StatusID, snapshot.Status = found.ProcessStatusID, found.ProcessStatusDescription
	snapshot.Phase = found.ProcessPhaseDescription
	if found.ProcessPhaseID != nil {
		snapshot.PhaseID = *found.ProcessPhaseID
	}
	snapshot.BranchID, snapshot.Branch = found.BranchID, found.BranchDescription
	snapshot.LastAction = found.LastActionDate.UTC()
	if r.index != nil {
		return r.index.AddProcesses(ctx, []portal.ProcessSummary{found.ProcessSummary})
	}
	return nil
}

func diffProcess(before, after Snapshot) (changes []Change) {
	if before.StatusID != after.StatusID {
		changes = append(changes, Change{StatusChanged, before.status(), after.status()})
	}
	if before.BranchID != after.BranchID {
		changes = append(changes, Change{BranchChanged, named(before.Branch, before.BranchID), named(after.Branch, after.BranchID)})
	}
	return changes
}

func (p Snapshot) status() string { return named(p.Status, p.StatusID) }

// named returns a text of the bank's lists, or its id if the bank gives no text.
func named(text string, id int32) string {
	if text == "" {
		return strconv.Itoa(int(id))
	}
	return text
}

// errMoved says that the parts of a process do not fit together, because it changed between their reads.
var errMoved = errors.New("the process changed while it was read")

func readBorrowers(ctx context.Context, r reader, snapshot *Snapshot) error {
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
