package portal_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balcao/balcao/portal"
)

// failingESIS answers the ESIS with failing, and everything else well.
func failingESIS(failing http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/esis") {
			failing(w, r)
			return
		}
		text(200, nobody)(w, r)
	}
}

func TestAFailingOperationOpensOnlyItsOwnCircuit(t *testing.T) {
	for name, failing := range map[string]http.HandlerFunc{
		"500": text(500, ""), "502": text(502, ""), "504": text(504, ""), "no reply in time": silent, "a cut in the midst": halfway,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, config := overPipe(t, failingESIS(failing))
				client, err := portal.New(once(config))
				if err != nil {
					t.Fatal(err)
				}
				defer client.Close()
				user := client.As(maria, "en")
				esis := func(*portal.User) error {
					_, err := user.ProcessESIS(t.Context(), process, portal.ESISOptions{})
					return err
				}
				if err := list(user); err != nil { // opens the session
					t.Fatal(err)
				}
				for _, err := range together(8, func(int) error { return esis(user) }) {
					if err == nil {
						t.Fatal("got no error")
					}
				}
				for _, err := range together(20, func(int) error { return list(user) }) {
					if err != nil {
						t.Fatalf("another operation is not sent either: %v", err)
					}
				}
				wantNotSent(t, esis(user), portal.Unavailable, time.Second, 15*time.Second)
				if open, all := client.OpenCircuits(); len(open) != 1 || open[0] != portal.ProcessESISGet || all {
					t.Errorf("open are %v, all: %v", open, all)
				}
			})
		})
	}
}

func TestAnOperationThatFailedIsAskedOnceWhetherItIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		esis := inTurn(text(500, ""), text(500, ""), text(500, ""), text(200, `{"FileName":"x.pdf"}`))
		bank, config := overPipe(t, failingESIS(esis))
		config.TripAfter, config.OpenFor = 2, 10*time.Second
		user := as(t, once(config), maria)
		ask := func() error {
			_, err := user.ProcessESIS(t.Context(), process, portal.ESISOptions{})
			return err
		}
		_, _ = ask(), ask()
		bank.wantSeen(t, 1, 2)
		time.Sleep(10*time.Second + 1)
		wantKind(t, ask(), portal.Unavailable) // the probe, which finds it still failing
		bank.wantSeen(t, 1, 3)
		wantNotSent(t, ask(), portal.Unavailable, 10*time.Second, 10*time.Second)
		if err := list(user); err != nil {
			t.Errorf("another operation is not sent either: %v", err)
		}
		time.Sleep(10*time.Second + 1)
		_, _ = ask(), ask()
		bank.wantSeen(t, 1, 6)
	})
}

func TestWaitingCallsFailAtOnceWhenTheCircuitOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		_, config := overPipe(t, func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/esis") {
				<-goOn
			}
			failingESIS(text(500, ""))(w, r)
		})
		config.MaxInFlight, config.TripAfter = 3, 1 // two calls at a time
		user := as(t, once(config), maria)
		esis := func() error {
			_, err := user.ProcessESIS(t.Context(), process, portal.ESISOptions{})
			return err
		}
		listed := make(chan error)
		go func() { listed <- list(user) }() // takes one of the two turns
		synctest.Wait()
		started := time.Now()
		for _, err := range together(20, func(int) error { return esis() }) {
			wantKind(t, err, portal.Unavailable)
		}
		if took := time.Since(started); took > time.Second {
			t.Errorf("waited %v", took)
		}
		close(goOn)
		if err := <-listed; err != nil {
			t.Error(err)
		}
	})
}

func TestAnUnreachableBankOpensTheCircuitOfAllOperations(t *testing.T) {
	for name, failing := range map[string]http.HandlerFunc{
		"503": text(503, ""), "a cut connection": cut, "a refused connection": nil,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, config := overPipe(t, failingESIS(failing))
				config.TripAfter = 3
				refuse := atomic.Bool{}
				dial := config.Transport.(*http.Transport).DialContext
				config.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
					if refuse.Load() {
						return nil, errors.New("connection refused")
					}
					return dial(ctx, network, address)
				}}
				user := as(t, once(config), maria)
				if err := list(user); err != nil {
					t.Fatal(err)
				}
				refuse.Store(failing == nil)
				for range 3 {
					if _, err := user.ProcessESIS(t.Context(), process, portal.ESISOptions{}); err == nil {
						t.Fatal("got no error")
					}
				}
				wantNotSent(t, list(user), portal.Unavailable, 15*time.Second, 15*time.Second)
				wantNotSent(t, create(user), portal.Unavailable, 15*time.Second, 15*time.Second)
				refuse.Store(false)
				time.Sleep(15*time.Second + 1)
				if err := list(user); err != nil {
					t.Errorf("the bank is back, and it is not noticed: %v", err)
				}
			})
		})
	}
}
