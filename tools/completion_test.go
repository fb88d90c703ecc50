package tools_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

// completes returns what the argument of a tool may become, as an assistant's client asks.
func (e env) completes(t *testing.T, tool, path, text string) tools.Completion {
	t.Helper()
	return e.completesFor(t, "ana", tool, path, text)
}

func (e env) completesFor(t *testing.T, actor, tool, path, text string) tools.Completion {
	t.Helper()
	of, _ := e.Catalogue.Named(tool)
	field, ok := of.Field(path)
	if !ok {
		t.Fatalf("%s has no %s", tool, path)
	}
	found, err := e.Complete(t.Context(), tools.Actor{ID: actor, Lang: "en", Assistant: true}, field, text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return found
}

func TestProcessNumbersAreCompletedByDigitsAndByNames(t *testing.T) {
	t.Parallel()
	e := startSearch(t, &listFaults{ignores: true}, "")
	e.read(t, 1043, 1044)
	for text, want := range map[string][]string{
		"":                       {"1050", "1049", "1048", "1047", "1046", "1045", "1044", "1043", "1042"},
		"105":                    {"1050"},
		"1043":                   {"1043"},
		"043":                    nil, // a part, not the beginning
		"TERESA":                 {"1045"},
		"prototipo, Teresa":      {"1045"},
		"ines modelo":            {"1043"}, // not the key borrower
		"nuno":                   {"1044"},
		"nobody of that name":    nil,
		strings.Repeat("1", 101): nil,
	} {
		if got := e.completes(t, "get_process", "process", text); !slices.Equal(got.Values, want) || got.Total != len(want) || got.More {
			t.Errorf("%q: got %+v, want %v", text, got, want)
		}
	}
}

func TestListsAreCompletedByTheirNamesInEitherLanguage(t *testing.T) {
	t.Parallel()
	e := env{testenv.Start(t, testenv.Options{})}
	for text, want := range map[string]string{"estado civil": "maritalStatuses", "marital": "maritalStatuses", "maritalStat": "maritalStatuses"} {
		if got := e.completes(t, "search_taxonomy", "taxonomy", text); len(got.Values) == 0 || got.Values[0] != want {
			t.Errorf("%q: got %v, want %s", text, got, want)
		}
	}
	if got := e.completes(t, "search_taxonomy", "taxonomy", ""); len(got.Values) != min(len(portal.Taxonomies()), tools.MaxCompletions) {
		t.Errorf("without a text: %d lists", len(got.Values))
	}
	if got := e.completes(t, "search_taxonomy", "text", "cas"); got.Values != nil || got.More {
		t.Errorf("a free text is completed: %+v", got)
	}
}

func TestKeyStrokesDoNotEachAskTheBank(t *testing.T) {
	t.Parallel()
	e := startSearch(t, &listFaults{}, "")
	asked := func() int { return e.Bank.Calls(portal.ProcessList) + e.Bank.Calls(portal.ProcessDetail) }
	before := asked()
	e.completes(t, "get_process", "process", "1")
	first := asked() - before
	if first == 0 || first > 3 {
		t.Errorf("the first key stroke made %d calls", first)
	}
	entries := len(e.Audit.Entries())
	for _, text := range []string{"10", "104", "1042", "m", "ma", "mar", "maria"} {
		e.completes(t, "get_process", "process", text)
	}
	if after := asked() - before; after != first {
		t.Errorf("the next key strokes made %d calls", after-first)
	}
	if more := len(e.Audit.Entries()) - entries; more != 0 {
		t.Errorf("the next key strokes made %d entries of the audit log", more)
	}
	if entry, _ := e.Audit.Last(); !strings.Contains(entry, "get_process") {
		t.Errorf("the audit log does not say that the list was shown: %s", entry)
	}
}

func TestTheBankDecidesWhichNumbersACompletionHas(t *testing.T) {
	t.Parallel()
	now := time.Now()
	e := env{testenv.Start(t, testenv.Options{Runner: func(c *tools.Config) {
		c.List.Login = portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[1]}
		c.Now = func() time.Time { return now }
	}})}
	e.Bank.Hide(sandbox.BrokerA.Users[0], sandbox.SampleProcess(1045))
	e.read(t)
	for _, text := range []string{"1045", "prototipo"} {
		if got := e.completes(t, "get_process", "process", text); got.Values != nil {
			t.Errorf("%s: a hidden process is completed: %v", text, got)
		}
	}
	if got := e.completesFor(t, "rita", "get_process", "process", ""); slices.Contains(got.Values, "1042") || !slices.Contains(got.Values, "1051") {
		t.Errorf("of another broker: %v", got)
	}
	e.Bank.Hide(sandbox.BrokerA.Users[0])
	now = now.Add(3 * time.Minute) // after that the bank is asked again
	if got := e.completes(t, "get_process", "process", "1045"); !slices.Equal(got.Values, []string{"1045"}) {
		t.Errorf("a process that is shown again: %v", got)
	}
}

// Of a list that is longer than what is read of it, a few are read one by one.
func TestANumberBeyondThePagesThatAreReadIsCompleted(t *testing.T) {
	t.Parallel()
	e := env{testenv.Start(t, testenv.Options{Sandbox: sandbox.Config{Processes: 400}})}
	if failure := e.process(t, "1042"); failure != nil { // the oldest of all
		t.Fatal(failure)
	}
	other := env{e.Replica(t)} // which does not know the rights
	before := other.Bank.Calls(portal.ProcessDetail)
	if got := other.completes(t, "get_process", "process", "1042"); !slices.Equal(got.Values, []string{"1042"}) {
		t.Errorf("got %+v", got)
	}
	if read := other.Bank.Calls(portal.ProcessDetail) - before; read != 1 {
		t.Errorf("%d processes were read", read)
	}
	if got := other.completes(t, "get_process", "process", "2"); len(got.Values) != tools.MaxCompletions || !got.More || got.Values[0] != "2400" {
		t.Errorf("got %d values, first %v, more %v", len(got.Values), got.Values[0], got.More)
	}
}

func TestACompletionNeedsTheRightsOfItsTool(t *testing.T) {
	t.Parallel()
	e := env{testenv.Start(t, testenv.Options{})}
	tool, _ := e.Catalogue.Named("create_borrower")
	field, _ := tool.Field("process")
	for _, actor := range []string{"reader", "nobody"} {
		_, err := e.Complete(t.Context(), tools.Actor{ID: actor, Assistant: true}, field, "1")
		if failure := tools.AsError(err); err == nil || failure.Kind != tools.Forbidden {
			t.Errorf("%s: got %v", actor, err)
		}
	}
}

func TestABankThatDoesNotAnswerEndsNoCompletion(t *testing.T) {
	t.Parallel()
	faults := &listFaults{}
	e := startSearch(t, faults, "")
	e.read(t)
	faults.fails.Store(true)
	other := env{e.Replica(t)}
	tool, _ := other.Catalogue.Named("get_process")
	field, _ := tool.Field("process")
	actor := tools.Actor{ID: "ana", Lang: "en", Assistant: true}
	if _, err := other.Complete(t.Context(), actor, field, ""); err == nil {
		t.Error("the failure is not said")
	}
	asked := other.Bank.Calls(portal.ProcessDetail)
	if got, err := other.Complete(t.Context(), actor, field, ""); err != nil || got.Values != nil || !got.More {
		t.Errorf("got %+v, %v", got, err)
	}
	if other.Bank.Calls(portal.ProcessDetail) != asked {
		t.Error("the next key stroke asked the bank")
	}
}
