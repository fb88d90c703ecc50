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

// bankCalls returns how often the bank was asked about processes.
func (env *bankEnv) bankCalls() (calls int) {
	for _, operation := range []portal.OperationID{portal.ProcessDetail, portal.ProcessList, portal.BorrowerList, portal.BorrowerGet} {
		calls += env.bank.Calls(operation)
	}
	return calls
}

// startEngine creates a replica that knows its notification types and processes triggers until the test ends.
func (env *bankEnv) startEngine(t *testing.T, change ...func(*Config)) *Service {
	t.Helper()
	s := env.replica(t, change...)
	s.registration.setTypes([]listedType{{ID: 1, Description: "Estado"}})
	return runEngine(t, s)
}

func TestForgedCallbacksWithALeakedTokenCauseFewReads(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, redistest.Start(t))
	one, other := env.startEngine(t), env.startEngine(t)
	reconcile(t, one)
	waitUntilIdle(t, one)
	before := env.bankCalls()
	for i := range 1000 {
		postLeaked(t, one, uuid.New())
		if i == 500 { // a genuine callback of the bank
			env.advance(t, a1042)
			postLeaked(t, other, a1042)
		}
	}
	waittest.Eventually(t, "the genuine change is dispatched", func() bool { return len(env.dispatched.of(a1042)) == 1 })
	waitUntilIdle(t, one)
	known := 1 + 1 + 1 // the calls that read process 1042
	if cost := env.bankCalls() - before - known; cost > maxUnknownReads {
		t.Errorf("1,000 posts cost %d reads at the bank", cost)
	}
	if _, asked, err := lastReconciliation(t.Context(), one.config.Store.Client()); err != nil || asked == "" {
		t.Errorf("no reconciliation was requested: %v", err)
	}
}

func TestReconciliationFindsANewProcessDuringAFlood(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, redistest.Start(t))
	s := env.startEngine(t, func(c *Config) { c.ReconcileInterval = 15 * time.Second }) // a requested one is due after a second
	reconcile(t, s)
	runReconciler(t, s)
	for range 2 * maxUnknownReads {
		postLeaked(t, s, uuid.New())
	}
	opened := env.bank.AddProcess(sandbox.BrokerA)
	postLeaked(t, s, opened)
	waittest.Eventually(t, "the new process is dispatched", func() bool {
		updates, err := s.engine.snapshots.updates(t.Context(), OfProcess(opened), 0)
		if err != nil {
			t.Fatal(err)
		}
		return len(updates) == 1 && updates[0].Changes[0].Kind == Opened
	})
}

func TestOneProcessIsReadOnceInAReadInterval(t *testing.T) {
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
	env.advance(t, a1042)
	postLeaked(t, s, a1042)
	waitUntilIdle(t, s)
	env.wantOnce(t, s, a1042, 1)
}

// runReconciler reconciles whenever it is due, until the test ends.
func runReconciler(t *testing.T, s *Service) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = s.reconciler.run(ctx) }) // never fails
	t.Cleanup(func() { cancel(); running.Wait() })
}
