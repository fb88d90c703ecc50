package tools

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

// Delete takes a borrower out of a process (Borrower Delete). The key borrower cannot be taken out (the bank's
// page Borrower Delete).
var Delete = Define(Spec{
	Name: "delete_borrower", Command: "borrower-delete", Effect: Deletes, Needs: OpenProcess,
	Next: Next{"list_borrowers": {"process"}},
}, func(ctx context.Context, call *Call, in BorrowerRemoval) (BorrowerDeleted, error) {
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

// BorrowerRemoval is a borrower to take out.
type BorrowerRemoval struct{ OfBorrower }

// CheckBank implements [BankChecker]: it refuses the key borrower, and names anybody else to be confirmed.
func (r BorrowerRemoval) CheckBank(ctx context.Context, call *Call) ([]Problem, error) {
	process, borrower, err := call.Borrower(ctx, r.Process, r.Borrower)
	if err != nil {
		return nil, err
	}
	if kinds.KeyBorrower(borrower.BorrowerTypeID, borrower.BorrowerTypeDescription) {
		return []Problem{call.Problem("borrower", "delete.key_borrower")}, nil
	}
	who := BorrowerOption(borrower)
	return []Problem{
		call.InClear(call.Warning("borrower", "delete.borrower", "who", who.Text, "role", who.Note, "number", process.Number),
			"who", who.Clear, "role", who.Note, "number", process.Number),
	}, nil
}

// FindEffect implements [Verifier]: the borrower is among the process's no more. Who was no borrower when the call was
// checked was refused then.
func (r BorrowerRemoval) FindEffect(ctx context.Context, call *Call) (Carder, bool, error) {
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

// Selector implements [Verifier].
func (r BorrowerRemoval) Target(ctx context.Context, call *Call) ([]string, error) {
	return targetOf(ctx, call, r.Process, r.Borrower)
}

// BorrowerDeleted says who was taken out of which process.
type BorrowerDeleted struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	Name          pii.Name  `json:"name"` // "" when nobody could be asked any more
}

// Subject implements [Subjecter].
func (b BorrowerDeleted) Subject() Subject { return Subject{Process: b.Process} }

// Card implements [Carder].
func (b BorrowerDeleted) Card(say Say) Card {
	return Card{
		Title: say("card.title"),
		Text:  say("card.text", "name", b.Name.String(), "number", b.ProcessNumber),
		Next:  []Step{NextStep("list_borrowers", "process", b.Process)},
	}
}
