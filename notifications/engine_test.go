package notifications

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestAChangeBecomesOneUpdateForManyTriggersAndReplicas(t *testing.T) {
	t.Parallel()
	onEveryRedis(t, func(t *testing.T, env *bankEnv) {
		a, b := env.replica(t), env.replica(t)
		reconcile(t, a)
		runEngine(t, a)
		runEngine(t, b)
		for range 3 {
			env.advance(t, a1042)
			for range 40 {
				trigger(t, a, a1042)
				trigger(t, b, a1043) // nothing changed there
			}
			waitUntilIdle(t, a)
		}
		updates := env.wantOnce(t, a, a1042, 3)
		first := updates[0].Changes
		if len(first) != 1 || first[0].Kind != StatusChanged || first[0].From != "In Creation" || first[0].To == "" {
			t.Errorf("the first is %+v", first)
		}
		for i, update := range updates[1:] {
			if update.Changes[0].From != updates[i].Changes[0].To {
				t.Errorf("it changed to %q, and then from %q", updates[i].Changes[0].To, update.Changes[0].From)
			}
		}
		env.wantOnce(t, a, a1043, 0)
		if left := a.config.Store.Client().HLen(t.Context(), attemptsKey).Val(); left != 0 {
			t.Errorf("the attempts of %d processed triggers are stored", left)
		}
	})
}

func TestOldTriggersAreAnsweredByOneRead(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, redistest.Start(t))
	s := env.replica(t)
	reconcile(t, s)
	for range 450 { // several batches
		trigger(t, s, a1042)
	}
	asked := env.bank.Calls(portal.ProcessDetail)
	runEngine(t, s)
	waitUntilIdle(t, s)
	if asked = env.bank.Calls(portal.ProcessDetail) - asked; asked != 1 {
		t.Errorf("the bank was asked %d times", asked)
	}
}

func TestATriggerAddedDuringAReadCausesAnotherRead(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, redistest.Start(t))
	s := env.replica(t)
	reconcile(t, s)
	trigger(t, s, a1042)
	upTo, err := s.engine.stream.newestID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// The process changes right after the bank was read, and the bank calls.
	if err := s.engine.refresh(t.Context(), OfProcess(a1042), cause{upTo: upTo}); err != nil {
		t.Fatal(err)
	}
	env.advance(t, a1042)
	trigger(t, s, a1042)
	runEngine(t, s)
	waitUntilIdle(t, s)
	env.wantOnce(t, s, a1042, 1)
}

func TestOfTwoConcurrentReadsTheSlowerIsNotCommitted(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, redistest.Start(t))
	s, ctx := env.replica(t), t.Context()
	reconcile(t, s)
	before, err := s.engine.snapshots.load(ctx, OfProcess(a1042))
	if err != nil {
		t.Fatal(err)
	}
	stale, _, err := s.engine.reader.read(ctx, before, OfProcess(a1042), scope{whole: true}) // of a slow replica
	if err != nil {
		t.Fatal(err)
	}
	env.advance(t, a1042)
	if err := s.engine.refresh(ctx, OfProcess(a1042), cause{upTo: "1-1"}); err != nil {
		t.Fatal(err)
	}
	update, err := s.engine.compare(ctx, before, &stale, nil, cause{})
	if err != nil {
		t.Fatal(err)
	}
	if done, err := s.engine.snapshots.commit(ctx, before, stale, update, "1-1"); done || err != nil {
		t.Fatalf("a stale snapshot was committed: %v, %v", done, err)
	}
	// Many replicas at once read the same.
	env.advance(t, a1042)
	var crowd sync.WaitGroup
	for range 8 {
		crowd.Go(func() {
			if err := s.engine.refresh(ctx, OfProcess(a1042), cause{upTo: "1-1"}); err != nil {
				t.Error(err)
			}
		})
	}
	crowd.Wait()
	env.wantOnce(t, s, a1042, 2)
}

func TestAChangeThroughBalcaoNamesItsActor(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, redistest.Start(t))
	s := runEngine(t, env.replica(t))
	reconcile(t, s)
	ctx := t.Context()
	if _, _, err := s.config.Store.ChangeOwner(ctx, a1042, "slack:T1/U0ANA", "slack:T1/U0ANA", anybody); err != nil {
		t.Fatal(err)
	}
	triggers := func(actor string) {
		if err := s.Trigger(ctx, Trigger{Subject: OfProcess(a1042), Source: Balcao, Actor: actor}); err != nil {
			t.Fatal(err)
		}
		waitUntilIdle(t, s)
	}
	created, err := env.User().CreateBorrower(ctx, a1042, env.rui(t))
	if err != nil {
		t.Fatal(err)
	}
	triggers("slack:T1/U0ANA")
	changed := env.rui(t)
	changed.Personal.DependentsNumber = new(int32(3))
	if _, err := env.User().UpdateBorrower(ctx, a1042, created.BorrowerUniqueID, changed); err != nil {
		t.Fatal(err)
	}
	triggers("slack:T1/U0TOM")
	if _, err := env.User().DeleteBorrower(ctx, a1042, created.BorrowerUniqueID); err != nil {
		t.Fatal(err)
	}
	triggers("mcp:local")
	updates := env.wantOnce(t, s, a1042, 3)
	for i, want := range []struct{ kind, actor string }{
		{BorrowerAdded, "slack:T1/U0ANA"}, {BorrowerChanged, "slack:T1/U0TOM"}, {BorrowerRemoved, "mcp:local"},
	} {
		got := updates[i]
		if len(got.Changes) != 1 || got.Changes[0] != (Change{Kind: want.kind, To: "1"}) || got.Actor != want.actor || got.Owner != "slack:T1/U0ANA" {
			t.Errorf("got %+v by %q of %q, want %s by %s", got.Changes, got.Actor, got.Owner, want.kind, want.actor)
		}
	}
}

func TestAnActionWithoutAVisibleChangeIsAChange(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, redistest.Start(t))
	s := runEngine(t, env.replica(t))
	reconcile(t, s)
	if err := env.bank.Touch(a1042); err != nil {
		t.Fatal(err)
	}
	trigger(t, s, a1042)
	waitUntilIdle(t, s)
	if got := env.wantOnce(t, s, a1042, 1)[0].Changes; len(got) != 1 || got[0].Kind != Acted {
		t.Errorf("got %+v", got)
	}
}

func TestAProcessSeenAfterTheFirstReconciliationIsNew(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, redistest.Start(t))
	s := runEngine(t, env.replica(t))
	trigger(t, s, a1042) // before the first reconciliation it is unknown whether the process is new
	waitUntilIdle(t, s)
	reconcile(t, s)
	env.wantOnce(t, s, a1042, 0)
	opened := env.bank.AddProcess(sandbox.BrokerA)
	trigger(t, s, opened)
	waitUntilIdle(t, s)
	if got := env.wantOnce(t, s, opened, 1)[0]; got.Changes[0] != (Change{Kind: Opened, To: "In Creation"}) || got.Number == 0 {
		t.Errorf("got %+v", got)
	}
}

func TestAProcessOfAnotherBrokerIsReadOnceAndIgnored(t *testing.T) {
	t.Parallel()
	onEveryRedis(t, func(t *testing.T, env *bankEnv) {
		s := env.replica(t)
		reconcile(t, s)
		calls := env.bank.Calls(portal.ProcessDetail)
		forged := uuid.New()
		for range 150 {
			trigger(t, s, b1051) // another broker's
			trigger(t, s, forged)
		}
		runEngine(t, s)
		waitUntilIdle(t, s)
		if calls = env.bank.Calls(portal.ProcessDetail) - calls; calls != 2 {
			t.Errorf("the bank was asked %d times for two processes", calls)
		}
		env.wantOnce(t, s, b1051, 0)
		env.wantOnce(t, s, forged, 0)
		if deadLetters, err := s.DeadLetters(t.Context()); err != nil || len(deadLetters) != 0 {
			t.Errorf("dead letters: %v, %v", deadLetters, err)
		}
	})
}

func TestWhileTheBankIsDownTriggersWaitAndAttemptsBackOff(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, redistest.Start(t))
	s := env.replica(t, withShortLease)
	reconcile(t, s)
	env.advance(t, a1042)
	back := env.bank.Inject(sandbox.Fault{Status: 503})
	trigger(t, s, a1042)
	before := env.bank.Calls(portal.ProcessDetail)
	runEngine(t, s)
	waittest.Eventually(t, "the bank was asked a few times", func() bool { return env.bank.Calls(portal.ProcessDetail)-before >= 3 })
	if triggers, _, err := s.engine.stream.backlog(t.Context(), time.Now()); triggers != 1 || err != nil {
		t.Fatalf("%d triggers wait, %v", triggers, err)
	}
	back()
	waitUntilIdle(t, s)
	env.wantOnce(t, s, a1042, 1)
	if deadLetters, err := s.DeadLetters(t.Context()); err != nil || len(deadLetters) != 0 {
		t.Errorf("dead letters: %v, %v", deadLetters, err)
	}
}

func TestASlowReplicaKeepsItsClaims(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, redistest.Start(t))
	long := func(c *Config) { c.Lease = time.Second } // of which no replica is late by two thirds, however busy the machine
	s := env.replica(t, long)
	reconcile(t, s)
	env.advance(t, a1042)
	env.bank.Inject(sandbox.Fault{Operation: portal.ProcessDetail, Times: 1, Latency: 3 * time.Second})
	trigger(t, s, a1042)
	before := env.bank.Calls(portal.ProcessDetail)
	runEngine(t, s)
	waittest.Eventually(t, "the bank is asked", func() bool { return env.bank.Calls(portal.ProcessDetail) > before })
	runEngine(t, env.replica(t, long)) // which finds nothing to claim
	waitUntilIdle(t, s)
	if calls := env.bank.Calls(portal.ProcessDetail) - before; calls != 1 {
		t.Errorf("the bank was asked %d times", calls)
	}
	env.wantOnce(t, s, a1042, 1)
}

func TestAStoppedReplicaLeavesTheGroupUnlessItHoldsTriggers(t *testing.T) {
	t.Parallel()
	onEveryRedis(t, func(t *testing.T, env *bankEnv) {
		s, other := env.replica(t), env.replica(t)
		ctx, cancel := context.WithCancel(t.Context())
		consumers := func() int {
			all, err := s.config.Store.Client().XInfoConsumers(t.Context(), triggersKey, group).Result()
			if err != nil {
				t.Fatal(err)
			}
			return len(all)
		}
		trigger(t, s, a1042)
		if batch, err := s.engine.stream.read(ctx); len(batch) != 1 || err != nil {
			t.Fatal(len(batch), err)
		}
		cancel()
		if err := s.engine.run(ctx); err != nil || consumers() != 1 {
			t.Errorf("it left %d consumers, %v", consumers(), err)
		}
		runEngine(t, other)
		waitUntilIdle(t, other)
		env.wantOnce(t, other, a1042, 0)
		if err := s.engine.run(ctx); err != nil || consumers() != 1 {
			t.Errorf("it left %d consumers beside the other replica, %v", consumers(), err)
		}
	})
}

func TestTheEngineBacksOffOnlyIfEveryJobFails(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, redistest.Start(t))
	s := env.replica(t)
	reconcile(t, s)
	work := func(path string) error {
		trigger(t, s, a1042)
		trigger(t, s, a1043)
		batch, err := s.engine.stream.read(t.Context())
		if err != nil || len(batch) != 2 {
			t.Fatal(len(batch), err)
		}
		defer env.bank.Inject(sandbox.Fault{Operation: portal.ProcessDetail, Path: path, Status: 500})()
		return s.engine.work(t.Context(), batch)
	}
	if err := work(a1042.String()); err != nil {
		t.Errorf("one that fails stops the others: %v", err)
	}
	if err := work(""); portal.KindOf(err) != portal.Unavailable {
		t.Errorf("nothing is answered, and it goes on: %v", err)
	}
}

func TestARetryDelayDoublesAndHasAMaximum(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	p := retryDelay{min: time.Second, max: time.Minute}
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		if p.wait(ended, nil); p.current != want*time.Second {
			t.Errorf("it is %s, want %ds", p.current, want)
		}
	}
	p.reset()
	if p.wait(ended, nil); p.current != time.Second {
		t.Errorf("it is %s after all went well", p.current)
	}
}

func TestRedisHoldsNoPersonalDataAndNoKeyWithoutALifetime(t *testing.T) {
	t.Parallel()
	onEveryRedis(t, func(t *testing.T, env *bankEnv) {
		s := env.replica(t, func(c *Config) { c.MaxTries = 1 })
		reconcile(t, s)
		rui := env.rui(t)
		if _, err := env.User().CreateBorrower(t.Context(), a1042, rui); err != nil {
			t.Fatal(err)
		}
		env.advance(t, a1042)
		for _, trigger := range []Trigger{
			{Subject: OfProcess(a1042), Source: Balcao, Actor: "slack:T1/U0ANA"}, {Subject: OfProcess(b1051), Source: Callback, Type: 3},
			{Source: Callback, Type: 2}, {Subject: OfProcess(a1043), Source: "nonsense"},
		} {
			if err := s.Trigger(t.Context(), trigger); err != nil {
				t.Fatal(err)
			}
		}
		runEngine(t, s)
		waitUntilIdle(t, s)
		if err := s.registration.setFields(t.Context(), "at", 1); err != nil {
			t.Fatal(err)
		}
		keys := 0
		client := s.config.Store.Client()
		for _, key := range client.Keys(t.Context(), "*").Val() {
			keys++
			if left := client.PTTL(t.Context(), key).Val(); left <= 0 {
				t.Errorf("%s has no lifetime", key)
			}
			value := strings.Join([]string{
				key, client.Get(t.Context(), key).Val(), strings.Join(client.LRange(t.Context(), key, 0, -1).Val(), " "),
				strings.Join(client.HVals(t.Context(), key).Val(), " "), strings.Join(client.ZRange(t.Context(), key, 0, -1).Val(), " "),
			}, " ")
			for _, m := range client.XRange(t.Context(), key, "-", "+").Val() {
				for _, v := range m.Values {
					value += " " + v.(string)
				}
			}
			for _, secret := range []string{"Rui", "Amostra", "299999998", rui.Personal.BirthDate.Reveal(), "Maria", "Exemplo", "example.com", "+351"} {
				if strings.Contains(value, secret) {
					t.Errorf("%s contains %q", key, secret)
				}
			}
		}
		if keys < 6+len(env.dispatched.of(a1042)) {
			t.Errorf("only %d keys were found", keys)
		}
	})
}
