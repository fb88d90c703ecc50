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
	rightTTL  = 2 * time.Minute // that an answer of the bank's about a right is believed
	maxRights = 10_000          // answers kept by one replica
)

// errRights says that it is not known whether a place may be told of a process: it is not told until that is known.
var errRights = errors.New("the bank does not answer who may read a process")

// rights knows which places may be told of which processes: a person reads what her own user reads at the bank, and what
// somebody had a channel subscribe to is what that person reads.
type rights struct {
	reader func(dest, by string) (*portal.User, bool) // nil where everything may be told everywhere
	now    func() time.Time

	mu    sync.Mutex
	known map[right]permission
}

type right struct {
	place, by string
	process   uuid.UUID
}

type permission struct {
	granted bool
	until   time.Time
}

// granted tells whether a place may be told of a process, as far as that is known without asking the bank.
func (r *rights) granted(asked right) (granted, known bool, reader *portal.User) {
	if r.reader == nil {
		return true, true, nil
	}
	reader, served := r.reader(asked.place, asked.by)
	if !served || reader == nil {
		return served, true, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	permission, found := r.known[asked]
	return permission.granted, found && r.now().Before(permission.until), reader
}

// read asks the bank, as the reader, whether there is such a process.
func (r *rights) read(ctx context.Context, reader *portal.User, asked right) (bool, error) {
	_, err := reader.Process(ctx, asked.process)
	kind := portal.KindOf(err)
	refused := kind == portal.NotFound || kind == portal.Refused
	if err != nil && !refused {
		return false, fmt.Errorf("%w: %w", errRights, err)
	}
	r.keep(asked, !refused)
	return !refused, nil
}

func (r *rights) keep(asked right, granted bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil || len(r.known) >= maxRights {
		r.known = map[right]permission{}
	}
	r.known[asked] = permission{granted, r.now().Add(rightTTL)}
}

// mayRead tells whether the place may be told of a process that one of these people had it subscribe to.
func (w *worker) mayRead(ctx context.Context, process uuid.UUID, askers map[string]bool) (bool, error) {
	var unknown error
	for by := range askers {
		asked := right{w.dest.ID, by, process}
		granted, known, reader := w.rights.granted(asked)
		if !known {
			var err error
			if granted, err = w.askBank(ctx, reader, asked); err != nil {
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

// askBank asks within our hold on the place.
func (w *worker) askBank(ctx context.Context, reader *portal.User, asked right) (granted bool, err error) {
	err = w.call(ctx, func(ctx context.Context) error {
		granted, err = w.rights.read(ctx, reader, asked)
		return err
	})
	return granted, err
}
