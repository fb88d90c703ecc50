// Package pause waits between two attempts, and ends the wait with its context.
package pause

import (
	"context"
	"time"
)

// For waits for d and returns true, or returns false if ctx ends first. It returns false at once if the deadline of ctx
// comes before d is over.
func For(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
