package notifications

import (
	"testing"
	"time"
)

func TestTheHistoryBeginsWithTheFirstReconciliation(t *testing.T) {
	t.Parallel()
	onEveryRedis(t, func(t *testing.T, env *bankEnv) {
		var passed time.Duration
		began := time.Now().Truncate(time.Millisecond)
		s := runEngine(t, env.replica(t, func(c *Config) { c.Now = func() time.Time { return began.Add(passed) } }))
		horizon := func() Horizon {
			t.Helper()
			found, err := s.Horizon(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
		if got := horizon(); !got.From.IsZero() || !got.Checked.IsZero() {
			t.Errorf("before the first one, got %+v", got)
		}
		reconcile(t, s)
		passed = time.Hour
		reconcile(t, s)
		if got := horizon(); !got.From.Equal(began) || !got.Checked.Equal(began.Add(time.Hour)) {
			t.Errorf("after two, got %+v, began %v", got, began)
		}
		passed = changelogTTL + 24*time.Hour
		if got := horizon(); !got.From.Equal(began.Add(24*time.Hour)) || !got.Late {
			t.Errorf("when the oldest updates are no longer kept, got %+v", got)
		}
	})
}
