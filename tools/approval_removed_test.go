package tools_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/clocktest"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// withoutCreate is a version of the program that creates no borrowers.
var withoutCreate = testenv.WithoutTool("create_borrower")

// withClock sets the clock of a replica.
func withClock(clock *clocktest.Clock) func(*tools.Config) {
	return func(c *tools.Config) { c.Now = clock.Now }
}

// outcomesOf returns the outcomes in the audit log of an approval.
func (e env) outcomesOf(t *testing.T, id string) (outcomes []string) {
	t.Helper()
	for _, entry := range e.Audit.Entries() {
		var read struct{ Outcome, Actor, Approval, Tool, Process string }
		if err := json.Unmarshal([]byte(entry), &read); err != nil {
			t.Fatal(err)
		}
		if read.Approval == id {
			outcomes = append(outcomes, strings.Join([]string{read.Actor, read.Tool, read.Process, read.Outcome}, " "))
		}
	}
	return outcomes
}

func TestAnApprovalWhoseToolAnUpdateRemovedEndsOnce(t *testing.T) {
	t.Parallel()
	var clock clocktest.Clock
	before := startApprovals(t, withClock(&clock))
	a, rejected := before.asks(t, "create_borrower", testenv.NewBorrower(nil)), before.asks(t, "create_borrower", testenv.NewBorrower(map[string]string{"name": `"Rita Amostra"`}))
	if err := before.Reject(t.Context(), ana, rejected.ID, "No."); err != nil {
		t.Fatal(err)
	}
	after := before.replica(t, withApprovals, withoutCreate, withClock(&clock))
	for range 3 { // a second start finds nothing to end
		if err := after.EndRemovedApprovals(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	told, result := after.learns(t, a.ID)
	if told.Status != tools.ApprovalRemoved || result.Output != nil {
		t.Errorf("the assistant learns %v", told.Status)
	}
	if told, _ := after.learns(t, rejected.ID); told.Status != tools.ApprovalRejected {
		t.Errorf("one that was decided is %v", told.Status)
	}
	// The person sees it where it waited, until it would have expired.
	open, err := after.OpenApprovals(t.Context(), ana)
	if err != nil || len(open) != 1 || open[0].ID != a.ID || open[0].Status != tools.ApprovalRemoved {
		t.Errorf("%v wait, %v", open, err)
	}
	if review := after.sees(t, a.ID); review.Of.Title(words.Portuguese) != "Operação retirada" || review.Sections != nil || review.Seen != "" {
		t.Errorf("she sees %q, %+v", review.Of.Title(words.Portuguese), review.Sections)
	}
	_, approve := after.Approve(t.Context(), ana, a.ID, tools.Approved{Args: a.Args})
	assistant := tools.Actor{ID: "mcp:ana", Lang: words.English, Assistant: true}
	for what, err := range map[string]error{"approves": approve, "rejects": after.Reject(t.Context(), ana, a.ID, ""), "withdraws": after.Withdraw(t.Context(), assistant, a.ID)} {
		if codesOf(err) != "invalid approval.removed" {
			t.Errorf("she %s: %v", what, err)
		}
	}
	clock.Add(5 * time.Hour)
	for range 3 {
		if err := after.SettleApprovals(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if due, err := after.Store.DueApprovals(t.Context(), time.Now().Add(24*time.Hour), 10); err != nil || len(due) > 0 {
		t.Errorf("%v are due, %v", due, err)
	}
	if open, err := after.OpenApprovals(t.Context(), ana); err != nil || len(open) > 0 {
		t.Errorf("%v wait, %v", open, err)
	}
	want := []string{"mcp:ana create_borrower 1042 asked", "ana create_borrower 1042 removed", "ana create_borrower 1042 shown"}
	if got := slices.Concat(before.outcomesOf(t, a.ID), after.outcomesOf(t, a.ID)); !slices.Equal(slices.Compact(got), want) {
		t.Errorf("the audit log has %q, want %q", got, want)
	}
}

func TestAnOlderReplicaLeavesAnApprovalToTheNewerOneThatHasItsTool(t *testing.T) {
	t.Parallel()
	var clock clocktest.Clock
	newer := startApprovals(t, withClock(&clock))
	older := newer.replica(t, withApprovals, withoutCreate, withClock(&clock))
	if err := older.EndRemovedApprovals(t.Context()); err != nil { // it started before
		t.Fatal(err)
	}
	kept, rejected, withdrawn, late := newer.asks(t, "create_borrower", testenv.NewBorrower(nil)), newer.asks(t, "create_borrower", testenv.NewBorrower(map[string]string{"name": `"Rita Amostra"`})),
		newer.asks(t, "create_borrower", testenv.NewBorrower(map[string]string{"name": `"Eva Amostra"`})), newer.asks(t, "create_borrower", testenv.NewBorrower(map[string]string{"name": `"Ivo Amostra"`}))
	if err := older.SettleApprovals(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, approve := older.Approve(t.Context(), ana, kept.ID, tools.Approved{Args: kept.Args})
	_, review := older.Review(t.Context(), ana, kept.ID)
	for what, err := range map[string]error{"approves": approve, "reviews": review} {
		if codesOf(err) != "invalid approval.unknown" {
			t.Errorf("she %s: %v", what, err)
		}
	}
	if err := older.Reject(t.Context(), ana, rejected.ID, "No."); err != nil {
		t.Error(err)
	}
	if err := older.Withdraw(t.Context(), tools.Actor{ID: "mcp:ana", Assistant: true}, withdrawn.ID); err != nil {
		t.Error(err)
	}
	if _, err := newer.Approve(t.Context(), ana, kept.ID, tools.Approved{Seen: newer.sees(t, kept.ID).Seen}); err != nil {
		t.Error(err)
	}
	// Where the newer one is gone for good, what waits ends in its time.
	clock.Add(5 * time.Hour)
	for range 2 {
		if err := older.SettleApprovals(t.Context()); err != nil {
			t.Error(err)
		}
	}
	for id, want := range map[string]tools.ApprovalStatus{kept.ID: tools.ApprovalDone, rejected.ID: tools.ApprovalRejected, withdrawn.ID: tools.ApprovalWithdrawn, late.ID: tools.ApprovalRemoved} {
		if told, _ := older.learns(t, id); told.Status != want {
			t.Errorf("the assistant learns %v, want %v", told.Status, want)
		}
	}
	if review, err := older.Review(t.Context(), ana, kept.ID); err != nil || review.Status != tools.ApprovalDone || review.Card.Title != "" {
		t.Errorf("of what was done she sees %+v, %v", review, err)
	}
}

func TestAnApprovedCallOfARemovedToolHasAnOutcome(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dies  func(*tools.Config)
		bank  bool // has the borrower
		want  tools.ApprovalStatus
		wants tools.ErrorKind
	}{
		"nothing was sent": {func(c *tools.Config) { c.Journal = unrecorded{c.Journal} }, false, tools.ApprovalRemoved, ""},
		"it may have been sent": {func(c *tools.Config) {
			c.Journal = unfinished{c.Journal}
			c.Approvals = unsaved{c.Approvals, new(atomic.Int32)}
		}, true, tools.ApprovalFailed, tools.Unclear},
		"it was done": {func(c *tools.Config) { c.Approvals = unsaved{c.Approvals, new(atomic.Int32)} }, true, tools.ApprovalDone, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var clock clocktest.Clock
			dying := startCluster(t).replica(t, withApprovals, withLongCalls, withClock(&clock), c.dies)
			a := dying.asks(t, "create_borrower", testenv.NewBorrower(nil))
			_, _ = dying.Approve(t.Context(), ana, a.ID, tools.Approved{Seen: dying.sees(t, a.ID).Seen}) // nobody gets the answer
			began, after := time.Now(), dying.replica(t, withApprovals, withoutCreate, withClock(&clock))
			settle := func() {
				if err := after.SettleApprovals(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			for _, by := range []time.Duration{time.Minute, 14 * time.Minute} { // another replica may have the tool
				clock.Set(began.Add(by))
				settle()
				if told, _ := after.learns(t, a.ID); told.Status != tools.ApprovalApproved {
					t.Fatalf("after %v it is %v", by, told.Status)
				}
			}
			clock.Set(began.Add(16 * time.Minute))
			settle()
			settle()
			told, _ := after.learns(t, a.ID)
			if told.Status != c.want || told.Failure != c.wants || (after.Bank.Calls(portal.BorrowerCreate) == 1) != c.bank {
				t.Errorf("the assistant learns %v, %v", told.Status, told.Failure)
			}
			outcomes := after.outcomesOf(t, a.ID)
			if last := outcomes[len(outcomes)-1]; last != "ana create_borrower 1042 "+string(c.want) || len(outcomes) != 1 {
				t.Errorf("the audit log has %q", outcomes)
			}
		})
	}
}

// unfinished is a journal to which the outcome of a call does not arrive.
type unfinished struct{ tools.Journal }

func (unfinished) Finish(context.Context, string, int64, []byte) error { return context.Canceled }
