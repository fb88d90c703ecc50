package wiring

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/tools"
)

// sweeping finishes, now and then until stop is called, the calls that were left behind: by this replica before it was
// ended, or by another.
func sweeping(runner *tools.Runner, log *slog.Logger) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for pause(ctx, runner.CallTimeout) {
			round, over := context.WithTimeout(ctx, 2*runner.CallTimeout)
			finished, err := runner.Sweep(round)
			over()
			if finished > 0 {
				log.Info("finished what was left behind", "calls", finished)
			}
			if err != nil && ctx.Err() == nil {
				log.Warn("calls stay open", "error", pii.Scrub(err.Error()))
			}
		}
	}()
	return func() error {
		cancel()
		<-ended
		return nil
	}
}

// pause waits for a quarter to three quarters of a call's time, so that replicas started together do not look together.
// It tells whether ctx goes on after it.
func pause(ctx context.Context, call time.Duration) bool {
	timer := time.NewTimer(call/4 + rand.N(call/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
