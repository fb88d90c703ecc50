package conversations

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/waittest"
)

// wantClaim checks the results of Acquire. The time left must be 0 if the lease was acquired.
func wantClaim(t *testing.T, s *Store, call string, lease time.Duration, token int64, other string) {
	t.Helper()
	got, named, left, err := s.Acquire(t.Context(), "299999998", call, lease)
	if err != nil || got != token || named != other || (left > 0) != (token == 0) {
		t.Errorf("%s: got token %d after %q, %s left, %v; want %d after %q", call, got, named, left, err, token, other)
	}
}

func TestOfAHundredConcurrentClaimsOneAcquiresTheLease(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		replicas := []*Store{p.replica(t), p.replica(t)}
		replies := atOnce(100, func(i int) string {
			token, _, _, err := replicas[i%2].Acquire(context.Background(), "299999998", fmt.Sprint("call ", i), time.Minute)
			return fmt.Sprint(token, " ", err)
		})
		if replies["1 <nil>"] != 1 || replies["0 <nil>"] != 99 {
			t.Errorf("got %v", replies)
		}
	})
}

func TestALeasePassesFromHolderToHolderAndEarlierOnesAreFenced(t *testing.T) {
	on(t, func(t *testing.T, p *testRedis) {
		one, other := p.replica(t), p.replica(t)
		held := func(token int64, least time.Duration) bool {
			return must(one.Hold(t.Context(), "299999998", token, least))(t)
		}
		wantClaim(t, one, "first", time.Minute, 1, "")
		wantClaim(t, other, "second", time.Minute, 0, "first")
		if !held(1, time.Second) || held(2, time.Second) {
			t.Error("Hold returned the opposite for the holder and for another")
		}
		if err := other.Release(t.Context(), "299999998", 2); err != nil {
			t.Fatal(err)
		}
		wantClaim(t, other, "second", time.Minute, 0, "first")
		if err := one.Release(t.Context(), "299999998", 1); err != nil {
			t.Fatal(err)
		}
		wantClaim(t, other, "second", time.Millisecond, 2, "first")
		if held(1, time.Minute) {
			t.Error("the lease is held after its release")
		}
		waittest.Eventually(t, "the second's lease is over", func() bool {
			token, _, _, err := one.Acquire(t.Context(), "299999998", "third", time.Millisecond)
			return err == nil && token == 3
		})
		if !held(3, time.Minute) { // expired, but not claimed since
			t.Error("the third does not hold it")
		}
		wantClaim(t, other, "fourth", time.Minute, 0, "third")
	}, embeddedRedis, oneNode, aCluster, aSentinel)
}

func TestALossOfDataChangesTheEpochAndStartsARest(t *testing.T) {
	t.Parallel()
	server, keys := redistest.StartServer(t), newKeys(t)
	one, other := open(t, server.URL(), keys), open(t, server.URL(), keys)
	read := func(s *Store) (string, time.Duration) {
		t.Helper()
		epoch, left, err := s.Epoch(t.Context(), time.Second)
		if err != nil {
			t.Fatal(err)
		}
		return epoch, left
	}
	first, left := read(one)
	if again, rest := read(other); again != first || left+rest != 0 {
		t.Errorf("two replicas read %q and %q, and %s left", first, again, left+rest)
	}
	server.Lose()
	fresh := open(t, server.URL(), keys) // opened after the loss, so that it never read the first epoch
	if _, left := read(fresh); left != 0 {
		t.Errorf("a replica that does not know of the loss has %s left", left)
	}
	second, left := read(one)
	if second == first || left <= 0 || left > time.Second {
		t.Errorf("the epoch after %q is %q, with %s left", first, second, left)
	}
	for _, s := range []*Store{one, other, fresh} {
		if epoch, left := read(s); epoch != second || left <= 0 {
			t.Errorf("another replica reads %q with %s left", epoch, left)
		}
	}
	waittest.Eventually(t, "all go on", func() bool { _, left := read(one); return left == 0 })
	if epoch, left := read(open(t, server.URL(), keys)); epoch != second || left != 0 {
		t.Errorf("a replica opened later reads %q with %s left", epoch, left)
	}
}

func TestWritesOfTheJournalAndLeasesWaitForAReplicaOfRedis(t *testing.T) {
	t.Parallel()
	server := redistest.StartServer(t)
	replica := redistest.StartReplica(t, server)
	s := open(t, server.URL(), newKeys(t))
	begin := func(key string) error {
		_, first, err := s.Begin(t.Context(), key, []byte("intent"), time.Millisecond)
		if !first && err == nil {
			t.Fatalf("%s: first is false", key)
		}
		return err
	}
	waittest.Eventually(t, "the replica follows", func() bool { return begin("zero"+time.Now().String()) == nil })
	if err := begin("one"); err != nil {
		t.Fatal(err)
	}
	token, _, _, err := s.Acquire(t.Context(), "subject", "one", time.Minute)
	if err != nil || token != 1 {
		t.Fatal(token, err)
	}
	writes := map[string]func() error{
		"begin": func() error { return begin("two") },
		"take over": func() error {
			_, taken, err := s.TakeOver(t.Context(), "one", 1, time.Millisecond)
			if !taken {
				t.Error("it is not taken over")
			}
			return err
		},
		"hold": func() error { _, err := s.Hold(t.Context(), "subject", token, time.Minute); return err },
	}
	waittest.Eventually(t, "the lease is over", func() bool { _, _, left, err := s.Look(t.Context(), "one"); return err == nil && left == 0 })
	replica.Suspend()
	for name, write := range writes {
		began := time.Now()
		if err := write(); !errors.Is(err, ErrUnavailable) || time.Since(began) > s.lives.Call+waittest.Deadline/4 {
			t.Errorf("%s, while the replica is suspended: %v after %s", name, err, time.Since(began))
		}
	}
	// An outcome is stored without waiting for a replica.
	if err := s.Finish(t.Context(), "two", 1, []byte("outcome")); err != nil {
		t.Errorf("finish: %v", err)
	}
	replica.Resume()
	waittest.Eventually(t, "the replica follows again", func() bool { return begin("three"+time.Now().String()) == nil })
	replica.Stop() // without a replica, writes do not wait for one
	waittest.Eventually(t, "the master notices", func() bool { return begin("four"+time.Now().String()) == nil })
}
