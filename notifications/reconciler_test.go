package notifications

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestReconciliationFindsWhatCallbacksMissed(t *testing.T) {
	t.Parallel()
	onEveryRedis(t, func(t *testing.T, env *bankEnv) {
		s := runEngine(t, env.replica(t))
		reconcile(t, s)
		env.advance(t, a1042)
		if err := env.bank.Touch(a1043); err != nil {
			t.Fatal(err)
		}
		opened := env.bank.AddProcess(sandbox.BrokerA)
		calls := env.bank.Calls(portal.ProcessDetail)
		reconcile(t, s)
		waitUntilIdle(t, s)
		for process, kind := range map[uuid.UUID]string{a1042: StatusChanged, a1043: Acted, opened: Opened} {
			if got := env.wantOnce(t, s, process, 1)[0].Changes; got[0].Kind != kind {
				t.Errorf("got %+v, want %s", got, kind)
			}
		}
		if calls = env.bank.Calls(portal.ProcessDetail) - calls; calls != 3 {
			t.Errorf("%d processes were read, want the three that changed", calls)
		}
	})
}

func TestAnEndedProcessIsReadOnceMore(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, "memory")
	var passed time.Duration
	s := runEngine(t, env.replica(t, func(c *Config) { c.Now = func() time.Time { return time.Now().Add(passed) } }))
	reconcile(t, s)
	if err := env.bank.SetState(a1042, 7); err != nil {
		t.Fatal(err)
	}
	calls := func() int { return env.bank.Calls(portal.ProcessDetail) }
	before := calls()
	for range 3 {
		reconcile(t, s)
		waitUntilIdle(t, s)
	}
	env.wantOnce(t, s, a1042, 1)
	if got := calls() - before; got != 1 {
		t.Errorf("it was read %d times", got)
	}
}

func TestARowIsComparedWithTheSnapshot(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	r := &reconciler{config: Config{Now: clock}, phases: &phases{states: profile.Builtin().States, now: clock, read: taxonomies}}
	row := func(status int32, text string, acted time.Time) listed {
		return listed{statusID: status, status: text, lastAction: acted}
	}
	seen := func(change func(*storedState)) storedState {
		s := storedState{known: true, snapshot: Snapshot{StatusID: 2, LastAction: now.Add(-time.Hour), Read: now.Add(-time.Minute)}}
		if change != nil {
			change(&s)
		}
		return s
	}
	hourAgo := now.Add(-time.Hour)
	for name, test := range map[string]struct {
		row  listed
		seen storedState
		fits bool
	}{
		"as it was":                          {row(2, "Documents", hourAgo), seen(nil), true},
		"never seen":                         {row(2, "Documents", hourAgo), storedState{}, false},
		"another status":                     {row(3, "Analysis", hourAgo), seen(nil), false},
		"a later action":                     {row(2, "Documents", now), seen(nil), false},
		"an earlier action":                  {row(2, "Documents", now.Add(-2*time.Hour)), seen(nil), true},
		"an action that is never to be seen": {row(2, "Documents", now.Add(-30*time.Minute)), seen(nil), true},
		"an update is not handed on":         {row(2, "Documents", hourAgo), seen(func(s *storedState) { s.pending = []string{"{}"} }), false},
		"not read for a day":                 {row(2, "Documents", hourAgo), seen(func(s *storedState) { s.snapshot.Read = now.Add(-25 * time.Hour) }), false},
		"ended, and not read for a day":      {row(2, "Concluído", hourAgo), seen(func(s *storedState) { s.snapshot.Read = now.Add(-25 * time.Hour) }), true},
		"only its valuation has ended":       {row(2, "Avaliação concluída", hourAgo), seen(func(s *storedState) { s.snapshot.Read = now.Add(-25 * time.Hour) }), false},
		"a state that nobody knows":          {row(2, "Em banho-maria", hourAgo), seen(func(s *storedState) { s.snapshot.Read = now.Add(-25 * time.Hour) }), false},
		"ended, as only the list says":       {row(8, "", hourAgo), seen(func(s *storedState) { s.snapshot.StatusID, s.snapshot.Read = 8, now.Add(-25*time.Hour) }), true},
		"an action since all was read": {row(2, "Documents", hourAgo), seen(func(s *storedState) {
			s.snapshot.WholeRead, s.snapshot.WholeAction = now.Add(-2*time.Hour), now.Add(-3*time.Hour)
		}), false},
		"ended, and not all read since": {row(2, "Concluído", hourAgo), seen(func(s *storedState) {
			s.snapshot.WholeRead, s.snapshot.WholeAction = now.Add(-2*time.Hour), now.Add(-3*time.Hour)
		}), false},
		"ended since": {row(7, "Concluído", hourAgo), seen(nil), false},
	} {
		if got := r.isCurrent(t.Context(), test.row, test.seen); got != test.fits {
			t.Errorf("%s: it fits is %v", name, got)
		}
	}
}

func TestReconciliationReadsEveryPage(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, "memory")
	for range 2*pageSize + 5 {
		env.bank.AddProcess(sandbox.BrokerA)
	}
	s := env.replica(t)
	before := env.bank.Calls(portal.ProcessList)
	reconcile(t, s)
	if calls := env.bank.Calls(portal.ProcessList) - before; calls != 3 {
		t.Errorf("%d pages were read", calls)
	}
	last := sandbox.SampleProcess(sandbox.SampleOpen) // the oldest is at the end
	if _, known, err := s.Snapshot(t.Context(), OfProcess(last)); !known || err != nil {
		t.Errorf("the last is not known: %v", err)
	}
}

func TestOneOfManyReplicasReconciles(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, redistest.Start(t))
	var crowd sync.WaitGroup
	for range 5 {
		s := env.replica(t, func(c *Config) { c.Lease = time.Minute })
		crowd.Go(func() {
			if err := s.reconciler.runIfDue(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	crowd.Wait()
	if calls := env.bank.Calls(portal.ProcessList); calls != 1 {
		t.Errorf("the list was read %d times", calls)
	}
}

func TestATriggerWithoutAProcessRequestsOneReconciliation(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, redistest.Start(t))
	now := time.Now()
	s := env.replica(t, func(c *Config) { c.Now = func() time.Time { return now } })
	reconcile(t, s)
	for range 30 {
		trigger(t, s, uuid.Nil)
	}
	runEngine(t, s)
	waitUntilIdle(t, s)
	reconciliations := func() int {
		before := env.bank.Calls(portal.ProcessList)
		for range 3 {
			if err := s.reconciler.runIfDue(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		return env.bank.Calls(portal.ProcessList) - before
	}
	if got := reconciliations(); got != 0 {
		t.Errorf("a flood of requests causes %d reconciliations at once", got)
	}
	now = now.Add(5 * time.Minute) // of an interval of an hour
	if got := reconciliations(); got != 1 {
		t.Errorf("%d reconciliations", got)
	}
	now = now.Add(5 * time.Minute)
	if got := reconciliations(); got != 0 {
		t.Errorf("%d reconciliations without a request", got)
	}
	now = now.Add(time.Hour)
	if got := reconciliations(); got != 1 {
		t.Errorf("%d reconciliations when one is due", got)
	}
}

func TestReconciliationIsRetriedWhileTheBankIsDown(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, "memory")
	s := env.replica(t, withShortLease)
	back := env.bank.Inject(sandbox.Fault{Operation: portal.ProcessList, Status: 503})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = s.reconciler.run(ctx) }) // never fails
	t.Cleanup(func() { cancel(); running.Wait() })
	waittest.Eventually(t, "it was tried twice", func() bool { return env.bank.Calls(portal.ProcessList) >= 2 })
	if done, err := reconciledOnce(ctx, s.engine.stream.redis, "process"); done || err != nil {
		t.Errorf("the reconciliation is done: %v, %v", done, err)
	}
	back()
	waittest.Eventually(t, "the reconciliation is done", func() bool {
		done, err := reconciledOnce(ctx, s.engine.stream.redis, "process")
		return done && err == nil
	})
}

func TestSinceReturnsEveryUpdateOfEveryReplica(t *testing.T) {
	t.Parallel()
	onEveryRedis(t, func(t *testing.T, env *bankEnv) {
		ctx := t.Context()
		a, b := env.replica(t), env.replica(t)
		// The clock of one is an hour behind.
		b.config.Now = func() time.Time { return time.Now().Add(-time.Hour) }
		b.engine.config.Now = b.config.Now
		reconcile(t, a)
		var seen []string
		var since time.Time
		for i := range 8 {
			one := []*Service{a, b}[i%2]
			for _, process := range []uuid.UUID{a1042, a1043} {
				if err := env.bank.Touch(process); err != nil {
					t.Fatal(err)
				}
				if err := one.engine.refresh(ctx, OfProcess(process), cause{upTo: "1-1"}); err != nil {
					t.Fatal(err)
				}
			}
			for { // one at a time
				updates, err := b.Since(ctx, since, 1)
				if err != nil || len(updates) > 1 {
					t.Fatal(len(updates), err)
				}
				if len(updates) == 0 {
					break
				}
				since = updates[0].At
				seen = append(seen, updates[0].ID())
			}
		}
		all, err := a.Since(ctx, time.Time{}, 0)
		if err != nil || len(all) != 16 || len(seen) != 16 {
			t.Fatalf("%d of %d were seen, %v", len(seen), len(all), err)
		}
		for i, update := range all {
			if update.ID() != seen[i] {
				t.Errorf("at %d is %s, seen was %s", i, update.ID(), seen[i])
			}
		}
		if !slices.IsSortedFunc(all, func(a, b Update) int { return a.At.Compare(b.At) }) {
			t.Error("they are not in order")
		}
		if now, err := a.Since(ctx, time.Now().Add(time.Minute), 10); err != nil || len(now) != 0 {
			t.Errorf("since now: %d, %v", len(now), err)
		}
	})
}

func TestTheChangelogKeepsItsOrderIfTheClockGoesBack(t *testing.T) {
	t.Parallel()
	onEveryRedis(t, func(t *testing.T, env *bankEnv) {
		s, ctx := env.replica(t), t.Context()
		ahead := time.Now().Add(time.Hour).UnixMicro()
		client := s.config.Store.Client()
		sealed := make([]string, 4)
		for version := range sealed {
			var err error
			if sealed[version], err = s.engine.snapshots.sealUpdate(Update{Version: int64(version)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := client.ZAdd(ctx, changelogKey, redis.Z{Score: float64(ahead), Member: sealed[1]}).Err(); err != nil {
			t.Fatal(err)
		}
		for i, version := range []int{2, 3, 2, 1} {
			if first, err := s.engine.changelog.append(ctx, sealed[version]); err != nil || first != (i < 2) {
				t.Errorf("%d is new: %v, %v", version, first, err)
			}
		}
		updates, err := s.Since(ctx, time.Now(), 0)
		if err != nil || len(updates) != 3 {
			t.Fatalf("%d updates, %v", len(updates), err)
		}
		for i, update := range updates {
			if update.Version != int64(i+1) || update.At.UnixMicro() != ahead+int64(i) {
				t.Errorf("at %d stands %d of %s", i, update.Version, update.At)
			}
		}
	})
}
