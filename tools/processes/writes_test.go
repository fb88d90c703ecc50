package processes_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/processes"
)

func TestAProcessIsOpenedFilledInAndSubmitted(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	created := e.MustCall(t, "create_process", `{"loanAmount":150000,"loanDurationMonths":360,"hasCrossSelling":true}`).Output.(processes.ProcessCreated)
	if created.ProcessNumber != 3001 {
		t.Errorf("got %+v", created)
	}
	process := func(rest string) string { return `{"process":"` + created.Process.String() + `"` + rest + `}` }
	missing := func() (texts []string) {
		for _, one := range e.MustCall(t, "check_process", process("")).Output.(processes.ProcessCheck).Missing {
			texts = append(texts, one.Mend)
		}
		return texts
	}
	if got := missing(); !slices.Contains(got, "update_process") || !slices.Contains(got, "create_borrower") {
		t.Errorf("at first it lacks %v", got)
	}
	e.MustCall(t, "update_process", process(`,"productPurposeId":1,"loanPurposeId":1,"productSchemeId":1`))
	detail, err := e.User().Process(t.Context(), created.Process)
	if amount, _ := detail.LoanAmount.Reveal(); err != nil || amount.IntPart() != 150000 || *detail.ProductSchemeID != 1 || !*detail.HasCrossSelling {
		t.Errorf("the bank has %+v, %v", detail, err)
	}
	_, failure := e.CallConfirmed(t, "submit_process", process(""))
	if failure == nil || failure.Kind != tools.Refused {
		t.Errorf("without a borrower, got %v", failure)
	}
	if got := missing(); slices.Contains(got, "update_process") {
		t.Errorf("then it lacks %v", got)
	}
}

func TestASubmissionIsConfirmedWithWhatSeemsToBeMissing(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	_, failure := e.Call(t, "submit_process", `{"process":1042}`)
	if failure == nil || failure.Kind != tools.Unconfirmed || !strings.Contains(fmt.Sprint(failure.Problems), "1 borrower)") {
		t.Fatalf("got %v", failure)
	}
	if _, failure := e.CallConfirmed(t, "submit_process", `{"process":1042}`); failure != nil {
		t.Fatal(failure)
	}
	if e.Bank.State(sandbox.SampleProcess(1042)) == 1 {
		t.Error("it is still in creation")
	}
	for _, tool := range []string{"submit_process", "update_process"} {
		args := map[string]string{"submit_process": `{"process":1042}`, "update_process": `{"process":1042,"loanAmount":1}`}[tool]
		_, failure := e.Call(t, tool, args)
		if failure == nil || failure.Kind != tools.Closed || !strings.Contains(failure.What(e.Actor.Lang), "in creation") || !strings.Contains(failure.What(e.Actor.Lang), "Documents") {
			t.Errorf("%s afterwards: got %v", tool, failure)
		}
	}
	if e.Bank.Calls(portal.ProcessUpdate) != 0 {
		t.Error("the bank was asked though it would refuse")
	}
}

func TestACancelledProcessStaysCancelled(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	e.WantProblem(t, "cancel_process", `{"process":1043,"reason":77}`, "taxonomy.unknown")
	e.WantProblem(t, "cancel_process", `{"process":1043}`, "required")
	if _, failure := e.Call(t, "cancel_process", `{"process":1043,"reason":1}`); failure == nil || failure.Kind != tools.Unconfirmed {
		t.Errorf("without a confirmation: got %v", failure)
	}
	if _, failure := e.CallConfirmed(t, "cancel_process", `{"process":1043,"reason":1}`); failure != nil {
		t.Fatal(failure)
	}
	for _, number := range []int{1043, sandbox.SampleClosed} {
		if _, failure := e.Call(t, "cancel_process", fmt.Sprintf(`{"process":%d,"reason":1}`, number)); failure == nil || failure.Kind != tools.Closed {
			t.Errorf("process %d: got %v", number, failure)
		}
	}
}

func TestTheCardOfAProcessOffersWhatItsStateAllows(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	for number, want := range map[int][]string{
		sandbox.SampleOpen:      {"list_messages", "check_process", "update_process", "submit_process", "cancel_process"},
		sandbox.SampleCouple:    {"list_messages", "cancel_process"},
		sandbox.SampleCancelled: {"list_messages"},
	} {
		card := e.MustCall(t, "get_process", fmt.Sprintf(`{"process":%d}`, number)).Card
		var offered []string
		for _, step := range card.Next {
			if strings.HasSuffix(step.Tool, "_process") || step.Tool == "list_messages" {
				offered = append(offered, step.Tool)
			}
		}
		if !slices.Equal(offered, want) {
			t.Errorf("%d: it offers %v, want %v", number, offered, want)
		}
	}
}

func TestWhatIsWrongWithTheTermsIsSaid(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	for args, code := range map[string]string{
		`{"loanAmount":0}`:            "terms.amount",
		`{"loanAmount":-5}`:           "terms.amount",
		`{"loanDurationMonths":0}`:    "terms.months",
		`{"productSchemeId":99}`:      "taxonomy.unknown",
		`{"simulation":"not a uuid"}`: "kind.simulation",
	} {
		e.WantProblem(t, "create_process", args, code)
	}
	for args, code := range map[string]string{`{}`: "create.empty", `{"loanDurationMonths":601}`: "terms.months_many"} {
		_, failure := e.Call(t, "create_process", args)
		if failure == nil || failure.Kind != tools.Unconfirmed || failure.Problems[0].Code != code {
			t.Errorf("%s: got %v", args, failure)
		}
	}
	if e.Bank.Created() != 0 {
		t.Error("a process was created")
	}
}

func TestAProcessWithoutASimulationStaysUnclearRatherThanTwice(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	e.Bank.Inject(sandbox.Fault{Operation: portal.ProcessCreate, DropAfter: true, Times: 1})
	for range 2 {
		_, failure := e.Call(t, "create_process", `{"loanAmount":150000}`, testenv.WithKey("a click"))
		if failure == nil || failure.Kind != tools.Unclear {
			t.Errorf("got %v", failure)
		}
	}
	if e.Bank.Created() != 1 {
		t.Errorf("%d processes were created", e.Bank.Created())
	}
}

func TestTheCheckNamesWhoLacksWhatAndWhatIsAGuess(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	e.MustCall(t, "create_borrower", testenv.NewBorrower(nil))
	check := e.WantCard(t, "check_process", `{"process":1042}`, "Rui A.", "a guess", "guesses are Balcão's").Output.(processes.ProcessCheck)
	at := slices.IndexFunc(check.Missing, func(m processes.Missing) bool { return m.Who.String() == "Rui A." })
	if at < 0 || check.Missing[at].Mend != "update_borrower" || !check.Missing[at].Guess || !strings.Contains(check.Missing[at].What, "the address") {
		t.Errorf("got %+v", check.Missing)
	}
	if err := e.Bank.AskForDocument(sandbox.SampleProcess(1042)); err != nil {
		t.Fatal(err)
	}
	asked := e.MustCall(t, "check_process", `{"process":1042}`).Output.(processes.ProcessCheck)
	if !slices.ContainsFunc(asked.Missing, func(m processes.Missing) bool { return !m.Guess && strings.Contains(m.What, "the bank asked for: ") }) {
		t.Errorf("the document that the bank asks for is not in %+v", asked.Missing)
	}
	tooOld := e.MustCall(t, "check_process", `{"process":1047}`).Output.(processes.ProcessCheck)
	bank := slices.IndexFunc(tooOld.Missing, func(m processes.Missing) bool { return !m.Guess })
	if !tooOld.Submitted || bank < 0 || !strings.Contains(tooOld.Missing[bank].What, "older than 75") {
		t.Errorf("what the bank says itself is not in %+v", tooOld)
	}
}
