package sandbox_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

var opened = sandbox.SampleProcess(sandbox.SampleOpen)

func (d *harness) create(t *testing.T) response {
	t.Helper()
	return d.call(t, "POST", borrowersPath(sandbox.SampleOpen), newBorrower(nil))
}

func TestAConnectionDroppedBeforeTheCallChangesNothingAndAfterItEverything(t *testing.T) {
	for name, c := range map[string]struct {
		fault sandbox.Fault
		want  int
	}{
		"before": {sandbox.Fault{Operation: portal.BorrowerCreate, Times: 1, DropBefore: true}, 1},
		"after":  {sandbox.Fault{Operation: portal.BorrowerCreate, Times: 1, DropAfter: true}, 2},
	} {
		d := newHarness(t, sandbox.Config{})
		d.Inject(c.fault)
		if got := d.create(t); got.err == nil {
			t.Errorf("dropped %s: %d", name, got.status)
		}
		if got := len(d.Borrowers(opened)); got != c.want || d.Calls(portal.BorrowerCreate) != 1 {
			t.Errorf("dropped %s: %d borrowers after %d calls, want %d", name, got, d.Calls(portal.BorrowerCreate), c.want)
		}
	}
}

func TestAStatusIsAnsweredInsteadOfTheCall(t *testing.T) {
	for status, after := range map[int]string{http.StatusTooManyRequests: "2", http.StatusServiceUnavailable: ""} {
		d := newHarness(t, sandbox.Config{})
		fault := sandbox.Fault{Operation: portal.BorrowerCreate, Times: 1, Status: status}
		if after != "" {
			fault.RetryAfter = 1500 * time.Millisecond // sent as whole seconds
		}
		d.Inject(fault)
		if got := d.create(t); got.status != status || got.header.Get("Retry-After") != after || len(d.Borrowers(opened)) != 1 {
			t.Errorf("%d: answered %d, retry after %q", status, got.status, got.header.Get("Retry-After"))
		}
		if got := d.create(t); got.status != http.StatusOK {
			t.Errorf("the fault of one call spoils the next: %d", got.status)
		}
	}
}

func TestAnExpiredSessionIsOverForGood(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	d.Inject(sandbox.Fault{Times: 1, ExpireSession: true})
	for range 2 {
		if got := d.get(t, "/v1/processes"); got.status != http.StatusUnauthorized {
			t.Errorf("answered %d", got.status)
		}
	}
	if got := d.as(t, sandbox.BrokerA, 0).get(t, "/v1/processes"); got.status != http.StatusOK {
		t.Errorf("a new session answers %d", got.status)
	}
}

func TestBodiesAreSpoiltAndTheChangeTookHold(t *testing.T) {
	for body, broken := range map[sandbox.Body]func(response) bool{
		sandbox.Garbage:   func(r response) bool { return r.err == nil && strings.HasSuffix(r.body, ":") },
		sandbox.HTML:      func(r response) bool { return strings.HasPrefix(r.header.Get("Content-Type"), "text/html") },
		sandbox.Truncated: func(r response) bool { return errors.Is(r.err, io.ErrUnexpectedEOF) },
	} {
		d := newHarness(t, sandbox.Config{})
		d.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, Times: 1, Body: body})
		if got := d.create(t); got.status != http.StatusOK || !broken(got) || len(d.Borrowers(opened)) != 2 {
			t.Errorf("%s: %d %v %q", body, got.status, got.err, got.body)
		}
	}
}

func TestACallerWhoDoesNotWaitLeavesNothingChanged(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	d.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, Latency: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "POST", d.url+borrowersPath(sandbox.SampleOpen), strings.NewReader(newBorrower(nil)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Authorization": {"Bearer " + d.token}, "Content-Type": {"application/json"}}
	if _, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	started := time.Now()
	d.stop() // waits for the calls under way
	if waited := time.Since(started); waited > 10*time.Second || len(d.Borrowers(opened)) != 1 {
		t.Errorf("%d borrowers, and the bank worked on for %s", len(d.Borrowers(opened)), waited)
	}
}

func TestLatencyIsWaitedFor(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	d.Inject(sandbox.Fault{Operation: portal.ProcessList, Times: 1, Latency: 50 * time.Millisecond})
	started := time.Now()
	if got := d.get(t, "/v1/processes"); got.status != http.StatusOK || time.Since(started) < 50*time.Millisecond {
		t.Errorf("%d after %s", got.status, time.Since(started))
	}
}

func TestAFaultAppliesToWhatItMatchesAsOftenAsItSays(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	remove := d.Inject(sandbox.Fault{Path: "/borrower", Status: http.StatusBadGateway})
	for range 3 {
		if got := d.get(t, borrowersPath(sandbox.SampleOpen)); got.status != http.StatusBadGateway {
			t.Errorf("matching path: %d", got.status)
		}
		if got := d.get(t, processPath(sandbox.SampleOpen)); got.status != http.StatusOK {
			t.Errorf("other path: %d", got.status)
		}
	}
	remove()
	remove() // twice is as good as once
	if got := d.get(t, borrowersPath(sandbox.SampleOpen)); got.status != http.StatusOK {
		t.Errorf("after its removal: %d", got.status)
	}
}

func TestAShareOfTheCallsIsChosenBySeed(t *testing.T) {
	spoilt := func(seed uint64) (pattern string) {
		d := newHarness(t, sandbox.Config{})
		d.Inject(sandbox.Fault{Operation: portal.ProcessList, Status: 500, Probability: 0.5, Seed: seed})
		for range 32 {
			pattern += string('a' + rune(d.get(t, "/v1/processes").status/100)) // c for 200, f for 500
		}
		return pattern
	}
	first, again, other := spoilt(1), spoilt(1), spoilt(2)
	if hits := strings.Count(first, "f"); first != again || first == other || hits < 8 || hits > 24 {
		t.Errorf("seed 1 gives %s and %s, seed 2 %s", first, again, other)
	}
}

func TestTheAdminAPISetsFaults(t *testing.T) {
	d := newHarness(t, sandbox.Config{AdminAPI: true})
	put := d.call(t, "PUT", "/sandbox/faults", `{"operation": "borrowerList", "status": 429, "retryAfter": "3s"}`)
	if put.status != http.StatusNoContent {
		t.Fatalf("%d %s", put.status, put.body)
	}
	if got := d.get(t, borrowersPath(sandbox.SampleOpen)); got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "3" {
		t.Errorf("%d, retry after %s", got.status, got.header.Get("Retry-After"))
	}
	if got := d.call(t, "DELETE", "/sandbox/faults", ""); got.status != http.StatusNoContent {
		t.Errorf("delete: %d", got.status)
	}
	if got := d.get(t, borrowersPath(sandbox.SampleOpen)); got.status != http.StatusOK {
		t.Errorf("after the delete: %d", got.status)
	}
	for _, body := range []string{`{"status": 200}`, `{"body": "soup"}`, `{"probability": 2}`, `{"times": -1}`, `{"latency": "2m"}`,
		`{"latency": "long"}`, `{"sorts": "unknown"}`} {
		if got := d.call(t, "PUT", "/sandbox/faults", body); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d", body, got.status)
		}
	}
}
