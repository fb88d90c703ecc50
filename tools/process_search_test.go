package tools_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/clocktest"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/processes"
)

// startSearch starts a bank with the sample processes. Its list is read by a user who sees all of them.
func startSearch(t *testing.T, faults *listFaults, redis string) env {
	t.Helper()
	return env{testenv.Start(t, testenv.Options{
		Proxy: faults.proxy, Redis: redis,
		Runner: func(c *tools.Config) {
			c.List.Login = portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[1]}
		},
	})}
}

// finds returns the numbers of the processes that a search shows.
func (e env) finds(t *testing.T, text string) (numbers []int64) {
	t.Helper()
	result, failure := e.Call(t, "find_processes", fmt.Sprintf(`{"text":%q}`, text))
	if failure != nil {
		t.Fatalf("%s: %v", text, failure)
	}
	for _, row := range result.Output.(processes.ProcessList).Processes {
		numbers = append(numbers, row.Number)
	}
	return numbers
}

// read has the whole list read, and the borrowers of some processes.
func (e env) read(t *testing.T, numbers ...int) {
	t.Helper()
	if failure := e.process(t, "9999"); failure == nil || failure.Kind != tools.NotFound {
		t.Fatalf("got %v", failure)
	}
	for _, number := range numbers {
		if failure := e.process(t, fmt.Sprint(number)); failure != nil {
			t.Fatal(failure)
		}
	}
}

func TestASearchFindsWhatTheFilterDoesNot(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string]*listFaults{"a filter of exact names": {}, "a filter that the bank ignores": {ignores: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := startSearch(t, faults, "")
			e.read(t, 1043, 1044)
			for text, want := range map[string][]int64{
				"TERESA":              {1045},
				"prototipo":           {1045},
				"oscar hipotese":      {1047},
				"Protótipo, Teresa":   {1045},
				"ines modelo":         {1043}, // not the key borrower
				"nuno":                {1044}, // not the key borrower
				"1043":                {1043},
				"105":                 {1050},
				"1044 ensaio":         {1044},
				"nobody of that name": nil,
			} {
				if got := e.finds(t, text); !slices.Equal(got, want) {
					t.Errorf("%s: got %v, want %v", text, got, want)
				}
			}
			if got := e.finds(t, "104"); len(got) != 8 || !slices.IsSortedFunc(got, func(a, b int64) int { return int(b - a) }) {
				t.Errorf("the samples, newest first, each once: got %v", got)
			}
			if got := e.finds(t, ""); len(got) != 9 {
				t.Errorf("without a text: %v", got)
			}
		})
	}
}

func TestABankThatIgnoresTheFilterShowsNothingThatDoesNotMatch(t *testing.T) {
	t.Parallel()
	faults := &listFaults{ignores: true}
	e := startSearch(t, faults, "")
	index := e.IndexOf(sandbox.BrokerA.UID)
	if index.FilterIgnored() {
		t.Error("it is said before the bank was asked")
	}
	for range 3 {
		if got := e.finds(t, "Maria Exemplo"); !slices.Equal(got, []int64{1042}) {
			t.Errorf("got %v", got)
		}
	}
	if !index.FilterIgnored() || strings.Count(e.Log.String(), "ignores the text filter") != 1 {
		t.Errorf("it is not said once: %s", e.Log)
	}
	if faults.filtered.Load() != 1 {
		t.Errorf("the bank was asked to filter %d times", faults.filtered.Load())
	}
	if _, failure := e.Call(t, "find_processes", `{"text":"299 999 998"}`); failure == nil || failure.Kind != tools.Unavailable || !strings.Contains(failure.What("en"), "tax number") {
		t.Errorf("a search for a tax number: %v", failure)
	}
	// Of a borrower who was never read, it is not known that there is none.
	result := e.MustCall(t, "find_processes", `{"text":"Nuno"}`)
	if list := result.Output.(processes.ProcessList); !list.Partial || !strings.Contains(result.Card.Text, "has read") {
		t.Errorf("got %+v: %s", list, result.Card.Text)
	}
	other := e.replica(t)
	if got := other.finds(t, "Maria Exemplo"); !slices.Equal(got, []int64{1042}) || faults.filtered.Load() != 1 {
		t.Errorf("another replica found %v, and the bank was asked %d times", got, faults.filtered.Load())
	}
}

func TestATaxNumberIsLookedForByTheBankOnly(t *testing.T) {
	t.Parallel()
	e := startSearch(t, &listFaults{}, "")
	borrower, err := e.User().Borrower(t.Context(), sandbox.SampleProcess(1042), sandbox.SampleBorrower(1042, 0))
	if err != nil {
		t.Fatal(err)
	}
	e.read(t, 1042)
	if got := e.finds(t, borrower.Personal.TaxID.Reveal()); !slices.Equal(got, []int64{1042}) {
		t.Errorf("got %v", got)
	}
}

func TestTheBankDecidesWhoSeesWhatTheIndexFinds(t *testing.T) {
	t.Parallel()
	e := startSearch(t, &listFaults{ignores: true}, "")
	e.Bank.Hide(sandbox.BrokerA.Users[0], sandbox.SampleProcess(1045))
	e.read(t)
	if got := e.finds(t, "prototipo"); got != nil {
		t.Errorf("got %v", got)
	}
	if failure := e.process(t, "1045"); failure == nil || failure.Kind != tools.NotFound {
		t.Errorf("got %v", failure)
	}
	if _, failure := e.Call(t, "find_processes", `{"text":"prototipo"}`, testenv.By("rita")); failure != nil && !failure.ReadingList() {
		t.Errorf("of another broker: %v", failure)
	}
	e.Bank.Hide(sandbox.BrokerA.Users[0])
	if got := e.finds(t, "prototipo"); !slices.Equal(got, []int64{1045}) {
		t.Errorf("got %v", got)
	}
}

func TestOneBorrowerThatIsReadIsFound(t *testing.T) {
	t.Parallel()
	e := startSearch(t, &listFaults{ignores: true}, "")
	e.read(t)
	for _, borrower := range []int{testenv.Ines, 0} {
		e.MustCall(t, "get_borrower", testenv.BorrowerArgs(1043, borrower))
	}
	for _, text := range []string{"ines", "rui amostra"} {
		if got := e.finds(t, text); !slices.Equal(got, []int64{1043}) {
			t.Errorf("%s: got %v", text, got)
		}
	}
	// One who is removed is not found once the process was read again.
	e.MustCall(t, "delete_borrower", testenv.BorrowerArgs(1043, testenv.Ines), testenv.Confirmed("delete.borrower"))
	e.read(t, 1043)
	if got := e.finds(t, "ines"); got != nil {
		t.Errorf("got %v", got)
	}
}

func TestAFormFindsProcessesAsASearchDoes(t *testing.T) {
	t.Parallel()
	e := startSearch(t, &listFaults{ignores: true}, "")
	tool, _ := e.Catalogue.Named("get_process")
	field, _ := tool.Field("process")
	_, err := e.Options(t.Context(), e.Actor, field, "prototipo", nil)
	if failure := tools.AsError(err); err != nil && !failure.ReadingList() {
		t.Fatalf("before the list is read: %v", err)
	}
	waittest.Eventually(t, "the list is read", func() bool {
		options, err := e.Options(t.Context(), e.Actor, field, "prototipo", nil)
		return err == nil && len(options) == 1 && options[0].Value == sandbox.SampleProcess(1045).String()
	})
}

func TestTheIndexHoldsNoPersonalDataInTheClear(t *testing.T) {
	t.Parallel()
	server := redistest.StartServer(t)
	e := startSearch(t, &listFaults{}, server.URL())
	e.read(t, 1043, 1044)
	for _, text := range []string{"ines modelo", "prototipo", "299999998"} {
		e.finds(t, text)
	}
	written := bytes.ToLower(server.Written())
	for _, secret := range []string{"maria", "ines", "inês", "modelo", "prot", "299999998", "1043\"", ":1043", "number 9999"} {
		if bytes.Contains(written, []byte(secret)) {
			t.Errorf("Redis was sent %q", secret)
		}
	}
}

func TestAnEntryThatIsNotSeenAgainIsForgotten(t *testing.T) {
	t.Parallel()
	var clock clocktest.Clock
	e := env{testenv.Start(t, testenv.Options{
		Now: clock.Now,
	})}
	e.read(t)
	lists := func() int {
		before := e.Bank.Calls(portal.ProcessList)
		if failure := e.process(t, "1045"); failure != nil {
			t.Fatal(failure)
		}
		return e.Bank.Calls(portal.ProcessList) - before
	}
	if asked := lists(); asked != 0 {
		t.Errorf("a process that was seen: the list was asked for %d times", asked)
	}
	clock.Add(31 * 24 * time.Hour)
	if asked := lists(); asked != 1 {
		t.Errorf("a process that was not seen for a month: the list was asked for %d times", asked)
	}
}
