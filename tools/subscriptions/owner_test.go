package subscriptions_test

import (
	"testing"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

func TestAPersonTakesAndReleasesAProcess(t *testing.T) {
	t.Parallel()
	e := start(t)
	owned := e.WantCard(t, "own_process", `{"process":1042}`, "1042")
	if got := e.owners[sandbox.SampleProcess(1042)]; got != "ana" {
		t.Errorf("the owner is %q", got)
	}
	if next := owned.Card.Next; next[0].Tool != "own_process" || !next[0].Form || next[1].Tool != "release_process" || next[2].Args["mine"] != true {
		t.Errorf("the next steps are %v", next)
	}
	e.WantCard(t, "own_process", `{"process":1042}`, "You already own process 1042")
	e.Actor.ID = "reader"
	e.WantCard(t, "release_process", `{"process":1042}`, "do not own process 1042: nothing changed")
	e.WantCard(t, "own_process", `{"process":1042}`, "You now own process 1042")
	e.WantCard(t, "release_process", `{"process":1042}`, "Process 1042 now has no owner")
	if got := e.owners[sandbox.SampleProcess(1042)]; got != "" {
		t.Errorf("the owner is %q", got)
	}
}

func TestAProcessIsAssignedToAColleagueWhoMaySeeIt(t *testing.T) {
	t.Parallel()
	e := start(t)
	process := sandbox.SampleProcess(1042)
	e.WantCard(t, "own_process", `{"process":1042,"owner":"reader"}`, "assigned", "now owns process 1042")
	e.WantCard(t, "own_process", `{"process":1042,"owner":"reader"}`, "already")
	if got := e.owners[process]; got != "reader" {
		t.Errorf("the owner is %q", got)
	}
	for actor, code := range map[string]string{"nobody": "owner.unserved", "rita": "owner.unseen"} {
		e.WantProblem(t, "own_process", `{"process":1042,"owner":"`+actor+`"}`, code)
	}
	e.WantCard(t, "own_process", `{"process":1042}`)
	defer e.Bank.Inject(sandbox.Fault{Operation: portal.ProcessDetail, Status: 503})()
	if _, failure := e.Call(t, "own_process", `{"process":"`+process.String()+`","owner":"reader"}`); failure == nil || failure.Kind != tools.Unavailable {
		t.Errorf("got %v", failure)
	}
	if got := e.owners[process]; got != "ana" {
		t.Errorf("the owner is %q", got)
	}
}
