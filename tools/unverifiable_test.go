package tools_test

import (
	"context"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

// unverifiable is the input of a tool whose effect the bank does not show.
type unverifiable struct {
	Process tools.ProcessRef `json:"process" page:"process" validate:"required"`
}

type nothing struct{}

func (nothing) Card(tools.Say) tools.Card { return tools.Card{} }

func (nothing) Subject() tools.Subject { return tools.Subject{} }

// withUnverifiable adds to the configuration a catalogue of one tool, which deletes a borrower and cannot find out whether
// the borrower is deleted.
func withUnverifiable(t *testing.T) func(*tools.Config) {
	t.Helper()
	set := emptyToolset()
	tools.Define(set, tools.Spec{Name: "unverifiable", Effect: tools.Creates}, func(ctx context.Context, call *tools.Call, _ unverifiable) (nothing, error) {
		_, err := call.Bank.DeleteBorrower(ctx, sandbox.SampleProcess(sandbox.SampleCouple), sandbox.SampleBorrower(sandbox.SampleCouple, 1))
		return nothing{}, err
	})
	catalogue, err := tools.NewCatalogue(set)
	if err != nil {
		t.Fatal(err)
	}
	return func(c *tools.Config) { c.Catalogue = catalogue }
}

// delete1043 calls the tool, always under the same key.
func (e env) delete1043(t *testing.T) *tools.Error {
	t.Helper()
	_, failure := e.Call(t, "unverifiable", `{"process":"1043"}`, testenv.WithKey("a click"))
	return failure
}

func TestACallWhoseEffectTheBankDoesNotShowIsNeverRepeated(t *testing.T) {
	t.Parallel()
	e := start(t, withUnverifiable(t))
	e.Bank.Inject(sandbox.Fault{Operation: portal.BorrowerDelete, DropBefore: true, Times: 1})
	for range 2 {
		if failure := e.delete1043(t); failure == nil || failure.Kind != tools.Unclear || failure.RetryAfter != 0 {
			t.Errorf("got %v", failure)
		}
	}
	if orphaned, err := e.Journal.Orphaned(t.Context(), 10); len(orphaned) != 0 || err != nil {
		t.Errorf("%d calls are open, %v", len(orphaned), err)
	}
	if calls := e.Bank.Calls(portal.BorrowerDelete); calls != 1 {
		t.Errorf("the bank was called %d times", calls)
	}
}

func TestACallWhoseEffectTheBankDoesNotShowStaysUnclearAfterACrash(t *testing.T) {
	t.Parallel()
	e := start(t, withUnverifiable(t), withShortLeases)
	journal := e.Journal
	e.Journal = crashingJournal{journal, beforeRecording}
	func() {
		defer func() { _ = recover() }()
		e.delete1043(t)
	}()
	e.Journal = journal
	e.recoverOneEventually(t)
	if failure := e.delete1043(t); failure == nil || failure.Kind != tools.Unclear {
		t.Errorf("got %v", failure)
	}
	if calls := e.Bank.Calls(portal.BorrowerDelete); calls != 1 {
		t.Errorf("the bank was called %d times", calls)
	}
}
