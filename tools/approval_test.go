package tools_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/clocktest"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/borrowers"
)

// An assistant with the actor "mcp:ana" asks in the name of the person "ana".
func withApprovals(c *tools.Config) {
	team := testenv.Team()
	helped := team["ana"]
	helped.Account = "ana"
	team["mcp:ana"] = helped
	c.People, c.Policy = team, nil
}

// approvals is a replica in which a person approves what assistants ask for.
func startApprovals(t *testing.T, change ...func(*tools.Config)) env {
	t.Helper()
	return startCluster(t).replica(t, append([]func(*tools.Config){withApprovals}, change...)...)
}

var ana = tools.Actor{ID: "ana", Lang: words.English}

func byAssistant(r *tools.Request) {
	r.Actor = tools.Actor{ID: "mcp:ana", Lang: words.English, Assistant: true, Client: "Test Assistant 1.0"}
}

// asks makes a call of the assistant that has to wait.
func (e env) asks(t *testing.T, tool, args string, change ...func(*tools.Request)) tools.Approval {
	t.Helper()
	result, err := e.Run(t.Context(), e.Request(t, tool, args, append([]func(*tools.Request){byAssistant}, change...)...))
	if err != nil {
		t.Fatal(err)
	}
	if result.Pending == nil || result.Output != nil {
		t.Fatalf("the call does not wait: %+v", result)
	}
	return *result.Pending
}

// sees returns what Ana is shown.
func (e env) sees(t *testing.T, id string) tools.Review {
	t.Helper()
	review, err := e.Review(t.Context(), ana, id)
	if err != nil {
		t.Fatal(err)
	}
	return review
}

// learns returns what the assistant learns of an approval.
func (e env) learns(t *testing.T, id string) (tools.Approval, tools.Result) {
	t.Helper()
	a, result, err := e.AwaitApproval(t.Context(), tools.Actor{ID: "mcp:ana", Lang: words.English, Assistant: true}, id, 0)
	if err != nil {
		t.Fatal(err)
	}
	return a, result
}

func codesOf(err error) string {
	if err == nil {
		return ""
	}
	failure := tools.AsError(err)
	codes := []string{string(failure.Kind)}
	for _, p := range failure.Problems {
		codes = append(codes, p.Code)
	}
	return strings.Join(codes, " ")
}

func TestWhatAnAssistantAsksForIsDoneOnceAPersonHasApprovedIt(t *testing.T) {
	t.Parallel()
	e := startApprovals(t)
	a := e.asks(t, "create_borrower", testenv.NewBorrower(nil))
	if e.Bank.Calls(portal.BorrowerCreate) != 0 {
		t.Fatal("the bank was called before anybody approved")
	}
	review := e.sees(t, a.ID)
	shown := fmt.Sprint(review.Sections) // masked: only who reveals it sees it
	clear := ""
	for _, section := range review.Sections {
		for _, fact := range section.Facts {
			clear += fact.Label + ": " + fact.Value.Reveal() + "\n"
		}
	}
	if !strings.Contains(clear, "299999998") || strings.Contains(shown, "299999998") || review.Client != "Test Assistant 1.0" || review.Seen == "" || review.Altered {
		t.Errorf("she is shown %s, in clear %s, %+v", shown, clear, review.Approval)
	}
	result, err := e.Approve(t.Context(), ana, a.ID, tools.Approved{Seen: review.Seen})
	if err != nil {
		t.Fatal(err)
	}
	e.wantOnce(t, result, 1)
	told, its := e.learns(t, a.ID)
	output, err := json.Marshal(its.Output)
	if err != nil || told.Status != tools.ApprovalDone || len(told.Changed) > 0 || its.Output.(borrowers.BorrowerCreated).Borrower != result.Output.(borrowers.BorrowerCreated).Borrower {
		t.Errorf("the assistant learns %v and %s, %v", told.Status, output, err)
	}
	if strings.Contains(string(output)+fmt.Sprint(its.Card), "299999998") {
		t.Errorf("the assistant learns a tax number: %s", output)
	}
	var outcomes []string
	for _, entry := range e.Audit.Entries() {
		var read struct{ Outcome, Actor, Approval string }
		if err := json.Unmarshal([]byte(entry), &read); err != nil || read.Approval != a.ID {
			t.Errorf("the entry is %s", entry)
		}
		outcomes = append(outcomes, read.Actor+" "+read.Outcome)
	}
	if want := []string{"mcp:ana asked", "ana shown", "ana shown", "ana approved", "ana begun", "ana done"}; !slices.Equal(outcomes, want) {
		t.Errorf("the audit log has %q, want %q", outcomes, want)
	}
}

func TestNobodyButThePersonDecides(t *testing.T) {
	t.Parallel()
	e := startApprovals(t)
	a := e.asks(t, "create_borrower", testenv.NewBorrower(nil))
	seen := e.sees(t, a.ID).Seen
	for who, c := range map[string]struct {
		actor tools.Actor
		want  string
	}{
		"the assistant":                        {tools.Actor{ID: "mcp:ana", Assistant: true}, "forbidden"},
		"the assistant as the person":          {tools.Actor{ID: "ana", Assistant: true}, "forbidden"},
		"the assistant's actor as a person":    {tools.Actor{ID: "mcp:ana"}, "invalid approval.gone"},
		"a colleague":                          {tools.Actor{ID: "bruno"}, "invalid approval.gone"},
		"a person of another broker":           {tools.Actor{ID: "rita"}, "invalid approval.gone"},
		"a stranger":                           {tools.Actor{ID: "stranger"}, "invalid approval.gone"},
		"a guest under the name of the person": {tools.Actor{ID: "ana", Guest: true}, "forbidden"},
	} {
		_, approve := e.Approve(t.Context(), c.actor, a.ID, tools.Approved{Seen: seen})
		_, form := e.Approve(t.Context(), c.actor, a.ID, tools.Approved{Args: a.Args})
		_, review := e.Review(t.Context(), c.actor, a.ID)
		for what, err := range map[string]error{"approves": approve, "approves a form": form, "reviews": review, "rejects": e.Reject(t.Context(), c.actor, a.ID, "")} {
			if got := codesOf(err); got != c.want {
				t.Errorf("%s %s: %q, want %q", who, what, got, c.want)
			}
		}
	}
	for _, actor := range []string{"mcp:bruno", "ana", "bruno"} {
		if _, _, err := e.AwaitApproval(t.Context(), tools.Actor{ID: actor, Assistant: true}, a.ID, 0); codesOf(err) != "invalid approval.gone" {
			t.Errorf("%s learns of the approval: %v", actor, err)
		}
		if err := e.Withdraw(t.Context(), tools.Actor{ID: actor, Assistant: true}, a.ID); codesOf(err) != "invalid approval.gone" {
			t.Errorf("%s withdraws the approval: %v", actor, err)
		}
	}
	for _, id := range []string{"", "no such approval", strings.Repeat("x", 10_000)} {
		if _, err := e.Approve(t.Context(), ana, id, tools.Approved{Seen: seen}); codesOf(err) != "invalid approval.gone" {
			t.Errorf("an unknown approval: %v", err)
		}
	}
	if e.Bank.Calls(portal.BorrowerCreate) != 0 {
		t.Error("the bank was called")
	}
}

func TestAnApprovalIsUsedOnce(t *testing.T) {
	t.Parallel()
	e := startApprovals(t)
	other := e.replica(t, withApprovals)
	a := e.asks(t, "create_borrower", testenv.NewBorrower(nil))
	seen := e.sees(t, a.ID).Seen
	var group sync.WaitGroup
	var mu sync.Mutex
	var made []tools.Result
	for i := range 8 {
		replica := []env{e, other}[i%2]
		group.Go(func() {
			result, err := replica.Approve(t.Context(), ana, a.ID, tools.Approved{Seen: seen})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				made = append(made, result)
			} else if got := codesOf(err); got != "busy" && got != "invalid approval.done" {
				t.Errorf("got %s", got)
			}
		})
	}
	group.Wait()
	if len(made) != 1 {
		t.Fatalf("%d approvals made the call", len(made))
	}
	e.wantOnce(t, made[0], 1)
	if _, err := e.Approve(t.Context(), ana, a.ID, tools.Approved{Seen: seen}); codesOf(err) != "invalid approval.done" {
		t.Errorf("a replay: %v", err)
	}
	if err := e.Reject(t.Context(), ana, a.ID, "too late"); codesOf(err) != "invalid approval.done" {
		t.Errorf("a rejection afterwards: %v", err)
	}
}

func TestWhatThePersonWasShownIsWhatHappens(t *testing.T) {
	t.Parallel()
	e := startApprovals(t)
	change := func(email string) string {
		return testenv.BorrowerArgs(1043, 0, `"set":{"personal.email":"`+email+`"}`)
	}
	a := e.asks(t, "update_borrower", change("novo@example.com"))
	review := e.sees(t, a.ID)
	for what, seen := range map[string]string{"nothing": "", "something else": "0123456789abcdef", "another approval": e.sees(t, e.asks(t, "update_borrower", change("outro@example.com")).ID).Seen} {
		if _, err := e.Approve(t.Context(), ana, a.ID, tools.Approved{Seen: seen}); !strings.HasPrefix(codesOf(err), "unconfirmed approval.altered") {
			t.Errorf("she saw %s: %v", what, err)
		}
	}
	// Somebody changes the same field meanwhile.
	if _, err := e.Call(t, "update_borrower", change("entretanto@example.com"), testenv.Confirmed("borrower.email_changed")); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Approve(t.Context(), ana, a.ID, tools.Approved{Seen: review.Seen}); !strings.HasPrefix(codesOf(err), "unconfirmed approval.altered") {
		t.Fatalf("the bank's data has changed: %v", err)
	}
	again := e.sees(t, a.ID)
	if !again.Altered {
		t.Error("she is not told that the data has changed")
	}
	if _, err := e.Approve(t.Context(), ana, a.ID, tools.Approved{Seen: again.Seen}); err != nil {
		t.Fatal(err)
	}
	if got := e.Borrower(t, 1043, 0).Personal.Email.Reveal(); got != "novo@example.com" {
		t.Errorf("the bank has %s", got)
	}
}

func TestThePersonMayChangeWhatSheApproves(t *testing.T) {
	t.Parallel()
	e := startApprovals(t)
	a := e.asks(t, "create_borrower", testenv.NewBorrower(nil))
	result, err := e.Approve(t.Context(), ana, a.ID, tools.Approved{Args: json.RawMessage(testenv.NewBorrower(map[string]string{"mobile": `"913333333"`}))})
	if err != nil {
		t.Fatal(err)
	}
	e.wantOnce(t, result, 1)
	told, _ := e.learns(t, a.ID)
	if told.Status != tools.ApprovalDone || !slices.Equal(told.Changed, []string{"personal.mobile"}) {
		t.Errorf("the assistant learns %v, %q", told.Status, told.Changed)
	}
}

func TestACallThatLacksPartsBecomesADraft(t *testing.T) {
	t.Parallel()
	e := startApprovals(t)
	a := e.asks(t, "create_borrower", testenv.NewBorrower(map[string]string{"taxId": `"299999999"`, "birthDate": `null`}))
	if a.Status != tools.ApprovalDraft || !slices.Equal(a.Missing, []string{"personal.birthDate", "personal.taxId"}) && !slices.Equal(a.Missing, []string{"personal.taxId", "personal.birthDate"}) {
		t.Fatalf("got %v %q", a.Status, a.Missing)
	}
	if _, err := e.Approve(t.Context(), ana, a.ID, tools.Approved{}); !strings.HasPrefix(codesOf(err), "invalid") {
		t.Errorf("it is approved as it is: %v", err)
	}
	// The assistant corrects it under the same approval, and the person finishes it.
	corrected := e.asks(t, "create_borrower", testenv.NewBorrower(map[string]string{"birthDate": `null`}), testenv.WithKey(a.ID))
	if corrected.ID != a.ID || corrected.Status != tools.ApprovalDraft || len(corrected.Missing) != 1 {
		t.Errorf("got %v %q", corrected, corrected.Missing)
	}
	result, err := e.Approve(t.Context(), ana, a.ID, tools.Approved{Args: json.RawMessage(testenv.NewBorrower(nil))})
	if err != nil {
		t.Fatal(err)
	}
	e.wantOnce(t, result, 1)
	for what, args := range map[string]string{
		"an unknown argument": `{"process":"1042","nif":"299999998"}`,
		"no object":           `[]`,
		"an update":           "",
	} {
		tool := "create_borrower"
		if args == "" {
			tool, args = "update_borrower", testenv.BorrowerArgs(1043, 0, `"set":{"personal.email":"nobody"}`)
		}
		if _, err := e.Run(t.Context(), e.Request(t, tool, args, byAssistant)); tools.AsError(err).Kind != tools.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestTheSameCallAskedForAgainIsTheSameApproval(t *testing.T) {
	t.Parallel()
	e := startApprovals(t)
	first := e.asks(t, "create_borrower", testenv.NewBorrower(nil))
	if again := e.asks(t, "create_borrower", testenv.NewBorrower(nil)); again.ID != first.ID {
		t.Error("the same call is asked for twice")
	}
	if other := e.asks(t, "create_borrower", testenv.NewBorrower(map[string]string{"name": `"Rita Amostra"`})); other.ID == first.ID {
		t.Error("another call replaces the first")
	}
	open, err := e.OpenApprovals(t.Context(), ana)
	if err != nil || len(open) != 2 || open[0].ID != first.ID {
		t.Errorf("%v wait, %v", open, err)
	}
	for range 60 {
		_, _ = e.Run(t.Context(), e.Request(t, "create_borrower", testenv.NewBorrower(map[string]string{"name": fmt.Sprintf(`"Rui %s"`, strings.Repeat("a", 1+len(open)))}), byAssistant))
		if open, err = e.OpenApprovals(t.Context(), ana); err != nil {
			t.Fatal(err)
		}
	}
	if len(open) != 40 {
		t.Errorf("%d wait", len(open))
	}
}

func TestAnApprovalEndsWithoutItsCall(t *testing.T) {
	t.Parallel()
	var clock clocktest.Clock
	e := startApprovals(t, withClock(&clock))
	ask := func(name string) tools.Approval {
		return e.asks(t, "create_borrower", testenv.NewBorrower(map[string]string{"name": `"` + name + `"`}))
	}
	rejected, withdrawn, expired := ask("Ana Amostra"), ask("Rui Amostra"), ask("Eva Amostra")
	if err := e.Reject(t.Context(), ana, rejected.ID, "The client has changed her mind."); err != nil {
		t.Fatal(err)
	}
	assistant := tools.Actor{ID: "mcp:ana", Lang: words.English, Assistant: true}
	for range 2 { // once more changes nothing
		if err := e.Withdraw(t.Context(), assistant, withdrawn.ID); err != nil {
			t.Fatal(err)
		}
	}
	clock.Add(5 * time.Hour)
	for id, want := range map[string]tools.ApprovalStatus{rejected.ID: tools.ApprovalRejected, withdrawn.ID: tools.ApprovalWithdrawn, expired.ID: tools.ApprovalExpired} {
		if told, _ := e.learns(t, id); told.Status != want || want == tools.ApprovalRejected && told.Reason != "The client has changed her mind." {
			t.Errorf("the assistant learns %v, %q", told.Status, told.Reason)
		}
		if _, err := e.Approve(t.Context(), ana, id, tools.Approved{Args: expired.Args}); codesOf(err) != "invalid approval."+string(want) {
			t.Errorf("it is approved: %v", err)
		}
	}
	if e.Bank.Calls(portal.BorrowerCreate) != 0 {
		t.Error("the bank was called")
	}
}

// unrecorded is a journal of which no intent arrives, and unsaved are approvals of which none is saved after the decision: what a
// replica leaves that dies then.
type (
	unrecorded struct{ tools.Journal }
	unsaved    struct {
		tools.Approvals
		saves *atomic.Int32
	}
)

func (unrecorded) Begin(context.Context, string, []byte, time.Duration) ([]byte, bool, error) {
	return nil, false, errors.New("killed")
}

func (u unsaved) SaveApproval(ctx context.Context, owner, id string, version int64, record []byte, due, until time.Time) (bool, error) {
	if u.saves.Add(1) > 2 {
		return false, errors.New("killed")
	}
	return u.Approvals.SaveApproval(ctx, owner, id, version, record, due, until)
}

func TestAReplicaThatDiesBetweenTheApprovalAndItsOutcomeLeavesOneBorrower(t *testing.T) {
	t.Parallel()
	for name, dies := range map[string]func(*tools.Config){
		"before the call is journalled": func(c *tools.Config) { c.Journal = unrecorded{c.Journal} },
		"after the bank has made it":    func(c *tools.Config) { c.Approvals = unsaved{c.Approvals, new(atomic.Int32)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := startCluster(t)
			dying := cluster.replica(t, withApprovals, withShortCalls, dies)
			a := dying.asks(t, "create_borrower", testenv.NewBorrower(nil))
			_, _ = dying.Approve(t.Context(), ana, a.ID, tools.Approved{Seen: dying.sees(t, a.ID).Seen}) // nobody gets the answer
			if told, _ := dying.learns(t, a.ID); told.Status != tools.ApprovalApproved {
				t.Fatalf("the replica leaves it %v", told.Status)
			}
			survivor := cluster.replica(t, withApprovals, withShortCalls)
			var told tools.Approval
			waittest.Eventually(t, "the call is made", func() bool {
				_ = survivor.SettleApprovals(t.Context()) // attempts may fail while the lease lasts
				told, _ = survivor.learns(t, a.ID)
				return told.Status == tools.ApprovalDone
			})
			if there := cluster.Bank.Borrowers(sandbox.SampleProcess(1042)); len(there) != 2 || cluster.Bank.Calls(portal.BorrowerCreate) != 1 {
				t.Errorf("the bank has %d borrowers after %d calls", len(there), cluster.Bank.Calls(portal.BorrowerCreate))
			}
		})
	}
}

// dueNow has one approval due at all times.
type dueNow struct {
	tools.Approvals
	id *string
}

func (d dueNow) DueApprovals(context.Context, time.Time, int64) ([]string, error) {
	return []string{*d.id}, nil
}

func TestACallThatIsUnderWayStaysApproved(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t)
	e, id := cluster.replica(t, withApprovals, withLongCalls), ""
	other := cluster.replica(t, withApprovals, withLongCalls, func(c *tools.Config) { c.Approvals = dueNow{c.Approvals, &id} })
	a := e.asks(t, "create_borrower", testenv.NewBorrower(nil))
	id = a.ID
	seen := e.sees(t, id).Seen
	sent := cluster.Bank.Calls(portal.BorrowerCreate)
	cluster.Bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, Latency: 2 * time.Second, Times: 1})
	var group sync.WaitGroup
	group.Go(func() {
		if _, err := e.Approve(t.Context(), ana, id, tools.Approved{Seen: seen}); err != nil {
			t.Error(err)
		}
	})
	waittest.Eventually(t, "the bank is called", func() bool { return cluster.Bank.Calls(portal.BorrowerCreate) > sent })
	if err := other.SettleApprovals(t.Context()); codesOf(err) != "busy" {
		t.Errorf("another replica makes it, too: %v", err)
	}
	if told, _ := e.learns(t, id); told.Status != tools.ApprovalApproved {
		t.Errorf("while it is under way, it is %v", told.Status)
	}
	group.Wait()
	waittest.Eventually(t, "its outcome is recorded", func() bool {
		_ = other.SettleApprovals(t.Context())
		told, _ := e.learns(t, id)
		return told.Status == tools.ApprovalDone
	})
	if n := cluster.Bank.Calls(portal.BorrowerCreate); n != sent+1 {
		t.Errorf("the bank was called %d times", n-sent)
	}
}

func TestThePolicySaysWhatAnAssistantMayDo(t *testing.T) {
	t.Parallel()
	operations := start(t).Catalogue
	for text, want := range map[string]string{
		"":                             "approve approve approve approve",
		"allow":                        "allow allow allow approve", // what deletes is allowed by its own name only
		"deny":                         "deny deny deny deny",
		"creates=allow":                "allow approve approve approve",
		"allow, sends=deny":            "allow allow deny approve",
		"deny,update_borrower=approve": "deny approve deny deny",
		"sends=allow,send_esis=deny":   "approve approve deny approve",
		"elicit, sends=approve":        "elicit elicit approve approve",
		"allow,deletes=deny":           "allow allow allow deny",
		"deny,deletes=approve":         "deny deny deny approve",
		"allow,delete_borrower=allow":  "allow allow allow allow",
		"delete_borrower=elicit":       "approve approve approve elicit",
		"allow,remove_document=allow":  "allow allow allow approve",
	} {
		policy, err := tools.ParsePolicy(text, operations)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, name := range []string{"create_borrower", "update_borrower", "send_esis", "delete_borrower"} {
			tool, _ := operations.Named(name)
			got = append(got, string(policy.Of(tool)))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	for _, text := range []string{"yes", "creates=perhaps", "reads=allow", "get_process=deny", "nope=deny", "=allow", "deletes=allow", "approve,deletes=elicit"} {
		if policy, err := tools.ParsePolicy(text, operations); err == nil {
			t.Errorf("%q is read as %v", text, policy)
		}
	}
}
