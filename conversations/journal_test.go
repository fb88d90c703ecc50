package conversations

import (
	"context"
	"errors"
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
		held := must(s.Entry(t.Context(), "call"))(t)
		if held.State != Held || string(held.Record) != "intent" || held.Token != 1 || time.Until(held.LeaseUntil) < 50*time.Second {
			t.Errorf("begun, the entry is %+v", held)
		}
		if err := s.Finish(t.Context(), "call", []byte("outcome")); err != nil {
			t.Fatal(err)
		}
		prior, first, err := s.Begin(t.Context(), "call", []byte("intent"), time.Minute)
		if first || err != nil || string(prior) != "outcome" {
			t.Errorf("a repetition gets %q, first %t, %v", prior, first, err)
		}
		if done := must(s.Entry(t.Context(), "call"))(t); done.State != Done || string(done.Record) != "outcome" || !done.LeaseUntil.IsZero() {
			t.Errorf("finished, the entry is %+v", done)
		}
		wantError(t, s.Finish(t.Context(), "call", []byte("another outcome")), ErrConflict)
		wantError(t, s.Finish(t.Context(), "never begun", []byte("outcome")), ErrGone)
		if free := must(s.Entry(t.Context(), "never begun"))(t); free.State != Free {
			t.Errorf("never begun, the entry is %+v", free)
		}
	})
}

func TestAnAbandonedCallIsTakenOverByExactlyOneAndItsFormerHolderIsFenced(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		replicas := []*Store{p.replica(t), p.replica(t)}
		ctx := t.Context()
		if _, first, err := replicas[0].Begin(ctx, "call", []byte("intent"), time.Millisecond); !first || err != nil {
			t.Fatalf("not first: %v", err)
		}
		var seen Entry
		eventually(t, "the lease expires", func() bool {
			seen = must(replicas[1].Entry(ctx, "call"))(t)
			return seen.State == Abandoned
		})
		if string(seen.Record) != "intent" {
			t.Errorf("the intent left behind is %q", seen.Record)
		}
		if _, first, err := replicas[1].Begin(ctx, "call", []byte("again"), time.Minute); first || err != nil {
			t.Errorf("beginning again repeats an abandoned call blindly: first %t, %v", first, err)
		}
		said := atOnce(20, func(i int) string {
			e, err := replicas[i%2].TakeOver(context.Background(), "call", seen, time.Minute)
			return fmt.Sprintf("state %d, token %d, conflict %t", e.State, e.Token, errors.Is(err, ErrConflict))
		})
		if said["state 1, token 2, conflict false"] != 1 || said["state 0, token 0, conflict true"] != 19 {
			t.Errorf("of those who take over: %v", said)
		}
		wantError(t, replicas[0].Finish(ctx, "call", []byte("late")), ErrConflict)
		if err := replicas[1].FinishAs(ctx, "call", 2, []byte("outcome")); err != nil {
			t.Error(err)
		}
		if e := must(replicas[0].Entry(ctx, "call"))(t); e.State != Done || string(e.Record) != "outcome" {
			t.Errorf("the entry ends as %+v", e)
		}
		_, err := replicas[0].TakeOver(ctx, "call", seen, time.Minute)
		wantError(t, err, ErrConflict)
		_, err = replicas[0].TakeOver(ctx, "never begun", seen, time.Minute)
		wantError(t, err, ErrGone)
	})
}

func TestACallThatIsHeldIsNotTakenOver(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		s := p.replica(t)
		if _, first, err := s.Begin(t.Context(), "call", nil, time.Minute); !first || err != nil {
			t.Fatalf("not first: %v", err)
		}
		_, err := s.TakeOver(t.Context(), "call", must(s.Entry(t.Context(), "call"))(t), time.Minute)
		wantError(t, err, ErrConflict)
	})
}

func TestOfAHundredDeliveriesExactlyOneIsFirst(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		replicas := []*Store{p.replica(t), p.replica(t)}
		first := func(i int) string {
			is, err := replicas[i%2].First(context.Background(), "slack", "Ev {1}\r\n maria@example.com", time.Minute)
			return fmt.Sprint(is, err)
		}
		if said := atOnce(100, first); said["true <nil>"] != 1 || said["false <nil>"] != 99 {
			t.Errorf("got %v", said)
		}
		if is := must(replicas[0].First(t.Context(), "teams", "Ev {1}\r\n maria@example.com", time.Minute))(t); !is {
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
		must(s.First(t.Context(), "slack", "Ev1", time.Millisecond))(t)
		eventually(t, "it is new again", func() bool { return must(s.First(t.Context(), "slack", "Ev1", time.Millisecond))(t) })
	})
}

func TestWhatIsRememberedIsRecalledUntilItsLifeIsOver(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		one, other := p.replica(t), p.replica(t)
		ctx := t.Context()
		recall := func(id string) string {
			value, ok, err := other.Recall(ctx, "taxonomy", id)
			return fmt.Sprint(string(value), " ", ok, " ", err)
		}
		for _, value := range []string{"old", "new"} {
			if err := one.Remember(ctx, "taxonomy", "countries", []byte(value), time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		if got := recall("countries"); got != "new true <nil>" {
			t.Errorf("recalled %s", got)
		}
		if got := recall("banks"); got != " false <nil>" {
			t.Errorf("recalled what was not there: %s", got)
		}
		if err := one.Remember(ctx, "taxonomy", "countries", []byte("brief"), time.Millisecond); err != nil {
			t.Fatal(err)
		}
		eventually(t, "its life is over", func() bool { return recall("countries") == " false <nil>" })
		wantError(t, one.Remember(ctx, "taxonomy", "all", make([]byte, maxMemo+1), time.Minute), ErrLimit)
	})
}
