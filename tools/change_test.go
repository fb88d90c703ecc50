package tools_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/logtest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

// ear hears of changes.
type ear struct {
	mu    sync.Mutex
	heard []tools.Changed
	fail  error
}

func (e *ear) changed(_ context.Context, change tools.Changed) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, change)
	return e.fail
}

// hears wants exactly one change to have been heard of, since the last time.
func (e *ear) hears(t *testing.T, tool string, process int) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	want := tools.Changed{Subject: tools.Subject{Process: sandbox.SampleProcess(process)}, Actor: "ana", Tool: tool}
	if len(e.heard) != 1 || e.heard[0] != want {
		t.Errorf("heard %v, want %v", e.heard, want)
	}
	e.heard = nil
}

func (e *ear) hearsNothing(t *testing.T) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.heard) > 0 {
		t.Errorf("heard %v", e.heard)
	}
	e.heard = nil
}

func withEar(e *ear) func(*tools.Config) { return func(c *tools.Config) { c.Changed = e.changed } }

func TestEveryChangeAtTheBankIsHeardOfOnceAndNothingElseIs(t *testing.T) {
	e := &ear{}
	h := open(t, withEar(e))
	key := func(r *tools.Request) { r.Key = "a click" }
	if _, failure := h.run(t, "create_borrower", rui(nil), key); failure != nil {
		t.Fatal(failure)
	}
	e.hears(t, "create_borrower", 1042)
	if _, failure := h.run(t, "create_borrower", rui(nil), key); failure != nil {
		t.Fatal(failure)
	}
	e.hearsNothing(t) // the same answer again
	h.run(t, "list_borrowers", `{"process":1042}`)
	h.run(t, "create_borrower", rui(map[string]string{"taxId": `"299999990"`}))
	h.run(t, "create_borrower", rui(map[string]string{"process": `"1051"`}))
	e.hearsNothing(t)
	second := sandbox.SampleBorrower(sandbox.SampleCouple, 1).String()
	_, failure := h.run(t, "delete_borrower", `{"process":1043,"borrower":"`+second+`"}`, func(r *tools.Request) { r.Confirmed = []string{"delete.borrower"} })
	if failure != nil {
		t.Fatal(failure)
	}
	e.hears(t, "delete_borrower", 1043)
	_, failure = h.run(t, "send_esis", `{"process":1043,"borrower":"`+sandbox.SampleBorrower(sandbox.SampleCouple, 0).String()+`"}`,
		func(r *tools.Request) { r.Confirmed = []string{"recipient.send"} })
	if failure != nil {
		t.Fatal(failure)
	}
	e.hears(t, "send_esis", 1043)
}

func TestAChangeIsHeardOfThoughItsAnswerWasLost(t *testing.T) {
	e := &ear{}
	h := open(t, withEar(e))
	h.bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, DropAfter: true, Times: 1})
	if _, failure := h.run(t, "create_borrower", rui(nil)); failure != nil {
		t.Fatal(failure)
	}
	e.hears(t, "create_borrower", 1042)
}

func TestAChangeThatIsSweptUpIsHeardOf(t *testing.T) {
	for moment := range moments {
		t.Run(moment, func(t *testing.T) {
			b, d, e := openBranches(t), visible["a deletion"], &ear{}
			b.perish(t, moment, d)
			b.replica(t, hurried, withEar(e)).sweepUp(t)
			e.hears(t, "delete_borrower", 1043)
		})
	}
}

func TestWhoeverListensKeepsNobodyWaitingAndTakesNothingAlong(t *testing.T) {
	released := make(chan struct{})
	defer close(released)
	for name, changed := range map[string]func(context.Context, tools.Changed) error{
		"never answers": func(ctx context.Context, _ tools.Changed) error {
			<-ctx.Done()
			return ctx.Err()
		},
		"looks at no clock": func(context.Context, tools.Changed) error {
			<-released
			return nil
		},
		"fails":  func(context.Context, tools.Changed) error { return errors.New("no room for rui@example.com") },
		"panics": func(context.Context, tools.Changed) error { panic("rui@example.com") },
	} {
		t.Run(name, func(t *testing.T) {
			log := &logtest.Log{}
			h := open(t, func(c *tools.Config) {
				c.Changed, c.Log = changed, slog.New(slog.NewJSONHandler(log, nil))
			})
			began := time.Now()
			if _, failure := h.run(t, "create_borrower", rui(nil)); failure != nil {
				t.Fatal(failure)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
			if said := log.String(); !strings.Contains(said, "a change was not told to others") || strings.Contains(said, "rui@") {
				t.Errorf("the log says %s", said)
			}
		})
	}
}
