package sandbox_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestTheBrokerOfASimulationIsNotified(t *testing.T) {
	d, r := newReceivingHarness(t, sandbox.Config{}, nil)
	ids := map[int]uuid.UUID{}
	for _, number := range []int{sandbox.SampleValid, sandbox.SampleHeavy, sandbox.SampleWithESIS, sandbox.SampleDraft} {
		ids[number] = sandbox.SampleSimulation(number)
	}
	must(t, d.Decide(sandbox.SampleSimulation(sandbox.SampleOfOthers))) // whose broker has no callback
	for _, c := range []struct {
		name   string
		number int
		do     func(uuid.UUID) error
		want   []int // types
		state  string
	}{
		{"a message", sandbox.SampleValid, d.WriteOnSimulation, []int{2}, ""},
		{"an ESIS", sandbox.SampleValid, func(uuid.UUID) error {
			d.get(t, simulationPath(sandbox.SampleValid)+"/esis/email?sendAddress=marta%40example.com").object(t)
			return nil
		}, []int{5, 4}, `"simulationStatusID":3`},
		{"an approval", sandbox.SampleValid, d.Decide, []int{5}, `"simulationStatusID":7`},
		{"a rejection", sandbox.SampleHeavy, d.Decide, []int{5}, `"simulationStatusID":6`},
		{"a state", sandbox.SampleWithESIS, func(id uuid.UUID) error { return d.SetSimulationState(id, 6, 2) }, []int{5}, `"simulationStatusID":6`},
		{"a cancellation", sandbox.SampleDraft, func(uuid.UUID) error {
			d.call(t, "DELETE", simulationPath(sandbox.SampleDraft), "").object(t)
			return nil
		}, []int{5}, `"simulationStatusID":5`},
	} {
		must(t, c.do(ids[c.number]))
		for _, kind := range c.want {
			n := r.next(t)
			if n.NotificationTypeID != kind || n.SimulationUniqueID != ids[c.number] || n.ProcessUniqueID != uuid.Nil ||
				strings.Contains(n.body, "simulationStatusID") != (kind == 5) || kind == 5 && !strings.Contains(n.body, c.state) {
				t.Errorf("%s: got %s", c.name, n.body)
			}
		}
	}
	r.none(t)
}

func TestOnlyWhatExistsIsSet(t *testing.T) {
	bank := sandbox.New(sandbox.Config{})
	valid, rejected := sandbox.SampleSimulation(sandbox.SampleValid), sandbox.SampleSimulation(sandbox.SampleRejected)
	for name, c := range map[string]struct{ got, want error }{
		"unknown":           {bank.Decide(uuid.New()), sandbox.ErrNoSimulation},
		"ended":             {bank.Decide(rejected), sandbox.ErrEnded},
		"a state":           {bank.SetSimulationState(valid, 99, 0), sandbox.ErrNoState},
		"without a reason":  {bank.SetSimulationState(valid, 6, 0), sandbox.ErrNoReason},
		"another reason":    {bank.SetSimulationState(valid, 6, 99), sandbox.ErrNoReason},
		"a reason too many": {bank.SetSimulationState(valid, 7, 1), sandbox.ErrNoReason},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("%s: got %v, want %v", name, c.got, c.want)
		}
	}
	if bank.SimulationState(valid) != 2 || bank.SimulationState(uuid.New()) != 0 {
		t.Errorf("got the states %d and %d", bank.SimulationState(valid), bank.SimulationState(uuid.New()))
	}
}

func TestTheAdminAPIDecidesSimulations(t *testing.T) {
	d := newHarness(t, sandbox.Config{AdminAPI: true})
	path := func(number int) string {
		return "/sandbox/simulations/" + sandbox.SampleSimulation(number).String() + "/state"
	}
	for _, c := range []struct {
		path, body string
		want       int32
	}{
		{path(sandbox.SampleValid), "", 7},
		{path(sandbox.SampleHeavy), "", 6},
		{path(sandbox.SampleWithESIS), `{"state": 6, "reason": 2}`, 6},
	} {
		if got := d.call(t, "PUT", c.path, c.body); got.status != http.StatusNoContent {
			t.Errorf("%s: %d %s", c.path, got.status, got.body)
		}
	}
	if s := d.simulation(t, simulationPath(sandbox.SampleWithESIS)); s.SimulationRejectReasonDescription != "Loan to value" {
		t.Errorf("got %+v", s)
	}
	for _, c := range []struct{ path, body, want string }{
		{"/sandbox/simulations/" + uuid.NewString() + "/state", "", "010011"},
		{"/sandbox/simulations/2102/state", "", "000006 id"},
		{path(sandbox.SampleRejected), "", "010012"},
		{path(sandbox.SampleApproved), `{"state": 99}`, "050003 state"},
		{path(sandbox.SampleApproved), `{"state": 6}`, "050003 reason"},
	} {
		if got := d.call(t, "PUT", c.path, c.body); got.status != http.StatusBadRequest || got.errorsOf(t)[0] != c.want {
			t.Errorf("%s %s: %d %s", c.path, c.body, got.status, got.body)
		}
	}
}

func TestAutoplayDecidesWhatWaitsAndLeavesTheExamples(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bank := bankWith(t, sandbox.Config{Pace: sandbox.Fast}, &fakeReceiver{})
		time.Sleep(time.Minute)
		if state := bank.SimulationState(sandbox.SampleSimulation(sandbox.SampleHeavy)); state != 6 {
			t.Errorf("the one with a warning is in state %d", state)
		}
		if state := bank.SimulationState(sandbox.SampleSimulation(sandbox.SampleOfOthers)); state != 7 {
			t.Errorf("that of the other broker is in state %d", state)
		}
		for number, want := range map[int]int32{sandbox.SampleDraft: 1, sandbox.SampleValid: 2, sandbox.SampleWithESIS: 3, sandbox.SampleApproved: 7} {
			if got := bank.SimulationState(sandbox.SampleSimulation(number)); got != want {
				t.Errorf("%d is in state %d, want %d", number, got, want)
			}
		}
	})
}

func TestEveryStateOfASimulationHasAMeaning(t *testing.T) {
	want := map[string]string{
		"Rascunho": "draft", "Draft": "draft", "Validada": "validated", "Validated": "validated", "FINE emitida": "esis_issued", "ESIS issued": "esis_issued",
		"Convertida em processo": "converted", "Converted": "converted", "Cancelada": "cancelled", "Cancelled": "cancelled",
		"Recusada": "rejected", "Rejected": "rejected", "Aprovada": "approved", "Approved": "approved", "Expirada": "expired", "Expired": "expired",
	}
	d := newHarness(t, sandbox.Config{})
	for _, lang := range []string{"en", "pt-PT"} {
		d.lang = lang
		for _, item := range taxonomyPage(t, d, byTaxonomy()["workflowStatesSimulation"].Path).TaxonomyList {
			if m, known := profile.Builtin().SimulationMeaning(0, item.Description); !known || m.Name != want[item.Description] {
				t.Errorf("%s means %q", item.Description, m.Name)
			}
		}
	}
}
