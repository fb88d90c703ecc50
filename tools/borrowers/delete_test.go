package borrowers_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

func TestABorrowerIsDeletedAfterAConfirmation(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	held := e.Borrower(t, 1043, testenv.Ines).Personal
	_, failure := e.Call(t, "delete_borrower", testenv.BorrowerArgs(1043, testenv.Ines))
	if failure == nil || failure.Kind != tools.Unconfirmed || !slices.Equal(testenv.Problems(failure), []string{"borrower delete.borrower warning"}) {
		t.Fatalf("got %v", failure)
	}
	if want := fmt.Sprintf("Inês M. · %s (Borrower) will be permanently deleted from process 1043. Confirm?", held.TaxID); failure.Problems[0].Text != want {
		t.Errorf("got %q, want %q", failure.Problems[0].Text, want)
	}
	if e.Bank.Calls(portal.BorrowerDelete) != 0 {
		t.Error("the bank was asked already")
	}
	result, failure := e.Call(t, "delete_borrower", testenv.BorrowerArgs(1043, testenv.Ines), testenv.Confirmed("delete.borrower"))
	if failure != nil {
		t.Fatal(failure)
	}
	if want := "Inês M. is no longer in process 1043."; result.Card.Text != want {
		t.Errorf("got %q, want %q", result.Card.Text, want)
	}
	if there := e.Bank.Borrowers(sandbox.SampleProcess(1043)); slices.Contains(there, sandbox.SampleBorrower(1043, testenv.Ines)) || len(there) != 1 {
		t.Errorf("there are %v", there)
	}
}

func TestTheKeyBorrowerIsNotDeletedAndStrangersDeleteNobody(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	for _, args := range []string{testenv.BorrowerArgs(1043, 0), testenv.BorrowerArgs(1042, 0)} {
		_, failure := e.Call(t, "delete_borrower", args, testenv.Confirmed("delete.borrower", "delete.key_borrower"))
		if failure == nil || failure.Kind != tools.Invalid || !slices.Equal(testenv.Problems(failure), []string{"borrower delete.key_borrower error"}) {
			t.Errorf("got %v", failure)
		}
	}
	for _, id := range []string{"nobody", "reader"} {
		_, failure := e.Call(t, "delete_borrower", testenv.BorrowerArgs(1043, testenv.Ines), testenv.Confirmed("delete.borrower"), testenv.By(id))
		if failure == nil || failure.Kind != tools.Forbidden {
			t.Errorf("%s: got %v", id, failure)
		}
	}
	_, failure := e.Call(t, "delete_borrower", testenv.BorrowerArgs(1043, testenv.Ines), testenv.Confirmed("delete.borrower"), testenv.By("rita"))
	if failure == nil || failure.Kind != tools.NotFound {
		t.Errorf("another broker: got %v", failure)
	}
	if calls := e.Bank.Calls(portal.BorrowerDelete); calls != 0 {
		t.Errorf("the bank was asked %d times", calls)
	}
}
