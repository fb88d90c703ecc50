package notifications

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/pause"
	"github.com/balcao/balcao/portal"
)

const (
	maxConcurrentReads = 8 // processes and simulations
	maxConflicts       = 10
)

// engine processes triggers: it reads the process or simulation from the bank, commits the changes as an update, and dispatches the
// update. If it crashes at any step, the trigger stays in the stream, and another replica claims it and continues.
type engine struct {
	config                Config
	stream                *stream
	snapshots             *snapshotStore
	changelog             changelog
	dispatcher            dispatcher
	instruments           *instruments
	reader                reader
	requestReconciliation func(context.Context) error                // requests a reconciliation
	meaningOf             func(notificationType int32) string        // the name of what a type of notification means, "" if unknown
	onTriggers            func(context.Context, []streamEntry) error // called with each batch, which may hold callbacks
	reconciled            sync.Map                                   // the kinds of which the first reconciliation is done: one not seen before is new
	lastRead              atomic.Int64                               // when the stream was last read, in ns
}

// dispatcher queues updates for the destinations that subscribed to them.
type dispatcher interface {
	enqueue(ctx context.Context, update Update) error
}

// run processes triggers until ctx ends.
func (e *engine) run(ctx context.Context) error {
	delay := retryDelay{min: e.config.Lease / 30, max: 2 * e.config.Lease}
	for ctx.Err() == nil {
		batch, err := e.stream.read(ctx)
		if err == nil {
			e.lastRead.Store(e.config.Now().UnixNano())
			err = e.work(ctx, batch)
		}
		switch {
		case err == nil:
			delay.reset()
		case ctx.Err() == nil:
			e.config.Log.WarnContext(ctx, "processing triggers failed, backing off", "error", err)
			e.instruments.retry()
			delay.wait(ctx, err)
		}
	}
	ended, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	return e.stream.removeConsumer(ended)
}

// work processes a batch. It returns an error only if every job failed, so that the caller backs off.
func (e *engine) work(ctx context.Context, batch []streamEntry) error {
	if len(batch) == 0 {
		return nil
	}
	upTo, err := e.stream.newestID(ctx)
	if err != nil {
		return err
	}
	if err := e.onTriggers(ctx, batch); err != nil {
		return err
	}
	defer e.keepClaims(ctx, ids(batch))()
	var mu sync.Mutex
	var failure error
	succeeded := 0
	var jobs errgroup.Group
	jobs.SetLimit(maxConcurrentReads)
	for _, job := range e.groupBySubject(batch) {
		jobs.Go(func() error {
			err := e.attempt(ctx, job, upTo)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				succeeded++
			} else {
				failure = err
			}
			return nil
		})
	}
	_ = jobs.Wait() // never fails
	if succeeded > 0 {
		return nil
	}
	return failure
}

// job is the triggers of a batch about one process or simulation.
type job struct {
	subject Subject
	actor   string // who made the latest change through Balcão
	entries []streamEntry
	ok      bool

	scope        scope
	callbackOnly bool // all triggers are callbacks
}

func (j job) ids() []string { return ids(j.entries) }

// groupBySubject groups triggers that one read of the bank answers.
func (e *engine) groupBySubject(batch []streamEntry) []*job {
	var jobs []*job
	of := map[Subject]*job{}
	for _, entry := range batch {
		j := of[entry.trigger.Subject]
		if j == nil || !entry.ok {
			j = &job{subject: entry.trigger.Subject, ok: entry.ok, callbackOnly: true}
			jobs = append(jobs, j)
		}
		if entry.ok {
			of[entry.trigger.Subject] = j
		}
		if entry.trigger.Actor != "" {
			j.actor = entry.trigger.Actor
		}
		meaning := ""
		if entry.trigger.Source == Callback {
			meaning = e.meaningOf(entry.trigger.Type)
		}
		j.scope.add(meaning)
		j.callbackOnly = j.callbackOnly && entry.trigger.Source == Callback
		j.entries = append(j.entries, entry)
	}
	return jobs
}

func ids(batch []streamEntry) []string {
	all := make([]string, 0, len(batch))
	for _, e := range batch {
		all = append(all, e.id)
	}
	return all
}

// keepClaims renews the claims of triggers while they are processed, until stop is called.
func (e *engine) keepClaims(ctx context.Context, ids []string) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var held sync.WaitGroup
	held.Go(func() {
		tick := time.NewTicker(e.config.Lease / 3)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				e.lastRead.Store(e.config.Now().UnixNano())
				if err := e.stream.renewClaims(ctx, ids); err != nil && ctx.Err() == nil {
					e.config.Log.WarnContext(ctx, "renewing stream claims failed", "error", err)
				}
			}
		}
	})
	return func() { cancel(); held.Wait() }
}

// attempt makes one attempt at a job. A trigger that fails MaxTries times by its own fault becomes a dead letter; every
// other one is claimed and attempted again.
func (e *engine) attempt(ctx context.Context, j *job, upTo string) error {
	if !j.ok {
		return e.deadLetter(ctx, j, Undecodable)
	}
	attempts, err := e.stream.countAttempts(ctx, 1, j.ids())
	if err != nil {
		return err
	}
	if attempts > e.config.MaxTries {
		return e.deadLetter(ctx, j, Crashed)
	}
	err = e.handle(ctx, j, upTo)
	switch {
	case err == nil:
		return nil
	case transient(err):
		e.instruments.read("bank_unavailable")
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		defer cancel()
		_, undone := e.stream.countAttempts(undo, -1, j.ids())
		return errors.Join(err, undone)
	}
	e.instruments.read("failed")
	e.config.Log.ErrorContext(ctx, "processing a trigger failed", "subject", j.subject, "attempts", attempts, "error", err)
	if attempts >= e.config.MaxTries {
		return e.deadLetter(ctx, j, deadLetterReason(err))
	}
	return nil // it is attempted again, while the others continue
}

// transient reports whether a failure is that of the bank, of its configuration, of Redis or of the shutdown, and not of the
// trigger.
func transient(err error) bool {
	switch portal.KindOf(err) {
	case portal.Unavailable, portal.TooMany, portal.LoginRefused, portal.Unauthorized, portal.WrongPath, portal.Mismatch:
		return true
	}
	if failure, ok := errors.AsType[*portal.Error](err); ok && failure.Operation == portal.Authenticate {
		return true
	}
	return errors.Is(err, conversations.ErrUnavailable) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func deadLetterReason(err error) string {
	switch {
	case errors.Is(err, errPanic):
		return Panicked
	case portal.KindOf(err) == portal.Garbled:
		return Garbled
	case portal.KindOf(err) == portal.Refused:
		return Refused
	}
	return Failing
}

func (e *engine) deadLetter(ctx context.Context, j *job, reason string) error {
	for _, id := range j.ids() {
		first, err := e.stream.deadLetter(ctx, id, reason)
		if err != nil {
			return err
		}
		if first {
			e.instruments.deadLetter(reason)
			e.config.Log.ErrorContext(ctx, "trigger moved to the dead letters", "subject", j.subject, "trigger", id, "reason", reason)
		}
	}
	return nil
}

var errPanic = errors.New("processing it panicked")

// handle reads the subject of a job, or requests a reconciliation, and removes the triggers from the stream.
func (e *engine) handle(ctx context.Context, j *job, upTo string) (err error) {
	defer func() {
		if p := recover(); p != nil { // the panic's value may hold personal data
			e.config.Log.ErrorContext(ctx, "processing a trigger panicked", "subject", j.subject, "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	if j.subject.isZero() {
		err = e.requestReconciliation(ctx)
	} else {
		err = e.refresh(ctx, j.subject, cause{actor: j.actor, upTo: upTo, triggers: j.ids(), scope: j.scope, callbackOnly: j.callbackOnly})
	}
	if err != nil {
		return err
	}
	return e.stream.complete(ctx, j.ids())
}

// retryDelay is a delay that doubles from failure to failure.
type retryDelay struct{ min, max, current time.Duration }

func (r *retryDelay) reset() { r.current = 0 }

// wait sleeps twice as long as the last time, and at least as long as the bank asks for.
func (r *retryDelay) wait(ctx context.Context, err error) {
	r.current = min(max(2*r.current, r.min), r.max)
	d := r.current
	if failure, ok := errors.AsType[*portal.Error](err); ok {
		d = min(max(d, failure.RetryAfter), r.max)
	}
	pause.For(ctx, d)
}
