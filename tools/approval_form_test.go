package tools_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// answered returns the arguments of a form.
func answered(t *testing.T, tool *tools.Tool, form tools.Form) json.RawMessage {
	t.Helper()
	args, problems := tool.Args(tool.Given(form), words.English)
	if problems != nil {
		t.Fatal(problems)
	}
	return args
}

func TestTheFormOfAnApprovalIsFilledInAsTheAssistantAsked(t *testing.T) {
	t.Parallel()
	e := startApprovals(t)
	created := e.asks(t, "create_borrower", testenv.NewBorrower(map[string]string{"birthDate": `null`}))
	review, form, labels, err := e.ReviewForm(t.Context(), ana, created.ID)
	if err != nil || review.Of.Name != "create_borrower" || form.Before != nil || form.Answers["personal.taxId"] != "299999998" || labels["personal.genderId"] == "" {
		t.Errorf("got %v %v, %v", form, labels, err)
	}
	form.Answers["personal.birthDate"] = "12/4/1985"
	reviewed, err := e.ReviewArgs(t.Context(), ana, created.ID, answered(t, review.Of, form))
	if err != nil || reviewed.Seen == "" || reviewed.Altered {
		t.Fatalf("got %+v, %v", reviewed.Problems, err)
	}
	if _, err := e.Approve(t.Context(), ana, created.ID, tools.Approved{Args: answered(t, review.Of, form), Seen: reviewed.Seen}); err != nil {
		t.Fatal(err)
	}
	if told, _ := e.learns(t, created.ID); told.Status != tools.ApprovalDone || !slices.Equal(told.Changed, []string{"personal.birthDate"}) {
		t.Errorf("the assistant learns %v %q", told.Status, told.Changed)
	}

	held := e.Borrower(t, 1043, 0).Personal
	changed := e.asks(t, "update_borrower", testenv.BorrowerArgs(1043, 0, `"set":{"personal.email":"novo@example.com"}`))
	review, form, _, err = e.ReviewForm(t.Context(), ana, changed.ID)
	if err != nil || form.Before["personal.email"] != held.Email.Reveal() || form.Answers["personal.email"] != "novo@example.com" || form.Answers["personal.mobile"] != form.Before["personal.mobile"] {
		t.Fatalf("got %v, %v", form, err)
	}
	form.Answers["personal.mobile"] = "913333333"
	if reviewed, err = e.ReviewArgs(t.Context(), ana, changed.ID, answered(t, review.Of, form)); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Approve(t.Context(), ana, changed.ID, tools.Approved{Args: answered(t, review.Of, form), Seen: reviewed.Seen}); err != nil {
		t.Fatal(err)
	}
	if is := e.Borrower(t, 1043, 0).Personal; is.Email.Reveal() != "novo@example.com" || !strings.Contains(is.Mobile.Reveal(), "913333333") {
		t.Errorf("the bank has %s and %s", is.Email.Reveal(), is.Mobile.Reveal())
	}
}

func TestAFormIsApprovedAsItWasShown(t *testing.T) {
	t.Parallel()
	e := startApprovals(t)
	a := e.asks(t, "create_borrower", testenv.NewBorrower(nil))
	one, other := json.RawMessage(testenv.NewBorrower(map[string]string{"mobile": `"913333333"`})), json.RawMessage(testenv.NewBorrower(map[string]string{"mobile": `"914444444"`}))
	reviewed, err := e.ReviewArgs(t.Context(), ana, a.ID, one)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Approve(t.Context(), ana, a.ID, tools.Approved{Args: other, Seen: reviewed.Seen}); codesOf(err) != "unconfirmed approval.altered" {
		t.Errorf("another form is approved: %v", err)
	}
	if _, err := e.Approve(t.Context(), ana, a.ID, tools.Approved{Args: json.RawMessage(testenv.NewBorrower(map[string]string{"taxId": `"299999999"`})), Seen: reviewed.Seen}); !strings.HasPrefix(codesOf(err), "invalid ") {
		t.Errorf("a wrong form is approved: %v", err)
	}
	for what, actor := range map[string]tools.Actor{"the assistant": {ID: "mcp:ana", Assistant: true}, "a colleague": {ID: "bruno"}} {
		_, _, _, form := e.ReviewForm(t.Context(), actor, a.ID)
		_, review := e.ReviewArgs(t.Context(), actor, a.ID, one)
		if form == nil || review == nil {
			t.Errorf("%s is shown the form: %v %v", what, form, review)
		}
	}
	if told, _ := e.learns(t, a.ID); told.Status != tools.ApprovalWaits || e.Bank.Calls(portal.BorrowerCreate) != 0 {
		t.Errorf("it is %v", told.Status)
	}
	if _, err := e.Approve(t.Context(), ana, a.ID, tools.Approved{Args: one, Seen: reviewed.Seen}); err != nil {
		t.Error(err)
	}
	if _, _, labels, err := e.ReviewForm(t.Context(), ana, a.ID); err != nil || labels != nil { // she is told how it ended
		t.Errorf("got %v, %v", labels, err)
	}
}

func TestWithoutSlackAPersonNeedsAPageToDecide(t *testing.T) {
	t.Parallel()
	e := startApprovals(t, func(c *tools.Config) {
		team := testenv.Team()
		team["mcp:ana"] = team["ana"]
		c.People = team
	})
	_, err := e.Run(t.Context(), e.Request(t, "create_borrower", testenv.NewBorrower(nil), byAssistant))
	if codesOf(err) != "people_only approval.nowhere" || !strings.Contains(fmt.Sprint(tools.AsError(err).Problems), "PORTAL_USERS") {
		t.Errorf("without a page: %v", err)
	}
	a := e.asks(t, "create_borrower", testenv.NewBorrower(nil), func(r *tools.Request) { r.Page = true })
	if a.Owner != "mcp:ana" {
		t.Errorf("it is decided by %s", a.Owner)
	}
	if _, err := e.Review(t.Context(), tools.Actor{ID: "mcp:ana", Assistant: true}, a.ID); codesOf(err) != "forbidden" {
		t.Errorf("the assistant reviews it: %v", err)
	}
	if _, err := e.Review(t.Context(), tools.Actor{ID: "mcp:ana"}, a.ID); err != nil {
		t.Error(err)
	}
}
