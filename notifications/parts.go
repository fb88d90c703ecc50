package notifications

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
)

// The parts of a subject that are read by a call or more of their own. The detail is read each time.
const (
	partBorrowers  = "borrowers"
	partMessages   = "messages"
	partDocuments  = "documents"
	partValuations = "valuations"
)

// part is what is read of a subject in addition to its detail, and how two snapshots differ in it.
type part struct {
	name string
	// optional: if the bank refuses to show it, or the profile has it under a wrong name, it stays as it was and the others
	// are still followed.
	optional bool
	ofAll    bool // simulations have it too
	// read sets the part in after, which has what before had.
	read func(ctx context.Context, r reader, before Snapshot, after *Snapshot) error
	diff func(before, after Snapshot) []Change
}

// parts are read in this order. A further one is a further row.
var parts = []part{
	{name: partBorrowers, read: readBorrowers, diff: diffBorrowers},
	{name: partMessages, optional: true, ofAll: true, read: readMessages, diff: diffMessages},
	{name: partDocuments, optional: true, read: readDocuments, diff: diffDocuments},
	{name: partValuations, optional: true, read: readValuations, diff: diffValuations},
}

// reader reads processes and simulations from the bank.
type reader struct {
	bank        *portal.User
	fingerprint func([]byte) string
	index       Index
	meaning     func(kind int32, description string) (name string, known bool) // of a type of notification, or an action
	item        func(list string, id int32, description string) string         // the name of what an item of a list means, "" if unknown
	decided     func(context.Context, Snapshot) (meaning string)               // the name of what the status of a simulation means
	log         *slog.Logger
}

// read returns a snapshot of a subject as the bank has it now, and what changed: the detail, and the parts of the scope.
// If the subject has no snapshot, or what the bank did is in none of these, all parts are read. What is not read stays.
func (r reader) read(ctx context.Context, before storedState, subject Subject, wanted scope) (after Snapshot, changes []Change, err error) {
	after = before.snapshot
	after.Subject, after.Said = subject, maps.Clone(after.Said)
	if err := r.readDetail(ctx, &after); err != nil {
		return Snapshot{}, nil, fmt.Errorf("reading the %s: %w", subject.Kind(), err)
	}
	whole := wanted.whole || !before.known
	ask := func(names func(string) bool) error {
		for _, part := range parts {
			if !names(part.name) || subject.Simulation != uuid.Nil && !part.ofAll {
				continue
			}
			if err := r.readPart(ctx, part, before.snapshot, &after); err != nil {
				return err
			}
		}
		changes = r.diff(ctx, before.snapshot, &after, wanted)
		return nil
	}
	inScope := func(name string) bool { return slices.Contains(wanted.parts, name) }
	err = ask(func(name string) bool { return whole || inScope(name) })
	if acted := !before.snapshot.LastAction.Equal(after.LastAction); err == nil && acted && len(changes) == 0 {
		if !whole {
			whole = true
			err = ask(func(name string) bool { return !inScope(name) })
		}
		if len(changes) == 0 {
			changes = []Change{{Kind: Acted}}
		}
	}
	after.whole = whole
	return after, changes, err
}

// readPart reads a part. If the bank does not show one that is optional, it stays as it was.
func (r reader) readPart(ctx context.Context, part part, before Snapshot, after *Snapshot) error {
	err := part.read(ctx, r, before, after)
	if err == nil {
		return nil
	}
	switch portal.KindOf(err) {
	case portal.Refused, portal.NotFound, portal.WrongPath, portal.Mismatch, portal.Garbled:
		if part.optional {
			r.log.InfoContext(ctx, "a part cannot be read, the others are followed", "part", part.name, "subject", after.Subject, "error", err)
			after.unread = append(after.unread, part.name)
			return nil
		}
	}
	return fmt.Errorf("reading the %s: %w", part.name, err)
}

// diff returns the changes between two snapshots.
func (r reader) diff(ctx context.Context, before Snapshot, after *Snapshot, wanted scope) []Change {
	meaning := ""
	if after.Simulation != uuid.Nil {
		meaning = r.decided(ctx, *after)
	}
	if meaning == esisMeaning && before.StatusID != after.StatusID {
		after.said(ESISIssued) // the status says it
	}
	changes := diffDetail(before, *after, meaning)
	for _, part := range parts {
		changes = append(changes, part.diff(before, *after)...)
	}
	return append(changes, r.unseen(before, after, wanted)...)
}
