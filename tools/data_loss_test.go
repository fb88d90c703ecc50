package tools_test

import (
	"sync"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

// createUntilKnown creates the borrower under a key until the call is done, or is refused because the bank has the borrower:
// the journal may have lost who created it.
func (e env) createUntilKnown(t *testing.T, key string) {
	t.Helper()
	waittest.Eventually(t, "the call has an outcome", func() bool {
		_, failure := e.Call(t, "create_borrower", testenv.NewBorrower(nil), testenv.WithKey(key))
		if failure == nil || failure.Kind == tools.Invalid && failure.Problems[0].Code == "borrower.duplicate" {
			return true
		}
		if failure.Kind != tools.Unavailable && failure.Kind != tools.Busy && failure.Kind != tools.Unclear {
			t.Fatal(failure)
		}
		return false
	})
}

func TestARedisThatLosesItsDataWhileACallIsAtTheBankCostsNoSecondBorrower(t *testing.T) {
	t.Parallel()
	server := redistest.StartServer(t)
	cluster := startClusterOn(t, server)
	rest := withShortRest(4 * time.Second) // longer than the call at the bank takes
	e, other := cluster.replica(t, rest), cluster.replica(t, rest)
	cluster.Bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, Latency: time.Second, Times: 1})
	var group sync.WaitGroup
	group.Go(func() {
		if _, failure := e.create(t); failure != nil {
			t.Errorf("the call at the bank: %v", failure)
		}
	})
	waittest.Eventually(t, "the call is at the bank", func() bool { return cluster.Bank.Calls(portal.BorrowerCreate) == 1 })
	server.Lose()
	waittest.Eventually(t, "it is known that nothing may be sent", func() bool {
		_, failure := other.create(t)
		return failure != nil && failure.Kind == tools.Unavailable && failure.Store && failure.RetryAfter > 0
	})
	other.createUntilKnown(t, "a click")
	other.createUntilKnown(t, "another click")
	group.Wait()
	other.wantSettled(t, 1)
	if calls := cluster.Bank.Calls(portal.BorrowerCreate); calls != 1 {
		t.Errorf("sent %d times", calls)
	}
}

func TestACallThatRedisLostBeforeSendingIsSentOnlyAfterTheBankWasReadAgain(t *testing.T) {
	t.Parallel()
	server := redistest.StartServer(t)
	cluster := startClusterOn(t, server)
	e := cluster.replica(t, withShortRest(time.Second), func(c *tools.Config) { c.Journal = afterBegin{c.Journal, sync.OnceFunc(server.Lose)} })
	_, failure := e.create(t)
	if failure == nil || failure.Kind != tools.Unavailable || !failure.Store || failure.RetryAfter <= 0 {
		t.Errorf("got %v", failure)
	}
	if calls := cluster.Bank.Calls(portal.BorrowerCreate); calls != 0 {
		t.Errorf("sent %d times", calls)
	}
	e.createUntilKnown(t, "a click")
	e.wantSettled(t, 1)
}

func TestACallThatLostItsLeaseNeitherSendsNorRecords(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]int{"before sending": 0, "before recording": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := startCluster(t)
			other := cluster.replica(t, withLongCalls)
			suspend := sync.OnceFunc(func() { // the replica is suspended until another one has the lease and is done
				waittest.Eventually(t, "the other call is done", func() bool {
					_, failure := other.Call(t, "create_borrower", testenv.NewBorrower(nil), testenv.By("bruno"))
					return failure == nil || failure.Kind == tools.Invalid
				})
			})
			e := cluster.replica(t, withLongCalls, func(c *tools.Config) {
				c.Journal = shortLeases{c.Journal}
				if sent == 0 {
					c.Journal = afterBegin{c.Journal, suspend}
				} else {
					c.Journal = beforeFinish{c.Journal, suspend}
				}
			})
			_, failure := e.create(t)
			if sent == 0 && (failure == nil || failure.Kind != tools.Unclear) || sent == 1 && failure != nil {
				t.Errorf("got %v", failure)
			}
			if calls := e.Bank.Calls(portal.BorrowerCreate); calls != 1 {
				t.Errorf("sent %d times", calls)
			}
			other.createUntilKnown(t, "a click")
			other.wantSettled(t, 1)
		})
	}
}
