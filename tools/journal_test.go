package tools_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/borrowers"
)

func TestACallOfACrashedReplicaIsFinishedWhenItIsRepeated(t *testing.T) {
	t.Parallel()
	for _, point := range crashPoints {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			cluster := startCluster(t)
			cluster.crashDuring(t, point, func(e env) { e.create(t) }, withShortCalls)
			e := cluster.replica(t)
			if _, failure := e.create(t); failure == nil || failure.Kind != tools.Busy || failure.RetryAfter <= 0 {
				t.Errorf("while the lease lasts, got %v", failure)
			}
			cluster.wantOnce(t, e.createUntilDone(t), 1)
		})
	}
}

func TestACallOfACrashedReplicaIsFinishedThoughNobodyRepeatsIt(t *testing.T) {
	t.Parallel()
	for _, point := range crashPoints {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			cluster := startCluster(t)
			cluster.crash(t, point)
			e := cluster.replica(t, withShortLeases)
			e.recoverOneEventually(t)
			if audited := e.Audit.String(); !strings.Contains(audited, `"actor":"ana"`) || !strings.Contains(audited, `"outcome":"done"`) {
				t.Errorf("the audit log is %s", audited)
			}
			result, failure := e.create(t)
			if failure != nil {
				t.Fatal(failure)
			}
			cluster.wantOnce(t, result, 1)
			if finished, err := e.Recover(t.Context()); finished != 0 || err != nil {
				t.Errorf("%d more are finished, %v", finished, err)
			}
		})
	}
}

func TestOfManyReplicasThatRecoverOneFinishesACall(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t)
	cluster.crash(t, beforeSending)
	replicas := []env{cluster.replica(t, withShortLeases), cluster.replica(t, withShortLeases), cluster.replica(t, withShortLeases)}
	finished := 0
	waittest.Eventually(t, "it is finished", func() bool {
		var mu sync.Mutex
		var group sync.WaitGroup
		for _, e := range replicas {
			group.Go(func() {
				n, _ := e.Recover(t.Context()) // the others may report that the call stays open
				mu.Lock()
				defer mu.Unlock()
				finished += n
			})
		}
		group.Wait()
		return finished > 0
	})
	if finished != 1 {
		t.Errorf("finished %d times", finished)
	}
	cluster.wantOnce(t, replicas[0].createUntilDone(t), 1)
}

func TestALostRequestIsSentAgainOnceItCannotArriveAnyMore(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t)
	e := cluster.replica(t, withShortCalls)
	cluster.Bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, DropBefore: true, Times: 1})
	for range 2 {
		if _, failure := e.create(t); failure == nil || failure.Kind != tools.Unclear || failure.RetryAfter <= 0 {
			t.Errorf("while it may arrive, got %v", failure)
		}
	}
	if finished, err := e.Recover(t.Context()); finished != 0 || err != nil || cluster.Bank.Calls(portal.BorrowerCreate) != 1 {
		t.Errorf("while it may arrive, %d are finished, %v", finished, err)
	}
	e.recoverOneEventually(t)
	cluster.wantOnce(t, e.createUntilDone(t), 2)
}

func TestAnEffectIsFoundByTheNextAttemptIfTheBankWasDownAtTheFirst(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t)
	e := cluster.replica(t)
	cluster.Bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, DropAfter: true, Times: 1})
	var remove func()
	down := cluster.replica(t, func(c *tools.Config) {
		c.Journal = afterBegin{c.Journal, func() { remove = cluster.Bank.Inject(sandbox.Fault{Operation: portal.BorrowerList, Status: 503}) }}
	})
	if _, failure := down.create(t); failure == nil || failure.Kind != tools.Unclear {
		t.Fatalf("got %v", failure)
	}
	remove()
	result, failure := e.create(t)
	if failure != nil {
		t.Fatal(failure)
	}
	cluster.wantOnce(t, result, 1)
}

func TestASuspendedReplicaDoesNotOverwriteTheOutcomeOfAnother(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t)
	asleep, wake := make(chan struct{}), make(chan struct{})
	var recorded error
	suspended := cluster.replica(t, withShortLeases, func(c *tools.Config) { c.Journal = blockedFinish{c.Journal, asleep, wake, &recorded} })
	var late tools.Result
	var group sync.WaitGroup
	group.Go(func() { late, _ = suspended.create(t) })
	e := cluster.replica(t, withShortLeases)
	waittest.Receive(t, "the call was answered", asleep)
	result := e.createUntilDone(t)
	close(wake)
	group.Wait()
	if !errors.Is(recorded, conversations.ErrConflict) || late.Output != result.Output {
		t.Errorf("Finish returned %v, and the call %v", recorded, late.Output)
	}
	cluster.wantOnce(t, e.createUntilDone(t), 1)
}

func TestThirtyClicksOnThreeReplicasAreOneBorrower(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t)
	replicas := []env{cluster.replica(t), cluster.replica(t), cluster.replica(t)}
	var mu sync.Mutex
	counts := map[string]int{}
	var group sync.WaitGroup
	for i := range 30 {
		group.Go(func() {
			result, failure := replicas[i%3].create(t)
			mu.Lock()
			defer mu.Unlock()
			if failure != nil {
				counts[string(failure.Kind)]++
			} else {
				counts[fmt.Sprint(result.Output.(borrowers.BorrowerCreated).Borrower)]++
			}
		})
	}
	group.Wait()
	result := replicas[0].createUntilDone(t)
	cluster.wantOnce(t, result, 1)
	if one := counts[fmt.Sprint(result.Output.(borrowers.BorrowerCreated).Borrower)]; one == 0 || one+counts["busy"] != 30 {
		t.Errorf("got %v", counts)
	}
}

func TestACallIsNotFinishedForAPersonWhoMayNotMakeItNow(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*tools.Config){
		"left the team":    func(c *tools.Config) { c.People = tools.Team{} },
		"may only read":    func(c *tools.Config) { c.People = tools.Team{"ana": {ReadOnly: true}} },
		"called a day ago": func(c *tools.Config) { c.Now = func() time.Time { return time.Now().Add(25 * time.Hour) } },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := startCluster(t)
			cluster.crash(t, beforeSending)
			e := cluster.replica(t, withShortLeases, change)
			e.recoverOneEventually(t)
			if calls := cluster.Bank.Calls(portal.BorrowerCreate); calls != 0 || !strings.Contains(e.Audit.Entries()[0], `"outcome":"unclear"`) {
				t.Errorf("%d calls; the audit log is %s", calls, e.Audit.Entries())
			}
			if _, failure := cluster.replica(t).create(t); failure == nil || failure.Kind != tools.Unclear || cluster.Bank.Calls(portal.BorrowerCreate) != 0 {
				t.Errorf("with the old configuration, got %v", failure)
			}
		})
	}
}

func TestACallStaysOpenWhileTheBankIsDownAndIsFinishedAfterwards(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault sandbox.Fault
		calls int
	}{
		"reads fail":                   {sandbox.Fault{Operation: portal.BorrowerList, Status: 503}, 1},
		"reads return garbage":         {sandbox.Fault{Operation: portal.BorrowerList, Body: sandbox.Garbage}, 1},
		"the write is refused for now": {sandbox.Fault{Operation: portal.BorrowerCreate, Status: 429, Times: 1}, 2},
		"logins fail":                  {sandbox.Fault{Operation: portal.Authenticate, Status: 503}, 1},
		"logins are refused":           {sandbox.Fault{Operation: portal.Authenticate, Status: 401}, 1},
		"reads have a wrong path":      {sandbox.Fault{Operation: portal.BorrowerList, Status: 404}, 1},
		"the write has a wrong path":   {sandbox.Fault{Operation: portal.BorrowerCreate, Status: 404}, 2},
		"sessions are refused":         {sandbox.Fault{Operation: portal.BorrowerList, Status: 401}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := startCluster(t)
			cluster.crash(t, beforeSending)
			e := cluster.replica(t, withShortLeases)
			remove := cluster.Bank.Inject(c.fault)
			waittest.Eventually(t, "an attempt fails", func() bool {
				finished, err := e.Recover(t.Context())
				return finished == 0 && err != nil && strings.Contains(err.Error(), "stays open")
			})
			remove()
			e.recoverOneEventually(t)
			cluster.wantOnce(t, e.createUntilDone(t), c.calls)
		})
	}
}

func TestACallThatCannotBeJournalledIsNotSent(t *testing.T) {
	t.Parallel()
	lost := errors.New("no Redis")
	for want, journal := range map[tools.ErrorKind]failingJournal{tools.Unavailable: {look: lost}, tools.Unclear: {begin: lost}} {
		e := start(t, func(c *tools.Config) { journal.Journal = c.Journal; c.Journal = journal })
		if _, failure := e.create(t); failure == nil || failure.Kind != want || e.Bank.Calls(portal.BorrowerCreate) != 0 {
			t.Errorf("got %v after %d calls, want %s", failure, e.Bank.Calls(portal.BorrowerCreate), want)
		}
	}
}

func TestARefusedCallIsNotJournalled(t *testing.T) {
	t.Parallel()
	intents := 0
	e := start(t, func(c *tools.Config) { c.Journal = afterBegin{c.Journal, func() { intents++ }} })
	e.Call(t, "create_borrower", testenv.NewBorrower(map[string]string{"taxId": `"299999990"`}))
	e.Call(t, "create_borrower", testenv.NewBorrower(map[string]string{"process": `"1051"`}))
	if intents != 0 {
		t.Errorf("%d were begun", intents)
	}
	if _, failure := e.create(t); failure != nil || intents != 1 {
		t.Errorf("%d were begun, %v", intents, failure)
	}
}
