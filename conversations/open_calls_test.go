package conversations

import (
	"fmt"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/waittest"
)

func TestOrphanedReturnsTheOldestCallsFirstAndNoOthers(t *testing.T) {
	on(t, func(t *testing.T, p *testRedis) {
		lives := WithLives(Lives{Call: time.Minute, Recovery: 200 * time.Millisecond})
		one, other := p.replica(t, lives), p.replica(t, lives)
		ctx := t.Context()
		begin := func(key string, lease time.Duration) {
			if _, first, err := one.Begin(ctx, key, []byte(key), lease); !first || err != nil {
				t.Fatalf("not first: %v", err)
			}
		}
		found := func(limit int) string {
			intents, err := other.Orphaned(ctx, limit)
			return fmt.Sprintf("%s %v", intents, err)
		}
		begin("held", time.Minute)
		begin("finished", time.Millisecond)
		begin("first", 2*time.Millisecond)
		begin("second", 30*time.Millisecond)
		if err := one.Finish(ctx, "finished", 1, []byte("outcome")); err != nil {
			t.Fatal(err)
		}
		waittest.Eventually(t, "both are found", func() bool { return found(10) == "[first second] <nil>" })
		if got := found(1); got != "[first] <nil>" {
			t.Errorf("of one, got %s", got)
		}
		if _, taken, err := one.TakeOver(ctx, "first", 1, time.Minute); !taken || err != nil {
			t.Fatal(taken, err)
		}
		if got := found(10); got != "[second] <nil>" {
			t.Errorf("after the first was taken over, got %s", got)
		}
		must(one.redis.Del(ctx, one.callKey("second")).Result())(t)
		if got := found(10); got != "[] <nil>" {
			t.Errorf("after the second expired, got %s", got)
		}
		if left := must(one.redis.ZRange(ctx, openCallsKey, 0, -1).Result())(t); len(left) != 2 {
			t.Errorf("the index has %v, want the two calls that are held", left)
		}
	}, embeddedRedis, oneNode, aCluster)
}
