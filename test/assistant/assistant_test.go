// Package assistant has a scripted model do a broker's tasks through the tools for assistants, over HTTP: it knows the list of
// tools and what it was answered, and neither names nor paths of anything. A golden file counts the calls, the bytes of the
// answers and the dead ends of each task.
package assistant

import (
	"context"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/mcpapp"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

var update = flag.Bool("update", false, "write testdata/tasks.txt")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// task is what a person asks of an assistant, in her words.
type task struct {
	asked string
	goals []goal
	check func(*testenv.Env) bool // whether the bank has what was asked for; nil if that does not show
	waits bool                    // nothing is done before the person has approved it
}

// goal is one thing to do for a task: what the model looks for, and what it was told.
type goal struct {
	words  string
	facts  map[string]any // by the words for each
	wants  []string       // what the answer says
	people bool           // the model is to find that a person does it, in Slack
	// handsOver is the command that the answer tells a person to use, where an assistant may not go on; "" for none.
	handsOver string
}

// now is the time of the bank and of Balcão, so that dates take the same bytes in every run.
var now = time.Date(2026, time.November, 18, 10, 0, 0, 0, time.UTC)

// start returns a bank, and the address of the tools for assistants. If waits, a person approves what they change.
func start(t *testing.T, waits bool) (*testenv.Env, string) {
	t.Helper()
	clock := func() time.Time { return now }
	e := testenv.Start(t, testenv.Options{Now: clock, Sandbox: sandbox.Config{Now: clock}, Runner: func(c *tools.Config) {
		c.Updates = changes{}
		if waits {
			c.Policy = nil
		}
	}})
	config := mcpapp.Config{Runner: e.Runner, Files: e.Store, Actor: mcpapp.Always(tools.Actor{ID: "ana", Lang: words.English})}
	if waits {
		config.Announce = func(string, bool) {}
	}
	app, err := mcpapp.New(config)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(app.Handler())
	t.Cleanup(server.Close)
	return e, server.URL + "/mcp"
}

// approve has the person approve all that waits for her.
func approve(t *testing.T, e *testenv.Env) {
	t.Helper()
	ana := tools.Actor{ID: "ana", Lang: words.English}
	waiting, err := e.OpenApprovals(t.Context(), ana)
	if err != nil {
		t.Fatal(err)
	}
	for _, each := range waiting {
		review, err := e.Review(t.Context(), ana, each.ID)
		if err == nil {
			_, err = e.Approve(t.Context(), ana, each.ID, tools.Approved{Seen: review.Seen})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// changes is a history with one change.
type changes struct{}

func (changes) Since(context.Context, time.Time, int, words.Lang, map[int32]string) ([]tools.ProcessChange, error) {
	return []tools.ProcessChange{{
		Subject: tools.Subject{Process: sandbox.SampleProcess(1044)}, Number: 1044, At: now.Add(-time.Hour), What: []string{"Status: Documents → Under analysis"},
	}}, nil
}

func (changes) Horizon(context.Context) (tools.Horizon, error) {
	return tools.Horizon{From: now.Add(-30 * 24 * time.Hour), Checked: now}, nil
}

func TestAModelDoesTwentyTasksWithoutADeadEnd(t *testing.T) {
	golden := fmt.Sprintf("%-72s %5s %7s %9s\n", "task", "calls", "bytes", "dead ends")
	calls, bytes := 0, 0
	for _, task := range tasks {
		e, url := start(t, task.waits)
		m := newModel(t, url)
		m.approve = func() { approve(t, e) }
		for _, goal := range task.goals {
			m.reach(goal)
		}
		if len(m.wrong) > 0 {
			t.Errorf("%s:\n%s\n%s", task.asked, strings.Join(m.wrong, "\n"), strings.Join(m.transcript, "\n\n"))
		} else if task.check != nil && !task.check(e) {
			t.Errorf("%s: the bank has something else\n%s", task.asked, strings.Join(m.transcript, "\n\n"))
		}
		golden += fmt.Sprintf("%-72s %5d %7d %9d\n", task.asked, m.calls, m.bytes, len(m.wrong))
		calls, bytes = calls+m.calls, bytes+m.bytes
	}
	golden += fmt.Sprintf("%-72s %5d %7d\n", "all", calls, bytes)
	if len(tasks) < 20 {
		t.Errorf("there are %d tasks", len(tasks))
	}
	const path = "testdata/tasks.txt"
	if *update {
		if err := os.WriteFile(path, []byte(golden), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(path); err != nil || string(want) != golden {
		t.Errorf("%s is not up to date: run script/update. Now it is\n%s", path, golden)
	}
}
