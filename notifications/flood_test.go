package notifications

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

// leaked posts a callback about a process with a token that others know.
func leaked(t *testing.T, s *Service, process uuid.UUID) {
	t.Helper()
	if w := knock(s.Handler(), http.MethodPost, "/callbacks/old-token/1", `{"processUniqueId":"`+process.String()+`"}`); w.Code != http.StatusAccepted {
		t.Fatalf("answered %d", w.Code)
	}
}

// asked counts the calls that the bank had for processes.
func (w *town) asked() (calls int) {
	for _, operation := range []portal.OperationID{portal.ProcessDetail, portal.ProcessList, portal.BorrowerList, portal.BorrowerGet} {
		calls += w.bank.Calls(operation)
	}
	return calls
}

// following has a replica do everything, until the test ends.
func (w *town) following(t *testing.T, change ...func(*Config)) *Service {
	t.Helper()
	s := w.replica(t, change...)
	s.registration.keep([]int32{1})
	return work(t, s)
}

func TestALeakedTokenCostsFewReadsHoweverManyProcessesAreInvented(t *testing.T) {
	town := open(t, redistest.Start(t))
	one, other := town.following(t), town.following(t)
	walk(t, one)
	idle(t, one)
	before := town.asked()
	for i := range 1000 {
		leaked(t, one, uuid.New())
		if i == 500 { // the bank itself tells of one that it has
			town.move(t, a1042)
			leaked(t, other, a1042)
		}
	}
	eventually(t, "the genuine one is told of", func() bool { return len(town.told.of(a1042)) == 1 })
	idle(t, one)
	known := 1 + 1 + 1 // what reading 1042 takes
	if cost := town.asked() - before - known; cost > unknownReads {
		t.Errorf("1,000 posts cost %d reads at the bank", cost)
	}
	if _, asked, err := lastWalk(t.Context(), one.config.Store.Client()); err != nil || asked == "" {
		t.Errorf("nobody asked for a walk, which finds those that there are: %v", err)
	}
}

func TestANewProcessIsFoundThroughAFloodByTheWalk(t *testing.T) {
	town := open(t, redistest.Start(t))
	s := town.following(t, func(c *Config) { c.ReconcileInterval = 15 * time.Second }) // and a second after one that was asked for
	walk(t, s)
	walking(t, s)
	for range 2 * unknownReads {
		leaked(t, s, uuid.New())
	}
	opened := town.bank.AddProcess(sandbox.BrokerA)
	leaked(t, s, opened)
	eventually(t, "the new process is told of", func() bool {
		updates, err := s.engine.pictures.updates(t.Context(), opened, 0)
		if err != nil {
			t.Fatal(err)
		}
		return len(updates) == 1 && updates[0].Changes[0].Kind == Opened
	})
}

func TestTheSameProcessAgainAndAgainIsReadAtAPace(t *testing.T) {
	const rest = 500 * time.Millisecond
	town := open(t, redistest.Start(t))
	s := town.following(t, func(c *Config) { c.ReadInterval = rest })
	walk(t, s)
	idle(t, s)
	missing := uuid.New()
	before, began := town.asked(), time.Now()
	for time.Since(began) < 2*rest {
		leaked(t, s, a1042)
		leaked(t, s, missing)
	}
	reads := int(time.Since(began)/rest) + 2 // one more at either end
	if cost := town.asked() - before; cost > 3*reads+1 {
		t.Errorf("%d calls for %d readings of one process and one of another", cost, reads)
	}
	town.move(t, a1042)
	leaked(t, s, a1042)
	idle(t, s)
	town.wantOnce(t, s, a1042, 1)
}

// walking has a replica walk when it is time, until the test ends.
func walking(t *testing.T, s *Service) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = s.reconciler.run(ctx) }) // ends without an error
	t.Cleanup(func() { cancel(); running.Wait() })
}
