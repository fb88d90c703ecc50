package portal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balcao/balcao/portal"
)

// wantNotSent wants the error of a call that was not sent, with a RetryAfter within bounds.
func wantNotSent(t *testing.T, err error, kind portal.Kind, least, most time.Duration) {
	t.Helper()
	failure, ok := errors.AsType[*portal.Error](err)
	if !ok || failure.Kind != kind || failure.Status != 0 || failure.RetryAfter < least || failure.RetryAfter > most {
		t.Errorf("got %+v %v, want %s and to wait %v to %v", err, failure, kind, least, most)
	}
}

// once makes the client try every read a single time, so that a test can count.
func once(config portal.Config) portal.Config {
	config.ReadAttempts = 1
	return config
}

func TestABankThatIsDownIsNotCalledButForOneProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := atomic.Bool{}
		bank, config := overPipe(t, func(w http.ResponseWriter, r *http.Request) {
			if down.Load() {
				w.WriteHeader(503)
				return
			}
			text(200, nobody)(w, r)
		})
		config.TripAfter, config.OpenFor = 3, 20*time.Second
		user := as(t, once(config), maria)
		if err := list(user); err != nil {
			t.Fatal(err)
		}

		down.Store(true)
		for range 3 {
			wantKind(t, list(user), portal.Unavailable)
		}
		bank.wantSeen(t, 1, 4)
		time.Sleep(5 * time.Second)
		for _, call := range []func(*portal.User) error{list, create} { // a write is not sent either, and so it is not unclear
			started := time.Now()
			for _, err := range together(300, func(int) error { return call(user) }) { // more than go out in a second
				wantNotSent(t, err, portal.Unavailable, 15*time.Second, 15*time.Second)
			}
			if took := time.Since(started); took != 0 {
				t.Errorf("waited %v", took)
			}
		}
		bank.wantSeen(t, 1, 4)

		time.Sleep(15*time.Second + 1)
		wantKind(t, list(user), portal.Unavailable) // the probe, which finds the bank still down
		bank.wantSeen(t, 1, 5)
		wantNotSent(t, list(user), portal.Unavailable, 20*time.Second, 20*time.Second)

		down.Store(false)
		time.Sleep(20*time.Second + 1)
		for range 3 {
			if err := list(user); err != nil {
				t.Error(err)
			}
		}
		bank.wantSeen(t, 1, 8)
	})
}

func TestDuringAProbeNothingElseIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(3 * time.Second)
			text(200, nobody)(w, r)
		}
		bank, config := overPipe(t, inTurn(text(200, nobody), text(500, ""), slow, text(200, nobody)))
		config.TripAfter, config.OpenFor = 1, 10*time.Second
		user := as(t, once(config), maria)
		if err := list(user); err != nil {
			t.Fatal(err)
		}
		wantKind(t, list(user), portal.Unavailable)
		time.Sleep(10*time.Second + 1)
		probe := make(chan error)
		go func() { probe <- list(user) }()
		synctest.Wait()
		for _, err := range together(20, func(int) error { return list(user) }) {
			wantNotSent(t, err, portal.Unavailable, time.Second, time.Second)
		}
		bank.wantSeen(t, 1, 3)
		if err := <-probe; err != nil {
			t.Error(err)
		}
		if err := list(user); err != nil {
			t.Error(err)
		}
	})
}

func TestAProbeWhoseCallerLeavesIsFollowedByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bank, config := overPipe(t, inTurn(text(200, nobody), text(500, ""), silent, text(200, nobody)))
		config.TripAfter, config.OpenFor = 1, 10*time.Second
		user := as(t, once(config), maria)
		_, _ = list(user), list(user)
		time.Sleep(10*time.Second + 1)
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := user.ListBorrowers(impatient, process)
		wantKind(t, err, portal.Unavailable)
		if err := list(user); err != nil {
			t.Error(err)
		}
		bank.wantSeen(t, 1, 4)
	})
}

func TestOnlyFailuresOfTheBankOpenTheCircuit(t *testing.T) {
	impatient := func(user *portal.User) error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := user.ListBorrowers(ctx, process)
		return err
	}
	given := func(user *portal.User) error {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(time.Second, cancel)
		_, err := user.ListBorrowers(ctx, process)
		return err
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		call   func(*portal.User) error
		trips  bool
	}{
		"500":                        {text(500, ""), list, true},
		"503":                        {text(503, ""), list, true},
		"a write that is unclear":    {text(502, ""), create, true},
		"a cut connection":           {cut, list, true},
		"a cut in the midst":         {halfway, list, true},
		"no reply in time":           {silent, list, true},
		"400":                        {text(400, ""), list, false},
		"401":                        {text(401, ""), list, false},
		"403":                        {text(403, ""), list, false},
		"404":                        {text(404, ""), create, false},
		"408":                        {text(408, ""), list, false},
		"429":                        {text(429, ""), list, false},
		"a redirect":                 {text(302, ""), list, false},
		"a page of a proxy":          {text(200, "<html>"), create, false},
		"a deadline of the caller's": {silent, impatient, false},
		"a caller who gives up":      {silent, given, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bank, config := overPipe(t, c.answer)
				config.TripAfter = 3
				user := as(t, once(config), maria)
				for range 3 {
					if err := c.call(user); err == nil {
						t.Fatal("got no error")
					}
				}
				_, before := bank.seen()
				_ = c.call(user)
				if _, after := bank.seen(); (after == before) != c.trips {
					t.Errorf("the bank saw %d calls and then %d", before, after)
				}
			})
		})
	}
}

func TestASuccessForgivesTheFailuresBeforeIt(t *testing.T) {
	bank, config := overTCP(t, inTurn(text(500, ""), text(500, ""), text(404, ""), text(500, ""), text(500, ""), text(200, nobody)))
	config.TripAfter = 3
	user := as(t, once(config), maria)
	for range 6 {
		_ = list(user)
	}
	bank.wantSeen(t, 1, 6)
}

func TestTheCircuitStopsLoginsToo(t *testing.T) {
	var logins atomic.Int32
	config := plain(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		logins.Add(1)
		w.WriteHeader(503)
	}))
	config.TripAfter = 2
	user := as(t, once(config), maria)
	for range 5 {
		wantKind(t, list(user), portal.Unavailable)
	}
	if got := logins.Load(); got != 2 {
		t.Errorf("%d logins, want 2", got)
	}
}

func TestQueuedCallsFailWhenTheCircuitOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		bank := &fakeBank{valid: map[string]bool{}, answer: inTurn(text(200, nobody), text(503, ""))}
		mux := http.NewServeMux()
		mux.HandleFunc("/v1/authentication", func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("xUsername") != maria.Username {
				<-goOn
			}
			bank.ServeHTTP(w, r)
		})
		mux.Handle("/", bank)
		config := inside(t, mux)
		config.MaxInFlight, config.TripAfter = 4, 1 // one login at a time
		client, err := portal.New(once(config))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if err := list(client.As(maria, "en")); err != nil {
			t.Fatal(err)
		}
		results := make(chan error)
		for i := range 20 {
			go func() { results <- list(client.As(portal.Login{Username: fmt.Sprint("user-", i)}, "en")) }()
		}
		synctest.Wait()
		time.Sleep(time.Second)
		wantKind(t, list(client.As(maria, "en")), portal.Unavailable)
		for range 19 {
			wantNotSent(t, <-results, portal.Unavailable, 15*time.Second, 15*time.Second)
		}
		close(goOn)
		wantNotSent(t, <-results, portal.Unavailable, 15*time.Second, 15*time.Second) // logged in, too late to call
	})
}

func TestOnlySoManyCallsAreAtTheBankAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int32
		bank, config := overPipe(t, func(w http.ResponseWriter, r *http.Request) {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			text(200, nobody)(w, r)
		})
		config.MaxInFlight, config.MaxPerSecond = 8, 10_000 // two of the eight are the logins'
		user := as(t, config, maria)
		started := time.Now()
		if err := errors.Join(together(60, func(int) error { return list(user) })...); err != nil {
			t.Error(err)
		}
		if took := time.Since(started).Round(100 * time.Millisecond); most.Load() != 6 || took != 10*time.Second {
			t.Errorf("%d were there at once, and all took %v", most.Load(), took)
		}
		bank.wantSeen(t, 1, 60)
	})
}

func TestOnlySoManyCallsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bank, config := overPipe(t, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			text(200, nobody)(w, r)
		})
		config.MaxInFlight, config.MaxWaiting = 2, 5
		user := as(t, config, maria)
		if err := list(user); err != nil { // opens the session
			t.Fatal(err)
		}
		refused := 0
		for _, err := range together(20, func(int) error { return list(user) }) {
			if err != nil {
				wantNotSent(t, err, portal.TooMany, time.Second, time.Second)
				refused++
			}
		}
		if refused != 14 {
			t.Errorf("%d were refused, want all but the one in flight and the five who waited", refused)
		}
		bank.wantSeen(t, 1, 7)
	})
}

func TestNobodyWaitsForATurnBeyondTheirTime(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(context.Context) (context.Context, context.CancelFunc)
		kind portal.Kind
		is   error
	}{
		"a deadline": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 2*time.Second)
		}, portal.TooMany, context.DeadlineExceeded},
		"giving up": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(2*time.Second, cancel)
			return ctx, cancel
		}, portal.Unavailable, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				goOn := make(chan struct{})
				bank, config := overPipe(t, func(w http.ResponseWriter, r *http.Request) {
					<-goOn
					text(200, nobody)(w, r)
				})
				config.MaxInFlight = 2
				user := as(t, config, maria)
				first := make(chan error)
				go func() { first <- list(user) }()
				synctest.Wait()
				ctx, cancel := c.end(t.Context())
				defer cancel()
				started := time.Now()
				_, err := user.CreateBorrower(ctx, process, portal.BorrowerRequest{})
				wantKind(t, err, c.kind)
				if took := time.Since(started); took != 2*time.Second || !errors.Is(err, c.is) {
					t.Errorf("took %v: %v", took, err)
				}
				bank.wantSeen(t, 1, 1)
				close(goOn)
				if err := <-first; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestOnlySoManyRequestsGoOutInASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bank, config := overPipe(t, text(200, nobody))
		config.MaxPerSecond = 20
		user := as(t, config, maria)
		started := time.Now()
		if err := errors.Join(together(100, func(int) error { return list(user) })...); err != nil {
			t.Error(err)
		}
		// The login and a hundred calls, of which two may go out at once.
		if took := time.Since(started); took < 4900*time.Millisecond || took > 5*time.Second {
			t.Errorf("took %v", took)
		}
		bank.wantSeen(t, 1, 100)

		hurried, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		_, err := user.ListBorrowers(hurried, process)
		wantNotSent(t, err, portal.TooMany, time.Second, time.Second)
	})
}

func TestCallsThatTakeEveryTurnDoNotKeepOthersFromLoggingIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		bank, config := overPipe(t, func(w http.ResponseWriter, r *http.Request) {
			<-goOn
			text(200, nobody)(w, r)
		})
		config.MaxInFlight = 4
		client, err := portal.New(config)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		results := make(chan error)
		call := func(users ...string) {
			for _, name := range users {
				go func() { results <- list(client.As(portal.Login{Username: name}, "en")) }()
			}
			synctest.Wait()
		}
		call("a", "a", "a", "a") // three of them take every turn there is for calls
		bank.wantSeen(t, 1, 3)
		call("b", "c", "d")
		bank.wantSeen(t, 4, 3)
		close(goOn)
		for range 7 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestTheLogSaysWhichCircuitIsOpenAndForHowLong(t *testing.T) {
	for status, want := range map[int][]string{
		503: {"circuit opened: the bank is down", "the bank is down; its circuit is open", `"circuit closed","circuit":"bank"`},
		500: {"circuit opened: an operation of the bank fails", "an operation of the bank fails; its circuit is open", `"circuit closed","circuit":"borrowerList"`},
	} {
		synctest.Test(t, func(t *testing.T) {
			_, config := overPipe(t, inTurn(text(status, ""), text(200, nobody)))
			config.TripAfter = 1
			var log bytes.Buffer
			config.Log = logTo(&log)
			user := as(t, once(config), maria)
			_ = list(user)
			wantNotSent(t, list(user), portal.Unavailable, time.Second, 15*time.Second)
			time.Sleep(15*time.Second + 1)
			if err := list(user); err != nil {
				t.Fatal(err)
			}
			for _, want := range want {
				if strings.Count(log.String(), want) != 1 {
					t.Errorf("%d: %q is not there once in %s", status, want, log.String())
				}
			}
		})
	}
}

func TestAWaitIsReadByTheClockOfTheBank(t *testing.T) {
	for name, c := range map[string]struct {
		ahead      time.Duration // the bank's clock before ours
		wait       time.Duration
		hide       bool // the date
		kind       portal.Kind
		from, upTo time.Duration
	}{
		"a clock that is right":           {0, 5 * time.Second, false, "", 5 * time.Second, 6 * time.Second},
		"a day ahead":                     {24 * time.Hour, 5 * time.Second, false, "", 5 * time.Second, 6 * time.Second},
		"a year behind":                   {-365 * 24 * time.Hour, 5 * time.Second, false, "", 5 * time.Second, 6 * time.Second},
		"a year ahead, without a date":    {365 * 24 * time.Hour, 5 * time.Second, true, portal.TooMany, 0, 0},
		"a minute behind, without a date": {-time.Minute, 5 * time.Second, true, "", 0, time.Second},
		"a wait beyond every limit":       {time.Hour, 48 * time.Hour, false, portal.TooMany, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, config := overPipe(t, inTurn(func(w http.ResponseWriter, r *http.Request) {
					now := time.Now().Add(c.ahead).UTC()
					w.Header().Set("Date", now.Format(http.TimeFormat))
					if c.hide {
						w.Header()["Date"] = nil
					}
					w.Header().Set("Retry-After", now.Add(c.wait).Format(http.TimeFormat))
					w.WriteHeader(429)
				}, text(200, nobody)))
				started := time.Now()
				err := list(as(t, config, maria))
				wantKind(t, err, c.kind)
				if took := time.Since(started); took < c.from || took > c.upTo {
					t.Errorf("took %v, want %v to %v", took, c.from, c.upTo)
				}
				if failure, ok := errors.AsType[*portal.Error](err); ok && failure.RetryAfter > 24*time.Hour {
					t.Errorf("asked to wait %v", failure.RetryAfter)
				}
			})
		})
	}
}
