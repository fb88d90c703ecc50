package tools_test

import (
	"fmt"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

// What deletes cannot be taken back: the person is shown what it is about, whichever language the assistant speaks, and is shown
// it again if that has changed.
func TestAPersonApprovesADeletionAsSheWasShownIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args, code string
		operation  portal.OperationID
		changes    func(*testing.T, env)
	}{
		"delete_borrower": {toInes, "delete.borrower", portal.BorrowerDelete, func(t *testing.T, e env) {
			_, failure := e.Call(t, "update_borrower", testenv.BorrowerArgs(1043, testenv.Ines, `"set":{"personal.name":"Inês Outra Amostra"}`))
			if failure != nil {
				t.Fatal(failure)
			}
		}},
		"remove_document": {fmt.Sprintf(`{"process":"1043","document":"%s"}`, sandbox.SampleDocument(1043, 1)), "remove.document", portal.DocumentDelete, nil},
		"cancel_process": {`{"process":1043,"reason":1}`, "cancel.confirm", portal.ProcessCancel, func(t *testing.T, e env) {
			if err := e.Bank.SetState(sandbox.SampleProcess(1043), 3); err != nil {
				t.Fatal(err)
			}
		}},
		"cancel_simulation": {`{"simulation":"2102"}`, "simulation.cancel", portal.SimulationCancel, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := startApprovals(t)
			a := e.asks(t, name, c.args)
			person := tools.Actor{ID: "ana", Lang: words.Portuguese}
			review, err := e.Review(t.Context(), person, a.ID)
			if err != nil || review.Altered || len(review.Problems) != 1 || review.Problems[0].Code != c.code || review.Sections == nil {
				t.Fatalf("she is shown %+v, altered: %v, %v", review.Problems, review.Altered, err)
			}
			if c.changes != nil {
				c.changes(t, e)
				if _, err := e.Approve(t.Context(), person, a.ID, tools.Approved{Seen: review.Seen}); codesOf(err) != "unconfirmed approval.altered "+c.code {
					t.Errorf("she approves what has changed: %v", err)
				}
				if review, err = e.Review(t.Context(), person, a.ID); err != nil || !review.Altered {
					t.Fatalf("she is not told that it has changed: %v", err)
				}
			}
			if n := e.Bank.Calls(c.operation); n != 0 {
				t.Fatalf("the bank was called %d times", n)
			}
			if _, err := e.Approve(t.Context(), person, a.ID, tools.Approved{Seen: review.Seen}); err != nil {
				t.Fatal(err)
			}
			if told, _ := e.learns(t, a.ID); told.Status != tools.ApprovalDone || e.Bank.Calls(c.operation) != 1 {
				t.Errorf("the assistant learns %v after %d calls", told.Status, e.Bank.Calls(c.operation))
			}
		})
	}
}
