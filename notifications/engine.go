package notifications

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/portal"
)

const (
	maxConcurrentReads = 8 // processes
	maxConflicts       = 10
)

// engine works hints off: it reads the process, commits what moved, and hands it on. Whatever it was doing when it died,
// the hint is still there, and whoever claims it carries on.
type engine struct {
	config                Config
	stream                *stream
	snapshots             *snapshotStore
	changelog             changelog
	dispatcher            dispatcher
	instruments           *instruments
	reader                reader
	requestReconciliation func(context.Context) error                // somebody wants all processes to be looked at
	onTriggers            func(context.Context, []streamEntry) error // callbacks may be among them
	reconciled            atomic.Bool                                // every process had a first look, which makes a new one news
	lastRead              atomic.Int64                               // when hints were last looked for, in ns
}

// dispatcher takes updates to those who want to hear of them.
type dispatcher interface {
	enqueue(ctx context.Context, update Update) error
}

// run works hints off until ctx ends.
func (e *engine) run(ctx context.Context) error {
	pause := retryDelay{min: e.config.Lease / 30, max: 2 * e.config.Lease}
	for ctx.Err() == nil {
		batch, err := e.stream.read(ctx)
		if err == nil {
			e.lastRead.Store(e.config.Now().UnixNano())
			err = e.work(ctx, batch)
		}
		switch {
		case err == nil:
			pause.reset()
		case ctx.Err() == nil:
			e.config.Log.WarnContext(ctx, "processing triggers failed, backing off", "error", err)
			e.instruments.retry()
			pause.wait(ctx, err)
		}
	}
	ended, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	return e.stream.removeConsumer(ended)
}

// runEngine works a batch off. It fails where the bank, or Redis, answered nothing at all: all had better wait then.
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
	worked := 0
	var crew errgroup.Group
	crew.SetLimit(maxConcurrentReads)
	for _, job := range groupByProcess(batch) {
		crew.Go(func() error {
			err := e.attempt(ctx, job, upTo)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				worked++
			} else {
				failure = err
			}
			return nil
		})
	}
	_ = crew.Wait() // fails never
	if worked > 0 {
		return nil
	}
	return failure
}

// job is the hints of a batch about one process.
type job struct {
	process uuid.UUID
	actor   string // who made the latest change through Balcão
	entries []streamEntry
	ok      bool

	callbackOnly bool // nobody else asks
}

func (j job) ids() []string { return ids(j.entries) }

// groupByProcess puts together what one reading answers.
func groupByProcess(batch []streamEntry) []*job {
	var jobs []*job
	of := map[uuid.UUID]*job{}
	for _, e := range batch {
		j := of[e.trigger.Process]
		if j == nil || !e.ok {
			j = &job{process: e.trigger.Process, ok: e.ok, callbackOnly: true}
			jobs = append(jobs, j)
		}
		if e.ok {
			of[e.trigger.Process] = j
		}
		if e.trigger.Actor != "" {
			j.actor = e.trigger.Actor
		}
		j.callbackOnly = j.callbackOnly && e.trigger.Source == Callback
		j.entries = append(j.entries, e)
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

// keepClaims keeps others from claiming hints for as long as they are worked at.
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

// attempt makes one try at a job. What fails through its own fault is put aside after so many; all else waits to be
// claimed again.
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
	e.config.Log.ErrorContext(ctx, "processing a trigger failed", "process", j.process, "attempts", attempts, "error", err)
	if attempts >= e.config.MaxTries {
		return e.deadLetter(ctx, j, deadLetterReason(err))
	}
	return nil // this one waits; the others need not
}

// transient tells whether a failure says nothing about what was worked at.
func transient(err error) bool {
	switch portal.KindOf(err) {
	case portal.Unavailable, portal.TooMany, portal.Unauthorized:
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
			e.config.Log.ErrorContext(ctx, "trigger moved to the dead letters", "process", j.process, "trigger", id, "reason", reason)
		}
	}
	return nil
}

var errPanic = errors.New("processing it panicked")

// handle does what the hints of a job ask for, and takes them out of the stream.
func (e *engine) handle(ctx context.Context, j *job, upTo string) (err error) {
	defer func() {
		if p := recover(); p != nil { // what it says may be personal
			e.config.Log.ErrorContext(ctx, "processing a trigger panicked", "process", j.process, "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	if j.process == uuid.Nil {
		err = e.requestReconciliation(ctx)
	} else {
		err = e.refresh(ctx, j.process, cause{actor: j.actor, upTo: upTo, triggers: j.ids(), callbackOnly: j.callbackOnly})
	}
	if err != nil {
		return err
	}
	return e.stream.complete(ctx, j.ids())
}

// cause says why a process is looked at.
type cause struct {
	actor    string
	upTo     string
	triggers []string // none to look whatever was answered before
	silent   bool     // of all: seeing it is no news

	callbackOnly bool // it is asked for by callbacks alone, which others may forge
}

// cause reads a process, and commits and hands on what moved.
func (e *engine) refresh(ctx context.Context, process uuid.UUID, why cause) error {
	rested := false
	for range maxConflicts {
		before, err := e.snapshots.load(ctx, process)
		if err == nil {
			err = e.dispatch(ctx, process, before.pending)
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
			continue // another may have read it meanwhile
		}
		after, err := e.reader.read(ctx, process)
		switch portal.KindOf(err) {
		case portal.NotFound, portal.Refused: // another broker's, or nobody's
			e.instruments.read("absent")
			return e.snapshots.recordAbsent(ctx, process, why.upTo)
		}
		if errors.Is(err, errMoved) {
			continue
		}
		if err != nil {
			return err
		}
		update, err := e.compare(ctx, before, &after, why)
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
		return e.dispatch(ctx, process, []string{update})
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

// compare gives the update between two pictures, sealed, "" where nothing moved, and numbers the later picture.
func (e *engine) compare(ctx context.Context, before processState, after *Snapshot, why cause) (string, error) {
	after.Version, after.Read = before.snapshot.Version, e.config.Now().UTC()
	changes := diff(before.snapshot, *after)
	if !before.known {
		changes = nil
		if news, err := e.isNew(ctx, why); err != nil {
			return "", err
		} else if news {
			changes = []Change{{Kind: Opened, To: after.status()}}
		}
	}
	if len(changes) == 0 {
		return "", nil
	}
	owner, err := e.config.Store.Owner(ctx, after.Process)
	if err != nil {
		return "", err
	}
	after.Version++
	return e.snapshots.sealUpdate(Update{
		Process: after.Process, Version: after.Version, Number: after.Number, At: after.Read,
		Actor: why.actor, Owner: owner, Changes: changes, Snapshot: *after,
	})
}

// isNew tells whether a process that was never seen is a new one.
func (e *engine) isNew(ctx context.Context, why cause) (bool, error) {
	if why.silent {
		return false, nil
	}
	if e.reconciled.Load() {
		return true, nil
	}
	done, err := reconciledOnce(ctx, e.stream.redis)
	e.reconciled.Store(done)
	return done, err
}

// dispatch writes updates down and puts them on the desk, in order. Doing so again changes nothing.
func (e *engine) dispatch(ctx context.Context, process uuid.UUID, pending []string) error {
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
		if err := e.snapshots.removePending(ctx, process, text); err != nil {
			return err
		}
	}
	return nil
}

// retryDelay grows from failure to failure.
type retryDelay struct{ min, max, current time.Duration }

func (p *retryDelay) reset() { p.current = 0 }

// block waits twice as long as before, or as long as the bank says.
func (p *retryDelay) wait(ctx context.Context, err error) {
	p.current = min(max(2*p.current, p.min), p.max)
	d := p.current
	if failure, ok := errors.AsType[*portal.Error](err); ok {
		d = min(max(d, failure.RetryAfter), p.max)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
