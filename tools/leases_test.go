package tools_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

const slowBank = 2 * time.Second

func TestTwoCallersForOneBorrowerAreOneBorrower(t *testing.T) {
	t.Parallel()
	type caller []func(*tools.Request)
	for name, callers := range map[string][2]caller{
		"two keys":            {{testenv.WithKey("one")}, {testenv.WithKey("two")}},
		"two without a key":   {{testenv.AsAssistant}, {testenv.AsAssistant}},
		"two colleagues":      {{testenv.WithKey("one")}, {testenv.WithKey("one"), testenv.By("bruno")}},
		"a person, a program": {{testenv.WithKey("one")}, {testenv.AsAssistant, testenv.By("bruno")}},
		"by number and by uuid": {{testenv.WithKey("one")}, {testenv.WithKey("two"), func(r *tools.Request) {
			r.Args = []byte(strings.Replace(string(r.Args), `"1042"`, `"`+sandbox.SampleProcess(1042).String()+`"`, 1))
		}}},
		"one with another name": {{testenv.WithKey("one")}, {testenv.WithKey("two"), func(r *tools.Request) {
			r.Args = []byte(strings.Replace(string(r.Args), "Rui Amostra", "Rui Exemplo", 1))
		}}},
	} {
		latencies := []time.Duration{0}
		if name == "two keys" || name == "two without a key" || name == "a person, a program" {
			latencies = append(latencies, slowBank)
		}
		for _, latency := range latencies {
			t.Run(fmt.Sprint(name, ", ", latency), func(t *testing.T) {
				t.Parallel()
				cluster := startCluster(t)
				replicas := []env{cluster.replica(t, withLongCalls), cluster.replica(t, withLongCalls)}
				if latency > 0 {
					cluster.Bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, Latency: latency})
				}
				results := make([]tools.Result, 2)
				failures := make([]*tools.Error, 2)
				var group sync.WaitGroup
				for i, caller := range callers {
					group.Go(func() {
						results[i], failures[i] = replicas[i].Call(t, "create_borrower", testenv.NewBorrower(nil), caller...)
					})
				}
				group.Wait()
				shared := 0
				for i, failure := range failures {
					// The first may be done before the second comes: then its own check refuses it.
					if failure != nil && failure.Kind != tools.Invalid {
						t.Fatalf("caller %d: %v", i, failure)
					}
					if failure != nil || results[i].Earlier != nil {
						shared++
					}
					if failure == nil {
						cluster.wantOnce(t, results[i], 1)
					}
				}
				if shared != 1 {
					t.Errorf("%d got the result of another: %+v", shared, results)
				}
			})
		}
	}
}

func TestRepeatsWithoutAKeyAtAFailingGatewayAreOneBorrower(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t)
	e := cluster.replica(t, withShortCalls)
	remove := cluster.Bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, Status: 502})
	for range 4 {
		if _, failure := e.Call(t, "create_borrower", testenv.NewBorrower(nil), testenv.AsAssistant); failure == nil || failure.Kind != tools.Unclear || failure.RetryAfter <= 0 {
			t.Errorf("got %v", failure)
		}
	}
	remove()
	waittest.Eventually(t, "all calls are recovered", func() bool {
		_, err := e.Recover(t.Context())
		return err == nil && len(cluster.Bank.Borrowers(sandbox.SampleProcess(1042))) > 1
	})
	e.wantSettled(t, 1)
}

func TestOrphanedCallsForOneBorrowerAreFinishedOneAfterTheOther(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t)
	for i := range 4 {
		cluster.crashDuring(t, beforeSending, func(e env) {
			e.Call(t, "create_borrower", testenv.NewBorrower(nil), testenv.WithKey(fmt.Sprint("call ", i)))
		}, withShortLeases)
	}
	replicas := []env{cluster.replica(t, withLongCalls), cluster.replica(t, withLongCalls)}
	finished := 0
	var mu sync.Mutex
	waittest.Eventually(t, "all calls are recovered", func() bool {
		var group sync.WaitGroup
		for _, e := range replicas {
			group.Go(func() {
				n, _ := e.Recover(t.Context())
				mu.Lock()
				defer mu.Unlock()
				finished += n
			})
		}
		group.Wait()
		return finished >= 4
	})
	replicas[0].wantSettled(t, 1)
	for i := range 4 {
		result, failure := replicas[i%2].Call(t, "create_borrower", testenv.NewBorrower(nil), testenv.WithKey(fmt.Sprint("call ", i)))
		if failure != nil {
			t.Fatal(failure)
		}
		cluster.wantOnce(t, result, 1)
	}
}

func TestARepeatARecoveryAndANewCallCreateOneBorrower(t *testing.T) {
	t.Parallel()
	for _, point := range crashPoints {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			cluster := startCluster(t)
			cluster.crash(t, point)
			cluster.Bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, Latency: slowBank})
			repeats, recovers, fresh := cluster.replica(t, withLongCalls), cluster.replica(t, withLongCalls), cluster.replica(t, withLongCalls)
			stop := make(chan struct{})
			var group, recovering sync.WaitGroup
			recovering.Go(func() {
				for {
					select {
					case <-stop:
						return
					case <-time.After(20 * time.Millisecond):
						_, _ = recovers.Recover(t.Context())
					}
				}
			})
			group.Go(func() { repeats.createUntilDone(t) })
			group.Go(func() {
				waittest.Eventually(t, "the other caller has an answer", func() bool {
					_, failure := fresh.Call(t, "create_borrower", testenv.NewBorrower(nil), testenv.By("bruno"))
					return failure == nil || failure.Kind == tools.Invalid
				})
			})
			group.Wait()
			close(stop)
			recovering.Wait()
			recovers.wantSettled(t, 1)
			if calls := cluster.Bank.Calls(portal.BorrowerCreate); calls != 1 {
				t.Errorf("sent %d times", calls)
			}
		})
	}
}

func TestWhileACallIsUnclearNoOtherIsSentForTheSame(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t)
	e, other := cluster.replica(t, withLongCalls), cluster.replica(t, withLongCalls)
	cluster.Bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, DropBefore: true, Times: 1})
	if _, failure := e.Call(t, "create_borrower", testenv.NewBorrower(nil), testenv.WithKey("one")); failure == nil || failure.Kind != tools.Unclear {
		t.Fatalf("got %v", failure)
	}
	_, failure := other.Call(t, "create_borrower", testenv.NewBorrower(nil), testenv.WithKey("two"), testenv.By("bruno"))
	if failure == nil || failure.Kind != tools.Unclear || failure.RetryAfter <= 0 || cluster.Bank.Calls(portal.BorrowerCreate) != 1 {
		t.Fatalf("got %v after %d calls", failure, cluster.Bank.Calls(portal.BorrowerCreate))
	}
	if said := failure.What(e.Actor.Lang); failure.Earlier == nil || failure.Earlier.Actor != "ana" || !strings.Contains(said, "Somebody else on your team made the same request at ") {
		t.Errorf("got %q, of %+v", said, failure.Earlier)
	}
	// Of another borrower they are as free as ever.
	if _, failure := other.Call(t, "create_borrower", testenv.NewBorrower(map[string]string{"taxId": `"277700003"`, "email": `"p@example.com"`}), testenv.By("bruno")); failure != nil && failure.Kind != tools.Invalid {
		t.Errorf("another borrower: %v", failure)
	}
}

func TestAfterARefusalTheNextCallIsSent(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t)
	e, next := cluster.overlapping(t)
	cluster.Bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, Status: 429, Times: 1})
	var group sync.WaitGroup
	group.Go(func() {
		if _, failure := e.Call(t, "create_borrower", testenv.NewBorrower(nil), testenv.WithKey("one")); failure == nil || failure.Kind != tools.Busy {
			t.Errorf("the first got %v", failure)
		}
	})
	waittest.Eventually(t, "the first is at the bank", func() bool { return cluster.Bank.Calls(portal.BorrowerCreate) == 1 })
	result, failure := next.Call(t, "create_borrower", testenv.NewBorrower(nil), testenv.WithKey("two"))
	group.Wait()
	if failure != nil || result.Earlier != nil {
		t.Fatalf("the second got %v, %+v", failure, result.Earlier)
	}
	cluster.wantOnce(t, result, 2)
}

func TestTwoChangesOfOneBorrowerAreMadeOneAfterTheOther(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t)
	replicas := []env{cluster.replica(t, withLongCalls), cluster.replica(t, withLongCalls)}
	cluster.Bank.Inject(sandbox.Fault{Operation: portal.BorrowerUpdate, Latency: 300 * time.Millisecond})
	var group sync.WaitGroup
	for i, change := range []string{`"personal":{"floor":"3"}`, `"personal":{"mobile":"912 000 111"}`} {
		group.Go(func() {
			if result, failure := replicas[i].Call(t, "update_borrower", testenv.BorrowerArgs(1043, testenv.Ines, change)); failure != nil || result.Earlier != nil {
				t.Errorf("%s: %v, %+v", change, failure, result.Earlier)
			}
		})
	}
	group.Wait()
	if p := replicas[0].Borrower(t, 1043, testenv.Ines).Personal; p.Floor.Reveal() != "3" || p.Mobile.Reveal() != "+351912000111" {
		t.Error("one change is lost")
	}
}

func TestTheSecondCallForTheSameChangeGetsTheResultOfTheFirst(t *testing.T) {
	t.Parallel()
	for name, d := range verifiable {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := startCluster(t)
			e, next := cluster.overlapping(t)
			var group sync.WaitGroup
			group.Go(func() {
				if result, failure := e.Call(t, d.tool, d.args, testenv.Confirmed(d.confirmed...)); failure != nil || result.Earlier != nil {
					t.Errorf("the first got %v, %+v", failure, result.Earlier)
				}
			})
			waittest.Eventually(t, "the first is at the bank", func() bool { return cluster.Bank.Calls(d.operation) == 1 })
			result, failure := next.Call(t, d.tool, d.args, testenv.Confirmed(d.confirmed...), testenv.By("bruno"))
			group.Wait()
			if failure != nil || result.Earlier == nil || result.Earlier.Actor != "ana" {
				t.Errorf("the second got %v, %+v", failure, result.Earlier)
			}
			e.wantDone(t, d, 1)
		})
	}
}

func TestASharedResultIsReturnedAgainUnderTheSameKey(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t)
	other, e := cluster.overlapping(t)
	var group sync.WaitGroup
	group.Go(func() { other.Call(t, "create_borrower", testenv.NewBorrower(nil), testenv.By("bruno")) })
	waittest.Eventually(t, "the first is at the bank", func() bool { return cluster.Bank.Calls(portal.BorrowerCreate) == 1 })
	for range 2 {
		result, failure := e.create(t)
		if failure != nil {
			t.Fatal(failure)
		}
		cluster.wantOnce(t, result, 1)
		if result.Earlier == nil || result.Earlier.Actor != "bruno" || !strings.Contains(result.Card.Note, "Somebody else on your team already made this request at ") {
			t.Errorf("got %+v, %q", result.Earlier, result.Card.Note)
		}
	}
	group.Wait()
	if entries := e.Audit.String(); strings.Count(entries, `"outcome":"already_done"`) != 2 || strings.Contains(entries, `"outcome":"done"`) {
		t.Errorf("the audit log is %s", entries)
	}
}
