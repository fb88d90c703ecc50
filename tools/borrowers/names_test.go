package borrowers_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

// asked returns how many calls of the bank do makes.
func asked(e *testenv.Env, do func()) int {
	count := func() (all int) {
		for _, op := range []portal.OperationID{portal.ProcessDetail, portal.ProcessList, portal.BorrowerList, portal.BorrowerGet} {
			all += e.Bank.Calls(op)
		}
		return all
	}
	before := count()
	do()
	return count() - before
}

func TestTheBorrowersOfAProcessTakeTwoCallsOfTheBank(t *testing.T) {
	t.Parallel()
	for _, borrowers := range []int{1, 3, 10} {
		e := testenv.Start(t, testenv.Options{Redis: redistest.Start(t), Sandbox: sandbox.Config{LenientTaxIDs: true}})
		process := sandbox.SampleProcess(sandbox.SampleOpen)
		for range borrowers - 1 {
			base := e.Borrower(t, sandbox.SampleCouple, testenv.Ines).Request()
			if _, err := e.User().CreateBorrower(t.Context(), process, base); err != nil {
				t.Fatal(err)
			}
		}
		list := func(e *testenv.Env) func() {
			return func() {
				if result := e.MustCall(t, "list_borrowers", fmt.Sprintf(`{"process":%q}`, process)); len(result.Card.Table.Rows) != borrowers || !strings.Contains(fmt.Sprint(result.Card.Table.Rows), "Maria E.") {
					t.Errorf("listed are %v", result.Card.Table.Rows)
				}
			}
		}
		if got := asked(e, list(e)); got != 2+borrowers {
			t.Errorf("%d borrowers: %d calls when none is known", borrowers, got)
		}
		for _, replica := range []*testenv.Env{e, e.Replica(t)} {
			if got := asked(e, list(replica)); got != 2 {
				t.Errorf("%d borrowers: %d calls once they are known", borrowers, got)
			}
		}
		if got := asked(e, func() { e.WantCard(t, "get_process", fmt.Sprintf(`{"process":%q}`, process), "Maria E.") }); got != 2 {
			t.Errorf("%d borrowers: %d calls of the card of the process", borrowers, got)
		}
		// Something was done at the bank: each is read once more.
		if err := e.Bank.Touch(process); err != nil {
			t.Fatal(err)
		}
		if got := asked(e, list(e)); got != 2+borrowers {
			t.Errorf("%d borrowers: %d calls after a change", borrowers, got)
		}
		if got := asked(e, list(e)); got != 2 {
			t.Errorf("%d borrowers: %d calls after that", borrowers, got)
		}
	}
}

func TestANameThatChangedAtTheBankIsReadAgain(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	e.WantCard(t, "list_borrowers", `{"process":"1042"}`, "Maria E.")
	data := e.Borrower(t, sandbox.SampleOpen, 0).Request()
	data.Personal.Name = pii.New[pii.Name]("Marta Modelo")
	if _, err := e.User().UpdateBorrower(t.Context(), sandbox.SampleProcess(sandbox.SampleOpen), sandbox.SampleBorrower(sandbox.SampleOpen, 0), data); err != nil {
		t.Fatal(err)
	}
	e.WantCard(t, "list_borrowers", `{"process":"1042"}`, "Marta M.")
}
