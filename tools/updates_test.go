package tools_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/processes"
)

// record is what moved, the oldest first.
type record []tools.ProcessChange

func (r record) Since(_ context.Context, since time.Time, limit int, _ words.Lang) ([]tools.ProcessChange, error) {
	var found []tools.ProcessChange
	for _, moved := range r {
		if !moved.At.Before(since) && len(found) < limit {
			found = append(found, moved)
		}
	}
	return found, nil
}

// updates are so many changes of each process in turn, a minute apart, the last one a minute ago.
func moves(count int, processes ...int) record {
	var moved record
	for i := range count {
		number := processes[i%len(processes)]
		moved = append(moved, tools.ProcessChange{
			Process: sandbox.SampleProcess(number), Number: int64(number), At: noon.Add(time.Duration(i-count) * time.Minute),
			What: []string{fmt.Sprintf("Move %d: In Creation → Under Analysis at the branch", i), "Borrowers: 1 → 2"},
		})
	}
	return moved
}

// changes asks and gives the numbers of the processes told, the whole answer as text, and where to go on.
func (h house) moved(t *testing.T, since string) (told []string, next string) {
	t.Helper()
	result := h.says(t, "process_updates", fmt.Sprintf(`{"since":%q}`, since))
	output := result.Output.(processes.ProcessUpdates)
	data, err := json.Marshal(output)
	if err != nil {
		t.Fatal(err)
	}
	if size := len(data) + len(fmt.Sprint(result.Card)); size > 4<<10 {
		t.Errorf("the answer takes %d bytes", size)
	}
	for _, move := range output.Updates {
		told = append(told, strings.Fields(move.What)[1])
	}
	if more := strings.Contains(result.Card.Text, "There is more"); more != (output.Next != "") {
		t.Errorf("it says %q and goes on at %q", result.Card.Text, output.Next)
	}
	return told, output.Next
}

func TestWhoAsksHearsWhatMovedOfTheirOwnProcessesTheNewestLast(t *testing.T) {
	h, _ := newsroom(t, func(c *tools.Config) { c.Updates = moves(6, 1042, sandbox.SampleOthers, 1043) })
	if told, next := h.moved(t, ""); !slices.Equal(told, []string{"0:", "2:", "3:", "5:"}) || next != "" {
		t.Errorf("Ana hears of %v, and more at %q", told, next)
	}
	h.ana.ID = "rita"
	if told, _ := h.moved(t, ""); !slices.Equal(told, []string{"1:", "4:"}) {
		t.Errorf("Rita hears of %v", told)
	}
}

func TestTheMomentIsGivenAsADayAMomentOrHours(t *testing.T) {
	old := moves(1, 1042)
	old[0].At = noon.Add(-36 * time.Hour) // midnight between 21 and 22 November
	h, _ := newsroom(t, func(c *tools.Config) { c.Updates = append(old, moves(1, 1043)...) })
	for since, want := range map[string]int{
		"": 1, "24": 1, "36": 2, "36h": 2, "35": 1, "2026-11-22": 2, "22/11/2026": 2, "2026-11-22T00:00:01Z": 1, "2026-11-22T01:00:00+01:00": 2, "2030-01-01": 0,
	} {
		if told, _ := h.moved(t, since); len(told) != want {
			t.Errorf("since %q: %d moves, want %d", since, len(told), want)
		}
	}
	for _, since := range []string{"yesterday", "2026-13-01", "-1", "99999", "2026-11-22 10:00"} {
		h.refuses(t, "process_updates", fmt.Sprintf(`{"since":%q}`, since), "since.format")
	}
	h.says(t, "process_updates", `{"since":"2030-01-01"}`, "No changes")
}

func TestALongStoryIsToldInPiecesAndLosesNothing(t *testing.T) {
	h, _ := newsroom(t, func(c *tools.Config) { c.Updates = moves(450, 1042, sandbox.SampleOthers) })
	seen := map[string]bool{}
	since, pieces := "2026-11-20", 0
	for ; since != "" && pieces < 100; pieces++ {
		var told []string
		if told, since = h.moved(t, since); len(told) == 0 && since != "" {
			t.Fatalf("nothing is told, and more is promised at %s", since)
		}
		for _, each := range told {
			seen[each] = true
		}
	}
	if len(seen) != 225 || since != "" {
		t.Errorf("%d of 225 moves are told in %d pieces", len(seen), pieces)
	}
}

func TestWhatMovedAfterManyMovesOfOthersIsReachedToo(t *testing.T) {
	others := moves(300, sandbox.SampleOthers)
	h, _ := newsroom(t, func(c *tools.Config) { c.Updates = append(others, moves(1, 1042)...) })
	first, next := h.moved(t, "2026-11-20")
	second, end := h.moved(t, next)
	if len(first) != 0 || next == "" || len(second) != 1 || end != "" {
		t.Errorf("told are %v and more at %q, then %v and more at %q", first, next, second, end)
	}
}

func TestTheBankIsAskedAboutAFewProcessesOnlyAndTheRestComesNext(t *testing.T) {
	moved := moves(1, 1042)
	for i := range 100 {
		moved = append(moved, tools.ProcessChange{Process: uuid.New(), Number: int64(i), At: noon.Add(time.Duration(i) * time.Millisecond), What: []string{"Move unseen"}})
	}
	h, _ := newsroom(t, func(c *tools.Config) { c.Updates = moved })
	told, next := h.moved(t, "")
	if asked := h.bank.Calls(portal.ProcessDetail); len(told) != 1 || next == "" || asked > 40 {
		t.Errorf("%v is told and more at %q, after %d questions", told, next, asked)
	}
}

func TestAMoveIsToldWithoutPersonalDataAndInOneLine(t *testing.T) {
	moved := moves(1, 1042)
	moved[0].What = []string{"Status: call rui@example.com\n\n# now", strings.Repeat("ç", 3000)}
	h, _ := newsroom(t, func(c *tools.Config) { c.Updates = moved })
	result := h.says(t, "process_updates", `{}`)
	what := result.Output.(processes.ProcessUpdates).Updates[0].What
	if strings.Contains(what, "rui@") || strings.Contains(what, "\n") || len([]rune(what)) > 240 {
		t.Errorf("it says %s", what)
	}
}

func TestABankThatDoesNotAnswerIsNotTakenForABankThatShowsNothing(t *testing.T) {
	h, _ := newsroom(t, func(c *tools.Config) { c.Updates = moves(3, 1042) })
	defer h.bank.Inject(sandbox.Fault{Operation: portal.ProcessDetail, Status: 503})()
	if _, failure := h.run(t, "process_updates", `{}`); failure == nil || failure.Kind != tools.Unavailable {
		t.Errorf("got %v", failure)
	}
}

func TestNobodyIsOfferedARecordThatIsNotKept(t *testing.T) {
	h, _ := newsroom(t)
	if h.Permits(t.Context(), h.ana, processes.Updates) {
		t.Error("it is offered")
	}
	if _, failure := h.run(t, "process_updates", `{}`); failure == nil || failure.Kind != tools.Forbidden {
		t.Errorf("got %v", failure)
	}
}
