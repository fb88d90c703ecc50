package tools_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/clocktest"
	"github.com/balcao/balcao/tools/catalogue"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/borrowers"
	"github.com/balcao/balcao/tools/documents"
)

// assistant makes a call as an assistant does, in one piece.
func (e env) assistant(t *testing.T, tool, args, confirmation, key string, change ...func(*tools.Request)) (tools.Result, *tools.Error) {
	t.Helper()
	known, _ := catalogue.New().Named(tool)
	request := tools.Request{Tool: known, Actor: e.Actor, Args: json.RawMessage(args), Confirmation: confirmation, Key: key}
	request.Actor.Assistant = true
	for _, c := range change {
		c(&request)
	}
	result, err := e.Run(t.Context(), request)
	if err == nil {
		return result, nil
	}
	return result, tools.AsError(err)
}

// asks wants a call to be asked about anew, with this among what is said, and gives the confirmation of that question.
func asks(t *testing.T, failure *tools.Error, code string) (confirmation string) {
	t.Helper()
	if failure == nil || failure.Kind != tools.Unconfirmed || failure.Confirmation == "" || !slices.Contains(testenv.Problems(failure), code) {
		t.Fatalf("got %v %q, want %q and a confirmation", failure, testenv.Problems(failure), code)
	}
	if strings.Contains(failure.Error(), failure.Confirmation) || !strings.Contains(failure.Next("en"), failure.Confirmation) {
		t.Errorf("a confirmation belongs in the answer, and not in a log: %v, %s", failure, failure.Next("en"))
	}
	return failure.Confirmation
}

var toInes = testenv.BorrowerArgs(1043, testenv.Ines)

func TestNoSingleCallOfAnAssistantIsItsOwnConfirmation(t *testing.T) {
	t.Parallel()
	e := start(t)
	_, asked := e.Call(t, "send_esis", toInes, testenv.AsAssistant)
	for name, change := range map[string]func(*tools.Request){
		"nothing":                  func(*tools.Request) {},
		"the codes":                testenv.Confirmed("recipient.send"),
		"the marks of a form":      func(r *tools.Request) { r.Confirmed, _ = testenv.Confirmation(asked, []string{"recipient.send"}) },
		"a yes":                    func(r *tools.Request) { r.Confirmation = "yes" },
		"the code as confirmation": func(r *tools.Request) { r.Confirmation = "recipient.send" },
		"something long":           func(r *tools.Request) { r.Confirmation = strings.Repeat("A", 1<<16) },
		"a confirmation, bent":     func(r *tools.Request) { r.Confirmation = strings.Repeat("A", 4) + asked.Confirmation[4:] },
		"half a confirmation":      func(r *tools.Request) { r.Confirmation = asked.Confirmation[:40] },
	} {
		t.Run(name, func(t *testing.T) {
			_, failure := e.assistant(t, "send_esis", toInes, "", "", change)
			asks(t, failure, "recipient.send warning")
		})
	}
	if len(e.Bank.Sent()) != 0 {
		t.Error("something was sent")
	}
}

func TestAConfirmationIsForOneCallOnEveryReplica(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t)
	one, other := cluster.replica(t), cluster.replica(t)
	_, failure := one.assistant(t, "send_esis", toInes, "", "k-1")
	confirmation := asks(t, failure, "recipient.send warning")

	first, failure := other.assistant(t, "send_esis", `{"borrower":"`+sandbox.SampleBorrower(1043, testenv.Ines).String()+`","process":1043}`, confirmation, "k-1")
	if failure != nil {
		t.Fatal(failure)
	}
	for range 2 { // the reply may have been lost
		again, failure := one.assistant(t, "send_esis", `{"borrower":"`+sandbox.SampleBorrower(1043, testenv.Ines).String()+`","process":1043}`, confirmation, "k-1")
		if failure != nil || again.Output != first.Output {
			t.Errorf("the same call again gives %v, %v", again.Output, failure)
		}
	}
	for _, key := range []string{"k-2", ""} {
		_, failure = one.assistant(t, "send_esis", toInes, confirmation, key)
		renewed := asks(t, failure, "confirmation confirmation.used error")
		if key == "" {
			if _, failure := other.assistant(t, "send_esis", toInes, renewed, key); failure != nil {
				t.Errorf("the new confirmation: %v", failure)
			}
		}
	}
	if sent := len(cluster.Bank.Sent()); sent != 2 {
		t.Errorf("%d were sent", sent)
	}
}

func TestOfManyCallsAtOnceWithOneConfirmationOneIsMade(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t)
	replicas := []env{cluster.replica(t), cluster.replica(t)}
	_, failure := replicas[0].assistant(t, "send_esis", toInes, "", "")
	confirmation := asks(t, failure, "recipient.send warning")
	var done, used atomic.Int32
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			switch _, failure := replicas[i%2].assistant(t, "send_esis", toInes, confirmation, ""); {
			case failure == nil:
				done.Add(1)
			case slices.Contains(testenv.Problems(failure), "confirmation confirmation.used error"):
				used.Add(1)
			default:
				t.Errorf("got %v", failure)
			}
		})
	}
	all.Wait()
	if done.Load() != 1 || used.Load() != 19 || len(cluster.Bank.Sent()) != 1 {
		t.Errorf("%d done, %d refused, %d sent", done.Load(), used.Load(), len(cluster.Bank.Sent()))
	}
}

func TestAConfirmationIsForWhatWasAskedAndNothingElse(t *testing.T) {
	t.Parallel()
	change := func(mobile string) string {
		return testenv.BorrowerArgs(1043, testenv.Ines, `"personal":{"mobile":"`+mobile+`"}`)
	}
	asked := change("912 000 111")
	for name, c := range map[string]struct {
		meanwhile func(t *testing.T, e env)
		tool      string
		args      string
		actor     string
		want      string
	}{
		"other arguments":             {nil, "update_borrower", change("912 000 211"), "ana", "confirmation confirmation.arguments error"}, // their masks are the same
		"more arguments":              {nil, "update_borrower", testenv.BorrowerArgs(1043, testenv.Ines, `"personal":{"mobile":"912 000 111","floor":"9"}`), "ana", "confirmation confirmation.arguments error"},
		"another borrower":            {nil, "update_borrower", testenv.BorrowerArgs(1043, 0, `"personal":{"mobile":"912 000 111"}`), "ana", "confirmation confirmation.arguments error"},
		"another tool":                {nil, "send_esis", toInes, "ana", "confirmation confirmation.unknown error"},
		"another caller":              {nil, "update_borrower", asked, "bruno", "confirmation confirmation.unknown error"},
		"what the bank holds changed": {changeFloor, "update_borrower", asked, "ana", "confirmation confirmation.warnings error"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := start(t)
			_, failure := e.assistant(t, "update_borrower", asked, "", "")
			confirmation := asks(t, failure, "edit.changes warning")
			if c.meanwhile != nil {
				c.meanwhile(t, e)
			}
			_, failure = e.assistant(t, c.tool, c.args, confirmation, "", testenv.By(c.actor))
			renewed := asks(t, failure, c.want)
			if n := e.Bank.Calls(portal.BorrowerUpdate) + e.Bank.Calls(portal.ProcessESISEmail); c.meanwhile == nil && n != 0 {
				t.Fatalf("the bank was asked %d times", n)
			}
			if _, failure = e.assistant(t, c.tool, c.args, renewed, "", testenv.By(c.actor)); failure != nil {
				t.Errorf("the new confirmation: %v", failure)
			}
		})
	}
}

func changeFloor(t *testing.T, e env) {
	t.Helper()
	if _, failure := e.Call(t, "update_borrower", testenv.BorrowerArgs(1043, testenv.Ines, `"personal":{"floor":"9"}`)); failure != nil {
		t.Fatal(failure)
	}
}

func TestAConfirmationEndsAfterTenMinutes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		wait time.Duration
		done bool
	}{"in time": {9*time.Minute + 50*time.Second, true}, "too late": {10*time.Minute + time.Second, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var clock clocktest.Clock
			e := start(t, withClock(&clock))
			_, failure := e.assistant(t, "send_esis", toInes, "", "")
			confirmation := asks(t, failure, "recipient.send warning")
			clock.Add(c.wait)
			if _, failure = e.assistant(t, "send_esis", toInes, confirmation, ""); c.done != (failure == nil) {
				t.Fatalf("got %v", failure)
			}
			if !c.done {
				asks(t, failure, "confirmation confirmation.expired error")
			}
		})
	}
}

func TestAConfirmedCallThatChangedNothingMayBeMadeAgainUnderItsKey(t *testing.T) {
	t.Parallel()
	e := start(t)
	args := testenv.BorrowerArgs(1043, testenv.Ines, `"personal":{"mobile":"912 000 111"}`)
	_, failure := e.assistant(t, "update_borrower", args, "", "k-1")
	confirmation := asks(t, failure, "edit.changes warning")
	e.Bank.Inject(sandbox.Fault{Operation: portal.BorrowerUpdate, Status: 429, Times: 1})
	if _, failure = e.assistant(t, "update_borrower", args, confirmation, "k-1"); failure == nil || failure.Kind != tools.Busy {
		t.Fatalf("got %v", failure)
	}
	_, failure = e.assistant(t, "update_borrower", args, confirmation, "k-2")
	asks(t, failure, "confirmation confirmation.used error")
	if _, failure = e.assistant(t, "update_borrower", args, confirmation, "k-1"); failure != nil {
		t.Error(failure)
	}
}

// noClaims is a store that cannot be reached.
type noClaims struct{}

func (noClaims) Claim(context.Context, string, string, string, time.Duration) (bool, error) {
	return false, errors.New("no connection")
}

func (noClaims) Claimed(context.Context, string, string) (bool, error) { return false, nil }

func TestWithoutAStoreNothingIsConfirmed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		claims tools.Claims
		kind   tools.ErrorKind
	}{"one that cannot be reached": {noClaims{}, tools.Unavailable}, "none": {nil, tools.PeopleOnly}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := start(t)
			_, failure := e.assistant(t, "send_esis", toInes, "", "")
			confirmation := asks(t, failure, "recipient.send warning")
			config := e.Config
			config.Claims = c.claims
			e.Runner = tools.NewRunner(config)
			if _, failure = e.assistant(t, "send_esis", toInes, confirmation, ""); failure == nil || failure.Kind != c.kind || len(e.Bank.Sent()) != 0 {
				t.Errorf("got %v, sent %d", failure, len(e.Bank.Sent()))
			}
		})
	}
}

func TestAnAssistantDeletesNothingThatNobodyApproves(t *testing.T) {
	t.Parallel()
	for policy, next := range map[string]string{"": "in Slack, with /borrower delete.", "allow": "in Slack, with /borrower delete.", "deny": "in Slack, with /borrower delete."} {
		e := start(t, func(c *tools.Config) {
			var err error
			if c.Policy, err = tools.ParsePolicy(policy, c.Catalogue); err != nil {
				t.Fatal(err)
			}
		})
		_, failure := e.assistant(t, "delete_borrower", toInes, "", "") // of a person who can approve nowhere
		if failure == nil || failure.Kind != tools.PeopleOnly || !strings.Contains(failure.Next("en"), next) {
			t.Errorf("under %q: got %v", policy, failure)
		}
		if _, failure := e.assistant(t, "delete_borrower", toInes, "", "", testenv.By("nobody")); failure.Kind != tools.Forbidden {
			t.Errorf("a stranger's assistant: %v", failure)
		}
		if n := e.Bank.Calls(portal.BorrowerDelete); n != 0 {
			t.Errorf("the bank was asked %d times", n)
		}
	}
}

func TestAnAssistantSendsToNoAddressOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, tool := range catalogue.New().Tools() {
		for _, field := range tool.Fields {
			if address := field.Kind == tools.Text && strings.Contains(strings.ToLower(field.Path), "mail"); tool.Effect == tools.Sends && address && !field.People {
				t.Errorf("%s lets an assistant give %s", tool.Name, field.Path)
			}
		}
	}
	e := start(t)
	for _, address := range []string{"outra@example.com", e.Borrower(t, 1043, testenv.Ines).Personal.Email.Reveal()} {
		_, failure := e.assistant(t, "send_esis", `{"process":"1043","email":"`+address+`"}`, "", "")
		if failure == nil || failure.Kind != tools.Invalid || !slices.Contains(testenv.Problems(failure), "email only_people error") || failure.Confirmation != "" {
			t.Errorf("got %v", failure)
		}
	}
	if len(e.Bank.Sent()) != 0 {
		t.Error("something was sent")
	}
}

func TestAnAssistantDoesNotSendToAnAddressThatAnAssistantSet(t *testing.T) {
	t.Parallel()
	const stranger = "Intruso@Example.com"
	newcomer := func(r tools.Result) string {
		return `{"process":"1042","borrower":"` + r.Output.(borrowers.BorrowerCreated).Borrower.String() + `"}`
	}
	for name, set := range map[string]func(t *testing.T, e env) (to string){
		"of a borrower it changed": func(t *testing.T, e env) string {
			if _, failure := e.Call(t, "update_borrower", testenv.BorrowerArgs(1043, testenv.Ines, `"personal":{"email":" `+stranger+`"}`), testenv.AsAssistant, testenv.Confirmed("edit.changes")); failure != nil {
				t.Fatal(failure)
			}
			return toInes
		},
		"of a borrower it added": func(t *testing.T, e env) string {
			created, failure := e.Call(t, "create_borrower", testenv.NewBorrower(map[string]string{"email": `"` + stranger + `"`}), testenv.AsAssistant)
			if failure != nil {
				t.Fatal(failure)
			}
			return newcomer(created)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := start(t)
			to := set(t, e)
			_, failure := e.assistant(t, "send_esis", to, "", "")
			if failure == nil || failure.Kind != tools.Invalid || !slices.Equal(testenv.Problems(failure), []string{"borrower recipient.set_by_assistant error"}) || failure.Confirmation != "" {
				t.Fatalf("got %v", failure)
			}
			if _, failure := e.Call(t, "send_esis", testenv.BorrowerArgs(1043, 0), testenv.AsAssistant, testenv.Confirmed("recipient.send")); failure != nil {
				t.Errorf("to another borrower: %v", failure)
			}
			if _, failure := e.Call(t, "send_esis", to, testenv.Confirmed("recipient.send")); failure != nil {
				t.Errorf("a person sends: %v", failure)
			}
			if sent := len(e.Bank.Sent()); sent != 2 {
				t.Errorf("%d were sent", sent)
			}
		})
	}
	t.Run("of a borrower a person changed", func(t *testing.T) {
		t.Parallel()
		e := start(t)
		if _, failure := e.Call(t, "update_borrower", testenv.BorrowerArgs(1043, testenv.Ines, `"personal":{"email":"nova@example.com"}`)); failure != nil {
			t.Fatal(failure)
		}
		if _, failure := e.Call(t, "send_esis", toInes, testenv.AsAssistant, testenv.Confirmed("recipient.send")); failure != nil {
			t.Error(failure)
		}
	})
}

func TestAPersonConfirmsOnlyWhatSheSaw(t *testing.T) {
	t.Parallel()
	e := start(t)
	form := tools.Form{Answers: map[string]string{"process": "1043", "borrower": sandbox.SampleBorrower(1043, testenv.Ines).String()}}
	_, shown, err := e.Summary(t.Context(), e.Actor, documents.SendESIS, form)
	if err != nil || len(shown) != 1 || shown[0].Mark == "" {
		t.Fatalf("shown is %v, %v", shown, err)
	}
	held := e.Borrower(t, 1043, testenv.Ines)
	request := held.Request()
	request.Personal.Email = pii.New[pii.Email]("intruso@example.com") // masked, it looks the same
	if _, err := e.User().UpdateBorrower(t.Context(), sandbox.SampleProcess(1043), held.BorrowerUniqueID, request); err != nil {
		t.Fatal(err)
	}
	seen := tools.Request{Tool: documents.SendESIS, Actor: e.Actor, Args: json.RawMessage(toInes), Confirmed: []string{shown[0].Mark}}
	if _, err := e.Run(t.Context(), seen); err == nil || tools.AsError(err).Kind != tools.Unconfirmed {
		t.Errorf("sent to an address that nobody has seen: %v", err)
	}
	if len(e.Bank.Sent()) != 0 {
		t.Error("something was sent")
	}
}
