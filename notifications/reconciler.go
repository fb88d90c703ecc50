package notifications

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/portal"
)

const (
	reconciliationKey   = "reconciliation" // first, done: when the first and the last one ended, in ms; requested: the id of the latest request
	reconciliationLease = "reconciliation" // the subject of the lease
	pageSize            = 100
	maxPages            = 1000
	maxSnapshotAge      = 24 * time.Hour // since the list does not show everything, such as the borrowers
	clockSlack          = 10 * time.Minute
)

// reconciler compares the bank's list of processes with the snapshots, slowly and from one replica at a time, and so
// finds what callbacks missed. The first reconciliation reads each process, so that one that appears later is known to
// be new.
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

// reconciledOnce reports whether the first reconciliation is done.
func reconciledOnce(ctx context.Context, client redis.UniversalClient) (bool, error) {
	done, _, err := lastReconciliation(ctx, client)
	return !done.IsZero(), err
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

// reconcile reads the whole list. A request made after it began stays.
func (r *reconciler) reconcile(ctx context.Context, requested string) error {
	known, err := reconciledOnce(ctx, r.redis)
	if err != nil {
		return err
	}
	run, err := r.beginList(ctx)
	if err != nil {
		return err
	}
	var query = portal.ProcessQuery{Limit: pageSize}
	var read, unreadable, listed int
	whole := false
	for range maxPages {
		page, err := r.config.Bank.ListProcesses(ctx, query)
		if err != nil {
			return fmt.Errorf("listing processes: %w", err)
		}
		if r.config.Index != nil {
			if err := r.config.Index.AddProcesses(ctx, page.Processes); err != nil {
				return err
			}
		}
		for _, row := range page.Processes {
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
		listed += len(page.Processes)
		if page.Next == "" {
			whole = listed >= page.TotalRecords
			break
		}
		if page.Next == query.After {
			return errors.New("listing processes: the bank repeats a page")
		}
		query.After = page.Next
		pace := retryDelay{min: r.config.PageInterval, max: r.config.PageInterval}
		if pace.wait(ctx, nil); ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if read == 0 && unreadable > 0 { // else each would be new as soon as it can be read
		return errors.New("no process of the list can be read")
	}
	if whole && r.config.Index != nil {
		if err := r.config.Index.EndList(ctx, run); err != nil {
			return err
		}
	}
	if err := r.setDone(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return redisError("clearing the request for a reconciliation", clearRequest.Run(ctx, r.redis, []string{reconciliationKey}, requested).Err())
}

// beginList returns the number of a reading of the list for the index, if there is one.
func (r *reconciler) beginList(ctx context.Context) (run int64, err error) {
	if r.config.Index == nil {
		return 0, nil
	}
	return r.config.Index.BeginList(ctx)
}

// compareRow adds a trigger for a process whose row does not fit its snapshot. In the first reconciliation it stores
// the snapshot instead, and reports false if the process cannot be read.
func (r *reconciler) compareRow(ctx context.Context, row portal.ProcessSummary, first bool) (bool, error) {
	seen, err := r.engine.snapshots.load(ctx, OfProcess(row.ProcessUniqueID))
	switch {
	case err != nil:
		return false, err
	case first && !seen.known:
		upTo, err := r.engine.stream.newestID(ctx)
		if err != nil {
			return false, err
		}
		err = r.engine.refresh(ctx, OfProcess(row.ProcessUniqueID), cause{upTo: upTo, silent: true})
		if err != nil && !transient(err) {
			r.config.Log.ErrorContext(ctx, "reading a process failed", "process", row.ProcessUniqueID, "error", err)
			return false, nil // the other processes are still compared
		}
		return err == nil, err
	case !r.isCurrent(ctx, row, seen):
		err = r.engine.stream.add(ctx, Trigger{Subject: OfProcess(row.ProcessUniqueID), Source: Reconciler})
	}
	return err == nil, err
}

// isCurrent reports whether a process need not be read. One that has ended, and was read since, is never read again.
func (r *reconciler) isCurrent(ctx context.Context, row portal.ProcessSummary, seen storedState) bool {
	snapshot, acted := seen.snapshot, row.LastActionDate.Time
	if !seen.known || len(seen.pending) > 0 || snapshot.StatusID != row.ProcessStatusID {
		return false
	}
	if r.phases.ended(ctx, row.ProcessStatusID, row.ProcessStatusDescription) {
		return true
	}
	// If the process was read after the action and does not show it, it never will.
	missed := acted.After(snapshot.LastAction) && !snapshot.Read.After(acted.Add(clockSlack))
	return !missed && r.config.Now().Sub(snapshot.Read) < maxSnapshotAge
}
