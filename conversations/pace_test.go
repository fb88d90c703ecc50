package conversations

import (
	"context"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/redistest"
)

func TestOneRateHoldsOverAllReplicas(t *testing.T) {
	on(t, func(t *testing.T, p *testRedis) {
		first, second := p.replica(t).NewPace("bank", 0.1, 3), p.replica(t).NewPace("bank", 0.1, 3)
		other := p.replica(t).NewPace("another bank", 0.1, 1)
		for i, want := range []time.Duration{0, 0, 0, 10 * time.Second, 20 * time.Second, 30 * time.Second} {
			pace := []*Pace{first, second}[i%2]
			wait := must(pace.next(t.Context(), time.Minute))(t)
			if wait > want || wait < want-5*time.Second {
				t.Errorf("request %d waits %v, want %v less what has passed", i+1, wait, want)
			}
		}
		if wait := must(other.next(t.Context(), time.Minute))(t); wait != 0 {
			t.Errorf("the first request to another bank waits %v", wait)
		}
		if limit := float64(first.alone.Limit()); limit != 0.05 || first.alone.Burst() != 1 {
			t.Errorf("the share of one of two is %v a second, %d at once", limit, first.alone.Burst())
		}
	}, embeddedRedis, oneNode, aCluster)
}

func TestAWaitThatIsTooLongFailsAtOnceAndReservesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		pace := p.replica(t).NewPace("bank", 0.1, 1)
		if err := pace.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			hurried, cancel := context.WithTimeout(t.Context(), 2*time.Second) // the wait would be ten
			wantError(t, pace.Wait(hurried), context.DeadlineExceeded)
			if hurried.Err() != nil {
				t.Error("it waited until the end")
			}
			cancel()
		}
		if wait := must(pace.next(t.Context(), time.Minute))(t); wait > 10*time.Second {
			t.Errorf("the next request waits %v", wait)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		wantError(t, pace.Wait(gone), context.Canceled)
	})
}

func TestWithoutRedisAReplicaKeepsToItsShare(t *testing.T) {
	t.Parallel()
	server := redistest.StartServer(t)
	p := testRedis{url: server.URL(), keys: newKeys(t)}
	first, second := p.replica(t).NewPace("bank", 0.1, 4), p.replica(t).NewPace("bank", 0.1, 4)
	for _, pace := range []*Pace{first, second, first} { // the first learns that there are two
		if err := pace.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	server.Stop()
	for range 2 {
		if err := first.Wait(t.Context()); err != nil {
			t.Errorf("within its share: %v", err)
		}
	}
	hurried, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := first.Wait(hurried); err == nil {
		t.Error("it waits for nothing beyond its share")
	}
}
