package notifications

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

// reachable creates a replica whose address the bank can reach.
func (env *bankEnv) reachable(t *testing.T, change ...func(*Config)) *Service {
	t.Helper()
	var s *Service
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.Handler().ServeHTTP(w, r) }))
	t.Cleanup(web.Close)
	s = env.replica(t, append(change, func(c *Config) { c.URL = web.URL + "/" })...)
	return runEngine(t, s)
}

func (env *bankEnv) callbacks(t *testing.T) map[int32]string {
	t.Helper()
	listed, err := env.User().ListCallbacks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := map[int32]string{}
	for _, callback := range listed {
		all[callback.NotificationTypeID] = callback.URL.Reveal()
	}
	return all
}

func TestCallbacksAreRegisteredAndTheEchoArrives(t *testing.T) {
	t.Parallel()
	onEveryRedis(t, func(t *testing.T, env *bankEnv) {
		s := env.reachable(t)
		reconcile(t, s)
		if err := s.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
		set := env.callbacks(t)
		if len(set) != 8 || set[3] != strings.TrimRight(s.config.URL, "/")+"/callbacks/new-token/3" {
			t.Errorf("set are %d callbacks", len(set))
		}
		if problems, err := s.Problems(t.Context()); len(problems) != 0 || err != nil {
			t.Errorf("it is not well: %v, %v", problems, err)
		}
		env.advance(t, a1042) // and the bank calls
		waittest.Eventually(t, "the callback became an update", func() bool { return len(env.dispatched.of(a1042)) == 1 })
		values, err := s.measure(t.Context())
		if err != nil || values["balcao.echo_age_seconds"] > 60 || len(values) != 7 {
			t.Errorf("measured %v, %v", values, err)
		}
	})
}

func TestWrongCallbacksAreRepaired(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, redistest.Start(t))
	s := env.reachable(t)
	if err := s.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	want, bank := env.callbacks(t), env.User()
	if _, err := bank.SetCallback(t.Context(), 2, portal.NewCallbackURL("https://elsewhere.example/x")); err != nil {
		t.Fatal(err)
	}
	if _, err := bank.DeleteCallback(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	before := env.bank.Calls(portal.CallbackUpdate)
	if err := s.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := env.callbacks(t); len(got) != 8 || got[2] != want[2] || got[4] != want[4] {
		t.Errorf("they are %v", got)
	}
	if calls := env.bank.Calls(portal.CallbackUpdate) - before; calls != 2 {
		t.Errorf("%d were set, want the two that were wrong", calls)
	}
	// For a type that no longer exists our address is deleted, and somebody else's stays.
	if _, err := bank.SetCallback(t.Context(), 5, portal.NewCallbackURL("https://elsewhere.example/x")); err != nil {
		t.Fatal(err)
	}
	if err := s.registration.repair(t.Context(), []int32{1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	if got := env.callbacks(t); len(got) != 4 || got[4] != "" || got[5] != "https://elsewhere.example/x" {
		t.Errorf("they are %v", got)
	}
}

func TestANewTokenIsRegisteredAndTheOldOneIsStillAccepted(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, redistest.Start(t))
	s := env.reachable(t)
	if err := s.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.registration.config.Tokens = []string{"newest-token", "new-token"}
	s.receiver = newReceiver(s.registration.config.Tokens, s.registration.known, s.registration.config.Bank.ReadNotification, s.engine.stream.add, s.engine.instruments, func(error) {})
	old := env.callbacks(t)[1]
	if err := s.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now := env.callbacks(t)[1]; !strings.Contains(now, "newest-token") {
		t.Error("the new token is not registered")
	}
	response, err := http.Post(old, "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusAccepted {
		t.Errorf("what was on its way is answered %d", response.StatusCode)
	}
}

func TestAMissingEchoIsReported(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, redistest.Start(t))
	s := env.replica(t, func(c *Config) { c.URL = "http://127.0.0.1:1" }) // where nobody listens
	s.registration.echoTimeout = 200 * time.Millisecond
	reconcile(t, s)
	err := s.Register(t.Context())
	if err == nil || strings.Contains(err.Error(), "new-token") {
		t.Errorf("got %v", err)
	}
	problems, err := s.Problems(t.Context())
	if err != nil || !slices.ContainsFunc([]string{NoEcho, EchoRefused}, func(a string) bool { return slices.Contains(problems, a) }) {
		t.Errorf("it says %v, %v", problems, err)
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Errorf("it takes no callbacks, which then can never come back: %v", err)
	}
}

func TestWithoutAnAddressNothingIsRegistered(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, "memory")
	s := env.replica(t)
	if err := s.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := env.callbacks(t); len(got) != 0 {
		t.Errorf("set were %v", got)
	}
	if s.registration.known(99) || !s.registration.known(5) {
		t.Error("the types are not known")
	}
}

func TestUnknownTypesAreReported(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, "memory")
	s := env.replica(t, func(c *Config) { c.URL = "http://127.0.0.1:1" })
	reconcile(t, s)
	remove := env.bank.Inject(sandbox.Fault{Status: 503})
	err := s.Register(t.Context())
	problems, _ := s.Problems(t.Context())
	if err == nil || !slices.Equal(problems, []string{TypesUnknown}) {
		t.Errorf("it says %v after %v", problems, err)
	}
	remove()
}

func TestTypesAreCachedForWhenTheBankIsDown(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, redistest.Start(t))
	s := env.replica(t)
	if !s.registration.known(77) {
		t.Error("a type is refused before the bank has said which there are")
	}
	if err := s.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	env.bank.Inject(sandbox.Fault{Status: 503})
	next := env.replica(t)
	if next.registration.known(77) {
		t.Error("a new replica does not know the cached types")
	}
	if err := next.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	if next.registration.known(77) || !next.registration.known(1) {
		t.Error("the types are not known")
	}
}
