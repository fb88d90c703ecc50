package messages_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/messages"
)

const onSimulation = `{"simulation":"2102","subject":"Prazo","text":"Os clientes preferem 30 anos; o NIF é 299999998."}`

func TestAMessageOnASimulationIsSentOnceAndListed(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	if none := e.MustCall(t, "list_simulation_messages", `{"simulation":"2102"}`); none.Card.Text != "There are no messages on this simulation yet." {
		t.Errorf("got %q", none.Card.Text)
	}
	sent := e.MustCall(t, "send_simulation_message", onSimulation).Output.(messages.SimulationMessageSent)
	if sent.Subject().Simulation != sandbox.SampleSimulation(2102) {
		t.Errorf("it is about %v", sent.Subject())
	}
	list := e.MustCall(t, "list_simulation_messages", `{"simulation":"2102"}`)
	found := list.Output.(messages.SimulationMessages).Messages
	if len(found) != 1 || found[0].From != messages.FromYou || found[0].Subject != "Prazo" || strings.Contains(fmt.Sprint(list.Card), "299999998") {
		t.Errorf("got %+v", found)
	}
	e.WantProblem(t, "send_simulation_message", onSimulation, "message.repeated")
}

func TestALostReplyToAMessageOnASimulationDoesNotRepeatIt(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	e.Bank.Inject(sandbox.Fault{Operation: portal.SimulationsMessageCreate, DropAfter: true, Times: 1})
	e.MustCall(t, "send_simulation_message", onSimulation)
	if calls := e.Bank.Calls(portal.SimulationsMessageCreate); calls != 1 {
		t.Errorf("it was sent %d times", calls)
	}
}

func TestAnAssistantAsksBeforeItWritesOnASimulation(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	_, failure := e.Call(t, "send_simulation_message", onSimulation, testenv.AsAssistant)
	if failure == nil || failure.Kind != tools.Unconfirmed || !strings.Contains(failure.Problems[0].Text, "on simulation 2102") {
		t.Errorf("got %v", failure)
	}
}
