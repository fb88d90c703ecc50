package notifications

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/portal"
)

const (
	reconciliationKey   = "reconciliation" // first, done, simulation_done: when the first and the last one ended, in ms; requested: the id of the latest request
	reconciliationLease = "reconciliation" // the subject of the lease
	pageSize            = 100
	maxPages            = 1000
	maxSnapshotAge      = 24 * time.Hour // since the list does not show everything, such as the borrowers
	clockSlack          = 10 * time.Minute
)

// reconciler compares the bank's lists of processes and simulations with the snapshots, slowly and from one replica at a time, and so
// finds what callbacks missed. The first reconciliation reads each, so that one that appears later is known to be
// new.
type reconciler struct {
	config Config
	redis  redis.UniversalClient
	engine *engine
	phases *phases
}

// run reconciles whenever it is due, until ctx ends.
func (r *reconciler) run(ctx context.Context) error {
	delay := retryDelay{min: r.config.Lease / 3, max: r.config.ReconcileInterval}
	for ctx.Err() == nil {
		err := r.runIfDue(ctx)
		if err != nil && ctx.Err() == nil {
			r.config.Log.WarnContext(ctx, "reconciliation failed", "error", err)
			r.engine.instruments.retry()
		} else {
			delay.reset()
		}
		delay.wait(ctx, err)
	}
	return nil
}

// runIfDue reconciles if it is due and no other replica does.
func (r *reconciler) runIfDue(ctx context.Context) error {
	due, _, err := r.due(ctx)
	if err != nil || !due {
		return err
	}
	_, err = r.config.Store.WithLease(ctx, reconciliationLease, r.config.Lease, func(ctx context.Context) error {
		due, requested, err := r.due(ctx) // another replica may have finished one
		if err != nil || !due {
			return err
		}
		return r.reconcile(ctx, requested)
	})
	return err
}

// due reports whether a reconciliation is due, and the id of the request for one. A requested one is due after a
// fifteenth of the interval, so that a flood of requests does not cause a flood of reconciliations.
func (r *reconciler) due(ctx context.Context) (due bool, requested string, err error) {
	done, requested, err := lastReconciliation(ctx, r.redis)
	since := r.config.Now().Sub(done)
	return done.IsZero() || since >= r.config.ReconcileInterval || requested != "" && since >= r.config.ReconcileInterval/15, requested, err
}

// lastReconciliation returns when the last reconciliation ended, and the id of the latest request for another.
func lastReconciliation(ctx context.Context, client redis.UniversalClient) (done time.Time, requested string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	fields, err := client.HMGet(ctx, reconciliationKey, "done", "requested").Result()
	if err != nil {
		return time.Time{}, "", redisError("reading the last reconciliation", err)
	}
	if text, ok := fields[0].(string); ok {
		millis, _ := strconv.ParseInt(text, 10, 64) // setField writes a number
		done = time.UnixMilli(millis)
	}
	requested, _ = fields[1].(string)
	return done, requested, nil
}

// reconciledOnce reports whether the first reconciliation of processes or of simulations is done.
func reconciledOnce(ctx context.Context, client redis.UniversalClient, kind string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	done, err := client.HExists(ctx, reconciliationKey, doneField(kind)).Result()
	return done, redisError("reading the last reconciliation", err)
}

// request requests a reconciliation before the next regular one. Many requests cause one.
func (r *reconciler) request(ctx context.Context) error {
	return r.setField(ctx, "requested", uuid.NewString())
}

func (r *reconciler) setField(ctx context.Context, field, value string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := r.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.HSet(ctx, reconciliationKey, field, value)
		pipe.PExpire(ctx, reconciliationKey, snapshotTTL)
		return nil
	})
	return redisError("storing the state of the reconciliation", err)
}

// setDone stores that a reconciliation has ended.
func (r *reconciler) setDone(ctx context.Context) error {
	now := strconv.FormatInt(r.config.Now().UnixMilli(), 10)
	first, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := r.redis.HSetNX(first, reconciliationKey, "first", now).Err(); err != nil {
		return redisError("storing the first reconciliation", err)
	}
	return r.setField(ctx, "done", now)
}

var clearRequest = redis.NewScript(`
if redis.call('HGET', KEYS[1], 'requested') == ARGV[1] then redis.call('HDEL', KEYS[1], 'requested') end
return 1`)

// reconcile reads the whole lists. A request made after it began stays.
func (r *reconciler) reconcile(ctx context.Context, requested string) error {
	if err := r.compareList(ctx, "process", r.processes); err != nil {
		return err
	}
	if err := r.reconcileSimulations(ctx); err != nil {
		return err
	}
	if err := r.setDone(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return redisError("clearing the request for a reconciliation", clearRequest.Run(ctx, r.redis, []string{reconciliationKey}, requested).Err())
}

// reconcileSimulations is the part of a reconciliation that is about simulations. A bank that does not list them does not hold up
// the processes.
func (r *reconciler) reconcileSimulations(ctx context.Context) error {
	err := r.compareList(ctx, "simulation", r.simulations)
	switch {
	case err == nil:
		return r.setField(ctx, doneField("simulation"), strconv.FormatInt(r.config.Now().UnixMilli(), 10))
	case errors.Is(err, conversations.ErrUnavailable) || ctx.Err() != nil:
		return err
	}
	switch portal.KindOf(err) {
	case portal.Unavailable, portal.TooMany, portal.LoginRefused, portal.Unauthorized:
		return err
	}
	r.config.Log.WarnContext(ctx, "simulations cannot be listed, only callbacks tell of their changes", "error", err)
	return nil
}

// doneField is the field that says when a list was last read to its end.
func doneField(kind string) string {
	if kind == "process" {
		return "done"
	}
	return kind + "_done"
}

// listed is a row of the bank's list of processes or simulations.
type listed struct {
	Subject
	statusID   int32
	status     string
	lastAction time.Time
}

// rows is a page of a list.
type rows struct {
	listed []listed
	total  int
	next   string
}

// compareList compares each row of a list with its snapshot.
func (r *reconciler) compareList(ctx context.Context, kind string, list func(ctx context.Context, after string) (rows, error)) error {
	known, err := reconciledOnce(ctx, r.redis, kind)
	if err != nil {
		return err
	}
	run, err := r.beginList(ctx, kind)
	if err != nil {
		return err
	}
	var read, unreadable, count int
	after, whole := "", false
	for range maxPages {
		page, err := list(ctx, after)
		if err != nil {
			return fmt.Errorf("listing the %ss: %w", kind, err)
		}
		for _, row := range page.listed {
			ok, err := r.compareRow(ctx, row, !known)
			if err != nil {
				return err
			}
			if ok {
				read++
			} else {
				unreadable++
			}
		}
		count += len(page.listed)
		if page.next == "" {
			whole = count >= page.total
			break
		}
		if page.next == after {
			return fmt.Errorf("listing the %ss: the bank repeats a page", kind)
		}
		after = page.next
		pace := retryDelay{min: r.config.PageInterval, max: r.config.PageInterval}
		if pace.wait(ctx, nil); ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if read == 0 && unreadable > 0 { // else each would be new as soon as it can be read
		return fmt.Errorf("no %s of the list can be read", kind)
	}
	if whole && run > 0 {
		return r.config.Index.EndList(ctx, run)
	}
	return nil
}

// processes returns a page of the list of processes, and stores it in the index.
func (r *reconciler) processes(ctx context.Context, after string) (found rows, err error) {
	page, err := r.config.Bank.ListProcesses(ctx, portal.ProcessQuery{Limit: pageSize, After: after})
	if err != nil {
		return rows{}, err
	}
	if r.config.Index != nil {
		if err := r.config.Index.AddProcesses(ctx, page.Processes); err != nil {
			return rows{}, err
		}
	}
	for _, p := range page.Processes {
		found.listed = append(found.listed, listed{OfProcess(p.ProcessUniqueID), p.ProcessStatusID, p.ProcessStatusDescription, p.LastActionDate.Time})
	}
	found.total, found.next = page.TotalRecords, page.Next
	return found, nil
}

// simulations returns a page of the list of simulations.
func (r *reconciler) simulations(ctx context.Context, after string) (found rows, err error) {
	page, err := r.config.Bank.ListSimulations(ctx, portal.SimulationQuery{Limit: pageSize, After: after})
	if err != nil {
		return rows{}, err
	}
	for _, s := range page.Simulations {
		found.listed = append(found.listed, listed{OfSimulation(s.SimulationUniqueID), s.SimulationStatusID, s.SimulationStatusDescription, s.LastActionDate.Time})
	}
	found.total, found.next = page.TotalRecords, page.Next
	return found, nil
}

// beginList returns the number of a reading of the list of processes for the index, 0 if there is no index.
func (r *reconciler) beginList(ctx context.Context, kind string) (run int64, err error) {
	if r.config.Index == nil || kind != "process" {
		return 0, nil
	}
	return r.config.Index.BeginList(ctx)
}

// compareRow adds a trigger for a process or simulation whose row does not fit its snapshot. In the first reconciliation it
// stores the snapshot instead, and reports false if it cannot be read.
func (r *reconciler) compareRow(ctx context.Context, row listed, first bool) (bool, error) {
	seen, err := r.engine.snapshots.load(ctx, row.Subject)
	switch {
	case err != nil:
		return false, err
	case first && !seen.known:
		upTo, err := r.engine.stream.newestID(ctx)
		if err != nil {
			return false, err
		}
		err = r.engine.refresh(ctx, row.Subject, cause{upTo: upTo, scope: scope{whole: true}, silent: true})
		if err != nil && !transient(err) {
			r.config.Log.ErrorContext(ctx, "reading a listed subject failed", "subject", row.Subject, "error", err)
			return false, nil // the others are still compared
		}
		return err == nil, err
	case !r.isCurrent(ctx, row, seen):
		err = r.engine.stream.add(ctx, Trigger{Subject: row.Subject, Source: Reconciler})
	}
	return err == nil, err
}

// isCurrent reports whether what is listed need not be read. One that has ended, and was read since, is never read again.
func (r *reconciler) isCurrent(ctx context.Context, row listed, seen storedState) bool {
	snapshot, acted := seen.snapshot, row.lastAction
	if !seen.known || len(seen.pending) > 0 || snapshot.StatusID != row.statusID {
		return false
	}
	// If all of it was read after the action and does not show it, it never will.
	read, seenAction := snapshot.wholeState()
	if acted.After(seenAction) && !read.After(acted.Add(clockSlack)) {
		return false
	}
	return r.phases.ended(ctx, row.Subject, row.statusID, row.status) || r.config.Now().Sub(read) < maxSnapshotAge
}
