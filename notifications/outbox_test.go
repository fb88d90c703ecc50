package notifications

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/internal/words"
)

func TestABurstIsOneCardAndOneReplyAndTheCardIsEdited(t *testing.T) {
	t.Parallel()
	for kind := range redisKinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			env := newOutboxEnv(t, kind, func(c *Config) { c.Debounce = 200 * time.Millisecond })
			if _, _, err := env.store.ChangeOwner(t.Context(), process(1), ana, ana, anybody); err != nil {
				t.Fatal(err)
			}
			o := env.replica()
			env.start(o)
			env.enqueue(o, env.update(1, "Documents"), env.update(1, "Analysis"), env.update(1, "Valuation"))
			env.wantPosted(channel, 1, "Documents", "Analysis", "Valuation")
			if all := env.poster.messages(channel); len(all) != 2 || !all[0].notice.Card || all[1].thread != all[0].id {
				t.Fatalf("got %+v", all)
			}
			env.enqueue(o, env.update(1, "Documents"))
			env.wantPosted(channel, 1, "Documents", "Analysis", "Valuation", "Documents")
			card, _ := env.poster.card(channel, process(1))
			for label, want := range map[string]string{
				"label.phase": "Preparation", "label.branch": "Lisboa", "label.waits": "the broker or the client", "label.owner": ana,
				"label.updated": moment("en", env.config.Now()),
			} {
				if got := card.fact(label); got != want && label != "label.updated" || got == "" {
					t.Errorf("the card says %q of %s, want %q", got, label, want)
				}
			}
			if card.edits != 1 || card.notice.Title != "Process 1001" || card.notice.Ends != "" {
				t.Errorf("got %+v", card)
			}
			env.waitUntilIdle(o, channel)
			if n := queueLength(t, o, channel); n != 0 {
				t.Errorf("%d are left in the queue", n)
			}
			env.checkKeys(o)
		})
	}
}

func TestEnqueuingAnUpdateAgainChangesNothing(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node")
	o := env.replica()
	env.start(o)
	first, second := env.update(1, "Documents"), env.update(1, "Analysis")
	env.enqueue(o, first, first, second, first)
	env.wantPosted(channel, 1, "Documents", "Analysis")
	calls := env.poster.calls.Load()
	env.enqueue(o, first, second)
	env.waitUntilIdle(o, channel)
	if now := env.poster.calls.Load(); now != calls {
		t.Errorf("%d more calls", now-calls)
	}
}

// Three replicas, two destinations, half of all calls refused, and replies lost: each update is posted once, in order.
func TestEachUpdateIsPostedOnceDespiteFailures(t *testing.T) {
	t.Parallel()
	for kind := range redisKinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			env := newOutboxEnv(t, kind, func(c *Config) { c.Lease = 600 * time.Millisecond })
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			rng := rand.New(rand.NewPCG(seed, 1))
			var mu sync.Mutex
			env.poster.fault = func(_, method string) error {
				mu.Lock()
				defer mu.Unlock()
				switch n := rng.IntN(100); {
				case n < 50:
					return rateLimited(time.Millisecond)
				case n < 54:
					return errLost
				case n < 58:
					return notSentError{}
				}
				return nil
			}
			second := "slack:C0SECOND"
			env.subscribe(second, destination.Subscription{Kind: destination.ScopeAll})
			var replicas []*outbox
			for range 3 {
				o := env.replica()
				if kind != "memory" {
					o = env.replica(func(c *Config) { c.Store = env.openStore() })
				}
				replicas = append(replicas, o)
				env.start(o)
			}
			const processes = 6
			all := statuses(8)
			for i, status := range all {
				for n := range processes {
					env.enqueue(replicas[(i+n)%3], env.update(n, status))
				}
			}
			for _, dest := range []string{channel, second} {
				for n := range processes {
					env.wantPosted(dest, n, all...)
				}
			}
		})
	}
}

func TestACrashedReplicasDestinationIsTakenOverAndNothingIsPostedTwice(t *testing.T) {
	t.Parallel()
	for _, posted := range []bool{true, false} {
		t.Run(fmt.Sprintf("posted %v", posted), func(t *testing.T) {
			t.Parallel()
			env := newOutboxEnv(t, "node", func(c *Config) { c.Lease = 500 * time.Millisecond })
			crashing := env.replica(func(c *Config) { c.Store = env.openStore() })
			reached, crashed := make(chan struct{}), make(chan struct{})
			var once sync.Once
			env.poster.fault = func(string, string) (err error) {
				once.Do(func() {
					close(reached)
					<-crashed
					if err = errLost; !posted {
						err = notSentError{}
					}
				})
				return err
			}
			stop := env.start(crashing)
			env.enqueue(crashing, env.update(1, "Documents"))
			<-reached
			if err := crashing.config.Store.Close(); err != nil { // from here on it cannot store anything
				t.Fatal(err)
			}
			close(crashed)
			stop()
			began := time.Now()
			env.start(env.replica())
			env.wantPosted(channel, 1, "Documents")
			if waited := time.Since(began); waited > 10*time.Second {
				t.Errorf("the destination waited for %s", waited)
			}
		})
	}
}

func TestALateMessageIsLookedForAfterAPause(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node", func(c *Config) { c.Lease = 1500 * time.Millisecond })
	var once sync.Once
	env.poster.fault = func(string, string) (err error) {
		once.Do(func() { err = lateError(150 * time.Millisecond) })
		return err
	}
	o := env.replica()
	env.start(o)
	env.enqueue(o, env.update(1, "Documents"))
	waittest.Eventually(t, "it failed", func() bool { return strings.Contains(env.log.String(), resultUnclear) })
	env.enqueue(o, env.update(1, "Analysis")) // which does not end the pause
	if err := o.retry(t.Context(), channel); err != nil {
		t.Fatal(err)
	}
	env.wantPosted(channel, 1, "Documents", "Analysis")
}

func TestAReplicaThatLostItsLockStoresNothing(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node")
	o := env.replica()
	env.enqueue(o, env.update(1, "Documents"))
	name := o.name(channel)
	if claimed, err := o.lock(t.Context(), name, "mine"); err != nil || claimed != "locked" {
		t.Fatal(claimed, err)
	}
	if claimed, err := o.lock(t.Context(), name, "other's"); err != nil || claimed != "held" {
		t.Fatal(claimed, err)
	}
	if err := o.redis.Set(t.Context(), lockKey(name), "other's", time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	late := &worker{outbox: o, name: name, token: "mine"}
	for what, err := range map[string]error{
		"renewing":    late.renew(t.Context()),
		"a delivery":  late.save(t.Context(), process(1).String(), outcome{set: fields{"delivered": "1"}, done: true}),
		"a digest":    late.saveDigest(t.Context(), &digest{}, 0, ""),
		"what is due": late.post(t.Context(), process(1).String(), delivery{}, intent{}, destination.Notice{}),
	} {
		if !errors.Is(err, errLockLost) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if env.poster.calls.Load() != 0 || queueLength(t, o, channel) != 1 {
		t.Error("it did something")
	}
}

func TestARateLimitedDestinationBacksOffAndOthersDoNot(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node", func(c *Config) { c.MinInterval = 30 * time.Millisecond })
	busy := "slack:C0BUSY"
	env.subscribe(busy, destination.Subscription{Kind: destination.ScopeAll})
	const wait = 5 * time.Second // the other destination gets its messages within it, on a busy machine too
	var refused time.Time
	var mu sync.Mutex
	var early []time.Duration
	env.poster.fault = func(dest, _ string) error {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case dest != busy:
			return nil
		case refused.IsZero():
			refused = time.Now()
			return rateLimited(wait)
		}
		if waited := time.Since(refused); waited < wait {
			early = append(early, waited)
		}
		return nil
	}
	o := env.replica()
	env.start(o)
	for n := range 3 {
		env.enqueue(o, env.update(n, "Documents"))
	}
	env.enqueue(o, env.update(3, "Documents")) // which does not end the backoff
	for n := range 4 {
		env.wantPosted(channel, n, "Documents")
	}
	if delivered := len(env.poster.messages(busy)); delivered != 0 {
		t.Errorf("the busy destination got %d messages first", delivered)
	}
	if dests, oldest, err := o.waiting(t.Context()); dests != 1 || err != nil || oldest < 0 || oldest > time.Minute {
		t.Errorf("%d destinations wait, for %s, %v", dests, oldest, err)
	}
	for n := range 4 {
		env.wantPosted(busy, n, "Documents")
	}
	if early != nil {
		t.Errorf("it was called after %s already", early)
	}
	env.waitUntilIdle(o, busy)
	if dests, _, err := o.waiting(t.Context()); dests != 0 || err != nil {
		t.Errorf("%d destinations wait, %v", dests, err)
	}
}

func TestTheNumberOfWorkersIsLimited(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node")
	const dests = 3 * maxWorkers
	id := func(i int) string { return fmt.Sprintf("slack:C0%02d", i) }
	for i := range dests {
		env.subscribe(id(i), destination.Subscription{Kind: destination.ScopeProcess, Value: process(1).String()})
	}
	full := make(chan struct{})
	env.poster.block = func(ctx context.Context) {
		select {
		case <-full:
		case <-ctx.Done():
		}
	}
	var looks atomic.Int64
	now := env.config.Now
	o := env.replica(func(c *Config) {
		c.Lease, c.Now = time.Minute, func() time.Time { looks.Add(1); return now() }
	})
	env.start(o)
	env.enqueue(o, env.update(1, "Documents"))
	waittest.Eventually(t, "as many calls as permitted are under way", func() bool { return env.poster.inFlight.Load() >= maxWorkers })
	seen := looks.Load() // from here on, only due reads the clock
	waittest.Eventually(t, "due was called more", func() bool { return looks.Load() > seen+50 })
	close(full)
	for i := range dests {
		env.wantPosted(id(i), 1, "Documents")
	}
	if most := env.poster.maxInFlight.Load(); most != maxWorkers {
		t.Errorf("%d at once, want %d", most, maxWorkers)
	}
}

func TestManyUpdatesArePostedInAFewReplies(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node")
	o := env.replica()
	all := statuses(2*maxReplyLines + 5)
	for _, status := range all {
		env.enqueue(o, env.update(1, status))
	}
	if n := queueLength(t, o, channel); n != 1 {
		t.Errorf("%d stand in the queue for one process", n)
	}
	env.start(o)
	env.wantPosted(channel, 1, all...)
	if many := len(env.poster.messages(channel)); many != 4 {
		t.Errorf("it took %d messages, want a card and three replies", many)
	}
}

func TestEachDestinationHasItsLanguage(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node")
	env.changeSettings(channel, func(p *destination.Settings) {
		p.Lang, p.Subscriptions = words.Portuguese, []destination.Subscription{{Kind: destination.ScopeAll}}
	})
	o := env.replica()
	env.start(o)
	env.enqueue(o, env.update(1, "Recolha de documentos"))
	waittest.Eventually(t, "it is posted", func() bool { return len(env.poster.messages(channel)) == 2 })
	card, reply := env.poster.messages(channel)[0], env.poster.messages(channel)[1].notice
	if card.notice.Title != "Processo 1001" || card.fact("label.waits") != "o intermediário ou o cliente" || reply.Text != "Estado: In Creation → Recolha de documentos" {
		t.Errorf("got %+v and %+v", card, reply)
	}
}

func TestAfterAPanicADestinationIsRetried(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node", func(c *Config) { c.Lease = 200 * time.Millisecond })
	var once sync.Once
	env.poster.block = func(context.Context) {
		once.Do(func() {
			env.poster.mu.Lock()
			env.poster.destinations[channel].busy = false
			env.poster.mu.Unlock()
			panic(secrets[2])
		})
	}
	o := env.replica()
	env.start(o)
	env.enqueue(o, env.update(1, "Documents"))
	env.wantPosted(channel, 1, "Documents")
	if log := env.log.String(); !strings.Contains(log, "panic") || strings.Contains(log, secrets[2]) {
		t.Errorf("the log says %s", log)
	}
}

func TestAReplySaysHowManyUpdatesAreNoLongerStored(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node")
	o := env.replica()
	env.enqueue(o, env.update(1, "Documents"), env.update(1, "Analysis"), env.update(1, "Valuation"))
	env.snapshots.mu.Lock()
	env.snapshots.all[process(1)] = env.snapshots.all[process(1)][2:]
	env.snapshots.mu.Unlock()
	env.start(o)
	waittest.Eventually(t, "it is posted", func() bool { return len(env.poster.messages(channel)) == 2 })
	if reply := env.poster.messages(channel)[1].notice; len(reply.Lines) != 2 || reply.Lines[0] != "2 earlier changes are no longer available" {
		t.Errorf("got %+v", reply)
	}
}

func TestRunEndsWithItsContextWithoutLeaks(t *testing.T) {
	env := newOutboxEnv(t, "node")
	before := goleak.IgnoreCurrent()
	slow := make(chan struct{})
	env.poster.block = func(ctx context.Context) {
		select {
		case slow <- struct{}{}:
		case <-ctx.Done():
		}
		<-ctx.Done()
	}
	o := env.replica()
	stop := env.start(o)
	env.enqueue(o, env.update(1, "Documents"))
	<-slow
	stop()
	goleak.VerifyNone(t, before)
	env.poster.block = nil
	env.start(env.replica(func(c *Config) { c.Lease = 300 * time.Millisecond }))
	env.wantPosted(channel, 1, "Documents")
}
