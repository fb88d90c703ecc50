package tools_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

func TestACallWithTheSameKeyIsMadeOnceAndReturnsTheSame(t *testing.T) {
	t.Parallel()
	for _, d := range []change{verifiable["an update"], verifiable["a deletion"], email} {
		e := start(t)
		first, failure := e.make(t, d)
		if failure != nil {
			t.Fatal(failure)
		}
		second, failure := e.make(t, d)
		if failure != nil {
			t.Fatal(failure)
		}
		if first.Output != second.Output || first.Card.Text != second.Card.Text {
			t.Errorf("got %v and %v", first.Output, second.Output)
		}
		e.wantDone(t, d, 1)
		if d.tool == email.tool && len(e.Bank.Sent()) != 1 {
			t.Errorf("%d e-mails went out", len(e.Bank.Sent()))
		}
		_, failure = e.Call(t, d.tool, testenv.BorrowerArgs(1043, 0), testenv.WithKey("a click"))
		if failure == nil || !slices.Equal(testenv.Problems(failure), []string{"key_reused error"}) {
			t.Errorf("the key of another's gives %v", failure)
		}
	}
}

func TestAChangeIsFoundThoughItsReplyWasLost(t *testing.T) {
	t.Parallel()
	for name, d := range verifiable {
		e := start(t)
		e.Bank.Inject(sandbox.Fault{Operation: d.operation, DropAfter: true, Times: 1})
		result, failure := e.make(t, d)
		if failure != nil {
			t.Fatalf("%s: %v", name, failure)
		}
		if d.operation == portal.BorrowerDelete && result.Card.Text != "The borrower is no longer in process 1043." {
			t.Errorf("%s: got %q", name, result.Card.Text)
		}
		if again, failure := e.make(t, d); failure != nil || again.Output != result.Output {
			t.Errorf("%s: again, got %v, %v", name, again.Output, failure)
		}
		e.wantDone(t, d, 1)
	}
}

func TestALostChangeIsSentAgain(t *testing.T) {
	t.Parallel()
	for name, d := range verifiable {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := startCluster(t)
			e := cluster.replica(t, withShortLeases)
			cluster.Bank.Inject(sandbox.Fault{Operation: d.operation, DropBefore: true, Times: 1})
			if _, failure := e.make(t, d); failure == nil || failure.Kind != tools.Unclear || failure.RetryAfter <= 0 {
				t.Fatalf("while it may arrive, got %v", failure)
			}
			if d.done(t, e) || e.Bank.Calls(d.operation) != 1 {
				t.Error("it was not lost")
			}
			e.makeUntilDone(t, d)
			e.wantDone(t, d, 2)
		})
	}
}

func TestAChangeOfACrashedReplicaIsMadeOnceByARepeatOrARecovery(t *testing.T) {
	t.Parallel()
	for name, d := range verifiable {
		for _, point := range crashPoints {
			t.Run(name+", "+point, func(t *testing.T) {
				t.Parallel()
				cluster := startCluster(t)
				cluster.crashDuring(t, point, func(e env) { e.make(t, d) }, withShortLeases)
				e := cluster.replica(t, withShortLeases)
				if point == beforeSending {
					e.recoverOneEventually(t)
				}
				result := e.makeUntilDone(t, d)
				if again, failure := e.make(t, d); failure != nil || again.Output != result.Output {
					t.Errorf("again, got %v, %v", again.Output, failure)
				}
				if finished, err := e.Recover(t.Context()); finished != 0 || err != nil {
					t.Errorf("recovered again: %d, %v", finished, err)
				}
				e.wantDone(t, d, 1)
			})
		}
	}
}

func TestARecoveredUpdateKeepsWhatOthersChangedMeanwhile(t *testing.T) {
	t.Parallel()
	cluster, d := startCluster(t), verifiable["an update"]
	cluster.crashDuring(t, beforeSending, func(e env) { e.make(t, d) }, withShortLeases)
	e := cluster.replica(t, withShortLeases)
	if _, failure := e.Call(t, "update_borrower", testenv.BorrowerArgs(1043, testenv.Ines, `"personal":{"floor":"3"}`)); failure != nil {
		t.Fatal(failure)
	}
	e.recoverOneEventually(t)
	if p := e.Borrower(t, 1043, testenv.Ines).Personal; p.Floor.Reveal() != "3" || !d.done(t, e) {
		t.Error("one change is lost")
	}
}

func TestAnUpdateOfADeletedBorrowerIsFinished(t *testing.T) {
	t.Parallel()
	cluster, d := startCluster(t), verifiable["an update"]
	cluster.crashDuring(t, beforeSending, func(e env) { e.make(t, d) }, withShortLeases)
	e := cluster.replica(t, withShortLeases)
	if _, failure := e.Call(t, "delete_borrower", testenv.BorrowerArgs(1043, testenv.Ines), testenv.Confirmed("delete.borrower")); failure != nil {
		t.Fatal(failure)
	}
	e.recoverOneEventually(t)
	if _, failure := e.make(t, d); failure == nil || !slices.Equal(testenv.Problems(failure), []string{"borrower borrower.unknown error"}) || e.Bank.Calls(d.operation) != 0 {
		t.Errorf("got %v after %d calls", failure, e.Bank.Calls(d.operation))
	}
}

func TestAnEMailWithAnUnclearOutcomeIsNeverSentAgain(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]sandbox.Fault{
		"its answer was lost": {Operation: portal.ProcessESISEmail, DropAfter: true},
		"it was lost":         {Operation: portal.ProcessESISEmail, DropBefore: true},
		"the bank broke":      {Operation: portal.ProcessESISEmail, Status: 503},
		"nonsense came":       {Operation: portal.ProcessESISEmail, Body: sandbox.Garbage},
	} {
		fault.Times = 1
		e := start(t, withShortLeases)
		e.Bank.Inject(fault)
		for range 3 {
			_, failure := e.make(t, email)
			if failure == nil || failure.Kind != tools.Unclear || failure.RetryAfter != 0 {
				t.Fatalf("%s: got %v", name, failure)
			}
			if said := failure.What(e.Actor.Lang) + failure.Next(e.Actor.Lang); !strings.Contains(said, "the e-mail may or may not have gone out") || !strings.Contains(said, "send again only if it did not") {
				t.Errorf("%s: it says %q", name, said)
			}
			if finished, err := e.Recover(t.Context()); finished != 0 || err != nil {
				t.Errorf("%s: %d are finished, %v", name, finished, err)
			}
		}
		arrived := 0
		if fault.DropAfter || fault.Body != "" {
			arrived = 1
		}
		if calls := e.Bank.Calls(portal.ProcessESISEmail); calls != 1 || len(e.Bank.Sent()) != arrived {
			t.Errorf("%s: %d calls, %d e-mails", name, calls, len(e.Bank.Sent()))
		}
	}
}

func TestAnEMailOfACrashedReplicaIsNotSentByAnother(t *testing.T) {
	t.Parallel()
	for point, arrived := range map[string]int{beforeSending: 0, beforeRecording: 1} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			cluster := startCluster(t)
			cluster.crashDuring(t, point, func(e env) { e.make(t, email) }, withShortLeases)
			e := cluster.replica(t, withShortLeases)
			e.recoverOneEventually(t)
			if audited := e.Audit.String(); !strings.Contains(audited, `"outcome":"unclear"`) {
				t.Errorf("the audit log is %s", audited)
			}
			if _, failure := e.make(t, email); failure == nil || failure.Kind != tools.Unclear || failure.RetryAfter != 0 {
				t.Errorf("got %v", failure)
			}
			if len(e.Bank.Sent()) != arrived {
				t.Errorf("%d e-mails went out", len(e.Bank.Sent()))
			}
		})
	}
}
