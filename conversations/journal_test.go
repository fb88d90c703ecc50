package conversations

import (
	"context"
	"fmt"
	"testing"
	"time"
)

func TestOfAHundredWhoBeginACallExactlyOneIsFirst(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		replicas := []*Store{p.replica(t), p.replica(t)}
		said := atOnce(100, func(i int) string {
			prior, first, err := replicas[i%2].Begin(context.Background(), "create 299999998", []byte("intent"), time.Minute)
			return fmt.Sprintf("first %t, prior %q, %v", first, prior, err)
		})
		if said[`first true, prior "", <nil>`] != 1 || said[`first false, prior "intent", <nil>`] != 99 {
			t.Errorf("got %v", said)
		}
	})
}

func TestAFinishedCallGivesItsOutcomeToWhoeverRepeatsIt(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		s := p.replica(t)
		if _, first, err := s.Begin(t.Context(), "call", []byte("intent"), time.Minute); !first || err != nil {
			t.Fatalf("not first: %v", err)
		}
		wantEntry(t, s, "call", "intent", 1, time.Minute)
		if err := s.Amend(t.Context(), "call", 1, []byte("intent, and what is known")); err != nil {
			t.Fatal(err)
		}
		wantEntry(t, s, "call", "intent, and what is known", 1, time.Minute)
		if err := s.Finish(t.Context(), "call", 1, []byte("outcome")); err != nil {
			t.Fatal(err)
		}
		prior, first, err := s.Begin(t.Context(), "call", []byte("intent"), time.Minute)
		if first || err != nil || string(prior) != "outcome" {
			t.Errorf("a repetition gets %q, first %t, %v", prior, first, err)
		}
		wantEntry(t, s, "call", "outcome", 0, 0)
		wantError(t, s.Finish(t.Context(), "call", 1, []byte("another outcome")), ErrConflict)
		wantError(t, s.Amend(t.Context(), "call", 1, []byte("another intent")), ErrConflict)
		wantError(t, s.Finish(t.Context(), "never begun", 1, []byte("outcome")), ErrGone)
		wantEntry(t, s, "never begun", "", 0, 0)
	})
}

func TestAnAbandonedCallIsTakenOverByExactlyOneAndItsFormerHolderIsFenced(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		replicas := []*Store{p.replica(t), p.replica(t)}
		ctx := t.Context()
		if _, first, err := replicas[0].Begin(ctx, "call", []byte("intent"), time.Millisecond); !first || err != nil {
			t.Fatalf("not first: %v", err)
		}
		eventually(t, "the lease expires", func() bool {
			_, token, lease, err := replicas[1].Look(ctx, "call")
			return err == nil && token == 1 && lease == 0
		})
		if _, first, err := replicas[1].Begin(ctx, "call", []byte("again"), time.Minute); first || err != nil {
			t.Errorf("beginning again repeats an abandoned call blindly: first %t, %v", first, err)
		}
		said := atOnce(20, func(i int) string {
			return fmt.Sprint(replicas[i%2].TakeOver(context.Background(), "call", 1, time.Minute))
		})
		if said["2 true <nil>"] != 1 || said["0 false <nil>"] != 19 {
			t.Errorf("of those who take over: %v", said)
		}
		wantError(t, replicas[0].Amend(ctx, "call", 1, []byte("late")), ErrConflict)
		wantError(t, replicas[0].Finish(ctx, "call", 1, []byte("late")), ErrConflict)
		wantEntry(t, replicas[0], "call", "intent", 2, time.Minute)
		if err := replicas[1].Finish(ctx, "call", 2, []byte("outcome")); err != nil {
			t.Error(err)
		}
		wantEntry(t, replicas[0], "call", "outcome", 0, 0)
		for _, key := range []string{"call", "never begun"} {
			if _, taken, err := replicas[0].TakeOver(ctx, key, 1, time.Minute); taken || err != nil {
				t.Errorf("%s is taken over: %t, %v", key, taken, err)
			}
		}
	})
}

func TestACallThatIsHeldIsNotTakenOver(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		s := p.replica(t)
		if _, first, err := s.Begin(t.Context(), "call", nil, time.Minute); !first || err != nil {
			t.Fatalf("not first: %v", err)
		}
		if _, taken, err := s.TakeOver(t.Context(), "call", 1, time.Minute); taken || err != nil {
			t.Errorf("it is taken over: %t, %v", taken, err)
		}
	})
}

// wantEntry wants what the journal holds of a call; of lease at most, and more than half.
func wantEntry(t *testing.T, s *Store, key, record string, token int64, lease time.Duration) {
	t.Helper()
	gotRecord, gotToken, gotLease, err := s.Look(t.Context(), key)
	if err != nil || string(gotRecord) != record || gotToken != token || gotLease > lease || gotLease < lease/2 {
		t.Errorf("the journal holds %q under %d for %s, %v", gotRecord, gotToken, gotLease, err)
	}
}

func TestAbandonedCallsAreFoundTheOldestFirstAndNoOthers(t *testing.T) {
	on(t, func(t *testing.T, p *place) {
		lives := WithLives(Lives{Call: 200 * time.Millisecond})
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
		eventually(t, "both are found", func() bool { return found(10) == "[first second] <nil>" })
		if got := found(1); got != "[first] <nil>" {
			t.Errorf("of one, got %s", got)
		}
		if _, taken, err := one.TakeOver(ctx, "first", 1, time.Minute); !taken || err != nil {
			t.Fatal(taken, err)
		}
		if got := found(10); got != "[second] <nil>" {
			t.Errorf("with the first taken over, got %s", got)
		}
		must(one.redis.Del(ctx, one.entryKey("second")).Result())(t)
		if got := found(10); got != "[] <nil>" {
			t.Errorf("with the second gone, got %s", got)
		}
		if left := must(one.redis.ZRange(ctx, reminders, 0, -1).Result())(t); len(left) != 2 {
			t.Errorf("the index holds %v, and should hold those two that are held", left)
		}
	}, embeddedRedis, oneNode, aCluster)
}

func TestOfAHundredWhoClaimAThingOneMayUseItAsOftenAsItAsks(t *testing.T) {
	on(t, func(t *testing.T, p *place) {
		replicas := []*Store{p.replica(t), p.replica(t)}
		said := atOnce(100, func(i int) string { // each of 50 asks twice
			is, err := replicas[i%2].Claim(context.Background(), "confirmation", "a thing", fmt.Sprint("maria@example.com ", i%50), time.Minute)
			return fmt.Sprintf("%t, %v", is, err)
		})
		if said["true, <nil>"] != 2 || said["false, <nil>"] != 98 {
			t.Errorf("got %v", said)
		}
		if !must(replicas[1].Claimed(t.Context(), "confirmation", "a thing"))(t) || must(replicas[1].Claimed(t.Context(), "confirmation", "another thing"))(t) {
			t.Error("who asks is told another's claim")
		}
		if is := must(replicas[0].Claim(t.Context(), "confirmation", "another thing", "b", time.Minute))(t); !is {
			t.Error("one claim takes another thing")
		}
		must(replicas[0].Claim(t.Context(), "confirmation", "soon over", "a", time.Millisecond))(t)
		eventually(t, "a claim is over", func() bool {
			return must(replicas[1].Claim(t.Context(), "confirmation", "soon over", "b", time.Millisecond))(t)
		})
	}, embeddedRedis, oneNode, aCluster)
}

func TestOfAHundredDeliveriesExactlyOneIsFirst(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		replicas := []*Store{p.replica(t), p.replica(t)}
		first := func(i int) string {
			is, err := replicas[i%2].MarkSeen(context.Background(), "slack", "Ev {1}\r\n maria@example.com", time.Minute)
			return fmt.Sprint(is, err)
		}
		if said := atOnce(100, first); said["true <nil>"] != 1 || said["false <nil>"] != 99 {
			t.Errorf("got %v", said)
		}
		if is := must(replicas[0].MarkSeen(t.Context(), "teams", "Ev {1}\r\n maria@example.com", time.Minute))(t); !is {
			t.Error("the same id in another scope is not new")
		}
		if err := replicas[1].Forget(t.Context(), "slack", "Ev {1}\r\n maria@example.com"); err != nil {
			t.Fatal(err)
		}
		if said := first(0); said != "true <nil>" {
			t.Errorf("forgotten, it is %s", said)
		}
	})
}

func TestADeliveryIsForgottenAfterItsLife(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		s := p.replica(t)
		must(s.MarkSeen(t.Context(), "slack", "Ev1", time.Millisecond))(t)
		eventually(t, "it is new again", func() bool { return must(s.MarkSeen(t.Context(), "slack", "Ev1", time.Millisecond))(t) })
	})
}

func TestWhatIsRememberedIsRecalledUntilItsLifeIsOver(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		one, other := p.replica(t), p.replica(t)
		ctx := t.Context()
		recall := func(id string) string {
			value, ok, err := other.Get(ctx, "taxonomy", id)
			return fmt.Sprint(string(value), " ", ok, " ", err)
		}
		for _, value := range []string{"old", "new"} {
			if err := one.Put(ctx, "taxonomy", "countries", []byte(value), time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		if got := recall("countries"); got != "new true <nil>" {
			t.Errorf("recalled %s", got)
		}
		if got := recall("banks"); got != " false <nil>" {
			t.Errorf("recalled what was not there: %s", got)
		}
		if err := one.Put(ctx, "taxonomy", "countries", []byte("brief"), time.Millisecond); err != nil {
			t.Fatal(err)
		}
		eventually(t, "its life is over", func() bool { return recall("countries") == " false <nil>" })
		wantError(t, one.Put(ctx, "taxonomy", "all", make([]byte, maxMemo+1), time.Minute), ErrLimit)
	})
}
