package portal_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
)

// together calls n times at once and returns what came of each.
func together(n int, call func(i int) error) []error {
	var all sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		all.Go(func() { errs[i] = call(i) })
	}
	all.Wait()
	return errs
}

func TestAThousandCallsAtOnceLogInOnce(t *testing.T) {
	t.Parallel()
	bank, config := overTCP(t, text(200, nobody))
	config.Transport, config.MaxPerSecond = &http.Transport{MaxConnsPerHost: 32}, 100_000
	user := as(t, config, maria)
	if err := errors.Join(together(1000, func(int) error { return list(user) })...); err != nil {
		t.Fatal(err)
	}
	bank.wantSeen(t, 1, 1000)
}

func TestAnExpiredSessionIsRenewedOnceForEverybody(t *testing.T) {
	bank, config := overTCP(t, text(200, nobody))
	config.Transport, config.MaxPerSecond = &http.Transport{MaxConnsPerHost: 32}, 100_000
	user := as(t, config, maria)
	if err := list(user); err != nil {
		t.Fatal(err)
	}
	bank.expire()
	if err := errors.Join(together(200, func(int) error { return list(user) })...); err != nil {
		t.Fatal(err)
	}
	if logins, _ := bank.seen(); logins != 2 {
		t.Errorf("%d logins, want 2", logins)
	}
}

func TestALate401DoesNotEndTheSessionThatAnotherCallerRenewed(t *testing.T) {
	arrived, goOn := make(chan struct{}), make(chan struct{})
	late := make(chan struct{}, 1)
	late <- struct{}{}
	bank := &fakeBank{valid: map[string]bool{}, answer: text(200, nobody)}
	config := plain(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer session-1" {
			select {
			case <-late: // the first call's refusal takes its time
				close(arrived)
				<-goOn
			default:
			}
			w.WriteHeader(401)
			return
		}
		bank.ServeHTTP(w, r)
	}))
	user := as(t, config, maria)
	first := make(chan error, 1)
	go func() { first <- list(user) }()
	<-arrived
	if err := list(user); err != nil {
		t.Fatal(err)
	}
	close(goOn)
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	bank.wantSeen(t, 2, 2)
}

func TestAWriteIsSentAgainAfterA401AndOnlyThen(t *testing.T) {
	bank, config := overTCP(t, text(201, `{"additionalData": {"borrowerUniqueID": "aa11a4b4-f234-4c03-b577-8eebd3fcc63b"}}`))
	user := as(t, config, maria)
	if err := create(user); err != nil {
		t.Fatal(err)
	}
	bank.expire()
	if err := create(user); err != nil {
		t.Fatal(err)
	}
	bank.wantSeen(t, 2, 3)
	if bank.bodies[1] != bank.bodies[2] {
		t.Error("the repeat differs")
	}
}

func TestA401AfterAFreshLoginIsTheEnd(t *testing.T) {
	bank, config := overTCP(t, text(401, ""))
	user := as(t, config, maria)
	wantKind(t, list(user), portal.Unauthorized)
	bank.wantSeen(t, 2, 2)
	wantKind(t, create(user), portal.Unauthorized)
	bank.wantSeen(t, 3, 4)
}

func TestARefusedLoginIsNotTriedAgain(t *testing.T) {
	for status, kind := range map[int]portal.Kind{
		400: portal.LoginRefused, 401: portal.LoginRefused, 403: portal.LoginRefused, 422: portal.LoginRefused,
		404: portal.WrongPath, 405: portal.WrongPath, 302: portal.Garbled,
	} {
		var calls int
		config := plain(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls++
			reply(w, status, map[string]string{"code": "990101", "message": "unknown user"})
		}))
		err := create(as(t, config, maria))
		wantKind(t, err, kind)
		var failure *portal.Error
		if !errors.As(err, &failure) || failure.Operation != portal.Authenticate || calls != 1 {
			t.Errorf("status %d: %v after %d calls", status, err, calls)
		}
	}
}

func TestALoginThatFailsInPassingIsTriedAgainAndTheWriteGoesOutOnce(t *testing.T) {
	bank := &fakeBank{valid: map[string]bool{}, answer: text(400, "")}
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/authentication", inTurn(text(503, ""), cut, bank.ServeHTTP))
	mux.Handle("/", bank)
	wantKind(t, create(as(t, plain(t, mux), maria)), portal.Refused)
	bank.wantSeen(t, 1, 1)
}

func TestALoginThatKeepsFailingIsNotMultipliedByTheRead(t *testing.T) {
	var calls int
	config := plain(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		w.WriteHeader(503)
	}))
	config.ReadAttempts, config.MaxPause = 3, time.Millisecond
	wantKind(t, list(as(t, config, maria)), portal.Unavailable)
	if calls != 3 {
		t.Errorf("%d logins, want 3", calls)
	}
}

func TestUseKeepsASessionAliveAndIdlenessEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bank, config := overPipe(t, text(200, nobody))
		user := as(t, config, maria)
		for _, step := range []struct {
			idle   time.Duration
			logins int
		}{{0, 1}, {28 * time.Minute, 1}, {28 * time.Minute, 1}, {29*time.Minute + time.Second, 2}, {time.Hour, 3}, {time.Minute, 3}} {
			time.Sleep(step.idle) // of the test's own clock
			if err := list(user); err != nil {
				t.Fatal(err)
			}
			if logins, _ := bank.seen(); logins != step.logins {
				t.Errorf("after %v idle: %d logins, want %d", step.idle, logins, step.logins)
			}
		}
	})
}

func TestASharedLoginOutlivesTheCallerWhoStartedIt(t *testing.T) {
	arrived, goOn := make(chan struct{}), make(chan struct{})
	var logins int
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/authentication", func(w http.ResponseWriter, r *http.Request) {
		logins++
		close(arrived)
		<-goOn
		reply(w, 200, "token")
	})
	mux.HandleFunc("/", text(200, nobody))
	user := as(t, plain(t, mux), maria)

	impatient, cancel := context.WithCancel(t.Context())
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { _, err := user.ListBorrowers(impatient, process); first <- err }()
	<-arrived
	go func() { second <- list(user) }()
	cancel()
	err := <-first
	wantKind(t, err, portal.Unavailable)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(goOn)
	if err := <-second; err != nil || logins != 1 {
		t.Errorf("the patient caller got %v after %d logins", err, logins)
	}
}

func TestEachUserOfEachBrokerHasTheirOwnSession(t *testing.T) {
	bank, config := overTCP(t, text(200, nobody))
	client, err := portal.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	logins := []portal.Login{maria, {BrokerUID: maria.BrokerUID, Username: "rui@example.com"}, {BrokerUID: uuid.New(), Username: maria.Username}}
	for range 2 {
		for _, login := range logins {
			if err := list(client.As(login, "en")); err != nil {
				t.Fatal(err)
			}
		}
	}
	bank.wantSeen(t, 3, 6)
	for i, login := range logins {
		if got := bank.logins[i].Get("xUsername"); got != login.Username || bank.calls[i].Header.Get("Authorization") != fmt.Sprint("Bearer session-", i+1) {
			t.Errorf("call %d went out as another user", i)
		}
	}
}

func TestTheLongestIdleSessionMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bank, config := overPipe(t, text(200, nobody))
		config.MaxSessions = 2
		client, err := portal.New(config)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		for _, step := range []struct {
			user   string
			logins int
		}{{"a", 1}, {"b", 2}, {"a", 2}, {"c", 3}, {"a", 3}, {"b", 4}} {
			time.Sleep(time.Second)
			if err := list(client.As(portal.Login{Username: step.user}, "en")); err != nil {
				t.Fatal(err)
			}
			if logins, _ := bank.seen(); logins != step.logins {
				t.Errorf("after %s: %d logins, want %d", step.user, logins, step.logins)
			}
		}
	})
}
