package sandbox_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal/sandbox"
)

func (d *harness) lastAction(t *testing.T, number int) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, d.get(t, processPath(number)).object(t)["lastActionDate"].(string))
	must(t, err)
	return at
}

func TestAProcessAdvancesThroughTheWorkflowUntilItEnds(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	last := d.lastAction(t, sandbox.SampleOpen)
	for _, want := range []string{"Documents", "Analysis", "Valuation", "Approval", "Contract", "Closed"} {
		must(t, d.Advance(opened))
		if got := d.get(t, processPath(sandbox.SampleOpen)).object(t)["processStatusDescription"]; got != want {
			t.Errorf("the process is in %s, want %s", got, want)
		}
		if now := d.lastAction(t, sandbox.SampleOpen); !now.After(last) { // although the clock does not advance
			t.Errorf("%s: the last action is still of %s", want, now)
		} else {
			last = now
		}
	}
	for name, do := range map[string]func(uuid.UUID) error{
		"move": d.Advance, "message": d.WriteMessage, "document": d.AskForDocument, "touch": d.Touch,
		"go back": func(id uuid.UUID) error { return d.SetState(id, 1) },
	} {
		if err := do(opened); !errors.Is(err, sandbox.ErrEnded) {
			t.Errorf("%s: %v", name, err)
		}
		if err := do(uuid.New()); !errors.Is(err, sandbox.ErrNoProcess) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if now := d.lastAction(t, sandbox.SampleOpen); !now.Equal(last) || d.State(opened) != 7 {
		t.Errorf("what has ended changed at %s", now)
	}
}

func TestAProcessIsSetToAnyState(t *testing.T) {
	d, r := newReceivingHarness(t, sandbox.Config{}, nil)
	for _, state := range []int32{4, 2, 2, 9} {
		must(t, d.SetState(opened, state))
		if d.State(opened) != state {
			t.Errorf("in %d, want %d", d.State(opened), state)
		}
	}
	for _, want := range []int{4, 2, 9} { // setting the same state again changes nothing
		if n := r.next(t); n.ProcessStatusID != want {
			t.Errorf("notified of %d, want %d", n.ProcessStatusID, want)
		}
	}
	if err := d.SetState(sandbox.SampleProcess(sandbox.SampleCouple), 8); !errors.Is(err, sandbox.ErrNoState) {
		t.Error(err)
	}
}

// progress is the sum of the samples' states.
func progress(b *sandbox.Bank) (sum int32) {
	for number := sandbox.SampleOpen; number <= sandbox.SampleOpen+13; number++ {
		sum += b.State(sandbox.SampleProcess(number))
	}
	return sum
}

func TestAutoplayChangesProcessesAtItsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeReceiver{}
		bank := bankWith(t, sandbox.Config{}, w)
		still := progress(bank)
		time.Sleep(time.Hour)
		if progress(bank) != still {
			t.Error("processes change while the pace is off")
		}
		must(t, bank.SetPace(sandbox.Fast))
		time.Sleep(21 * time.Second) // ten times, at two brokers
		moved := progress(bank) - still
		if moved < 10 || moved > 20 || len(w.states()) < 5 {
			t.Errorf("%d changes in 21 s, of which %d were notified", moved, len(w.states()))
		}
		must(t, bank.SetPace(sandbox.Slow))
		still = progress(bank)
		time.Sleep(29 * time.Second)
		if progress(bank) != still {
			t.Error("the slow pace is too fast")
		}
		time.Sleep(5*time.Minute - 29*time.Second)
		if moved := progress(bank) - still; moved < 4 || moved > 20 {
			t.Errorf("%d changes in 5 minutes at the slow pace", moved)
		}
		must(t, bank.SetPace(sandbox.Off))
		still = progress(bank)
		time.Sleep(time.Hour)
		if progress(bank) != still {
			t.Error("processes change after the pace was set to off")
		}
		if bank.SetPace("swift") == nil {
			t.Error("an unknown pace was accepted")
		}
	})
}

func TestAutoplayTakesOneProcessThroughThreeStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bank := bankWith(t, sandbox.Config{Pace: sandbox.Fast}, &fakeReceiver{})
		seen := map[int32]bool{}
		for range 200 {
			time.Sleep(time.Second)
			seen[bank.State(sandbox.SampleProcess(sandbox.SampleTooOld))] = true
		}
		if len(seen) < 4 {
			t.Errorf("seen in %v", seen)
		}
	})
}

func TestAutoplayLeavesTheProcessesOfExamplesUnchanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bank := bankWith(t, sandbox.Config{}, &fakeReceiver{})
		examples := []int{sandbox.SampleOpen, sandbox.SampleCouple, sandbox.SampleAnalysis}
		current := func() (states []int32) {
			for _, number := range examples {
				states = append(states, bank.State(sandbox.SampleProcess(number)))
			}
			return states
		}
		before := current()
		for pace, long := range map[sandbox.Pace]time.Duration{sandbox.Fast: 30 * time.Minute, sandbox.Slow: 6 * time.Hour} {
			must(t, bank.SetPace(pace))
			time.Sleep(long)
			if now := current(); !slices.Equal(now, before) {
				t.Errorf("at the pace %s they went from %v to %v", pace, before, now)
			}
		}
		for _, number := range examples {
			must(t, bank.Advance(sandbox.SampleProcess(number))) // on request they change as any other
		}
	})
}

func TestTheSameSeedChangesTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		states := func(seed uint64) string {
			w := &fakeReceiver{}
			bank := bankWith(t, sandbox.Config{Pace: sandbox.Fast, Seed: seed}, w)
			time.Sleep(31 * time.Second)
			bank.Close()
			steps := ""
			for _, n := range w.seen {
				steps += fmt.Sprintln(n.ProcessUniqueID, n.ProcessStatusID)
			}
			return steps
		}
		if one, same, other := states(1), states(1), states(2); one != same || one == other {
			t.Errorf("seed 1: %s and %s\nseed 2: %s", one, same, other)
		}
	})
}

func TestAutoplayOpensProcessesAndDeletesThoseThatEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &fakeReceiver{}
		bank := bankWith(t, sandbox.Config{Pace: sandbox.Fast}, w)
		time.Sleep(2 * time.Hour) // 3,600 times at each broker
		before := len(w.states())
		time.Sleep(time.Minute)
		if after := len(w.states()); after < before+15 {
			t.Errorf("%d changes in a minute, after hours", after-before)
		}
		known := 0
		for i := range 5000 {
			if bank.State(sandbox.SampleProcess(sandbox.SampleAdded+i)) != 0 {
				known++
			}
		}
		if known < 200 || known > 202 || bank.State(sandbox.SampleProcess(sandbox.SampleAdded)) != 0 {
			t.Errorf("%d processes were opened and are there still", known)
		}
		if bank.State(opened) == 0 {
			t.Error("a sample is gone")
		}
	})
}

func TestATestGetsAsManyProcessesAsItWants(t *testing.T) {
	d := newHarness(t, sandbox.Config{Processes: 80})
	page, numbers := d.processes(t, "lineCount=100")
	if page.TotalRecords != 89 || slices.Max(numbers) != sandbox.SampleAdded+79 {
		t.Errorf("%d processes, the newest %d", page.TotalRecords, slices.Max(numbers))
	}
	if id := d.AddProcess(sandbox.BrokerA); id != sandbox.SampleProcess(sandbox.SampleAdded+80) || len(d.Borrowers(id)) != 1 || d.State(id) != 1 {
		t.Errorf("added %s in %d", id, d.State(id))
	}
	for _, number := range []int{sandbox.SampleAdded, sandbox.SampleAdded + 79} {
		if got := d.get(t, processPath(number)+"/esis"); got.status != http.StatusOK {
			t.Errorf("the ESIS of %d: %d %s", number, got.status, got.body)
		}
	}
}

func TestATouchChangesTheLastActionAlone(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	before := d.get(t, processPath(sandbox.SampleOpen)).object(t)
	must(t, d.Touch(opened))
	after := d.get(t, processPath(sandbox.SampleOpen)).object(t)
	if before["lastActionDate"] == after["lastActionDate"] {
		t.Error("nothing has changed")
	}
	before["lastActionDate"] = after["lastActionDate"]
	if fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("%v became %v", before, after)
	}
}

func TestTheAdminAPIControlsTheBank(t *testing.T) {
	d, r := newReceivingHarness(t, sandbox.Config{AdminAPI: true}, nil)
	state := "/sandbox/processes/" + opened.String() + "/state"
	for _, c := range []struct {
		path, body string
	}{{state, ""}, {state, `{"state": 5}`}, {"/sandbox/deliveries", `{"lose": 1, "seed": 3}`}, {state, ""}, {"/sandbox/pace", `{"pace": "slow"}`}, {"/sandbox/pace", `{"pace": "off"}`}} {
		if got := d.call(t, "PUT", c.path, c.body); got.status != http.StatusNoContent {
			t.Errorf("%s %s: %d %s", c.path, c.body, got.status, got.body)
		}
	}
	if first, second := r.next(t), r.next(t); first.ProcessStatusID != 2 || second.ProcessStatusID != 5 || d.State(opened) != 6 || d.DeliveryStats().Lost != 1 {
		t.Errorf("%s, %s, %d, %+v", first.body, second.body, d.State(opened), d.DeliveryStats())
	}
	for _, c := range []struct{ path, body, want string }{
		{"/sandbox/processes/" + uuid.NewString() + "/state", "", "040001"},
		{"/sandbox/processes/1042/state", "", "000006 id"},
		{"/sandbox/processes/" + sandbox.SampleProcess(sandbox.SampleClosed).String() + "/state", "", "040002"},
		{state, `{"state": 8}`, "050003 state"},
		{state, `{}`, "050003 state"},
		{state, `{"to": 8}`, "050006 to"},
		{"/sandbox/pace", `{"pace": "swift"}`, "050004 pace"},
		{"/sandbox/processes/" + opened.String() + "/event", `{"event": "party"}`, "050004 event"},
		{"/sandbox/processes/" + uuid.NewString() + "/event", `{"event": "message"}`, "040001"},
		{"/sandbox/processes/1042/event", `{"event": "message"}`, "000006 id"},
		{"/sandbox/simulations/" + opened.String() + "/event", `{"event": "esis"}`, "050004 event"},
		{"/sandbox/pace", `{}`, "050004 pace"},
		{"/sandbox/deliveries", `{"duplicate": 1.5}`, "050004 duplicate"},
		{"/sandbox/deliveries", `{"lose": -1}`, "050004 lose"},
		{"/sandbox/deliveries", `{"late": true}`, "050006 late"},
	} {
		if got := d.call(t, "PUT", c.path, c.body); got.status != http.StatusBadRequest || got.errorsOf(t)[0] != c.want {
			t.Errorf("%s %s: %d %s", c.path, c.body, got.status, got.body)
		}
	}
	strict := newHarness(t, sandbox.Config{})
	for _, path := range []string{state, "/sandbox/pace", "/sandbox/deliveries"} {
		if got := strict.call(t, "PUT", path, ""); got.status != http.StatusNotFound {
			t.Errorf("%s is served without the admin API: %d", path, got.status)
		}
	}
}

func TestTheAdminAPIMakesTheBankDoWhatItNotifiesOf(t *testing.T) {
	d, r := newReceivingHarness(t, sandbox.Config{AdminAPI: true}, nil)
	couple := "/sandbox/processes/" + sandbox.SampleProcess(sandbox.SampleCouple).String() + "/event"
	simulation := "/sandbox/simulations/" + sandbox.SampleSimulation(sandbox.SampleValid).String() + "/event"
	for _, c := range []struct {
		path, event string
		kind        int // of the notification; 0 for none
	}{
		{couple, "message", 2}, {couple, "documentAsked", 3}, {couple, "documentRefused", 7}, {couple, "documentAccepted", 0}, {couple, "valuation", 8},
		{couple, "esis", 4}, {simulation, "message", 2}, {simulation, "decision", 5},
	} {
		if got := d.call(t, "PUT", c.path, fmt.Sprintf(`{"event": %q}`, c.event)); got.status != http.StatusNoContent {
			t.Errorf("%s: %d %s", c.event, got.status, got.body)
			continue
		}
		if c.kind == 0 {
			continue
		}
		if n := r.next(t); n.NotificationTypeID != c.kind || (n.SimulationUniqueID != uuid.Nil) != (c.path == simulation) {
			t.Errorf("%s is notified as %s", c.event, n.body)
		}
	}
	r.none(t)
	none := "/sandbox/processes/" + opened.String() + "/event"
	if got := d.call(t, "PUT", none, `{"event": "documentRefused"}`); got.status != http.StatusBadRequest {
		t.Errorf("without a document: %d %s", got.status, got.body)
	}
}
