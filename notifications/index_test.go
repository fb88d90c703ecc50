package notifications

import (
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/processes"
)

func TestWhatAReconciliationReadsIsFoundWithoutTheList(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, "memory")
	front := env.Replica(t, func(c *tools.Config) { c.List.Login = testenv.Login(sandbox.BrokerA) })
	s := runEngine(t, env.replica(t, func(c *Config) { c.Index = front.IndexOf(sandbox.BrokerA.UID) }))
	reconcile(t, s)
	lists := env.bank.Calls(portal.ProcessList)
	front.MustCall(t, "list_borrowers", `{"process":1043}`)
	if asked := env.bank.Calls(portal.ProcessList) - lists; asked != 0 {
		t.Errorf("the list was asked for %d times", asked)
	}
	// Its borrowers were read too, and the bank's filter does not find «Ines».
	found := front.MustCall(t, "find_processes", `{"text":"ines modelo"}`).Output.(processes.ProcessList)
	if len(found.Processes) != 1 || found.Processes[0].Number != 1043 {
		t.Errorf("got %+v", found)
	}
	// A number that does not exist is not found once the list was read after the question, not because it was read before.
	lists = env.bank.Calls(portal.ProcessList)
	if _, failure := front.Call(t, "get_process", `{"process":9999}`); failure == nil || failure.Kind != tools.NotFound {
		t.Errorf("got %v", failure)
	}
	if asked := env.bank.Calls(portal.ProcessList) - lists; asked != 2 {
		t.Errorf("the list was asked for %d times, want once with the filter and once as a whole", asked)
	}
}
