package tools_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

// clearOf returns all labels and values of a review in clear.
func clearOf(review tools.Review) string {
	text := ""
	for _, section := range review.Sections {
		for _, fact := range section.Facts {
			text += fact.Label + ": " + fact.Value.Reveal() + "\n"
		}
	}
	return text
}

func TestWhatWasDecidedCanBeSeenAgain(t *testing.T) {
	t.Parallel()
	e := startApprovals(t)
	made, rejected := e.asks(t, "create_borrower", testenv.NewBorrower(nil)), e.asks(t, "update_borrower", testenv.BorrowerArgs(1043, 0, `"set":{"personal.email":"novo@example.com"}`))
	if _, err := e.Approve(t.Context(), ana, made.ID, tools.Approved{Seen: e.sees(t, made.ID).Seen}); err != nil {
		t.Fatal(err)
	}
	if err := e.Reject(t.Context(), ana, rejected.ID, ""); err != nil {
		t.Fatal(err)
	}
	if review := e.sees(t, made.ID); !strings.Contains(clearOf(review), "299999998") || review.Card.Title != "Borrower created" || len(review.Card.Next) == 0 || review.Seen != "" {
		t.Errorf("of what was made she sees %s and the card %+v", clearOf(review), review.Card)
	} else if strings.Contains(fmt.Sprint(review.Card), "299999998") {
		t.Error("the card of the result shows a tax number")
	}
	if review := e.sees(t, rejected.ID); !strings.Contains(clearOf(review), "novo@example.com") || review.Card.Title != "" {
		t.Errorf("of what was rejected she sees %s and the card %+v", clearOf(review), review.Card)
	}
	if review, err := e.Review(t.Context(), tools.Actor{ID: "bruno"}, made.ID); codesOf(err) != "invalid approval.gone" || review.Args != nil || review.Sections != nil {
		t.Errorf("a colleague sees %v, %v", review, err)
	}
}

func TestAFormThatTheBankWouldRefuseLeavesTheApprovalOpen(t *testing.T) {
	t.Parallel()
	e := startApprovals(t)
	a := e.asks(t, "create_borrower", testenv.NewBorrower(nil))
	for what, c := range map[string]struct{ args, want string }{
		"a wrong tax number": {testenv.NewBorrower(map[string]string{"taxId": `"299999999"`}), "invalid nif.check_digit"},
		"no arguments":       {`[]`, "invalid args.not_object"},
	} {
		if _, err := e.Approve(t.Context(), ana, a.ID, tools.Approved{Args: json.RawMessage(c.args)}); codesOf(err) != c.want {
			t.Errorf("%s: got %q, want %q", what, codesOf(err), c.want)
		}
	}
	sent := e.asks(t, "send_esis", testenv.BorrowerArgs(1043, 0))
	_, err := e.Approve(t.Context(), ana, sent.ID, tools.Approved{Args: sent.Args})
	if !strings.HasPrefix(codesOf(err), "unconfirmed ") {
		t.Errorf("its warnings were not confirmed: %v", err)
	}
	for _, open := range []tools.Approval{a, sent} {
		if told, _ := e.learns(t, open.ID); told.Status != tools.ApprovalWaits {
			t.Errorf("it is %v", told.Status)
		}
	}
	var confirmed []string
	for _, p := range tools.AsError(err).Problems {
		confirmed = append(confirmed, p.Mark)
	}
	if _, err := e.Approve(t.Context(), ana, sent.ID, tools.Approved{Args: sent.Args, Confirmed: confirmed}); err != nil {
		t.Error(err)
	}
	if _, err := e.Approve(t.Context(), ana, a.ID, tools.Approved{Args: a.Args}); err != nil {
		t.Error(err)
	}
}

func TestAProcessNamedInAnotherWayIsNoChange(t *testing.T) {
	t.Parallel()
	e := startApprovals(t)
	a := e.asks(t, "update_borrower", testenv.BorrowerArgs(1043, 0, `"set":{"personal.email":"novo@example.com","personal.mobile":"961234567"},"clear":["personal.floor"]`))
	var args map[string]any
	if err := json.Unmarshal([]byte(testenv.BorrowerArgs(1043, 0, `"set":{"personal.email":"outro@example.com","personal.mobile":"+351961234567"}`)), &args); err != nil {
		t.Fatal(err)
	}
	args["process"] = sandbox.SampleProcess(1043).String()
	final, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Approve(t.Context(), ana, a.ID, tools.Approved{Args: final}); err != nil {
		t.Fatal(err)
	}
	if told, _ := e.learns(t, a.ID); !slices.Equal(told.Changed, []string{"personal.email", "personal.floor"}) {
		t.Errorf("she has changed %q", told.Changed)
	}
}

func TestTheFilesOfACallThatWaitsAreKept(t *testing.T) {
	t.Parallel()
	e := startApprovals(t)
	file := e.Files.Give("recibo.pdf", []byte("%PDF-1.7\n"))
	args := `{"process":"1042","documentTypeId":203,"title":"Recibo","files":` + testenv.FilesArg(file) + `}`
	a := e.asks(t, "add_document", args)
	if until := e.Files.KeptUntil(file); !until.Equal(a.Expires) {
		t.Errorf("it is kept until %v, want %v", until, a.Expires)
	}
	tool, _ := e.Catalogue.Named("add_document")
	review := e.sees(t, a.ID)
	_, form, _, err := e.ReviewForm(t.Context(), ana, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	_, problems, err := e.Summary(t.Context(), ana, tool, form)
	if err != nil || len(problems) > 0 {
		t.Errorf("her form has %+v, %v", problems, err)
	}
	if _, _, err := e.Summary(t.Context(), tools.Actor{ID: "bruno"}, tool, form); codesOf(err) != "invalid approval.gone" {
		t.Errorf("a colleague's form: %v", err)
	}
	if _, err := e.Approve(t.Context(), ana, a.ID, tools.Approved{Seen: review.Seen}); err != nil {
		t.Fatal(err)
	}
	if told, result := e.learns(t, a.ID); told.Status != tools.ApprovalDone || result.Output == nil {
		t.Errorf("the assistant learns %v, %+v", told.Status, result)
	}
	gone := e.Files.Give("outro.pdf", []byte("%PDF-1.7\n"))
	e.Files.Remove(gone)
	args = `{"process":"1042","documentTypeId":203,"files":` + testenv.FilesArg(gone) + `}`
	if _, err := e.Run(t.Context(), e.Request(t, "add_document", args, byAssistant)); !strings.HasPrefix(codesOf(err), "invalid file.gone") {
		t.Errorf("a file that is gone: %v", err)
	}
}
