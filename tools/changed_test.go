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
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

// changeRecorder records the calls of [tools.Config.Changed].
type changeRecorder struct {
	mu      sync.Mutex
	changes []tools.Changed
}

func (r *changeRecorder) config(c *tools.Config) {
	c.Changed = func(_ context.Context, change tools.Changed) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.changes = append(r.changes, change)
		return nil
	}
}

// want requires exactly one call since the last time.
func (r *changeRecorder) want(t *testing.T, tool string, process int) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	want := tools.Changed{Subject: tools.Subject{Process: sandbox.SampleProcess(process)}, Actor: "ana", Tool: tool}
	if len(r.changes) != 1 || r.changes[0] != want {
		t.Errorf("got %v, want %v", r.changes, want)
	}
	r.changes = nil
}

// wantNone requires no call since the last time.
func (r *changeRecorder) wantNone(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.changes) > 0 {
		t.Errorf("got %v, want none", r.changes)
	}
	r.changes = nil
}

func TestChangedIsCalledOnceForEveryChangeAtTheBankAndForNothingElse(t *testing.T) {
	t.Parallel()
	r := &changeRecorder{}
	e := start(t, r.config)
	e.create(t)
	r.want(t, "create_borrower", 1042)
	e.create(t) // under the same key: the same output again
	r.wantNone(t)
	e.Call(t, "list_borrowers", `{"process":1042}`)
	e.Call(t, "create_borrower", testenv.NewBorrower(map[string]string{"taxId": `"299999990"`}))
	e.Call(t, "create_borrower", testenv.NewBorrower(map[string]string{"process": `"1051"`}))
	r.wantNone(t)
	e.MustCall(t, "delete_borrower", testenv.BorrowerArgs(1043, testenv.Ines), testenv.Confirmed("delete.borrower"))
	r.want(t, "delete_borrower", 1043)
	e.MustCall(t, "send_esis", testenv.BorrowerArgs(1043, 0), testenv.Confirmed("recipient.send"))
	r.want(t, "send_esis", 1043)
}

func TestChangedIsCalledThoughTheReplyWasLost(t *testing.T) {
	t.Parallel()
	r := &changeRecorder{}
	e := start(t, r.config)
	e.Bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, DropAfter: true, Times: 1})
	e.MustCall(t, "create_borrower", testenv.NewBorrower(nil))
	r.want(t, "create_borrower", 1042)
}

func TestChangedIsCalledForARecoveredCall(t *testing.T) {
	t.Parallel()
	for _, point := range crashPoints {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			cluster, deletion, r := startCluster(t), verifiable["a deletion"], &changeRecorder{}
			cluster.crashDuring(t, point, func(e env) { e.make(t, deletion) }, withShortLeases)
			cluster.replica(t, withShortLeases, r.config).recoverOneEventually(t)
			r.want(t, "delete_borrower", 1043)
		})
	}
}

func TestACallWaitsLittleForChangedAndSucceedsThoughItFails(t *testing.T) {
	t.Parallel()
	released := make(chan struct{})
	t.Cleanup(func() { close(released) })
	for name, changed := range map[string]func(context.Context, tools.Changed) error{
		"returns when its context ends": func(ctx context.Context, _ tools.Changed) error {
			<-ctx.Done()
			return ctx.Err()
		},
		"ignores its context": func(context.Context, tools.Changed) error {
			<-released
			return nil
		},
		"fails":  func(context.Context, tools.Changed) error { return errors.New("no room for rui@example.com") },
		"panics": func(context.Context, tools.Changed) error { panic("rui@example.com") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := &logtest.Log{}
			e := start(t, func(c *tools.Config) {
				c.Changed, c.Log = changed, slog.New(slog.NewJSONHandler(log, nil))
			})
			began := time.Now()
			e.MustCall(t, "create_borrower", testenv.NewBorrower(nil))
			if took := time.Since(began); took > waittest.Deadline/2 {
				t.Errorf("it took %s", took)
			}
			if logged := log.String(); !strings.Contains(logged, "reporting a change failed") || strings.Contains(logged, "rui@") {
				t.Errorf("the log is %s", logged)
			}
		})
	}
}
