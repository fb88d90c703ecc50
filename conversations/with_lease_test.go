package conversations

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/waittest"
)

const shortLease = 300 * time.Millisecond

func TestALeaseThatIsLostCancelsTheWork(t *testing.T) {
	t.Parallel()
	server, keys := redistest.StartServer(t), newKeys(t)
	one, other := open(t, server.URL(), keys), open(t, server.URL(), keys)
	for name, lose := range map[string]func(){
		"another holder": func() {
			if err := one.redis.HSet(t.Context(), one.leaseKey("work"), "token", 1000, "claimer", "another").Err(); err != nil {
				t.Fatal(err)
			}
		},
		// Redis lost its data, and the next holder got the same token.
		"the same token": func() {
			one.redis.Del(t.Context(), one.leaseKey("work"))
			if token, _, _, err := other.Acquire(t.Context(), "work", "", time.Minute); err != nil || token != 1 {
				t.Fatal(token, err)
			}
		},
		"no data": func() { one.redis.Del(t.Context(), one.leaseKey("work")) },
	} {
		one.redis.Del(t.Context(), one.leaseKey("work"))
		cancelled := false
		ran, err := one.WithLease(t.Context(), "work", shortLease, func(ctx context.Context) error {
			lose()
			select {
			case <-ctx.Done():
				cancelled = true
			case <-time.After(20 * time.Second):
			}
			return nil
		})
		if !ran || err != nil || !cancelled {
			t.Errorf("%s: ran %v, cancelled %v, %v", name, ran, cancelled, err)
		}
		if name != "the same token" {
			continue
		}
		if token, _, left, err := one.Acquire(t.Context(), "work", "", shortLease); token != 0 || left <= 0 || err != nil {
			t.Errorf("the other's lease was ended: token %d, %s left, %v", token, left, err)
		}
	}
}

func TestOneAtATimeWorksWithALease(t *testing.T) {
	t.Parallel()
	server, keys := redistest.StartServer(t), newKeys(t)
	one, other := open(t, server.URL(), keys), open(t, server.URL(), keys)
	failure := errors.New("it failed")
	ran, err := one.WithLease(t.Context(), "work", 3*time.Second, func(ctx context.Context) error {
		end := one.redis.HGet(ctx, one.leaseKey("work"), "until").Val()
		waittest.Eventually(t, "the lease was extended", func() bool {
			return one.redis.HGet(ctx, one.leaseKey("work"), "until").Val() > end
		})
		ran, err := other.WithLease(ctx, "work", 3*time.Second, func(context.Context) error {
			t.Error("two work at once")
			return nil
		})
		if ran || err != nil {
			t.Errorf("the other ran %v, %v", ran, err)
		}
		return failure
	})
	if !ran || !errors.Is(err, failure) {
		t.Errorf("ran %v, %v", ran, err)
	}
	ran, err = other.WithLease(t.Context(), "work", 3*time.Second, func(context.Context) error { return nil })
	if !ran || err != nil {
		t.Errorf("after the lease was released, the other ran %v, %v", ran, err)
	}
}
