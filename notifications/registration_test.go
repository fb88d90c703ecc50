package notifications

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

// reached is a replica that the bank reaches at an address of its own.
func (w *town) reached(t *testing.T, change ...func(*Config)) *Service {
	t.Helper()
	var s *Service
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.Handler().ServeHTTP(w, r) }))
	t.Cleanup(web.Close)
	s = w.replica(t, append(change, func(c *Config) { c.URL = web.URL + "/" })...)
	return work(t, s)
}

func (w *town) callbacks(t *testing.T) map[int32]string {
	t.Helper()
	listed, err := w.user(t).ListCallbacks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := map[int32]string{}
	for _, callback := range listed {
		all[callback.NotificationTypeID] = callback.URL.Reveal()
	}
	return all
}

func TestTheBankIsToldToCallAndItsEchoComesBack(t *testing.T) {
	everywhere(t, func(t *testing.T, town *town) {
		s := town.reached(t)
		walk(t, s)
		if err := s.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
		set := town.callbacks(t)
		if len(set) != 5 || set[3] != strings.TrimRight(s.config.URL, "/")+"/callbacks/new-token/3" {
			t.Errorf("set are %d callbacks", len(set))
		}
		if ailments, err := s.Ailments(t.Context()); len(ailments) != 0 || err != nil {
			t.Errorf("it is not well: %v, %v", ailments, err)
		}
		town.move(t, a1042) // and the bank calls
		eventually(t, "the callback became an update", func() bool { return len(town.told.of(a1042)) == 1 })
		values, err := s.standing(t.Context())
		if err != nil || values["balcao.echo_age_seconds"] > 60 || len(values) != 7 {
			t.Errorf("measured %v, %v", values, err)
		}
	})
}

func TestDriftIsRepaired(t *testing.T) {
	town := open(t, redistest.Start(t))
	s := town.reached(t)
	if err := s.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	want, bank := town.callbacks(t), town.user(t)
	if _, err := bank.SetCallback(t.Context(), 2, portal.NewCallbackURL("https://elsewhere.example/x")); err != nil {
		t.Fatal(err)
	}
	if _, err := bank.DeleteCallback(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	before := town.bank.Calls(portal.CallbackUpdate)
	if err := s.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := town.callbacks(t); len(got) != 5 || got[2] != want[2] || got[4] != want[4] {
		t.Errorf("they are %v", got)
	}
	if calls := town.bank.Calls(portal.CallbackUpdate) - before; calls != 2 {
		t.Errorf("%d were set, want the two that were wrong", calls)
	}
	// A type that is none any more: ours goes, somebody else's stays.
	if _, err := bank.SetCallback(t.Context(), 5, portal.NewCallbackURL("https://elsewhere.example/x")); err != nil {
		t.Fatal(err)
	}
	if err := s.registration.repair(t.Context(), []int32{1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	if got := town.callbacks(t); len(got) != 4 || got[4] != "" || got[5] != "https://elsewhere.example/x" {
		t.Errorf("they are %v", got)
	}
}

func TestANewTokenIsGivenToTheBankAndTheOldStillServes(t *testing.T) {
	town := open(t, redistest.Start(t))
	s := town.reached(t)
	if err := s.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.registration.config.Tokens = []string{"newest-token", "new-token"}
	s.receiver = newReceiver(s.registration.config.Tokens, s.registration.known, s.engine.stream.add, s.engine.count, func(error) {})
	old := town.callbacks(t)[1]
	if err := s.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now := town.callbacks(t)[1]; !strings.Contains(now, "newest-token") {
		t.Error("the bank was not told")
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

func TestAnEchoThatDoesNotComeBackIsSaid(t *testing.T) {
	town := open(t, redistest.Start(t))
	s := town.replica(t, func(c *Config) { c.URL = "http://127.0.0.1:1" }) // where nobody listens
	s.registration.patience = 200 * time.Millisecond
	walk(t, s)
	err := s.Register(t.Context())
	if err == nil || strings.Contains(err.Error(), "new-token") {
		t.Errorf("got %v", err)
	}
	ailments, err := s.Ailments(t.Context())
	if err != nil || !slices.ContainsFunc([]string{NoEcho, EchoRefused}, func(a string) bool { return slices.Contains(ailments, a) }) {
		t.Errorf("it says %v, %v", ailments, err)
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Errorf("it takes no callbacks, which then can never come back: %v", err)
	}
}

func TestWithoutAnAddressTheBankIsNotToldToCall(t *testing.T) {
	town := open(t, "memory")
	s := town.replica(t)
	if err := s.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := town.callbacks(t); len(got) != 0 {
		t.Errorf("set were %v", got)
	}
	if s.registration.known(6) || !s.registration.known(5) {
		t.Error("the types are not known")
	}
}

func TestThatTheBankDoesNotSayItsTypesIsSaid(t *testing.T) {
	town := open(t, "memory")
	s := town.replica(t, func(c *Config) { c.URL = "http://127.0.0.1:1" })
	walk(t, s)
	remove := town.bank.Inject(sandbox.Fault{Status: 503})
	err := s.Register(t.Context())
	ailments, _ := s.Ailments(t.Context())
	if err == nil || !slices.Equal(ailments, []string{TypesUnknown}) {
		t.Errorf("it says %v after %v", ailments, err)
	}
	remove()
}

func TestTheTypesAreRememberedForWhenTheBankIsDown(t *testing.T) {
	town := open(t, redistest.Start(t))
	s := town.replica(t)
	if !s.registration.known(77) {
		t.Error("a type is refused before the bank has said which there are")
	}
	if err := s.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	town.bank.Inject(sandbox.Fault{Status: 503})
	next := town.replica(t)
	if next.registration.known(77) {
		t.Error("a replica that has just begun does not know what others were told")
	}
	if err := next.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	if next.registration.known(77) || !next.registration.known(1) {
		t.Error("the types are not known")
	}
}
