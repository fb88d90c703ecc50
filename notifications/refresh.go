package notifications

import (
	"context"
	"errors"
	"fmt"

	"github.com/balcao/balcao/portal"
)

// cause is why a process or simulation is read.
type cause struct {
	actor    string
	upTo     string
	triggers []string // none reads the bank even if others answered since
	scope    scope    // what is read
	silent   bool     // the first reconciliation: one not seen before is not reported

	callbackOnly bool // requested by callbacks only, which others may forge
}

// refresh reads a process or simulation from the bank, and commits and dispatches its changes.
func (e *engine) refresh(ctx context.Context, subject Subject, why cause) error {
	rested := false
	for range maxConflicts {
		before, err := e.snapshots.load(ctx, subject)
		if err == nil {
			err = e.dispatch(ctx, subject, before.pending)
		}
		if err != nil {
			return err
		}
		if allCovered(why.triggers, before.upTo) {
			e.instruments.read("already_read")
			return nil
		}
		if why.callbackOnly && !before.known {
			allowed, err := e.allowed(ctx, before)
			if err != nil {
				return err
			}
			if !allowed {
				e.instruments.read("unknown")
				return e.requestReconciliation(ctx)
			}
		}
		if why.callbackOnly && before.known && !rested && e.waitReadInterval(ctx, before) {
			rested = true
			continue // another replica may have read it meanwhile
		}
		after, changes, err := e.reader.read(ctx, before, subject, why.scope)
		// A callback may be forged: one not seen before that the bank refuses, in whatever words, is not read again.
		unseen := why.callbackOnly && !before.known && portal.KindOf(err) == portal.Refused
		if portal.IsMissing(err) || unseen {
			e.instruments.read("absent")
			return e.snapshots.recordAbsent(ctx, subject, why.upTo)
		}
		if errors.Is(err, errMoved) {
			continue
		}
		if err != nil {
			return err
		}
		update, err := e.compare(ctx, before, &after, changes, why)
		if err != nil {
			return err
		}
		done, err := e.snapshots.commit(ctx, before, after, update, why.upTo)
		if err != nil {
			return err
		}
		if !done {
			e.instruments.read("conflict")
			continue
		}
		if update == "" {
			e.instruments.read("unchanged")
			return nil
		}
		e.instruments.read("changed")
		return e.dispatch(ctx, subject, []string{update})
	}
	return errMoved
}

func allCovered(triggers []string, upTo string) bool {
	if upTo == "" || len(triggers) == 0 {
		return false
	}
	for _, id := range triggers {
		if !notAfter(id, upTo) {
			return false
		}
	}
	return true
}

// compare returns the sealed update with the changes between two snapshots, "" if nothing changed, and sets the version of
// the later one.
func (e *engine) compare(ctx context.Context, before storedState, after *Snapshot, changes []Change, why cause) (string, error) {
	after.WholeRead, after.WholeAction = before.snapshot.wholeState()
	after.Version, after.Read = before.snapshot.Version, e.config.Now().UTC()
	if after.whole {
		after.WholeRead, after.WholeAction = after.Read, after.LastAction
	}
	if !before.known {
		changes = nil
		if news, err := e.isNew(ctx, after.Subject, why); err != nil {
			return "", err
		} else if news {
			changes = []Change{{Kind: Opened, To: after.status()}}
		}
	}
	if len(changes) == 0 {
		return "", nil
	}
	owner, err := e.config.Store.Owner(ctx, after.UID())
	if err != nil {
		return "", err
	}
	after.Version++
	return e.snapshots.sealUpdate(Update{
		Subject: after.Subject, Version: after.Version, Number: after.Number, At: after.Read,
		Actor: why.actor, Owner: owner, Changes: changes, Snapshot: *after,
		StatusBefore: before.snapshot.StatusID,
	})
}

// isNew reports whether a subject without a snapshot is new at the bank.
func (e *engine) isNew(ctx context.Context, subject Subject, why cause) (bool, error) {
	if why.silent {
		return false, nil
	}
	if _, done := e.reconciled.Load(subject.Kind()); done {
		return true, nil
	}
	done, err := reconciledOnce(ctx, e.stream.redis, subject.Kind())
	if done {
		e.reconciled.Store(subject.Kind(), true)
	}
	return done, err
}

// dispatch appends updates to the changelog and queues them for their destinations, in order. Repeating it changes
// nothing.
func (e *engine) dispatch(ctx context.Context, subject Subject, pending []string) error {
	for _, text := range pending {
		update, err := e.snapshots.openUpdate(text)
		if err != nil {
			return err
		}
		first, err := e.changelog.append(ctx, text)
		if err != nil {
			return err
		}
		if first {
			e.instruments.update()
		}
		if err := e.dispatcher.enqueue(ctx, update); err != nil {
			return fmt.Errorf("enqueuing an update: %w", err)
		}
		if err := e.snapshots.removePending(ctx, subject, text); err != nil {
			return err
		}
	}
	return nil
}
