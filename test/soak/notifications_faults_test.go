package soak

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/portal/sandbox"
)

// startFaults starts all faults. The function that it returns stops them.
func (n *notificationSoak) startFaults(t *testing.T) (stopFaults func()) {
	over := make(chan struct{})
	var under sync.WaitGroup
	under.Go(func() { n.killReplicas(t, over) })
	under.Go(func() { n.dropAnswers(over) })
	under.Go(func() { n.sendForgeries(over) })
	return sync.OnceFunc(func() {
		close(over)
		under.Wait()
	})
}

// rateLimit has Slack answer a share of the calls with 429.
func (n *notificationSoak) rateLimit(share float64) {
	for i, method := range methods {
		n.sim.FailRandomly(method, share, *seed+uint64(i), slacksim.RateLimited(time.Second))
	}
}

var methods = []string{"chat.postMessage", "chat.update", "conversations.history", "conversations.replies", "auth.test"}

// setFinalStates puts each process into its last state of this round, or of the test.
func (n *notificationSoak) setFinalStates(t *testing.T, rng *rand.Rand, forGood bool) {
	t.Helper()
	states := []int32{2, 3, 4, 5, 6}
	if forGood {
		states = append(states, 7, 9) // final
	}
	for _, process := range n.ids {
		if err := n.bank.SetState(process, states[rng.IntN(len(states))]); err != nil {
			t.Fatal(err)
		}
	}
}

// killReplicas kills replicas at random, and Redis together with some of them.
func (n *notificationSoak) killReplicas(t *testing.T, over <-chan struct{}) {
	rng := rand.New(rand.NewPCG(*seed, 99))
	for {
		select {
		case <-time.After(n.killEvery/2 + time.Duration(rng.Int64N(int64(n.killEvery)))):
		case <-over:
			return
		}
		victim := n.running[rng.IntN(len(n.running))]
		victim.kill()
		n.killed++
		if n.stopped < n.outages && n.sent() >= n.callbacks*(n.stopped+1)/(n.outages+1) {
			n.redis.Stop()
			n.stopped++
			select {
			case <-time.After(n.outage):
			case <-over:
			}
			n.redis.Start()
		}
		if err := victim.start(); err != nil {
			t.Errorf("a replica does not start again: %v", err)
			return
		}
	}
}

// dropAnswers loses about one of eight of Slack's answers.
func (n *notificationSoak) dropAnswers(over <-chan struct{}) {
	rng, next, times := rand.New(rand.NewPCG(*seed, 5)), map[string]int{}, map[string]int{}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-over:
			return
		}
		for _, method := range methods[:2] {
			if n.sim.Calls(method) < next[method] {
				continue
			}
			next[method] = n.sim.Calls(method) + 5 + rng.IntN(6)
			n.sim.Fail(method, 1, losses[times[method]%len(losses)])
			times[method]++
		}
	}
}

// changeWithoutCallbacks changes some processes while no callback arrives. Reconciliation finds the changes.
func (n *notificationSoak) changeWithoutCallbacks(ctx context.Context, t *testing.T) {
	t.Helper()
	n.bank.SetDeliveryFaults(sandbox.DeliveryFaults{Lose: 1})
	left := n.withoutCallback
	for _, process := range n.ids {
		if state := n.bank.State(process); left > 0 && state < 7 {
			left--
			if err := n.bank.SetState(process, 7+state%2*2); err != nil {
				t.Fatal(err)
			}
		}
	}
	if left > 0 {
		t.Errorf("%d processes could not be moved any more", left)
	}
	n.replicaConfig.ReconcileInterval = time.Second
	for _, r := range n.running {
		r.kill()
		r.environ = n.environ(t)
		if err := r.start(); err != nil {
			t.Fatal(err)
		}
	}
	n.waitUntil(ctx, t, "reconciliation has found the changes without callbacks", n.allDelivered)
}

// losses are the ways in which an answer is lost, in turn: mostly after the call took effect.
var losses = []slacksim.Failure{
	{Drop: true, AfterEffect: true}, {Error: "internal_error", AfterEffect: true}, {Drop: true, AfterEffect: true},
	{Status: http.StatusServiceUnavailable}, {Drop: true, AfterEffect: true},
}
