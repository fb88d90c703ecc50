package processes_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/processes"
)

// found calls find_processes and returns the numbers in the result, and the result.
func found(t *testing.T, e *testenv.Env, args string, change ...func(*tools.Request)) ([]int64, processes.ProcessList) {
	t.Helper()
	list := e.MustCall(t, "find_processes", args, change...).Output.(processes.ProcessList)
	var numbers []int64
	for _, row := range list.Processes {
		numbers = append(numbers, row.Number)
	}
	return numbers, list
}

func TestProcessesAreFoundByWhatTheyHaveInCommon(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	for args, want := range map[string][]int64{
		`{}`:                                  {1050, 1049, 1048, 1047, 1046, 1045, 1044, 1043, 1042},
		`{"text":"1042"}`:                     {1042},
		`{"text":"nobody of that name"}`:      nil,
		`{"state":2}`:                         {1047, 1043},
		`{"turn":"partner"}`:                  {1047, 1046, 1043, 1042},
		`{"turn":"cliente"}`:                  {1047, 1046, 1043, 1042},
		`{"turn":"o banco"}`:                  {1045, 1044},
		`{"turn":"partner","branch":"coimb"}`: nil,
		`{"branch":"LISBOA"}`:                 {1049, 1046, 1043, 1042},
		`{"borrower":"inês"}`:                 {1043}, // not the key borrower
		`{"borrower":"modelo","state":2}`:     {1043},
		`{"borrower":"modelo","state":3}`:     nil,
		`{"text":"104","turn":"partner"}`:     {1047, 1046, 1043, 1042},
		`{"text":"Prototipo"}`:                {1045},
	} {
		if got, _ := found(t, e, args); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", args, got, want)
		}
	}
	e.MustCall(t, "list_borrowers", `{"process":"1043"}`)
	for _, text := range []string{`{"borrower":"ines"}`, `{"borrower":"MODELO ines"}`, `{"text":"ines"}`} { // whom Balcão has read, without accents too
		if got, _ := found(t, e, text); !slices.Equal(got, []int64{1043}) {
			t.Errorf("%s: got %v", text, got)
		}
	}
	for phase := int32(1); phase <= 4; phase++ {
		filtered, _ := found(t, e, fmt.Sprintf(`{"phase":%d}`, phase))
		for number := int64(1042); number <= 1050; number++ {
			process, err := e.User().Process(t.Context(), sandbox.SampleProcess(int(number)))
			if err != nil {
				t.Fatal(err)
			}
			if in := *process.ProcessPhaseID == phase; in != slices.Contains(filtered, number) {
				t.Errorf("process %d is of the phase %d: %v, and it was found: %v", number, phase, in, !in)
			}
		}
	}
}

func TestWhoSeesNoFilterOfTheBankFindsTheSame(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{Proxy: func(bank http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Has("filterProcessStatus") {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			bank.ServeHTTP(w, r)
		})
	}})
	if got, _ := found(t, e, `{"state":2}`); !slices.Equal(got, []int64{1047, 1043}) {
		t.Errorf("got %v", got)
	}
}

func TestEveryPageFollowsTheOneBefore(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{Sandbox: sandbox.Config{Processes: 250}})
	for args, want := range map[string]int{`{}`: 259, `{"turn":"partner"}`: 254, `{"text":"20"}`: 99 + 9 + 2} {
		seen, pages, next := map[int64]bool{}, 0, args
		for {
			numbers, list := found(t, e, next)
			for _, number := range numbers {
				if seen[number] {
					t.Errorf("%s: process %d is on two pages", args, number)
				}
				seen[number] = true
			}
			if pages++; pages == 2 { // one that is opened meanwhile moves the others by one
				e.Bank.AddProcess(sandbox.BrokerA)
			}
			if list.Next == "" {
				break
			}
			if len(numbers) != 20 {
				t.Fatalf("%s: a page of %d is not the last", args, len(numbers))
			}
			next = fmt.Sprintf(`{"cursor":%q}`, list.Next)
		}
		if args != `{"text":"20"}` && len(seen) < want || pages < 3 {
			t.Errorf("%s: found %d on %d pages, want %d", args, len(seen), pages, want)
		}
	}
}

func TestACursorIsOfOneActorAndNamesNobody(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{Sandbox: sandbox.Config{Processes: 60}})
	_, list := found(t, e, `{"borrower":"a"}`)
	if list.Next == "" {
		t.Fatal("there is one page")
	}
	cursor := fmt.Sprintf(`{"cursor":%q}`, list.Next)
	e.WantProblem(t, "find_processes", cursor, "cursor.unknown", testenv.By("reader"))
	e.WantProblem(t, "find_processes", `{"cursor":"other"}`, "cursor.unknown")
	if numbers, _ := found(t, e, cursor); len(numbers) == 0 {
		t.Error("the second page is empty")
	}
}

func TestASearchThatReadsManyProcessesSaysThatThereAreMore(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{Sandbox: sandbox.Config{Processes: 1200}})
	asked := e.Bank.Calls(portal.ProcessList)
	result := e.MustCall(t, "find_processes", `{"turn":"bank"}`)
	list := result.Output.(processes.ProcessList)
	if calls := e.Bank.Calls(portal.ProcessList) - asked; calls != 10 || list.Next == "" || !list.Partial || len(list.Processes) != 0 {
		t.Fatalf("%d calls found %+v", calls, list)
	}
	if numbers, _ := found(t, e, fmt.Sprintf(`{"cursor":%q}`, list.Next)); !slices.Equal(numbers, []int64{1045, 1044}) {
		t.Errorf("then %v", numbers)
	}
}
