// Package refusals logs refused requests at a limited rate, with the number of those not logged, so that a flood does not
// fill the log.
package refusals

import (
	"context"
	"log/slog"
	"sync/atomic"

	"golang.org/x/time/rate"
)

// perSecond is the rate and the burst of logged refusals.
const perSecond = 20

// Log logs refusals. It is safe for concurrent use.
type Log struct {
	to       *slog.Logger
	budget   *rate.Limiter
	unlogged atomic.Int64 // since the last logged refusal
}

// New returns a Log that logs to to.
func New(to *slog.Logger) *Log {
	return &Log{to: to, budget: rate.NewLimiter(perSecond, perSecond)}
}

// Warn logs a refusal, or counts it if the rate is exceeded.
func (l *Log) Warn(ctx context.Context, msg string, args ...any) {
	if !l.budget.Allow() {
		l.unlogged.Add(1)
		return
	}
	l.to.WarnContext(ctx, msg, append(args, "unlogged", l.unlogged.Swap(0))...)
}
