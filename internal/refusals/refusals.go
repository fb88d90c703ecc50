// Package refusals logs requests that anybody can make and that are refused: some of them each second, and how many were
// left out, so that a flood does not fill the log.
package refusals

import (
	"context"
	"log/slog"
	"sync/atomic"

	"golang.org/x/time/rate"
)

// perSecond are logged, and as many at once.
const perSecond = 20

// Log is safe for use by many at once.
type Log struct {
	to       *slog.Logger
	budget   *rate.Limiter
	unlogged atomic.Int64 // since the last that was logged
}

// New returns a Log that writes to a logger.
func New(to *slog.Logger) *Log {
	return &Log{to: to, budget: rate.NewLimiter(perSecond, perSecond)}
}

// Warn logs one refusal or counts it.
func (l *Log) Warn(ctx context.Context, msg string, args ...any) {
	if !l.budget.Allow() {
		l.unlogged.Add(1)
		return
	}
	l.to.WarnContext(ctx, msg, append(args, "unlogged", l.unlogged.Swap(0))...)
}
