package tools_test

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

const manyProcesses = 2000

// oldest is the number of the last process in the bank's list.
const oldest = sandbox.SampleOpen

// listFaults is a bank whose Process List differs.
type listFaults struct {
	ignores  bool         // the filter
	numbers  bool         // the filter does not look at numbers: a number finds nothing
	repeats  bool         // every page is the first
	short    bool         // a page has 50 processes at most, and the bank does not say that there are more
	fails    atomic.Bool  // the pages of the whole list
	pages    atomic.Int64 // pages of the whole list that were asked for
	filtered atomic.Int64
	stopAt   int64 // no page after this one is answered, unless 0
	stopped  chan struct{}
	goOn     chan struct{}
}

func (f *listFaults) proxy(bank http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/processes" {
			bank.ServeHTTP(w, r)
			return
		}
		query := r.URL.Query()
		if text := query.Get("filterByText"); text == "" {
			if f.fails.Load() {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			if n := f.pages.Add(1); f.stopAt > 0 && n == f.stopAt {
				close(f.stopped)
				select {
				case <-f.goOn:
				case <-r.Context().Done():
					return
				}
			}
		} else {
			f.filtered.Add(1)
			if f.ignores {
				query.Del("filterByText")
			} else if f.numbers && isNumber(text) {
				query.Set("filterByText", "nobody has this name")
			}
		}
		if f.repeats {
			query.Del("nextRecord")
		}
		if f.short {
			query.Set("lineCount", "50")
		}
		r = r.Clone(r.Context())
		r.URL = &url.URL{Path: r.URL.Path, RawQuery: query.Encode()}
		answer := httptest.NewRecorder()
		bank.ServeHTTP(answer, r)
		body := answer.Body.Bytes()
		if f.short {
			body = bytes.ReplaceAll(body, []byte(`"hasMoreResults"`), []byte(`"other"`))
		}
		maps.Copy(w.Header(), answer.Header())
		w.Header().Del("Content-Length")
		w.WriteHeader(answer.Code)
		_, _ = w.Write(body) // the client is gone
	})
}

func isNumber(text string) bool {
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// startMany starts a bank with 2,000 processes and faults.
func startMany(t *testing.T, faults *listFaults, redis string, change ...func(*tools.Config)) env {
	t.Helper()
	return env{testenv.Start(t, testenv.Options{
		Sandbox: sandbox.Config{Processes: manyProcesses}, Proxy: faults.proxy, Redis: redis,
		Portal: func(c *portal.Config) { c.OpenFor = 50 * time.Millisecond },
		Runner: func(c *tools.Config) {
			c.List.Login = testenv.Login(sandbox.BrokerA)
			for _, change := range change {
				change(c)
			}
		},
	})}
}

func (e env) process(t *testing.T, number string, change ...func(*tools.Request)) *tools.Error {
	t.Helper()
	_, failure := e.Call(t, "get_process", `{"process":`+number+`}`, change...)
	return failure
}

func TestANumberThatTheFilterDoesNotFindIsInTheList(t *testing.T) {
	t.Parallel()
	for name, redis := range map[string]func(testing.TB) string{"embedded": nil, "one node": redistest.Start, "Cluster": func(t testing.TB) string {
		return redistest.StartCluster(t).URL()
	}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults, url := &listFaults{numbers: true}, ""
			if redis != nil {
				url = redis(t)
			}
			e := startMany(t, faults, url)
			if failure := e.process(t, "1042"); failure != nil {
				t.Fatal(failure)
			}
			// A number in the index costs one read of the process, at every replica.
			for i, replica := range []env{e, e.replica(t)} {
				details, pages := e.Bank.Calls(portal.ProcessDetail), e.Bank.Calls(portal.ProcessList)
				if failure := replica.process(t, []string{"2500", "1049"}[i]); failure != nil {
					t.Fatal(failure)
				}
				if details, pages = e.Bank.Calls(portal.ProcessDetail)-details, e.Bank.Calls(portal.ProcessList)-pages; details != 1 || pages != 0 {
					t.Errorf("replica %d read %d processes and %d pages", i, details, pages)
				}
			}
			before := faults.pages.Load()
			if failure := e.process(t, "9999"); failure == nil || failure.Kind != tools.NotFound {
				t.Errorf("a number that does not exist: %v", failure)
			}
			if pages := faults.pages.Load() - before; pages < 21 || pages > 25 {
				t.Errorf("it was not found after %d pages", pages)
			}
			e.Bank.AddProcess(sandbox.BrokerA)
			if failure := e.process(t, "4001"); failure != nil {
				t.Errorf("a process that is new: %v", failure)
			}
		})
	}
}

func TestAPersonIsToldThatTheListIsBeingRead(t *testing.T) {
	t.Parallel()
	faults := &listFaults{numbers: true, stopAt: 3, stopped: make(chan struct{}), goOn: make(chan struct{})}
	e := startMany(t, faults, "", func(c *tools.Config) { c.List.Wait = 10 * time.Millisecond })
	for _, number := range []string{"1042", "9999"} {
		waittest.Eventually(t, "two pages are read", func() bool {
			failure := e.process(t, number)
			if failure == nil || failure.Kind != tools.Busy || !failure.ReadingList() || failure.RetryAfter == 0 {
				t.Fatalf("%s: got %v", number, failure)
			}
			return failure.What("en") == "Balcão is still reading the bank's list of processes (200 so far), and has not found this one yet."
		})
	}
	if _, failure := e.Call(t, "find_processes", `{"text":"20"}`); failure != nil {
		t.Errorf("what is in the index already is not shown: %v", failure)
	}
	if _, failure := e.Call(t, "find_processes", `{"text":"10499"}`); failure == nil || !failure.ReadingList() {
		t.Errorf("a search that finds nothing yet: %v", failure)
	}
	close(faults.goOn)
	for number, want := range map[string]tools.ErrorKind{"1042": "", "9999": tools.NotFound} {
		waittest.Eventually(t, "the list is read", func() bool {
			failure := e.process(t, number)
			if failure != nil && failure.Kind != tools.Busy && failure.Kind != want {
				t.Fatalf("%s: got %v", number, failure)
			}
			return failure == nil && want == "" || failure != nil && failure.Kind == want
		})
	}
}

// crashingIndex is the index of a replica that crashes while it reads the list: it does not release the lease.
type crashingIndex struct {
	tools.ProcessIndex
	leases tools.Leases
}

func (c crashingIndex) WithLease(ctx context.Context, subject string, lease time.Duration, work func(context.Context) error) (bool, error) {
	token, _, _, err := c.leases.Acquire(ctx, subject, "", lease)
	if err != nil || token == 0 {
		return false, err
	}
	return true, work(ctx)
}

func TestAnotherReplicaContinuesTheReadingOfACrashedOne(t *testing.T) {
	t.Parallel()
	faults := &listFaults{numbers: true, stopAt: 10, stopped: make(chan struct{}), goOn: make(chan struct{})}
	first := startMany(t, faults, redistest.Start(t), func(c *tools.Config) {
		c.List.Wait, c.List.Lease = time.Millisecond, 2*time.Second
	})
	crashing := first.replica(t, func(c *tools.Config) { c.Index = crashingIndex{c.Index, c.Index.(tools.Leases)} })
	first.Close()
	if failure := crashing.process(t, "1042"); failure == nil || failure.Kind != tools.Busy {
		t.Fatalf("got %v", failure)
	}
	waittest.Receive(t, "nine pages are read", faults.stopped)
	crashing.Close()
	other := first.replica(t)
	waittest.Eventually(t, "the list is read", func() bool {
		failure := other.process(t, "1042")
		return failure == nil
	})
	// The page at which it was interrupted is read again, and the first one once more at the end.
	if pages := faults.pages.Load(); pages != 23 {
		t.Errorf("%d pages were read, want 21, one again and the first", pages)
	}
}

func TestOneOfManyReplicasReadsTheList(t *testing.T) {
	t.Parallel()
	faults := &listFaults{numbers: true}
	first := startMany(t, faults, redistest.Start(t))
	replicas := []env{first, first.replica(t), first.replica(t)}
	failures := make(chan *tools.Error, len(replicas))
	for i, replica := range replicas {
		go func() {
			_, failure := replica.Call(t, "get_process", `{"process":`+tools.FormatNumber(int64(oldest+i))+`}`)
			failures <- failure
		}()
	}
	for range replicas {
		if failure := waittest.Receive(t, "the process is found", failures); failure != nil {
			t.Error(failure)
		}
	}
	// Somebody who asks while the list is being read causes one more reading at most.
	if pages := faults.pages.Load(); pages > 2*22 {
		t.Errorf("%d pages were read", pages)
	}
}

func TestAListThatIsNotReadToItsEndHasNoAnswer(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string]*listFaults{
		"every page is the first":           {numbers: true, repeats: true},
		"it ends before all are shown":      {numbers: true, short: true},
		"and the bank filters by no number": {ignores: true, short: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := startMany(t, faults, "")
			for range 2 {
				failure := e.process(t, "1042")
				if failure == nil || failure.Kind != tools.Unavailable || !strings.Contains(failure.What("en"), "does not know whether this one exists") {
					t.Errorf("got %v: %s", failure, failure.What("en"))
				}
			}
			if pages := faults.pages.Load(); pages > 6 {
				t.Errorf("%d pages were read", pages)
			}
			if failure := e.process(t, "4000"); failure != nil {
				t.Errorf("what was read is not found: %v", failure)
			}
		})
	}
}

func TestABankThatFailsIsNotSaidToBeRead(t *testing.T) {
	t.Parallel()
	faults := &listFaults{numbers: true}
	faults.fails.Store(true)
	e := startMany(t, faults, "", func(c *tools.Config) { c.List.Wait = 200 * time.Millisecond })
	waittest.Eventually(t, "a page has failed", func() bool {
		failure := e.process(t, "1042")
		if failure == nil || failure.Kind == tools.NotFound {
			t.Fatalf("got %v", failure)
		}
		return failure.Kind == tools.Unavailable && !failure.ReadingList()
	})
	faults.fails.Store(false)
	waittest.Eventually(t, "the bank is read again", func() bool { return e.process(t, "1042") == nil })
}
