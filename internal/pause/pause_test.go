package pause_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balcao/balcao/internal/pause"
)

func TestForEndsWithItsContext(t *testing.T) {
	for _, c := range []struct {
		name     string
		ctx      func(context.Context) (context.Context, context.CancelFunc)
		pause    time.Duration
		want     bool
		wantTime time.Duration
	}{
		{"no end", context.WithCancel, time.Minute, true, time.Minute},
		{"no pause", context.WithCancel, -time.Second, true, 0},
		{"a later deadline", timeout(time.Hour), time.Minute, true, time.Minute},
		{"an earlier deadline", timeout(time.Second), time.Minute, false, 0},
		{"cancelled meanwhile", cancelled(time.Second), time.Minute, false, time.Second},
		{"cancelled before", cancelled(0), -time.Second, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := c.ctx(t.Context())
				defer cancel()
				start := time.Now()
				if got := pause.For(ctx, c.pause); got != c.want || time.Since(start) != c.wantTime {
					t.Errorf("got %v after %v, want %v after %v", got, time.Since(start), c.want, c.wantTime)
				}
			})
		})
	}
}

func timeout(d time.Duration) func(context.Context) (context.Context, context.CancelFunc) {
	return func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, d) }
}

func cancelled(after time.Duration) func(context.Context) (context.Context, context.CancelFunc) {
	return func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		if after == 0 {
			cancel()
		} else {
			time.AfterFunc(after, cancel)
		}
		return ctx, cancel
	}
}
