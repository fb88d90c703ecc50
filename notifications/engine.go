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
	readAtOnce = 8 // processes
	raceTries  = 10
)

// engine works hints off: it reads the process, commits what moved, and hands it on. Whatever it was doing when it died,
// the hint is still there, and whoever claims it carries on.
type engine struct {
	config   Config
	stream   *stream
	pictures *pictures
	record   record
	desk     desk
	count    *instruments
	reader   reader
	askWalk  func(context.Context) error          // somebody wants all processes to be looked at
	arrived  func(context.Context, []entry) error // callbacks may be among them
	walked   atomic.Bool                          // every process had a first look, which makes a new one news
	heard    atomic.Int64                         // when hints were last looked for, in ns
}

// desk takes updates to those who want to hear of them.
type desk interface {
	put(ctx context.Context, update Update) error
}

// run works hints off until ctx ends.
func (e *engine) run(ctx context.Context) error {
	pause := pause{least: e.config.Lease / 30, most: 2 * e.config.Lease}
	for ctx.Err() == nil {
		batch, err := e.stream.next(ctx)
		if err == nil {
			e.heard.Store(e.config.Now().UnixNano())
			err = e.work(ctx, batch)
		}
		switch {
		case err == nil:
			pause.over()
		case ctx.Err() == nil:
			e.config.Log.WarnContext(ctx, "hints wait", "error", err)
			e.count.retried()
			pause.wait(ctx, err)
		}
	}
	ended, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
	defer cancel()
	return e.stream.leave(ended)
}

// work works a batch off. It fails where the bank, or Redis, answered nothing at all: all had better wait then.
func (e *engine) work(ctx context.Context, batch []entry) error {
	if len(batch) == 0 {
		return nil
	}
	upTo, err := e.stream.last(ctx)
	if err != nil {
		return err
	}
	if err := e.arrived(ctx, batch); err != nil {
		return err
	}
	defer e.holding(ctx, ids(batch))()
	var mu sync.Mutex
	var failure error
	worked := 0
	var crew errgroup.Group
	crew.SetLimit(readAtOnce)
	for _, job := range sortOut(batch) {
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
	entries []entry
	ok      bool

	callback bool // nobody else asks
}

func (j job) ids() []string { return ids(j.entries) }

// sortOut puts together what one reading answers.
func sortOut(batch []entry) []*job {
	var jobs []*job
	of := map[uuid.UUID]*job{}
	for _, e := range batch {
		j := of[e.hint.Process]
		if j == nil || !e.ok {
			j = &job{process: e.hint.Process, ok: e.ok, callback: true}
			jobs = append(jobs, j)
		}
		if e.ok {
			of[e.hint.Process] = j
		}
		if e.hint.Actor != "" {
			j.actor = e.hint.Actor
		}
		j.callback = j.callback && e.hint.Source == Callback
		j.entries = append(j.entries, e)
	}
	return jobs
}

func ids(batch []entry) []string {
	all := make([]string, 0, len(batch))
	for _, e := range batch {
		all = append(all, e.id)
	}
	return all
}

// holding keeps others from claiming hints for as long as they are worked at.
func (e *engine) holding(ctx context.Context, ids []string) (stop func()) {
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
				e.heard.Store(e.config.Now().UnixNano())
				if err := e.stream.hold(ctx, ids); err != nil && ctx.Err() == nil {
					e.config.Log.WarnContext(ctx, "hints are not held", "error", err)
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
		return e.putAside(ctx, j, Undecodable)
	}
	tries, err := e.stream.try(ctx, 1, j.ids())
	if err != nil {
		return err
	}
	if tries > e.config.MaxTries {
		return e.putAside(ctx, j, Crashed)
	}
	err = e.answer(ctx, j, upTo)
	switch {
	case err == nil:
		return nil
	case blameless(err):
		e.count.read("bank")
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
		defer cancel()
		_, undone := e.stream.try(undo, -1, j.ids())
		return errors.Join(err, undone)
	}
	e.count.read("failed")
	e.config.Log.ErrorContext(ctx, "a hint cannot be worked off", "process", j.process, "tries", tries, "error", err)
	if tries >= e.config.MaxTries {
		return e.putAside(ctx, j, reason(err))
	}
	return nil // this one waits; the others need not
}

// blameless tells whether a failure says nothing about what was worked at.
func blameless(err error) bool {
	switch portal.KindOf(err) {
	case portal.Unavailable, portal.TooMany, portal.Unauthorized:
		return true
	}
	return errors.Is(err, conversations.ErrUnavailable) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func reason(err error) string {
	switch {
	case errors.Is(err, errPanicked):
		return Panicked
	case portal.KindOf(err) == portal.Garbled:
		return Garbled
	}
	return Failing
}

func (e *engine) putAside(ctx context.Context, j *job, reason string) error {
	for _, id := range j.ids() {
		first, err := e.stream.giveUp(ctx, id, reason)
		if err != nil {
			return err
		}
		if first {
			e.count.lettered(reason)
			e.config.Log.ErrorContext(ctx, "a hint was put aside", "process", j.process, "hint", id, "reason", reason)
		}
	}
	return nil
}

var errPanicked = errors.New("working at it panicked")

// answer does what the hints of a job ask for, and takes them out of the stream.
func (e *engine) answer(ctx context.Context, j *job, upTo string) (err error) {
	defer func() {
		if p := recover(); p != nil { // what it says may be personal
			e.config.Log.ErrorContext(ctx, "working at a hint panicked", "process", j.process, "stack", string(debug.Stack()))
			err = errPanicked
		}
	}()
	if j.process == uuid.Nil {
		err = e.askWalk(ctx)
	} else {
		err = e.look(ctx, j.process, look{actor: j.actor, upTo: upTo, hints: j.ids(), callback: j.callback})
	}
	if err != nil {
		return err
	}
	return e.stream.settle(ctx, j.ids())
}

// look says why a process is looked at.
type look struct {
	actor string
	upTo  string
	hints []string // none to look whatever was answered before
	first bool     // of all: seeing it is no news

	callback bool // it is asked for by callbacks alone, which others may forge
}

// look reads a process, and commits and hands on what moved.
func (e *engine) look(ctx context.Context, process uuid.UUID, why look) error {
	rested := false
	for range raceTries {
		before, err := e.pictures.see(ctx, process)
		if err == nil {
			err = e.handOn(ctx, process, before.pending)
		}
		if err != nil {
			return err
		}
		if allAnswered(why.hints, before.upTo) {
			e.count.read("late")
			return nil
		}
		if why.callback && !before.known {
			allowed, err := e.allowed(ctx, before)
			if err != nil {
				return err
			}
			if !allowed {
				e.count.read("unknown")
				return e.askWalk(ctx)
			}
		}
		if why.callback && before.known && !rested && e.rest(ctx, before) {
			rested = true
			continue // another may have read it meanwhile
		}
		after, err := e.reader.read(ctx, process)
		switch portal.KindOf(err) {
		case portal.NotFound, portal.Refused: // another broker's, or nobody's
			e.count.read("absent")
			return e.pictures.answer(ctx, process, why.upTo)
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
		done, err := e.pictures.commit(ctx, before, after, update, why.upTo)
		if err != nil {
			return err
		}
		if !done {
			e.count.read("lost")
			continue
		}
		if update == "" {
			e.count.read("same")
			return nil
		}
		e.count.read("moved")
		return e.handOn(ctx, process, []string{update})
	}
	return errMoved
}

func allAnswered(hints []string, upTo string) bool {
	if upTo == "" || len(hints) == 0 {
		return false
	}
	for _, id := range hints {
		if !answered(id, upTo) {
			return false
		}
	}
	return true
}

// compare gives the update between two pictures, sealed, "" where nothing moved, and numbers the later picture.
func (e *engine) compare(ctx context.Context, before sight, after *Snapshot, why look) (string, error) {
	after.Version, after.Read = before.picture.Version, e.config.Now().UTC()
	changes := diff(before.picture, *after)
	if !before.known {
		changes = nil
		if news, err := e.newsworthy(ctx, why); err != nil {
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
	return e.pictures.sealUpdate(Update{
		Process: after.Process, Version: after.Version, Number: after.Number, At: after.Read,
		Actor: why.actor, Owner: owner, Changes: changes, Snapshot: *after,
	})
}

// newsworthy tells whether a process that was never seen is a new one.
func (e *engine) newsworthy(ctx context.Context, why look) (bool, error) {
	if why.first {
		return false, nil
	}
	if e.walked.Load() {
		return true, nil
	}
	done, err := walkedOnce(ctx, e.stream.redis)
	e.walked.Store(done)
	return done, err
}

// handOn writes updates down and puts them on the desk, in order. Doing so again changes nothing.
func (e *engine) handOn(ctx context.Context, process uuid.UUID, pending []string) error {
	for _, text := range pending {
		update, err := e.pictures.openUpdate(text)
		if err != nil {
			return err
		}
		first, err := e.record.add(ctx, text)
		if err != nil {
			return err
		}
		if first {
			e.count.updated()
		}
		if err := e.desk.put(ctx, update); err != nil {
			return fmt.Errorf("putting an update on the desk: %w", err)
		}
		if err := e.pictures.pop(ctx, process, text); err != nil {
			return err
		}
	}
	return nil
}

// pause grows from failure to failure.
type pause struct{ least, most, now time.Duration }

func (p *pause) over() { p.now = 0 }

// wait waits twice as long as before, or as long as the bank says.
func (p *pause) wait(ctx context.Context, err error) {
	p.now = min(max(2*p.now, p.least), p.most)
	d := p.now
	if failure, ok := errors.AsType[*portal.Error](err); ok {
		d = min(max(d, failure.RetryAfter), p.most)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
