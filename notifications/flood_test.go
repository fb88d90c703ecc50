package notifications

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

// postLeaked posts a callback about a process with a token that others know.
func postLeaked(t *testing.T, s *Service, process uuid.UUID) {
	t.Helper()
	if w := post(s.Handler(), http.MethodPost, "/callbacks/old-token/1", `{"processUniqueId":"`+process.String()+`"}`); w.Code != http.StatusAccepted {
		t.Fatalf("answered %d", w.Code)
	}
}

// rateLimited counts the calls that the bank had for processes.
func (env *bankEnv) bankCalls() (calls int) {
	for _, operation := range []portal.OperationID{portal.ProcessDetail, portal.ProcessList, portal.BorrowerList, portal.BorrowerGet} {
		calls += env.bank.Calls(operation)
	}
	return calls
}

// startEngine has a replica do everything, until the test ends.
func (env *bankEnv) startEngine(t *testing.T, change ...func(*Config)) *Service {
	t.Helper()
	s := env.replica(t, change...)
	s.registration.setTypes([]int32{1})
	return runEngine(t, s)
}

func TestALeakedTokenCostsFewReadsHoweverManyProcessesAreInvented(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, redistest.Start(t))
	one, other := env.startEngine(t), env.startEngine(t)
	reconcile(t, one)
	waitUntilIdle(t, one)
	before := env.bankCalls()
	for i := range 1000 {
		postLeaked(t, one, uuid.New())
		if i == 500 { // the bank itself tells of one that it has
			env.move(t, a1042)
			postLeaked(t, other, a1042)
		}
	}
	waittest.Eventually(t, "the genuine one is told of", func() bool { return len(env.dispatched.of(a1042)) == 1 })
	waitUntilIdle(t, one)
	known := 1 + 1 + 1 // what reading 1042 takes
	if cost := env.bankCalls() - before - known; cost > maxUnknownReads {
		t.Errorf("1,000 posts cost %d reads at the bank", cost)
	}
	if _, asked, err := lastReconciliation(t.Context(), one.config.Store.Client()); err != nil || asked == "" {
		t.Errorf("nobody asked for a walk, which finds those that there are: %v", err)
	}
}

func TestANewProcessIsFoundThroughAFloodByTheWalk(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, redistest.Start(t))
	s := env.startEngine(t, func(c *Config) { c.ReconcileInterval = 15 * time.Second }) // and a second after one that was asked for
	reconcile(t, s)
	runReconciler(t, s)
	for range 2 * maxUnknownReads {
		postLeaked(t, s, uuid.New())
	}
	opened := env.bank.AddProcess(sandbox.BrokerA)
	postLeaked(t, s, opened)
	waittest.Eventually(t, "the new process is told of", func() bool {
		updates, err := s.engine.snapshots.updates(t.Context(), opened, 0)
		if err != nil {
			t.Fatal(err)
		}
		return len(updates) == 1 && updates[0].Changes[0].Kind == Opened
	})
}

func TestTheSameProcessAgainAndAgainIsReadAtAPace(t *testing.T) {
	t.Parallel()
	const rest = 500 * time.Millisecond
	env := newBankEnv(t, redistest.Start(t))
	s := env.startEngine(t, func(c *Config) { c.ReadInterval = rest })
	reconcile(t, s)
	waitUntilIdle(t, s)
	missing := uuid.New()
	before, began := env.bankCalls(), time.Now()
	for time.Since(began) < 2*rest {
		postLeaked(t, s, a1042)
		postLeaked(t, s, missing)
	}
	reads := int(time.Since(began)/rest) + 2 // one more at either end
	if cost := env.bankCalls() - before; cost > 3*reads+1 {
		t.Errorf("%d calls for %d readings of one process and one of another", cost, reads)
	}
	env.move(t, a1042)
	postLeaked(t, s, a1042)
	waitUntilIdle(t, s)
	env.wantOnce(t, s, a1042, 1)
}

// runReconciler has a replica walk when it is time, until the test ends.
func runReconciler(t *testing.T, s *Service) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = s.reconciler.run(ctx) }) // ends without an error
	t.Cleanup(func() { cancel(); running.Wait() })
}
