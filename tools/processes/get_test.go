package processes_test

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/processes"
)

func TestAProcessIsShownWithWhatWasLastDoneItsLoanAndItsBorrowers(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	result, failure := e.Call(t, "get_process", `{"process":1043}`)
	if failure != nil {
		t.Fatal(failure)
	}
	process, err := e.User().Process(t.Context(), sandbox.SampleProcess(1043))
	if err != nil {
		t.Fatal(err)
	}
	details, card := result.Output.(processes.ProcessDetails), result.Card
	if details.Number != 1043 || details.Process != process.ProcessUniqueID || details.TermMonths != *process.LoanDurationMonths || details.LoanAmount != process.LoanAmount && details.LoanAmount.String() != process.LoanAmount.String() {
		t.Errorf("got %+v", details)
	}
	facts := map[string]string{}
	for _, fact := range card.Facts {
		facts[fact.Label] = fact.Value
	}
	for label, want := range map[string]string{
		"Status": process.ProcessStatusDescription, "Phase": process.ProcessPhaseDescription, "Waiting for": "the ", "Last action": process.LastActionDescription + " · ",
		"Amount requested": process.LoanAmount.String(), "Property price": process.AcquisitionAmount.String(), "Term": " months",
		"Purpose": process.LoanPurposeDescription, "Branch": process.BranchDescription,
		"Product purpose": process.ProductPurposeDescription, "Product scheme": process.ProductSchemeDescription,
	} {
		if want == "" || !strings.Contains(facts[label], want) {
			t.Errorf("%s is %q, want %q", label, facts[label], want)
		}
	}
	if len(card.Table.Rows) != 2 || len(card.Table.Steps) != 2 || card.Table.Steps[0].Label == "" {
		t.Errorf("the borrowers are %+v", card.Table)
	}
	for _, row := range card.Table.Rows {
		if !strings.HasSuffix(row[0], ".") {
			t.Errorf("%q is not masked", row[0])
		}
	}
	if len(card.Next) == 0 || card.Next[0].Tool != "list_borrowers" || card.Next[0].Label == "" {
		t.Errorf("it leads to %+v", card.Next)
	}
}

func TestAProcessOfAnotherBrokerIsNotShown(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	if _, failure := e.Call(t, "get_process", `{"process":7777}`); failure == nil || failure.Kind != tools.NotFound {
		t.Errorf("got %v", failure)
	}
}

func TestTheBankIsAskedOnceForAProcess(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	for _, name := range []string{"1043", "1043", sandbox.SampleProcess(1043).String()} {
		before := e.Bank.Calls(portal.ProcessDetail)
		if _, failure := e.Call(t, "get_process", `{"process":"`+name+`"}`); failure != nil {
			t.Fatal(failure)
		}
		if asked := e.Bank.Calls(portal.ProcessDetail) - before; asked != 1 {
			t.Errorf("%s: asked %d times", name, asked)
		}
	}
}

// silent is a bank that says of no process in which state and phase it is, but for their ids.
func silent(bank http.Handler) http.Handler {
	without := regexp.MustCompile(`"process(Status|Phase)Description":"[^"]*"|"processPhaseID":\d+`)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reply := httptest.NewRecorder()
		bank.ServeHTTP(reply, r)
		maps.Copy(w.Header(), reply.Header())
		w.Header().Del("Content-Length")
		w.WriteHeader(reply.Code)
		_, _ = w.Write(without.ReplaceAll(reply.Body.Bytes(), []byte(`"processNothing":""`)))
	})
}

func TestWhatAReplyDoesNotSayOfTheStateIsThatOfTheBanksLists(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{Proxy: silent})
	details := e.WantCard(t, "get_process", `{"process":1042}`).Output.(processes.ProcessDetails)
	if details.Status != "In Creation" || details.Phase != "Preparation" || details.Turn != profile.Partner {
		t.Errorf("status %q, phase %q, turn %q", details.Status, details.Phase, details.Turn)
	}
	list := e.WantCard(t, "find_processes", `{"text":"1042"}`).Output.(processes.ProcessList)
	if list.Processes[0].Status != "In Creation" {
		t.Errorf("the list says %q", list.Processes[0].Status)
	}
}

func TestAnUnknownStateIsShownAsTheBankCallsIt(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{Runner: func(c *tools.Config) {
		c.States = profile.Builtin().States
		c.States.IDs = map[string]string{"1": ""}
	}})
	details := e.WantCard(t, "get_process", `{"process":1042}`).Output.(processes.ProcessDetails)
	if details.Status != "In Creation" || details.Turn != profile.Nobody {
		t.Errorf("status %q, turn %q", details.Status, details.Turn)
	}
}

func TestAProcessIsShownWithWhoseTurnItIs(t *testing.T) {
	t.Parallel()
	for state, want := range map[int32]string{1: "the broker or the client", 4: "the bank", 5: "the broker or the client", 6: "", 7: ""} {
		e := testenv.Start(t, testenv.Options{})
		if err := e.Bank.SetState(sandbox.SampleProcess(sandbox.SampleOpen), state); err != nil {
			t.Fatal(err)
		}
		result, failure := e.Call(t, "get_process", `{"process":1042}`)
		if failure != nil {
			t.Fatal(failure)
		}
		got := ""
		for _, fact := range result.Card.Facts {
			if fact.Label == "Waiting for" {
				got = fact.Value
			}
		}
		if got != want {
			t.Errorf("in state %d it waits for %q, want %q", state, got, want)
		}
	}
}

func TestAStateThatTheBankDoesNotDescribeIsThatOfItsList(t *testing.T) {
	t.Parallel()
	options := testenv.Options{Proxy: func(bank http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			reply := httptest.NewRecorder()
			bank.ServeHTTP(reply, r)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(reply.Code)
			text := strings.NewReplacer(`"processStatusDescription":`, `"other":`, `"loanPurposeDescription":`, `"another":`).Replace(reply.Body.String())
			_, _ = io.WriteString(w, text)
		})
	}}
	e := testenv.Start(t, options)
	e.WantCard(t, "get_process", `{"process":1043}`, "Documents", "Own permanent")
	e.WantCard(t, "list_borrowers", `{"process":1043}`, "Documents")
	e.WantCard(t, "find_processes", `{"text":"1043"}`, "Documents")
	unread := testenv.Start(t, options) // whose lists were never read
	unread.Bank.Inject(sandbox.Fault{Path: "/taxonomy/", Status: http.StatusNotFound})
	unread.WantCard(t, "get_process", `{"process":1043}`, "(a code that the bank did not explain)")
}
