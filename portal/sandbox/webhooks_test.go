package sandbox_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal/sandbox"
)

// wire is an address within the test, for the tests that let synctest's clock run.
type fakeReceiver struct {
	answer func(try int, r *http.Request) (status int, err error)

	mu    sync.Mutex
	seen  []delivered
	times []time.Time
}

func (w *fakeReceiver) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	n := delivered{path: r.URL.Path, body: string(body)}
	_ = json.Unmarshal(body, &n)
	w.mu.Lock()
	w.seen, w.times = append(w.seen, n), append(w.times, time.Now())
	try := len(w.seen)
	w.mu.Unlock()
	status := http.StatusOK
	if w.answer != nil {
		var err error
		if status, err = w.answer(try, r); err != nil {
			return nil, err
		}
	}
	return &http.Response{StatusCode: status, Body: http.NoBody, Header: http.Header{}}, nil
}

// states lists the states that arrived, in order.
func (w *fakeReceiver) states() (list []int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.seen {
		list = append(list, n.ProcessStatusID)
	}
	return list
}

// pauses are those between the tries.
func (w *fakeReceiver) pauses() (list []time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.times[1:] {
		list = append(list, w.times[i+1].Sub(w.times[i]))
	}
	return list
}

// wired returns a bank whose broker A listens on the wire to the changes of states, within the process.
func bankWith(t *testing.T, config sandbox.Config, w *fakeReceiver) *sandbox.Bank {
	t.Helper()
	config.Transport = w
	bank := sandbox.New(config)
	t.Cleanup(bank.Close)
	send := func(method, path, body string, header http.Header) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header = header
		out := httptest.NewRecorder()
		bank.ServeHTTP(out, r)
		return out
	}
	var login struct{ SessionToken string }
	if err := json.Unmarshal(send("POST", "/v1/authentication", "", loginHeaders(sandbox.BrokerA.UID.String(), sandbox.BrokerA.Users[0])).Body.Bytes(), &login); err != nil {
		t.Fatal(err)
	}
	if got := send("PUT", callbacksPath(sandbox.BrokerA)+"/1", `{"callbackUrl": "https://balcao.example/callbacks/secret-token/1"}`,
		http.Header{"Authorization": {"Bearer " + login.SessionToken}, "Content-Type": {"application/json"}}); got.Code != http.StatusOK {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	return bank
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestABrokerIsNotifiedOfTheBanksActionsAndNotOfItsOwn(t *testing.T) {
	d, r := newReceivingHarness(t, sandbox.Config{}, nil)
	d.create(t)
	must(t, d.Touch(opened))
	must(t, d.Advance(sandbox.SampleProcess(sandbox.SampleOthers))) // whose broker has no callback
	for name, c := range map[string]struct {
		do   func(uuid.UUID) error
		want []int // types
	}{
		"a move":      {d.Advance, []int{1}},
		"a message":   {d.WriteMessage, []int{2}},
		"a document":  {d.AskForDocument, []int{3}},
		"an approval": {func(id uuid.UUID) error { return d.SetState(id, 5) }, []int{1, 4}},
		"an end":      {func(id uuid.UUID) error { return d.SetState(id, 9) }, []int{1}},
	} {
		id := d.AddProcess(sandbox.BrokerA)
		must(t, c.do(id))
		for _, kind := range c.want {
			n := r.next(t)
			if n.NotificationTypeID != kind || n.ProcessUniqueID != id || n.path != fmt.Sprint("/callbacks/secret-token/", kind) ||
				n.content != "POST application/json" || n.SimulationUniqueID != uuid.Nil {
				t.Errorf("%s: got %+v", name, n)
			}
			if (n.ProcessStatusID != 0) != (kind == 1) || (n.DocumentTypeID != 0) != (kind == 3) || kind == 1 && n.ProcessStatusID != int(d.State(id)) {
				t.Errorf("%s: %s", name, n.body)
			}
			detail := d.get(t, "/v1/processes/"+id.String()).object(t)
			if last, err := time.Parse(time.RFC3339, detail["lastActionDate"].(string)); err != nil || !last.Equal(n.Date) {
				t.Errorf("%s: notified of %s, dated %s, %v", name, n.Date, last, err)
			}
			var fields map[string]any
			must(t, json.Unmarshal([]byte(n.body), &fields))
			for field := range fields {
				if !slices.Contains([]string{"notificationTypeID", "processUniqueId", "date", "processStatusID", "documentTypeID"}, field) {
					t.Errorf("%s: a notification contains %s", name, field)
				}
			}
		}
	}
	r.none(t)
}

func TestADeliveryIsTriedAgainAfterGrowingPausesUntilItArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeReceiver{answer: func(try int, r *http.Request) (int, error) {
			switch try {
			case 1:
				return http.StatusServiceUnavailable, nil
			case 2:
				return http.StatusFound, nil // is not followed
			case 3:
				return 0, errors.New("no connection")
			case 4:
				<-r.Context().Done()
				return 0, r.Context().Err()
			}
			return http.StatusAccepted, nil
		}}
		bank := bankWith(t, sandbox.Config{DeliveryTimeout: 3 * time.Second}, w)
		must(t, bank.Advance(opened))
		time.Sleep(time.Hour)
		if want := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 11 * time.Second}; !slices.Equal(w.pauses(), want) {
			t.Errorf("pauses %v, want %v", w.pauses(), want)
		}
		if want := (sandbox.DeliveryStats{Tries: 5, Arrived: 1}); bank.DeliveryStats() != want {
			t.Errorf("%+v, want %+v", bank.DeliveryStats(), want)
		}
		for _, n := range w.seen {
			if n.body != w.seen[0].body {
				t.Errorf("one try says %s, another %s", w.seen[0].body, n.body)
			}
		}
	})
}

func TestADeliveryIsGivenUpAfterTheLastTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeReceiver{answer: func(int, *http.Request) (int, error) { return http.StatusNotFound, nil }}
		bank := bankWith(t, sandbox.Config{DeliveryTries: 4, RetryPause: 2 * time.Minute}, w)
		must(t, bank.Advance(opened))
		time.Sleep(time.Hour)
		if want := []time.Duration{2 * time.Minute, 4 * time.Minute, 5 * time.Minute}; !slices.Equal(w.pauses(), want) {
			t.Errorf("pauses %v, want %v", w.pauses(), want)
		}
		if want := (sandbox.DeliveryStats{Tries: 4, GivenUp: 1}); bank.DeliveryStats() != want {
			t.Errorf("%+v, want %+v", bank.DeliveryStats(), want)
		}
	})
}

// deliveredStates sets a process to five states in turn and returns those that arrive.
func deliveredStates(t *testing.T, faults sandbox.DeliveryFaults, w *fakeReceiver) []int {
	t.Helper()
	bank := bankWith(t, sandbox.Config{}, w)
	bank.SetDeliveryFaults(faults)
	for range 5 {
		must(t, bank.Advance(opened))
	}
	time.Sleep(time.Minute)
	return w.states()
}

func TestDeliveriesOfAProcessKeepTheirOrderUnlessReordered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var under atomic.Int32
		inOrder, slow := []int{2, 3, 4, 5, 6}, &fakeReceiver{answer: func(try int, _ *http.Request) (int, error) {
			if under.Add(1) > 1 {
				t.Error("two are under way at once")
			}
			defer under.Add(-1)
			time.Sleep(time.Second)
			return http.StatusOK, nil
		}}
		if got := deliveredStates(t, sandbox.DeliveryFaults{}, slow); !slices.Equal(got, inOrder) {
			t.Errorf("arrived %v", got)
		}
		once, again := deliveredStates(t, sandbox.DeliveryFaults{Reorder: true, Seed: 1}, &fakeReceiver{}), deliveredStates(t, sandbox.DeliveryFaults{Reorder: true, Seed: 1}, &fakeReceiver{})
		if slices.Equal(once, inOrder) || !slices.Equal(once, again) || !slices.Equal(slices.Sorted(slices.Values(once)), inOrder) {
			t.Errorf("reordered arrived %v, and with the same seed %v", once, again)
		}
	})
}

func TestDeliveriesOfSeveralProcessesDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeReceiver{answer: func(int, *http.Request) (int, error) {
			time.Sleep(time.Second)
			return http.StatusOK, nil
		}}
		bank := bankWith(t, sandbox.Config{Processes: 40}, w)
		for i := range 40 {
			must(t, bank.Advance(sandbox.SampleProcess(sandbox.SampleAdded+i)))
		}
		time.Sleep(5500 * time.Millisecond) // eight at once
		if got := bank.DeliveryStats(); got.Arrived != 40 || got.Waiting != 0 {
			t.Errorf("%+v", got)
		}
	})
}

func TestARetryDoesNotDelayOtherDeliveries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeReceiver{answer: func(try int, _ *http.Request) (int, error) {
			if try <= 8 {
				return http.StatusServiceUnavailable, nil
			}
			time.Sleep(time.Second)
			return http.StatusOK, nil
		}}
		bank := bankWith(t, sandbox.Config{Processes: 16, RetryPause: 5 * time.Minute}, w)
		for i := range 16 {
			if i == 8 {
				time.Sleep(time.Minute) // every worker rests
			}
			must(t, bank.Advance(sandbox.SampleProcess(sandbox.SampleAdded+i)))
		}
		time.Sleep(1500 * time.Millisecond)
		if got := bank.DeliveryStats(); got.Arrived != 8 || got.Waiting != 8 {
			t.Errorf("%+v", got)
		}
	})
}

func TestDeliveriesAreDuplicatedAndLostOnRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		if got, want := deliveredStates(t, sandbox.DeliveryFaults{Duplicate: 1}, &fakeReceiver{}), []int{2, 2, 3, 3, 4, 4, 5, 5, 6, 6}; !slices.Equal(got, want) {
			t.Errorf("duplicated arrived %v", got)
		}
		if got := deliveredStates(t, sandbox.DeliveryFaults{Lose: 1}, &fakeReceiver{}); got != nil {
			t.Errorf("of what is lost arrived %v", got)
		}
		w := &fakeReceiver{}
		bank := bankWith(t, sandbox.Config{}, w)
		bank.SetDeliveryFaults(sandbox.DeliveryFaults{Duplicate: 0.3, Lose: 0.1, Reorder: true, Seed: 7})
		for i := range 1000 {
			must(t, bank.SetState(opened, int32(1+(i+1)%2)))
		}
		time.Sleep(time.Minute)
		got := bank.DeliveryStats()
		if got.Waiting != 0 || got.Arrived != 1000-got.Lost+got.Duplicated || len(w.seen) != got.Arrived ||
			got.Lost < 70 || got.Lost > 130 || got.Duplicated < 220 || got.Duplicated > 320 {
			t.Errorf("%+v", got)
		}
	})
}

func TestOnlySoManyDeliveriesWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &fakeReceiver{answer: func(_ int, r *http.Request) (int, error) {
			<-r.Context().Done()
			return 0, r.Context().Err()
		}}
		bank := bankWith(t, sandbox.Config{DeliveryTimeout: time.Hour}, w)
		for i := range 20_010 {
			must(t, bank.SetState(opened, int32(1+(i+1)%2)))
		}
		synctest.Wait()
		if got := bank.DeliveryStats(); got.Waiting != 20_000 || got.Dropped != 10 {
			t.Errorf("%+v", got)
		}
		bank.Close()
		if got := bank.DeliveryStats(); got.Waiting != 0 || got.GivenUp != 20_000 {
			t.Errorf("after the end: %+v", got)
		}
	})
}

func TestCloseCancelsDeliveriesAndEmptiesTheQueue(t *testing.T) {
	d, r := newReceivingHarness(t, sandbox.Config{DeliveryTimeout: time.Hour, RetryPause: time.Hour}, func(try int) int { return []int{503, 0}[try-1] })
	must(t, d.Advance(opened)) // to be tried again in an hour
	r.next(t)
	must(t, d.Advance(sandbox.SampleProcess(sandbox.SampleCouple))) // answered when the caller leaves
	r.next(t)
	must(t, d.Advance(sandbox.SampleProcess(sandbox.SampleCouple))) // waits behind it
	started := time.Now()
	d.Close()
	d.Close()
	if took := time.Since(started); took > 10*time.Second {
		t.Errorf("the end took %s", took)
	}
	must(t, d.Advance(opened))
	must(t, d.SetPace(sandbox.Fast))
	r.none(t)
	if got := d.DeliveryStats(); got.Waiting != 0 || got.Arrived != 0 || got.GivenUp != 3 {
		t.Errorf("%+v", got)
	}
	if got := d.get(t, "/v1/processes"); got.status != http.StatusOK {
		t.Errorf("a closed bank answers %d", got.status)
	}
}

func TestTheLogHasDeliveriesWithoutTheAddress(t *testing.T) {
	var out bytes.Buffer
	d, r := newReceivingHarness(t, sandbox.Config{Log: slog.New(slog.NewTextHandler(&out, nil))}, func(try int) int { return []int{503, 202}[try-1] })
	must(t, d.Advance(opened))
	r.next(t)
	r.next(t)
	d.Close()
	d.stop()
	for _, want := range []string{"try=1 status=503", "operation=callbackUpdate"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is missing in %s", want, &out)
		}
	}
	for _, secret := range []string{"secret-token", "127.0.0.1"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the log has %s", secret)
		}
	}
}
