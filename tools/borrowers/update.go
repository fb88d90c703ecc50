package borrowers

import (
	"context"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// Update changes a borrower (Borrower Update). The bank may clear fields that an update omits, so the update has all data of
// the bank, with the changes.
var Update = tools.Define(Toolset, tools.Spec{
	Name: "update_borrower", Effect: tools.Updates, Operations: []portal.OperationID{portal.BorrowerUpdate}, Core: true, Needs: tools.OpenProcess,
	Next:    tools.Next{"get_borrower": {"process", "borrower"}, "list_borrowers": {"process"}},
	Example: `{"process":"1043","borrower":"1d4f2264-400e-502e-9f39-5e10a38ce5df","personal":{"email":"nova.morada@example.com"}}`,
}, func(ctx context.Context, call *tools.Call, in BorrowerUpdate) (BorrowerUpdated, error) {
	process, err := call.Process(ctx, in.Process)
	if err != nil {
		return BorrowerUpdated{}, err
	}
	if _, err := call.Bank.UpdateBorrower(ctx, process.ID, in.was.BorrowerUniqueID, in.request()); err != nil {
		return BorrowerUpdated{}, err
	}
	return in.done(process), nil
})

// BorrowerUpdate has the changes of a borrower.
type BorrowerUpdate struct {
	Process  tools.ProcessRef  `json:"process" page:"process" validate:"required"`
	Borrower tools.BorrowerRef `json:"borrower" page:"borrower" validate:"required"`
	BorrowerDetails
	tools.Editing
	was portal.Borrower
}

// Current implements [tools.Editor].
func (u BorrowerUpdate) Current(ctx context.Context, call *tools.Call) (any, error) {
	_, borrower, err := call.Borrower(ctx, u.Process, u.Borrower)
	if err != nil {
		return nil, err
	}
	update := current(borrower)
	update.Process, update.Borrower, update.Editing = u.Process, u.Borrower, tools.Editing{Version: version(call, borrower)}
	return update, nil
}

// current returns the update that changes nothing of a borrower.
func current(borrower portal.Borrower) BorrowerUpdate {
	return BorrowerUpdate{BorrowerDetails: detailsOf(borrower.Request()), was: borrower}
}

// Reply implements [tools.Record].
func (u BorrowerUpdate) Reply() any { return u.was }

// CheckFields implements [tools.FieldChecker]. What the bank said of an id decides its meaning.
func (u BorrowerUpdate) CheckFields(ctx context.Context, call *tools.Call) []tools.Problem {
	return tools.ProblemsOf(call.Checks().Borrower(u.facts(ctx, call, u.was)), call.Actor.Lang)
}

// CheckBank implements [tools.BankChecker] with the rules across the borrowers of the process.
func (u BorrowerUpdate) CheckBank(ctx context.Context, call *tools.Call) ([]tools.Problem, error) {
	others, err := others(ctx, call, u.Process, u.was.BorrowerUniqueID)
	if err != nil {
		return nil, err
	}
	before := current(u.was)
	joining := func(d BorrowerUpdate) []tools.Problem { return d.joining(ctx, call, u.was, others) }
	return tools.DowngradeExisting(joining(before), joining(u), tools.InFields(Update.Changed(before, u))), nil
}

// FindEffect implements [tools.Verifier]: the update was made if it would change nothing now.
func (u BorrowerUpdate) FindEffect(ctx context.Context, call *tools.Call) (tools.Carder, bool, error) {
	process, err := call.Process(ctx, u.Process)
	if err != nil {
		return nil, false, err
	}
	current, err := u.Current(ctx, call)
	if err != nil && tools.AsError(err).Kind == tools.Invalid { // the borrower is deleted
		return nil, false, nil
	}
	if err != nil || len(Update.Changed(current, Update.Merge(current, u))) > 0 {
		return nil, false, err
	}
	return current.(BorrowerUpdate).done(process), true, nil
}

// Target implements [tools.Verifier].
func (u BorrowerUpdate) Target(ctx context.Context, call *tools.Call) ([]string, error) {
	return targetOf(ctx, call, u.Process, u.Borrower)
}

// request returns the bank's request. It omits an object that the bank does not have and that has no value.
func (u BorrowerUpdate) request() portal.BorrowerRequest {
	request, was := u.BorrowerDetails.request(), u.was.Request()
	if was.Personal == nil && u.Personal == (PersonalDetails{}) {
		request.Personal = nil
	}
	if was.Financial == nil && u.Financial == (FinancialDetails{}) {
		request.Financial = nil
	}
	if was.Professional == nil && u.Professional == (ProfessionalDetails{}) {
		request.Professional = nil
	}
	return request
}

func (u BorrowerUpdate) done(process tools.FoundProcess) BorrowerUpdated {
	return BorrowerUpdated{Process: process.ID, ProcessNumber: process.Number, Borrower: u.was.BorrowerUniqueID, Name: u.Personal.Name}
}

// BorrowerUpdated is a borrower whose data has changed.
type BorrowerUpdated struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	Borrower      uuid.UUID `json:"borrower"`
	Name          pii.Name  `json:"name"`
}

// Subject implements [tools.Subjecter].
func (b BorrowerUpdated) Subject() tools.Subject { return tools.Subject{Process: b.Process} }

// Card implements [tools.Carder].
func (b BorrowerUpdated) Card(say tools.Say) tools.Card {
	return tools.Card{
		Title: say("card.title"),
		Text:  say("card.text", "name", b.Name, "number", b.ProcessNumber),
		Next: []tools.Step{
			tools.NextStep("get_borrower", "process", b.Process, "borrower", b.Borrower),
			tools.NextStep("list_borrowers", "process", b.Process),
		},
	}
}
