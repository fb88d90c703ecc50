package notifications

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
)

const (
	rightTTL  = 2 * time.Minute // how long an answer of the bank is cached
	maxRights = 10_000          // answers cached by one replica
)

// errRights says that the bank did not answer who may read a process or simulation. Nothing is posted until it does.
var errRights = errors.New("the bank does not say who may read it")

// rights caches at which destinations which processes and simulations may be posted: a person's direct messages show what that person's
// bank user can read, and a channel what the person who subscribed it can read.
type rights struct {
	reader func(dest, by string) (*portal.User, bool) // nil permits everything
	now    func() time.Time

	mu    sync.Mutex
	known map[permissionKey]permission
}

type permissionKey struct {
	dest, by string
	subject  Subject
}

type permission struct {
	granted bool
	until   time.Time
}

// granted returns the cached answer; known is false if the bank has to be key as reader.
func (r *rights) granted(key permissionKey) (granted, known bool, reader *portal.User) {
	if r.reader == nil {
		return true, true, nil
	}
	reader, served := r.reader(key.dest, key.by)
	if !served || reader == nil {
		return served, true, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	permission, found := r.known[key]
	return permission.granted, found && r.now().Before(permission.until), reader
}

// read asks the bank, as reader, whether it can read the process or simulation.
func (r *rights) read(ctx context.Context, reader *portal.User, key permissionKey) (bool, error) {
	var err error
	if key.subject.Simulation != uuid.Nil {
		_, err = reader.Simulation(ctx, key.subject.Simulation)
	} else {
		_, err = reader.Process(ctx, key.subject.Process)
	}
	kind := portal.KindOf(err)
	refused := kind == portal.NotFound || kind == portal.Refused
	if err != nil && !refused {
		return false, fmt.Errorf("%w: %w", errRights, err)
	}
	r.store(key, !refused)
	return !refused, nil
}

func (r *rights) store(key permissionKey, granted bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil || len(r.known) >= maxRights {
		r.known = map[permissionKey]permission{}
	}
	r.known[key] = permission{granted, r.now().Add(rightTTL)}
}

// mayRead reports whether a process or simulation may be posted at the destination for one of these subscribers.
func (w *worker) mayRead(ctx context.Context, subject Subject, subscribers map[string]bool) (bool, error) {
	var unknown error
	for by := range subscribers {
		key := permissionKey{w.dest.ID, by, subject}
		granted, known, reader := w.rights.granted(key)
		if !known {
			var err error
			if granted, err = w.askBank(ctx, reader, key); err != nil {
				unknown = err
				continue
			}
		}
		if granted {
			return true, nil
		}
	}
	return false, unknown
}

// askBank asks the bank while the destination is locked.
func (w *worker) askBank(ctx context.Context, reader *portal.User, key permissionKey) (granted bool, err error) {
	err = w.call(ctx, func(ctx context.Context) error {
		granted, err = w.rights.read(ctx, reader, key)
		return err
	})
	return granted, err
}
