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
	"github.com/balcao/balcao/internal/words"
)

func TestABurstIsOneCardAndOneReplyAndTheCardLives(t *testing.T) {
	for kind := range redises {
		t.Run(kind, func(t *testing.T) {
			h := newTeam(t, kind, func(c *Config) { c.Debounce = 200 * time.Millisecond })
			if _, _, err := h.store.ChangeOwner(t.Context(), process(1), ana, ana, anybody); err != nil {
				t.Fatal(err)
			}
			o := h.replica()
			h.start(o)
			h.put(o, h.moves(1, "Documents"), h.moves(1, "Analysis"), h.moves(1, "Valuation"))
			h.wantTold(channel, 1, "Documents", "Analysis", "Valuation")
			if all := h.board.at(channel); len(all) != 2 || !all[0].notice.Card || all[1].thread != all[0].id {
				t.Fatalf("got %+v", all)
			}
			h.put(o, h.moves(1, "Documents"))
			h.wantTold(channel, 1, "Documents", "Analysis", "Valuation", "Documents")
			card, _ := h.board.card(channel, process(1))
			for label, want := range map[string]string{
				"label.phase": "Preparation", "label.branch": "Lisboa", "label.waits": "the broker", "label.owner": ana,
				"label.updated": moment("en", h.config.Now()),
			} {
				if got := card.fact(label); got != want && label != "label.updated" || got == "" {
					t.Errorf("the card says %q of %s, want %q", got, label, want)
				}
			}
			if card.edits != 1 || card.notice.Title != "Process 1001" || card.notice.Status != "Documents" {
				t.Errorf("got %+v", card)
			}
			h.rests(o, channel)
			if n := queueLength(t, o, channel); n != 0 {
				t.Errorf("%d are left in the queue", n)
			}
			h.everyKey(o)
		})
	}
}

func TestPuttingAnUpdateAgainChangesNothing(t *testing.T) {
	h := newTeam(t, "node")
	o := h.replica()
	h.start(o)
	first, second := h.moves(1, "Documents"), h.moves(1, "Analysis")
	h.put(o, first, first, second, first)
	h.wantTold(channel, 1, "Documents", "Analysis")
	calls := h.board.calls.Load()
	h.put(o, first, second)
	h.rests(o, channel)
	if now := h.board.calls.Load(); now != calls {
		t.Errorf("%d more calls", now-calls)
	}
}

// Three replicas, one place per channel, half of all calls refused, and answers lost: each update is there once, in order.
func TestNothingIsLostOrToldTwiceOnABadDay(t *testing.T) {
	for kind := range redises {
		t.Run(kind, func(t *testing.T) {
			h := newTeam(t, kind, func(c *Config) { c.Lease = 600 * time.Millisecond })
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			dice := rand.New(rand.NewPCG(seed, 1))
			var mu sync.Mutex
			h.board.fault = func(_, method string) error {
				mu.Lock()
				defer mu.Unlock()
				switch n := dice.IntN(100); {
				case n < 50:
					return asked(time.Millisecond)
				case n < 54:
					return errLost
				case n < 58:
					return notSent{}
				}
				return nil
			}
			second := "slack:C0SECOND"
			h.watch(second, destination.Subscription{Kind: destination.ScopeAll})
			var replicas []*outbox
			for range 3 {
				o := h.replica()
				if kind != "memory" {
					o = h.replica(func(c *Config) { c.Store = h.open() })
				}
				replicas = append(replicas, o)
				h.start(o)
			}
			const processes = 6
			all := statuses(8)
			for i, status := range all {
				for n := range processes {
					h.put(replicas[(i+n)%3], h.moves(n, status))
				}
			}
			for _, place := range []string{channel, second} {
				for n := range processes {
					h.wantTold(place, n, all...)
				}
			}
		})
	}
}

func TestAKilledReplicasPlaceIsTakenOverAndNothingIsToldTwice(t *testing.T) {
	for _, posted := range []bool{true, false} {
		t.Run(fmt.Sprintf("posted %v", posted), func(t *testing.T) {
			h := newTeam(t, "node", func(c *Config) { c.Lease = 500 * time.Millisecond })
			dying := h.replica(func(c *Config) { c.Store = h.open() })
			reached, dead := make(chan struct{}), make(chan struct{})
			var once sync.Once
			h.board.fault = func(string, string) (err error) {
				once.Do(func() {
					close(reached)
					<-dead
					if err = errLost; !posted {
						err = notSent{}
					}
				})
				return err
			}
			stop := h.start(dying)
			h.put(dying, h.moves(1, "Documents"))
			<-reached
			if err := dying.config.Store.Close(); err != nil { // from here on it can write nothing down
				t.Fatal(err)
			}
			close(dead)
			stop()
			began := time.Now()
			h.start(h.replica())
			h.wantTold(channel, 1, "Documents")
			if waited := time.Since(began); waited > 10*time.Second {
				t.Errorf("the place waited for %s", waited)
			}
		})
	}
}

func TestWhatIsStillOnItsWayIsWaitedForBeforeItIsLookedFor(t *testing.T) {
	h := newTeam(t, "node", func(c *Config) { c.Lease = 1500 * time.Millisecond })
	var once sync.Once
	h.board.fault = func(string, string) (err error) {
		once.Do(func() { err = errLate(150 * time.Millisecond) })
		return err
	}
	o := h.replica()
	h.start(o)
	h.put(o, h.moves(1, "Documents"))
	eventually(t, "it failed", func() bool { return strings.Contains(h.log.String(), resultUnclear) })
	h.put(o, h.moves(1, "Analysis")) // does not make it be looked for sooner
	if err := o.retry(t.Context(), channel); err != nil {
		t.Fatal(err)
	}
	h.wantTold(channel, 1, "Documents", "Analysis")
}

func TestAReplicaThatSleptTooLongWritesNothingDown(t *testing.T) {
	h := newTeam(t, "node")
	o := h.replica()
	h.put(o, h.moves(1, "Documents"))
	name := o.name(channel)
	if claimed, err := o.claim(t.Context(), name, "mine"); err != nil || claimed != "taken" {
		t.Fatal(claimed, err)
	}
	if claimed, err := o.claim(t.Context(), name, "other's"); err != nil || claimed != "held" {
		t.Fatal(claimed, err)
	}
	if err := o.redis.Set(t.Context(), lockKey(name), "other's", time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	slept := &turn{outbox: o, name: name, token: "mine"}
	for what, err := range map[string]error{
		"holding":     slept.renew(t.Context()),
		"a story":     slept.save(t.Context(), process(1).String(), change{set: fields{"told": "1"}, done: true}),
		"a digest":    slept.saveSummary(t.Context(), &summary{}, 0, ""),
		"what is due": slept.post(t.Context(), process(1).String(), story{}, intent{}, destination.Notice{}),
	} {
		if !errors.Is(err, errTakenOver) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if h.board.calls.Load() != 0 || queueLength(t, o, channel) != 1 {
		t.Error("it did something")
	}
}

func TestWhoAsksToWaitIsWaitedForAndNobodyElse(t *testing.T) {
	h := newTeam(t, "node", func(c *Config) { c.MinInterval = 30 * time.Millisecond })
	busy := "slack:C0BUSY"
	h.watch(busy, destination.Subscription{Kind: destination.ScopeAll})
	const wait = 800 * time.Millisecond
	var refused time.Time
	var mu sync.Mutex
	var early []time.Duration
	h.board.fault = func(place, _ string) error {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case place != busy:
			return nil
		case refused.IsZero():
			refused = time.Now()
			return asked(wait)
		}
		if waited := time.Since(refused); waited < wait {
			early = append(early, waited)
		}
		return nil
	}
	o := h.replica()
	h.start(o)
	for n := range 3 {
		h.put(o, h.moves(n, "Documents"))
	}
	h.put(o, h.moves(3, "Documents")) // the busy place is not asked sooner for it
	for n := range 4 {
		h.wantTold(channel, n, "Documents")
	}
	if told := len(h.board.at(busy)); told != 0 {
		t.Errorf("the other place was told %d things first", told)
	}
	if places, oldest, err := o.waiting(t.Context()); places != 1 || err != nil || oldest < 0 || oldest > time.Minute {
		t.Errorf("%d places wait, for %s, %v", places, oldest, err)
	}
	for n := range 4 {
		h.wantTold(busy, n, "Documents")
	}
	if early != nil {
		t.Errorf("it was called after %s already", early)
	}
	h.rests(o, busy)
	if places, _, err := o.waiting(t.Context()); places != 0 || err != nil {
		t.Errorf("%d places wait, %v", places, err)
	}
}

func TestManyPlacesAreToldAtOnceButNotAll(t *testing.T) {
	h := newTeam(t, "node")
	const places = 3 * placesAtOnce
	id := func(i int) string { return fmt.Sprintf("slack:C0%02d", i) }
	for i := range places {
		h.watch(id(i), destination.Subscription{Kind: destination.ScopeProcess, Value: process(1).String()})
	}
	full := make(chan struct{})
	h.board.wait = func(ctx context.Context) {
		select {
		case <-full:
		case <-ctx.Done():
		}
	}
	var looks atomic.Int64
	now := h.config.Now
	o := h.replica(func(c *Config) {
		c.Lease, c.Now = time.Minute, func() time.Time { looks.Add(1); return now() }
	})
	h.start(o)
	h.put(o, h.moves(1, "Documents"))
	eventually(t, "as many as may are told", func() bool { return h.board.now.Load() >= placesAtOnce })
	seen := looks.Load() // from here on, only who looks for more places asks for the time
	eventually(t, "it was looked for more", func() bool { return looks.Load() > seen+50 })
	close(full)
	for i := range places {
		h.wantTold(id(i), 1, "Documents")
	}
	if most := h.board.most.Load(); most != placesAtOnce {
		t.Errorf("%d at once, want %d", most, placesAtOnce)
	}
}

func TestALongStoryIsToldWholeInAFewReplies(t *testing.T) {
	h := newTeam(t, "node")
	o := h.replica()
	all := statuses(2*maxReplyLines + 5)
	for _, status := range all {
		h.put(o, h.moves(1, status))
	}
	if n := queueLength(t, o, channel); n != 1 {
		t.Errorf("%d stand in the queue for one process", n)
	}
	h.start(o)
	h.wantTold(channel, 1, all...)
	if many := len(h.board.at(channel)); many != 4 {
		t.Errorf("it took %d messages, want a card and three replies", many)
	}
}

func TestEachPlaceReadsItsLanguage(t *testing.T) {
	h := newTeam(t, "node")
	h.changePlace(channel, func(p *destination.Settings) {
		p.Lang, p.Subscriptions = words.Portuguese, []destination.Subscription{{Kind: destination.ScopeAll}}
	})
	o := h.replica()
	h.start(o)
	h.put(o, h.moves(1, "Recolha de documentos"))
	eventually(t, "it is told", func() bool { return len(h.board.at(channel)) == 2 })
	card, reply := h.board.at(channel)[0], h.board.at(channel)[1].notice
	if card.notice.Title != "Processo 1001" || card.fact("label.waits") != "intermediário de crédito" || reply.Text != "Estado: In Creation → Recolha de documentos" {
		t.Errorf("got %+v and %+v", card, reply)
	}
}

func TestAPanicCostsAPlaceItsTurnAndNoMore(t *testing.T) {
	h := newTeam(t, "node", func(c *Config) { c.Lease = 200 * time.Millisecond })
	var once sync.Once
	h.board.wait = func(context.Context) {
		once.Do(func() {
			h.board.mu.Lock()
			h.board.places[channel].busy = false
			h.board.mu.Unlock()
			panic(secrets[2])
		})
	}
	o := h.replica()
	h.start(o)
	h.put(o, h.moves(1, "Documents"))
	h.wantTold(channel, 1, "Documents")
	if log := h.log.String(); !strings.Contains(log, "panic") || strings.Contains(log, secrets[2]) {
		t.Errorf("the log says %s", log)
	}
}

func TestWhatIsNoLongerKeptIsSaidToBeMissing(t *testing.T) {
	h := newTeam(t, "node")
	o := h.replica()
	h.put(o, h.moves(1, "Documents"), h.moves(1, "Analysis"), h.moves(1, "Valuation"))
	h.album.mu.Lock()
	h.album.moved[process(1)] = h.album.moved[process(1)][2:]
	h.album.mu.Unlock()
	h.start(o)
	eventually(t, "it is told", func() bool { return len(h.board.at(channel)) == 2 })
	if reply := h.board.at(channel)[1].notice; len(reply.Lines) != 2 || reply.Lines[0] != "2 earlier changes are no longer kept" {
		t.Errorf("got %+v", reply)
	}
}

func TestRunningEndsWithItsContextAndLeavesNothingBehind(t *testing.T) {
	h := newTeam(t, "node")
	before := goleak.IgnoreCurrent()
	slow := make(chan struct{})
	h.board.wait = func(ctx context.Context) {
		select {
		case slow <- struct{}{}:
		case <-ctx.Done():
		}
		<-ctx.Done()
	}
	o := h.replica()
	stop := h.start(o)
	h.put(o, h.moves(1, "Documents"))
	<-slow
	stop()
	goleak.VerifyNone(t, before)
	h.board.wait = nil
	h.start(h.replica(func(c *Config) { c.Lease = 300 * time.Millisecond }))
	h.wantTold(channel, 1, "Documents")
}
