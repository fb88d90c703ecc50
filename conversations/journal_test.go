package conversations

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/waittest"
)

func TestOfAHundredConcurrentCallsExactlyOneBegins(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		replicas := []*Store{p.replica(t), p.replica(t)}
		replies := atOnce(100, func(i int) string {
			prior, first, err := replicas[i%2].Begin(context.Background(), "create 299999998", []byte("intent"), time.Minute)
			return fmt.Sprintf("first %t, prior %q, %v", first, prior, err)
		})
		if replies[`first true, prior "", <nil>`] != 1 || replies[`first false, prior "intent", <nil>`] != 99 {
			t.Errorf("got %v", replies)
		}
	})
}

func TestRepeatingAFinishedCallReturnsItsOutcome(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t)
		if _, first, err := s.Begin(t.Context(), "call", []byte("intent"), time.Minute); !first || err != nil {
			t.Fatalf("not first: %v", err)
		}
		wantCall(t, s, "call", "intent", 1, time.Minute)
		if err := s.Amend(t.Context(), "call", 1, []byte("intent, and what is known")); err != nil {
			t.Fatal(err)
		}
		wantCall(t, s, "call", "intent, and what is known", 1, time.Minute)
		if err := s.Finish(t.Context(), "call", 1, []byte("outcome")); err != nil {
			t.Fatal(err)
		}
		prior, first, err := s.Begin(t.Context(), "call", []byte("intent"), time.Minute)
		if first || err != nil || string(prior) != "outcome" {
			t.Errorf("a repetition gets %q, first %t, %v", prior, first, err)
		}
		wantCall(t, s, "call", "outcome", 0, 0)
		wantError(t, s.Finish(t.Context(), "call", 1, []byte("another outcome")), ErrConflict)
		wantError(t, s.Amend(t.Context(), "call", 1, []byte("another intent")), ErrConflict)
		wantError(t, s.Finish(t.Context(), "never begun", 1, []byte("outcome")), ErrGone)
		wantCall(t, s, "never begun", "", 0, 0)
	})
}

func TestAnOrphanedCallIsTakenOverOnceAndItsFormerHolderIsFenced(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		replicas := []*Store{p.replica(t), p.replica(t)}
		ctx := t.Context()
		if _, first, err := replicas[0].Begin(ctx, "call", []byte("intent"), time.Millisecond); !first || err != nil {
			t.Fatalf("not first: %v", err)
		}
		waittest.Eventually(t, "the lease expires", func() bool {
			_, token, lease, err := replicas[1].Look(ctx, "call")
			return err == nil && token == 1 && lease == 0
		})
		if _, first, err := replicas[1].Begin(ctx, "call", []byte("again"), time.Minute); first || err != nil {
			t.Errorf("Begin repeats an orphaned call: first %t, %v", first, err)
		}
		replies := atOnce(20, func(i int) string {
			return fmt.Sprint(replicas[i%2].TakeOver(context.Background(), "call", 1, time.Minute))
		})
		if replies["2 true <nil>"] != 1 || replies["0 false <nil>"] != 19 {
			t.Errorf("TakeOver returned %v", replies)
		}
		wantError(t, replicas[0].Amend(ctx, "call", 1, []byte("late")), ErrConflict)
		wantError(t, replicas[0].Finish(ctx, "call", 1, []byte("late")), ErrConflict)
		wantCall(t, replicas[0], "call", "intent", 2, time.Minute)
		if err := replicas[1].Finish(ctx, "call", 2, []byte("outcome")); err != nil {
			t.Error(err)
		}
		wantCall(t, replicas[0], "call", "outcome", 0, 0)
		for _, key := range []string{"call", "never begun"} {
			if _, taken, err := replicas[0].TakeOver(ctx, key, 1, time.Minute); taken || err != nil {
				t.Errorf("%s is taken over: %t, %v", key, taken, err)
			}
		}
	})
}

func TestACallThatIsHeldIsNotTakenOver(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t)
		if _, first, err := s.Begin(t.Context(), "call", nil, time.Minute); !first || err != nil {
			t.Fatalf("not first: %v", err)
		}
		if _, taken, err := s.TakeOver(t.Context(), "call", 1, time.Minute); taken || err != nil {
			t.Errorf("it is taken over: %t, %v", taken, err)
		}
	})
}

// wantCall checks the journal for a call; the lease left may be down to half of lease.
func wantCall(t *testing.T, s *Store, key, record string, token int64, lease time.Duration) {
	t.Helper()
	gotRecord, gotToken, gotLease, err := s.Look(t.Context(), key)
	if err != nil || string(gotRecord) != record || gotToken != token || gotLease > lease || gotLease < lease/2 {
		t.Errorf("the journal has %q with token %d for %s, %v", gotRecord, gotToken, gotLease, err)
	}
}
