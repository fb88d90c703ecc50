package app

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/pause"
	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/tools"
)

// About the longest time between two checks whether the store has lost its data. One in memory is lost only with the program:
// the checks keep its epoch from expiring.
const (
	lossCheckInterval       = 2 * time.Second
	lossCheckIntervalMemory = time.Hour
)

// approvalCheckInterval is about the longest time between two checks for approvals that are due.
const approvalCheckInterval = 20 * time.Second

// startRecovery finishes orphaned calls of this and other replicas at intervals, until stop is called.
func startRecovery(runner *tools.Runner, lossCheck time.Duration, log *slog.Logger) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	var working sync.WaitGroup
	working.Go(func() {
		for pause.For(ctx, jitter(runner.CallTimeout)) {
			round, over := context.WithTimeout(ctx, 2*runner.CallTimeout)
			finished, err := runner.Recover(round)
			over()
			if finished > 0 {
				log.Info("finished orphaned calls", "calls", finished)
			}
			if err != nil && ctx.Err() == nil {
				log.Warn("recovering orphaned calls failed", "error", pii.Scrub(err.Error()))
			}
		}
	})
	working.Go(func() {
		ended := false
		for wait := time.Duration(0); pause.For(ctx, wait); wait = jitter(approvalCheckInterval) {
			round, over := context.WithTimeout(ctx, 2*runner.CallTimeout)
			var err error
			if !ended {
				err = runner.EndRemovedApprovals(round)
				ended = err == nil
			}
			err = errors.Join(err, runner.SettleApprovals(round))
			over()
			if err != nil && ctx.Err() == nil {
				log.Warn("ending approvals failed", "error", pii.Scrub(err.Error()))
			}
		}
	})
	working.Go(func() {
		for pause.For(ctx, jitter(lossCheck)) {
			runner.NoticeLoss(ctx)
		}
	})
	return func() error {
		cancel()
		working.Wait()
		return nil
	}
}

// startCheckpoints joins the chains of the audit log at intervals, until stop is called.
func startCheckpoints(store *conversations.Store, log *slog.Logger) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	var working sync.WaitGroup
	working.Go(func() {
		for pause.For(ctx, jitter(2*conversations.CheckpointEvery)) {
			if err := store.Checkpoint(ctx); err != nil && ctx.Err() == nil {
				log.Warn("writing a checkpoint of the audit log failed", "error", err)
			}
		}
	})
	return func() error {
		cancel()
		working.Wait()
		return nil
	}
}

// startReadingLists reads the bank's list of processes when somebody waits for it, until stop is called.
func startReadingLists(runner *tools.Runner) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	var reading sync.WaitGroup
	reading.Go(func() { runner.ReadLists(ctx) })
	return func() error {
		cancel()
		reading.Wait()
		return nil
	}
}

// jitter returns a quarter to three quarters of d, so that replicas started together do not run together.
func jitter(d time.Duration) time.Duration { return d/4 + rand.N(d/2) }
