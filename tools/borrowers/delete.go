package borrowers

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// Delete deletes a borrower of a process (Borrower Delete). The key borrower cannot be deleted, as the bank's page Borrower
// Delete says.
var Delete = tools.Define(Toolset, tools.Spec{
	Name: "delete_borrower", Effect: tools.Deletes, Operations: []portal.OperationID{portal.BorrowerDelete}, Needs: tools.OpenProcess,
	Next:    tools.Next{"list_borrowers": {"process"}},
	Example: `{"process":"1043","borrower":"1d4f2264-400e-502e-9f39-5e10a38ce5df"}`,
}, func(ctx context.Context, call *tools.Call, in BorrowerRemoval) (BorrowerDeleted, error) {
	process, borrower, err := call.Borrower(ctx, in.Process, in.Borrower)
	if err != nil {
		return BorrowerDeleted{}, err
	}
	if _, err := call.Bank.DeleteBorrower(ctx, process.ID, borrower.BorrowerUniqueID); err != nil {
		return BorrowerDeleted{}, err
	}
	deleted := BorrowerDeleted{Process: process.ID, ProcessNumber: process.Number}
	if borrower.Personal != nil {
		deleted.Name = borrower.Personal.Name
	}
	return deleted, nil
})

// BorrowerRemoval is a borrower to delete.
type BorrowerRemoval struct{ tools.OfBorrower }

// CheckBank implements [tools.BankChecker]: it refuses the key borrower, and asks to confirm any other.
func (r BorrowerRemoval) CheckBank(ctx context.Context, call *tools.Call) ([]tools.Problem, error) {
	process, borrower, err := call.Borrower(ctx, r.Process, r.Borrower)
	if err != nil {
		return nil, err
	}
	if call.Checks().KeyBorrower(typeOf(borrower)) {
		return []tools.Problem{call.Problem("borrower", "delete.key_borrower")}, nil
	}
	who := call.BorrowerOption(ctx, borrower)
	warning := call.InClear(call.Warning("borrower", "delete.borrower", "who", who.Text, "role", who.Note, "number", process.Number),
		"who", who.Clear, "role", who.Note, "number", process.Number)
	facts := []any{"number", process.Number, "type", borrower.BorrowerTypeID}
	if p := borrower.Personal; p != nil {
		facts = append(facts, "name", p.Name.Reveal(), "taxId", p.TaxID.Reveal())
	}
	return []tools.Problem{call.About(warning, facts...)}, nil
}

// FindEffect implements [tools.Verifier]: the process no longer has the borrower. It had the borrower when the call was
// checked.
func (r BorrowerRemoval) FindEffect(ctx context.Context, call *tools.Call) (tools.Carder, bool, error) {
	process, err := call.Process(ctx, r.Process)
	if err != nil {
		return nil, false, err
	}
	borrowers, err := call.Bank.ListBorrowers(ctx, process.ID)
	if err != nil {
		return nil, false, err
	}
	still := func(b portal.BorrowerSummary) bool { return b.BorrowerUniqueID.String() == string(r.Borrower) }
	if slices.ContainsFunc(borrowers, still) {
		return nil, false, nil
	}
	return BorrowerDeleted{Process: process.ID, ProcessNumber: process.Number}, true, nil
}

// Target implements [tools.Verifier].
func (r BorrowerRemoval) Target(ctx context.Context, call *tools.Call) ([]string, error) {
	return targetOf(ctx, call, r.Process, r.Borrower)
}

// BorrowerDeleted is a deleted borrower.
type BorrowerDeleted struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	Name          pii.Name  `json:"name"` // "" if it could no longer be read
}

// Subject implements [tools.Subjecter].
func (b BorrowerDeleted) Subject() tools.Subject { return tools.Subject{Process: b.Process} }

// Card implements [tools.Carder].
func (b BorrowerDeleted) Card(say tools.Say) tools.Card {
	return tools.Card{
		Title: say("card.title"),
		Text:  say("card.text", "name", b.Name.String(), "number", b.ProcessNumber),
		Next:  []tools.Step{tools.NextStep("list_borrowers", "process", b.Process)},
	}
}
