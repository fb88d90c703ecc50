package borrowers

import (
	"context"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/validation"
)

// Create adds a borrower to a process (Borrower Create).
var Create = tools.Define(Toolset, tools.Spec{
	Name: "create_borrower", Effect: tools.Creates, Operations: []portal.OperationID{portal.BorrowerCreate}, Core: true, Needs: tools.OpenProcess,
	Next: tools.Next{"get_borrower": {"process", "borrower"}, "list_borrowers": {"process"}, "get_esis": {"process"}},
	Example: `{"process":"1042","borrowerTypeId":2,"keyBorrowerRelationId":1,` +
		`"personal":{"name":"Marta Exemplo","birthDate":"1990-04-12","taxId":"299999998",` +
		`"mobile":"912345678","email":"marta@example.com","genderId":1},"financial":{"incomeWagesPensions":1850.5}}`,
}, func(ctx context.Context, call *tools.Call, in NewBorrower) (BorrowerCreated, error) {
	process, err := call.Process(ctx, in.Process)
	if err != nil {
		return BorrowerCreated{}, err
	}
	created, err := call.Bank.CreateBorrower(ctx, process.ID, in.request())
	if err != nil {
		return BorrowerCreated{}, err
	}
	return BorrowerCreated{
		Process: process.ID, ProcessNumber: process.Number,
		Borrower: created.BorrowerUniqueID, Name: in.Personal.Name,
	}, nil
})

// CheckBank implements [tools.BankChecker] with the rules across the borrowers of the process.
func (n NewBorrower) CheckBank(ctx context.Context, call *tools.Call) ([]tools.Problem, error) {
	others, err := others(ctx, call, n.Process, uuid.Nil)
	if err != nil {
		return nil, err
	}
	return n.joining(ctx, call, portal.Borrower{}, others), nil
}

// FindEffect implements [tools.Verifier]: it looks for a borrower of the process with the tax number. Nobody had it when the
// call was checked, if the rule against duplicates refuses them; if it does not, one who is found may be another.
func (n NewBorrower) FindEffect(ctx context.Context, call *tools.Call) (tools.Carder, bool, error) {
	process, err := call.Process(ctx, n.Process)
	if err != nil {
		return nil, false, err
	}
	borrowers, err := call.Borrowers(ctx, process.ID)
	if err != nil {
		return nil, false, err
	}
	for _, borrower := range borrowers {
		if borrower.Personal != nil && borrower.Personal.TaxID == n.Personal.TaxID {
			if !call.Checks().Refuses(validation.BorrowerDuplicate) {
				return nil, false, &tools.Error{Kind: tools.Unclear}
			}
			return BorrowerCreated{
				Process: process.ID, ProcessNumber: process.Number,
				Borrower: borrower.BorrowerUniqueID, Name: n.Personal.Name,
			}, true, nil
		}
	}
	return nil, false, nil
}

// Target implements [tools.Verifier].
func (n NewBorrower) Target(ctx context.Context, call *tools.Call) ([]string, error) {
	process, err := call.Process(ctx, n.Process)
	return []string{"new borrower", process.ID.String(), n.Personal.TaxID.Reveal()}, err
}

// NewBorrower is the data of a new borrower.
type NewBorrower struct {
	Process tools.ProcessRef `json:"process" page:"process" validate:"required"`
	BorrowerDetails
}

// BorrowerCreated is a new borrower of a process.
type BorrowerCreated struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	Borrower      uuid.UUID `json:"borrower"`
	Name          pii.Name  `json:"name"`
}

// Subject implements [tools.Subjecter].
func (b BorrowerCreated) Subject() tools.Subject { return tools.Subject{Process: b.Process} }

// Card implements [tools.Carder].
func (b BorrowerCreated) Card(say tools.Say) tools.Card {
	return tools.Card{
		Title: say("card.title"),
		Text:  say("card.text", "name", b.Name, "number", b.ProcessNumber),
		Next: []tools.Step{
			tools.NextStep("get_borrower", "process", b.Process, "borrower", b.Borrower),
			tools.NextStep("list_borrowers", "process", b.Process),
			tools.NextStep("get_esis", "process", b.Process),
		},
	}
}
