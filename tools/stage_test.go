package tools_test

import (
	"bytes"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/tools/borrowers"
	"github.com/balcao/balcao/tools/catalogue"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/documents"
)

func next(card tools.Card) (names []string) {
	for _, step := range card.Next {
		names = append(names, step.Tool)
	}
	return names
}

func TestAChangeOfAClosedProcessIsRefusedBeforeOtherChecks(t *testing.T) {
	t.Parallel()
	e := start(t)
	key := `"borrower":"` + sandbox.SampleBorrower(sandbox.SampleClosed, 1).String() + `"`
	for name, c := range map[string]struct{ tool, args string }{
		"a new borrower without a field right": {"create_borrower", `{"process":"1049","personal":{"taxId":"1"}}`},
		"by the process's uuid":                {"create_borrower", testenv.NewBorrower(map[string]string{"process": `"` + sandbox.SampleProcess(sandbox.SampleClosed).String() + `"`})},
		"a change":                             {"update_borrower", `{"process":"1049",` + key + `,"personal":{"mobile":"961234567"}}`},
		"a deletion":                           {"delete_borrower", `{"process":"1049",` + key + `}`},
		"an e-mail of a cancelled process":     {"send_esis", `{"process":"1050","email":"maria@example.com"}`},
	} {
		_, failure := e.Call(t, c.tool, c.args)
		if failure == nil || failure.Kind != tools.Closed || len(failure.Problems) > 0 {
			t.Errorf("%s: %v", name, failure)
			continue
		}
		if len(failure.Steps) == 0 || failure.What("en") == "" || failure.Next("pt-PT") == "" {
			t.Errorf("%s: the error does not say what can be done: %q %q", name, failure.What("en"), failure.Next("pt-PT"))
		}
		for _, step := range failure.Steps {
			if other, known := catalogue.New().Named(step.Tool); !known || other.Effect != tools.Reads {
				t.Errorf("%s: it leads to %s", name, step.Tool)
			}
		}
	}
	for _, operation := range []portal.OperationID{portal.BorrowerCreate, portal.BorrowerUpdate, portal.BorrowerDelete, portal.ProcessESISEmail} {
		if e.Bank.Calls(operation) != 0 {
			t.Errorf("the bank was asked for %s", operation)
		}
	}
}

func TestACardOffersTheStepsThatTheStageOfItsProcessAllows(t *testing.T) {
	t.Parallel()
	e := start(t)
	borrower := func(process int) string {
		return `","borrower":"` + sandbox.SampleBorrower(process, 0).String() + `"}`
	}
	for name, c := range map[string]struct {
		tool, args string
		want       []string
	}{
		"an open process":                {"list_borrowers", `{"process":"1042"}`, []string{"get_borrower", "create_borrower", "get_esis"}},
		"a closed one":                   {"list_borrowers", `{"process":"1049"}`, []string{"get_borrower", "get_esis"}},
		"a cancelled one":                {"list_borrowers", `{"process":"1050"}`, []string{"get_borrower"}},
		"a borrower of an open process":  {"get_borrower", `{"process":"1042` + borrower(1042), []string{"update_borrower", "list_borrowers", "delete_borrower"}},
		"a borrower of a closed process": {"get_borrower", `{"process":"1049` + borrower(1049), []string{"list_borrowers"}},
		"a list with one closed process": {"find_processes", `{"text":"1049"}`, []string{"get_process", "list_borrowers", "get_esis"}},
		"a list with one cancelled":      {"find_processes", `{"text":"1050"}`, []string{"get_process", "list_borrowers"}},
		"the ESIS of a closed process":   {"get_esis", `{"process":"1049"}`, []string{"send_esis", "list_borrowers"}},
	} {
		result, failure := e.Call(t, c.tool, c.args)
		if failure != nil {
			t.Errorf("%s: %v", name, failure)
		} else if got := next(result.Card); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestAFormOpensUnlessTheBankSaysThatItsProcessIsClosed(t *testing.T) {
	t.Parallel()
	e := start(t)
	ready := func(tool *tools.Tool, process string) error {
		return e.Ready(t.Context(), e.Actor, tool, map[string]string{"process": process})
	}
	if err := ready(borrowers.Create, "1049"); tools.AsError(err).Kind != tools.Closed {
		t.Errorf("a closed process: %v", err)
	}
	for name, err := range map[string]error{
		"an open process":              ready(borrowers.Create, "1042"),
		"the ESIS of a closed process": ready(documents.SendESIS, "1049"),
		"no process yet":               ready(borrowers.Create, ""),
		"one that there is not":        ready(borrowers.Create, "9999"),
		"one of another broker":        ready(borrowers.Create, "1051"),
		"what only reads":              ready(documents.GetESIS, "1050"),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	e.Bank.Inject(sandbox.Fault{Status: 503})
	if err := ready(borrowers.Create, "1049"); err != nil {
		t.Errorf("while the bank does not say: %v", err)
	}
}

func TestAProcessThatClosedMeanwhileAcceptsNoBorrower(t *testing.T) {
	t.Parallel()
	e := start(t)
	if err := e.Bank.SetState(sandbox.SampleProcess(sandbox.SampleOpen), 7); err != nil {
		t.Fatal(err)
	}
	if _, failure := e.Call(t, "create_borrower", testenv.NewBorrower(nil)); failure == nil || failure.Kind != tools.Closed {
		t.Errorf("got %v", failure)
	}
	if e.Bank.Calls(portal.BorrowerCreate) != 0 {
		t.Error("the bank was asked all the same")
	}
}

// withStatus returns a bank that describes a state of its processes in other words than the sandbox.
func withStatus(description, other string) func(http.Handler) http.Handler {
	return func(bank http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			reply := httptest.NewRecorder()
			bank.ServeHTTP(reply, r)
			maps.Copy(w.Header(), reply.Header())
			w.Header().Del("Content-Length")
			w.WriteHeader(reply.Code)
			_, _ = w.Write(bytes.ReplaceAll(reply.Body.Bytes(), []byte(`"`+description+`"`), []byte(`"`+other+`"`)))
		})
	}
}

func TestWhetherAProcessCanBeChangedFollowsFromWhatTheBankSaysOfItsState(t *testing.T) {
	t.Parallel()
	for status, closed := range map[string]bool{
		"Rejeitado": true, "Caducado": true, "Formalizado": true,
		"Avaliação concluída": false, "Documentação validada": false, "Em banho-maria": false,
	} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			unknown := make(chan int32, 100)
			e := testenv.Start(t, testenv.Options{Proxy: withStatus("In Creation", status)}).Replica(t, func(c *tools.Config) {
				c.UnknownState = func(state int32) { unknown <- state }
			})
			err := e.Ready(t.Context(), e.Actor, borrowers.Create, map[string]string{"process": "1042"})
			if got := err != nil && tools.AsError(err).Kind == tools.Closed; got != closed {
				t.Errorf("it is closed: %v (%v)", got, err)
			}
			if counted := len(unknown) > 0; counted != (status == "Em banho-maria") || counted && <-unknown != 1 {
				t.Errorf("it is counted as unknown: %v", counted)
			}
		})
	}
}

func TestAnUnknownStateHindersNoToolUnlessTheProfileSaysWhatItMeans(t *testing.T) {
	t.Parallel()
	with := func(id, meaning string) env {
		return start(t, func(c *tools.Config) {
			c.States = profile.Builtin().States
			c.States.IDs = map[string]string{id: meaning}
		})
	}
	ready := func(e env, process string) error {
		return e.Ready(t.Context(), e.Actor, borrowers.Create, map[string]string{"process": process})
	}
	if err := ready(with("7", ""), "1049"); err != nil {
		t.Errorf("a state without a meaning: %v", err)
	}
	if err := ready(with("7", "approved"), "1049"); err != nil {
		t.Errorf("a state that the profile says is open: %v", err)
	}
	if err := ready(with("1", "expired"), "1042"); err == nil || tools.AsError(err).Kind != tools.Closed {
		t.Errorf("a state that the profile says is an end: %v", err)
	}
}
