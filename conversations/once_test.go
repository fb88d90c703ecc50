package conversations

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/waittest"
)

func TestOfAHundredConcurrentClaimsThoseOfOneUserSucceed(t *testing.T) {
	on(t, func(t *testing.T, p *testRedis) {
		replicas := []*Store{p.replica(t), p.replica(t)}
		replies := atOnce(100, func(i int) string { // each of 50 asks twice
			claimed, err := replicas[i%2].Claim(context.Background(), "confirmation", "one", fmt.Sprint("maria@example.com ", i%50), time.Minute)
			return fmt.Sprintf("%t, %v", claimed, err)
		})
		if replies["true, <nil>"] != 2 || replies["false, <nil>"] != 98 {
			t.Errorf("got %v", replies)
		}
		if !must(replicas[1].Claimed(t.Context(), "confirmation", "one"))(t) || must(replicas[1].Claimed(t.Context(), "confirmation", "another"))(t) {
			t.Error("Claimed returned the opposite")
		}
		if !must(replicas[0].Claim(t.Context(), "confirmation", "another", "b", time.Minute))(t) {
			t.Error("a claim of one id is a claim of another")
		}
		must(replicas[0].Claim(t.Context(), "confirmation", "expiring", "a", time.Millisecond))(t)
		waittest.Eventually(t, "a claim has expired", func() bool {
			return must(replicas[1].Claim(t.Context(), "confirmation", "expiring", "b", time.Millisecond))(t)
		})
	}, embeddedRedis, oneNode, aCluster)
}

func TestOfAHundredConcurrentDeliveriesOneIsNew(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		replicas := []*Store{p.replica(t), p.replica(t)}
		mark := func(i int) string {
			isNew, err := replicas[i%2].MarkSeen(context.Background(), "slack", "Ev {1}\r\n maria@example.com", time.Minute)
			return fmt.Sprint(isNew, err)
		}
		if replies := atOnce(100, mark); replies["true <nil>"] != 1 || replies["false <nil>"] != 99 {
			t.Errorf("got %v", replies)
		}
		if !must(replicas[0].MarkSeen(t.Context(), "teams", "Ev {1}\r\n maria@example.com", time.Minute))(t) {
			t.Error("the same id in another scope is not new")
		}
		if err := replicas[1].Forget(t.Context(), "slack", "Ev {1}\r\n maria@example.com"); err != nil {
			t.Fatal(err)
		}
		if replies := mark(0); replies != "true <nil>" {
			t.Errorf("after Forget, it is %s", replies)
		}
	})
}

func TestADeliveryIsNewAgainAfterItsLifetime(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t)
		must(s.MarkSeen(t.Context(), "slack", "Ev1", time.Millisecond))(t)
		waittest.Eventually(t, "it is new again", func() bool { return must(s.MarkSeen(t.Context(), "slack", "Ev1", time.Millisecond))(t) })
	})
}
