package processes_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/processes"
)

// fakeHistory implements [tools.History] with these changes, the oldest first.
type fakeHistory []tools.ProcessChange

func (h fakeHistory) Since(_ context.Context, since time.Time, limit int, _ words.Lang, _ map[int32]string) ([]tools.ProcessChange, error) {
	var found []tools.ProcessChange
	for _, change := range h {
		if !change.At.Before(since) && len(found) < limit {
			found = append(found, change)
		}
	}
	return found, nil
}

func (h fakeHistory) Horizon(context.Context) (tools.Horizon, error) {
	return tools.Horizon{From: noon.Add(-10 * 24 * time.Hour), Checked: noon}, nil
}

// limitedHistory is one without changes that knows of some time only.
type limitedHistory struct {
	fakeHistory
	known tools.Horizon
}

func (h limitedHistory) Horizon(context.Context) (tools.Horizon, error) { return h.known, nil }

var noon = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

// startWith starts an environment at noon with a history; nil for none.
func startWith(t *testing.T, history tools.History) *testenv.Env {
	t.Helper()
	return testenv.Start(t, testenv.Options{Now: func() time.Time { return noon }, Runner: func(c *tools.Config) { c.Updates = history }})
}

// changes returns this many changes, of each process in turn, a minute apart, the last one a minute before noon.
func changes(count int, processes ...int) fakeHistory {
	var changes fakeHistory
	for i := range count {
		number := processes[i%len(processes)]
		changes = append(changes, tools.ProcessChange{
			Subject: tools.Subject{Process: sandbox.SampleProcess(number)}, Number: int64(number), At: noon.Add(time.Duration(i-count) * time.Minute),
			StatusID: 1, Status: "In Creation", Moved: i%2 == 0,
			What: []string{fmt.Sprintf("Change %d: In Creation → Under Analysis at the branch", i), "Borrowers: 1 → 2"},
		})
	}
	return changes
}

// updatesSince calls process_updates, and returns the numbers of the changes in its output and where to continue.
func updatesSince(t *testing.T, e *testenv.Env, since string) (found []string, next string) {
	t.Helper()
	result := e.WantCard(t, "process_updates", fmt.Sprintf(`{"since":%q}`, since))
	output := result.Output.(processes.ProcessUpdates)
	data, err := json.Marshal(output)
	if err != nil {
		t.Fatal(err)
	}
	if size := len(data) + len(fmt.Sprint(result.Card)); size > 4<<10 {
		t.Errorf("the answer takes %d bytes", size)
	}
	for _, update := range output.Updates {
		found = append(found, strings.Fields(update.What)[1])
	}
	if more := strings.Contains(result.Card.Text, "There is more"); more != (output.Next != "") {
		t.Errorf("the text is %q, to continue at %q", result.Card.Text, output.Next)
	}
	return found, output.Next
}

func TestASimulationIsNamedWithItsChange(t *testing.T) {
	t.Parallel()
	of := func(number int) tools.ProcessChange {
		return tools.ProcessChange{
			Subject: tools.Subject{Simulation: sandbox.SampleSimulation(number)}, Number: int64(number), At: noon.Add(-time.Minute), Moved: true,
			What: []string{"The bank approved the simulation"},
		}
	}
	e := startWith(t, fakeHistory{of(sandbox.SampleValid), of(sandbox.SampleOfOthers)})
	result := e.WantCard(t, "process_updates", `{}`, "Simulation 2102", "The bank approved the simulation")
	updates := result.Output.(processes.ProcessUpdates).Updates
	if len(updates) != 1 || updates[0].Simulation != sandbox.SampleValid || updates[0].Number != 0 {
		t.Errorf("got %+v", updates)
	}
}

func TestAPersonGetsTheUpdatesOfTheirProcessesTheNewestLast(t *testing.T) {
	t.Parallel()
	e := startWith(t, changes(6, 1042, sandbox.SampleOthers, 1043))
	if found, next := updatesSince(t, e, ""); !slices.Equal(found, []string{"0:", "2:", "3:", "5:"}) || next != "" {
		t.Errorf("Ana gets %v, to continue at %q", found, next)
	}
	e.Actor.ID = "rita"
	if found, _ := updatesSince(t, e, ""); !slices.Equal(found, []string{"1:", "4:"}) {
		t.Errorf("Rita gets %v", found)
	}
}

func TestAChangeOfTheStatusSaysWhoseTurnItIs(t *testing.T) {
	t.Parallel()
	history := changes(4, 1042)
	for i, status := range []string{"Aprovado – FINE emitida", "Avaliação concluída", "Em banho-maria", "Documents"} {
		history[i].StatusID, history[i].Status, history[i].Moved = 99, status, i < 3
	}
	card := startWith(t, history).WantCard(t, "process_updates", `{}`).Card
	for i, want := range []string{" · waiting for the broker or the client", " · waiting for the bank", "1 → 2", "1 → 2"} {
		if what := card.Table.Rows[i][2]; !strings.HasSuffix(what, want) {
			t.Errorf("after %q: %q", history[i].Status, what)
		}
	}
}

func TestSinceIsADayATimeOrANumberOfHours(t *testing.T) {
	t.Parallel()
	old := changes(1, 1042)
	old[0].At = noon.Add(-36 * time.Hour) // midnight between 21 and 22 November
	e := startWith(t, append(old, changes(1, 1043)...))
	for since, want := range map[string]int{
		"": 1, "24": 1, "36": 2, "36h": 2, "35": 1, "2026-11-22": 2, "22/11/2026": 2, "2026-11-22T00:00:01Z": 1, "2026-11-22T01:00:00+01:00": 2, "2030-01-01": 0,
	} {
		if found, _ := updatesSince(t, e, since); len(found) != want {
			t.Errorf("since %q: %d updates, want %d", since, len(found), want)
		}
	}
	for _, since := range []string{"yesterday", "2026-13-01", "-1", "99999", "2026-11-22 10:00"} {
		e.WantProblem(t, "process_updates", fmt.Sprintf(`{"since":%q}`, since), "since.format")
	}
	e.WantCard(t, "process_updates", `{"since":"2030-01-01"}`, "No changes since 1 Jan 2030 00:00.")
}

func TestManyUpdatesAreReturnedInSeveralAnswersWithoutALoss(t *testing.T) {
	t.Parallel()
	e := startWith(t, changes(450, 1042, sandbox.SampleOthers))
	all := map[string]bool{}
	since, answers := "2026-11-20", 0
	for ; since != "" && answers < 100; answers++ {
		var found []string
		if found, since = updatesSince(t, e, since); len(found) == 0 && since != "" {
			t.Fatalf("no update, to continue at %s", since)
		}
		for _, each := range found {
			all[each] = true
		}
	}
	if len(all) != 225 || since != "" {
		t.Errorf("%d of 225 updates in %d answers", len(all), answers)
	}
}

func TestAnUpdateAfterManyUpdatesOfOthersIsFound(t *testing.T) {
	t.Parallel()
	others := changes(300, sandbox.SampleOthers)
	e := startWith(t, append(others, changes(1, 1042)...))
	first, next := updatesSince(t, e, "2026-11-20")
	second, end := updatesSince(t, e, next)
	if len(first) != 0 || next == "" || len(second) != 1 || end != "" {
		t.Errorf("got %v to continue at %q, then %v to continue at %q", first, next, second, end)
	}
}

func TestOneAnswerAsksTheBankAboutFewProcesses(t *testing.T) {
	t.Parallel()
	history := changes(1, 1042)
	for i := range 100 {
		history = append(history, tools.ProcessChange{Subject: tools.Subject{Process: uuid.New()}, Number: int64(i), At: noon.Add(time.Duration(i) * time.Millisecond), What: []string{"Change unseen"}})
	}
	e := startWith(t, history)
	found, next := updatesSince(t, e, "")
	if asked := e.Bank.Calls(portal.ProcessDetail) + e.Bank.Calls(portal.ProcessList); len(found) != 1 || next == "" || asked != 1 {
		t.Errorf("got %v to continue at %q, after %d calls of the bank", found, next, asked)
	}
}

func TestTheBankIsNotAskedForEachProcess(t *testing.T) {
	t.Parallel()
	asked := func(e *testenv.Env) int { return e.Bank.Calls(portal.ProcessDetail) + e.Bank.Calls(portal.ProcessList) }
	e := startWith(t, changes(8, 1042, 1043, 1044, 1045, 1046, 1047, 1048, sandbox.SampleOthers))
	for range 2 {
		if found, _ := updatesSince(t, e, ""); len(found) != 7 || asked(e) != 1 {
			t.Errorf("%d updates, after %d calls of the bank in all", len(found), asked(e))
		}
	}
	// What she sees says nothing of what somebody else sees.
	result := e.MustCall(t, "process_updates", "{}", testenv.By("rita"))
	if len(result.Output.(processes.ProcessUpdates).Updates) != 1 || asked(e) != 2 {
		t.Errorf("another broker sees %+v, after %d calls", result.Output, asked(e))
	}
}

func TestWhatTheBankNoLongerShowsIsHiddenAfterTwoMinutes(t *testing.T) {
	t.Parallel()
	var later atomic.Int64
	now := func() time.Time { return noon.Add(time.Duration(later.Load())) }
	e := testenv.Start(t, testenv.Options{Now: now, Runner: func(c *tools.Config) { c.Updates = changes(2, 1042, 1043) }})
	if found, _ := updatesSince(t, e, "2026-11-20"); len(found) != 2 {
		t.Errorf("got %v", found)
	}
	e.Bank.Hide(sandbox.BrokerA.Users[0], sandbox.SampleProcess(1043))
	later.Store(int64(2*time.Minute + time.Second))
	if found, _ := updatesSince(t, e, "2026-11-20"); len(found) != 1 {
		t.Errorf("got %v, of which one is hidden", found)
	}
}

func TestAnUpdateIsOneLineWithoutPersonalData(t *testing.T) {
	t.Parallel()
	history := changes(1, 1042)
	history[0].What = []string{"Status: call rui@example.com\n\n# now", strings.Repeat("ç", 3000)}
	e := startWith(t, history)
	result := e.WantCard(t, "process_updates", `{}`)
	what := result.Output.(processes.ProcessUpdates).Updates[0].What
	if strings.Contains(what, "rui@") || strings.Contains(what, "\n") || len([]rune(what)) > 240 {
		t.Errorf("it is %s", what)
	}
}

func TestWhatIsNotKnownIsNotSaidToBeNothing(t *testing.T) {
	t.Parallel()
	hourAgo := noon.Add(-time.Hour)
	for name, c := range map[string]struct {
		horizon tools.Horizon
		since   string
		want    map[words.Lang]string
	}{
		"all is known": {tools.Horizon{From: noon.AddDate(0, 0, -3), Checked: noon}, "24", map[words.Lang]string{
			words.English: "No changes since 22 Nov 2026 12:00.", words.Portuguese: "Sem alterações desde 22/11/2026 12:00.",
		}},
		"it begins later": {tools.Horizon{From: hourAgo, Checked: noon}, "24", map[words.Lang]string{
			words.English:    "No change is known. Balcão knows of changes since 23 Nov 2026 11:00; what changed before that is not known.",
			words.Portuguese: "Não se conhece nenhuma alteração. O Balcão conhece as alterações desde 23/11/2026 11:00; o que mudou antes não se sabe.",
		}},
		"the bank is silent": {tools.Horizon{From: noon.AddDate(0, 0, -3), Checked: hourAgo, Late: true}, "24", map[words.Lang]string{
			words.English: "No changes since 22 Nov 2026 12:00. The bank's list was last compared on 23 Nov 2026 11:00; what changed after that may be missing.",
		}},
		"nothing is known": {tools.Horizon{}, "24", map[words.Lang]string{
			words.English: "Balcão has not read the processes yet, so it does not know what has changed. Ask again in some minutes.",
		}},
	} {
		for lang, want := range c.want {
			e := startWith(t, limitedHistory{known: c.horizon})
			e.Actor.Lang = lang
			if got := e.MustCall(t, "process_updates", fmt.Sprintf(`{"since":%q}`, c.since)).Card.Text; got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
	}
}

func TestUpdatesFailWhileTheBankIsDown(t *testing.T) {
	t.Parallel()
	e := startWith(t, changes(3, 1042))
	defer e.Bank.Inject(sandbox.Fault{Operation: portal.ProcessDetail, Status: 503})()
	if _, failure := e.Call(t, "process_updates", `{}`); failure == nil || failure.Kind != tools.Unavailable {
		t.Errorf("got %v", failure)
	}
}

func TestWithoutAHistoryProcessUpdatesIsForbidden(t *testing.T) {
	t.Parallel()
	e := startWith(t, nil)
	if e.Permits(t.Context(), e.Actor, processes.Updates) {
		t.Error("it is permitted")
	}
	if _, failure := e.Call(t, "process_updates", `{}`); failure == nil || failure.Kind != tools.Forbidden {
		t.Errorf("got %v", failure)
	}
}
