package notifications

import (
	"net/http"
	"slices"
	"testing"

	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

// The bank is not as it is taken to be: nothing is concluded about processes, and all of it is read once that is corrected.
func TestAWrongPathOrLoginCostsNoTriggerAndNoSnapshot(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string][]sandbox.Fault{
		"a wrong path of the process":     {{Operation: portal.ProcessDetail, Status: http.StatusNotFound}},
		"a wrong method":                  {{Operation: portal.ProcessDetail, Status: http.StatusMethodNotAllowed}},
		"a wrong path of its borrowers":   {{Operation: portal.BorrowerList, Status: http.StatusNotFound}},
		"a wrong path of a borrower":      {{Operation: portal.BorrowerGet, Status: http.StatusNotFound}},
		"a session that is not taken":     {{Operation: portal.ProcessDetail, Status: http.StatusUnauthorized}},
		"a login that is refused":         {{Operation: portal.Authenticate, Status: http.StatusUnauthorized}, {Operation: portal.ProcessDetail, ExpireSession: true}},
		"a wrong path of the login":       {{Operation: portal.Authenticate, Status: http.StatusNotFound}, {Operation: portal.ProcessDetail, ExpireSession: true}},
		"a login without a token":         {{Operation: portal.Authenticate, Body: sandbox.HTML}, {Operation: portal.ProcessDetail, ExpireSession: true}},
		"a form that is not taken (HTTP)": {{Operation: portal.ProcessDetail, Status: http.StatusUnsupportedMediaType}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := newBankEnv(t, "memory")
			s := env.replica(t, func(c *Config) { c.MaxTries = 2 })
			reconcile(t, s)
			var removes []func()
			for _, fault := range faults {
				removes = append(removes, env.bank.Inject(fault))
			}
			env.advance(t, a1042)
			asked := func() int { return env.bank.Calls(faults[0].Operation) }
			before := asked()
			trigger(t, s, a1042)
			runEngine(t, s)
			waittest.Eventually(t, "the bank was asked often", func() bool { return asked() > before+4 })
			if deadLetters, err := s.DeadLetters(t.Context()); err != nil || len(deadLetters) != 0 {
				t.Errorf("dead letters: %+v, %v", deadLetters, err)
			}
			if _, known, err := s.Snapshot(t.Context(), OfProcess(a1042)); !known || err != nil {
				t.Errorf("its snapshot is known: %t, %v", known, err)
			}
			for _, remove := range removes {
				remove()
			}
			waitUntilIdle(t, s)
			if delivered := env.dispatched.of(a1042); len(delivered) != 1 || delivered[0].Changes[0].Kind != StatusChanged {
				t.Errorf("dispatched were %+v", delivered)
			}
		})
	}
}

// A refusal that says something else than that the process does not exist is not taken for that.
func TestARefusalInOtherWordsIsNotAnAbsentProcess(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, "memory")
	s := env.replica(t, withShortLease, func(c *Config) { c.MaxTries = 2 })
	reconcile(t, s)
	remove := env.bank.Inject(sandbox.Fault{Operation: portal.ProcessDetail, Status: http.StatusBadRequest, Reply: `{"message": "Not on Thursdays"}`})
	trigger(t, s, a1042)
	runEngine(t, s)
	waitUntilIdle(t, s)
	deadLetters, err := s.DeadLetters(t.Context())
	if err != nil || len(deadLetters) != 1 || deadLetters[0].Reason != Refused {
		t.Errorf("dead letters: %+v, %v", deadLetters, err)
	}
	remove()
	env.advance(t, a1042)
	if _, err := s.Replay(t.Context(), deadLetters[0].ID); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "the change is dispatched", func() bool { return len(env.dispatched.of(a1042)) == 1 })
}

// Each process would else be reported as new once its reply is understood.
func TestAFirstReconciliationThatCanReadNothingIsNotDone(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, "memory")
	s := env.replica(t)
	remove := env.bank.Inject(sandbox.Fault{Operation: portal.ProcessDetail, Body: sandbox.Garbage})
	if err := s.reconciler.runIfDue(t.Context()); err == nil {
		t.Error("it is done")
	}
	remove()
	reconcile(t, s)
	env.wantNone(t, a1042)
}

func TestAProblemOfRegisteringHasItsCause(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault sandbox.Fault
		want  string
	}{
		"a refused address":      {sandbox.Fault{Operation: portal.CallbackUpdate, Status: http.StatusBadRequest}, NotSet},
		"a wrong path":           {sandbox.Fault{Operation: portal.CallbackUpdate, Status: http.StatusNotFound}, NotAsked},
		"a wrong path of a list": {sandbox.Fault{Operation: portal.CallbackList, Status: http.StatusNotFound}, NotAsked},
		"an outage":              {sandbox.Fault{Operation: portal.CallbackUpdate, Status: http.StatusServiceUnavailable}, NotAsked},
		"a refused echo":         {sandbox.Fault{Operation: portal.CallbackEcho, Status: http.StatusBadRequest}, EchoRefused},
		"a wrong path of echo":   {sandbox.Fault{Operation: portal.CallbackEcho, Status: http.StatusNotFound}, NotTested},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := newBankEnv(t, "memory")
			s := env.reachable(t)
			reconcile(t, s)
			env.bank.Inject(c.fault)
			err := s.Register(t.Context())
			if problems, _ := s.Problems(t.Context()); err == nil || !slices.Contains(problems, c.want) {
				t.Errorf("got %v after %v, want %s", problems, err, c.want)
			}
		})
	}
}
