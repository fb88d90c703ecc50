package tools_test

import (
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

func TestANumberIsLookedUpOnce(t *testing.T) {
	t.Parallel()
	e := start(t)
	borrower := sandbox.SampleBorrower(1043, 1).String()
	change := `{"process":1043,"borrower":"` + borrower + `","personal":{"floor":"7"}}`
	confirmed := testenv.Confirmed("edit.changes")
	if _, failure := e.Call(t, "update_borrower", change, confirmed); failure != nil {
		t.Fatal(failure)
	}
	if asked := e.Bank.Calls(portal.ProcessList); asked != 1 {
		t.Errorf("an update asked for the list %d times", asked)
	}
	if _, failure := e.Call(t, "list_borrowers", `{"process":"1043"}`); failure != nil {
		t.Fatal(failure)
	}
	if asked := e.Bank.Calls(portal.ProcessList); asked != 1 {
		t.Errorf("the list was asked for again: %d times", asked)
	}
}

func TestAStoredNumberShowsNobodyAProcessOfOthers(t *testing.T) {
	t.Parallel()
	e := start(t)
	if _, failure := e.Call(t, "list_borrowers", `{"process":1043}`); failure != nil {
		t.Fatal(failure)
	}
	rita := testenv.By("rita")
	if _, failure := e.Call(t, "list_borrowers", `{"process":1043}`, rita); failure == nil || failure.Kind != tools.NotFound {
		t.Errorf("got %v", failure)
	}
}
