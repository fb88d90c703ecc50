package app

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/balcao/balcao/internal/pause"
	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/tools"
)

// noticeEvery is the longest time, about, between two looks whether Redis has lost its data.
const noticeEvery = 2 * time.Second

// sweeping finishes, now and then until stop is called, the calls that were left behind: by this replica before it was
// ended, or by another.
func sweeping(runner *tools.Runner, log *slog.Logger) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	var working sync.WaitGroup
	working.Go(func() {
		for pause.For(ctx, between(runner.CallTimeout)) {
			round, over := context.WithTimeout(ctx, 2*runner.CallTimeout)
			finished, err := runner.Recover(round)
			over()
			if finished > 0 {
				log.Info("finished what was left behind", "calls", finished)
			}
			if err != nil && ctx.Err() == nil {
				log.Warn("calls stay open", "error", pii.Scrub(err.Error()))
			}
		}
	})
	working.Go(func() {
		for pause.For(ctx, between(noticeEvery)) {
			runner.NoticeLoss(ctx)
		}
	})
	return func() error {
		cancel()
		working.Wait()
		return nil
	}
}

// between returns a quarter to three quarters of d, so that replicas started together do not work together.
func between(d time.Duration) time.Duration { return d/4 + rand.N(d/2) }
