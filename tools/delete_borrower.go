package tools

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

// DeleteBorrower takes a borrower out of a process (Borrower Delete). The key borrower cannot be taken out (the bank's
// page Borrower Delete).
var DeleteBorrower = Define(Spec{
	Name: "delete_borrower", Command: "borrower-delete", Toolset: Borrowers, Effect: Deletes, Needs: OpenProcess,
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
		return []Problem{problem(call.Actor.Lang, "borrower", "delete.key_borrower")}, nil
	}
	who := borrowerOption(borrower)
	lang := call.Actor.Lang
	return []Problem{
		doubt(lang, "borrower", "delete.borrower", "who", who.Text, "role", who.Note, "number", process.Number).
			clearly(lang, "who", who.Clear, "role", who.Note, "number", process.Number),
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
func (r BorrowerRemoval) Subject(ctx context.Context, call *Call) ([]string, error) {
	return call.subjectOf(ctx, r.Process, r.Borrower)
}

// BorrowerDeleted says who was taken out of which process.
type BorrowerDeleted struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	Name          pii.Name  `json:"name"` // "" when nobody could be asked any more
}

// Card implements [Carder].
func (b BorrowerDeleted) Card(say Say) Card {
	return Card{
		Title: say("card.title"),
		Text:  say("card.text", "name", b.Name.String(), "number", b.ProcessNumber),
		Next:  []Step{{Label: say("step.list_borrowers"), Tool: "list_borrowers", Args: map[string]any{"process": b.Process}}},
	}
}
