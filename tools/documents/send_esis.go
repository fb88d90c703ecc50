package documents

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// SendESIS lets the bank send the ESIS of a process by e-mail (Process ESIS Email). Its input is no [tools.Verifier]: the bank
// does not show whether an e-mail was sent, so that one with an unclear outcome is never sent again. The rules of Law 24/2023
// cannot be ignored: a document without them is not for clients.
var SendESIS = tools.Define(Toolset, tools.Spec{
	Name: "send_esis", Effect: tools.Sends, Operations: []portal.OperationID{portal.ProcessESISEmail}, Needs: tools.NotCancelled,
	Next:    tools.Next{"list_borrowers": {"process"}},
	Example: `{"process":"1043","borrower":"8f9bd496-6ee8-52c7-a8b7-fd3dca20c2a0"}`,
}, func(ctx context.Context, call *tools.Call, in ESISEmail) (ESISSent, error) {
	process, to, err := in.recipient(ctx, call)
	if err != nil {
		return ESISSent{}, err
	}
	if _, err := call.Bank.EmailProcessESIS(ctx, process.ID, portal.ESISEmail{To: to}); err != nil {
		return ESISSent{}, err
	}
	return ESISSent{Process: process.ID, ProcessNumber: process.Number, To: to}, nil
})

// ESISEmail names a process and the recipient of its ESIS: a borrower or an address. An assistant may only send to the
// address that the bank has of a borrower.
type ESISEmail struct {
	Process  tools.ProcessRef  `json:"process" page:"process" validate:"required"`
	Borrower tools.BorrowerRef `json:"borrower,omitzero" page:"recipient" required:"assistants"`
	Email    pii.Email         `json:"email,omitzero" page:"recipient" only:"people" validate:"omitempty,email_address"`
}

// CheckFields implements [tools.FieldChecker].
func (e ESISEmail) CheckFields(_ context.Context, call *tools.Call) []tools.Problem {
	return call.CheckRecipient(e.Borrower != "", e.Email)
}

// CheckBank implements [tools.BankChecker]: a person confirms the recipient, and once more if the address is not of a borrower
// of the process. An assistant may not send to an address that an assistant has set.
func (e ESISEmail) CheckBank(ctx context.Context, call *tools.Call) ([]tools.Problem, error) {
	process, to, err := e.recipient(ctx, call)
	if err != nil {
		return nil, err
	}
	if e.Borrower != "" {
		return call.ConfirmRecipient(ctx, to, process.Number, nil)
	}
	return call.ConfirmRecipient(ctx, to, process.Number, func() (bool, error) {
		borrowers, err := call.Borrowers(ctx, process.ID)
		return slices.ContainsFunc(borrowers, func(b portal.Borrower) bool { return strings.EqualFold(emailOf(b).Reveal(), to.Reveal()) }), err
	})
}

// recipient returns the address to send to.
func (e ESISEmail) recipient(ctx context.Context, call *tools.Call) (process tools.FoundProcess, to pii.Email, err error) {
	if e.Borrower == "" {
		process, err = call.Process(ctx, e.Process)
		return process, e.Email, err
	}
	process, borrower, err := call.Borrower(ctx, e.Process, e.Borrower)
	if to = emailOf(borrower); err == nil && to.IsZero() {
		err = &tools.Error{Kind: tools.Invalid, Problems: []tools.Problem{call.Problem("borrower", "recipient.no_address")}}
	}
	return process, to, err
}

func emailOf(b portal.Borrower) pii.Email {
	if b.Personal == nil {
		return pii.Email{}
	}
	return b.Personal.Email
}

// ESISSent has the recipient of a document.
type ESISSent struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	To            pii.Email `json:"to"`
}

// Subject implements [tools.Subjecter].
func (e ESISSent) Subject() tools.Subject { return tools.Subject{Process: e.Process} }

// Card implements [tools.Carder].
func (e ESISSent) Card(say tools.Say) tools.Card {
	return tools.Card{
		Title: say("card.title", "number", e.ProcessNumber),
		Text:  say("card.text", "email", e.To),
		Next:  []tools.Step{tools.NextStep("list_borrowers", "process", e.Process)},
	}
}
