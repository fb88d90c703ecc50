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

// SendESIS has the bank e-mail the ESIS of a process (Process ESIS Email). It has no [tools.Verifier]: the bank offers no way
// to see whether an e-mail went out, so that one in doubt is never sent again. Nor can the rules of Law 24/2023 be skipped
// here: what is made without them is not for clients.
var SendESIS = tools.Define(Toolset, tools.Spec{
	Name: "send_esis", Effect: tools.Sends, Needs: tools.NotCancelled,
	Next: tools.Next{"list_borrowers": {"process"}},
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

// ESISEmail says whom to send the ESIS of which process: one of the two. An assistant sends to no address but the one that
// the bank holds of a borrower.
type ESISEmail struct {
	Process  tools.ProcessRef  `json:"process" page:"process" validate:"required"`
	Borrower tools.BorrowerRef `json:"borrower,omitzero" page:"recipient"`
	Email    pii.Email         `json:"email,omitzero" page:"recipient" only:"people" validate:"omitempty,email_address"`
}

// CheckFields implements [tools.FieldChecker].
func (e ESISEmail) CheckFields(_ context.Context, call *tools.Call) []tools.Problem {
	switch {
	case e.Borrower == "" && e.Email.IsZero():
		return []tools.Problem{call.Problem("borrower", "recipient.missing")}
	case e.Borrower != "" && !e.Email.IsZero():
		return []tools.Problem{call.Problem("email", "recipient.two")}
	}
	return nil
}

// CheckBank implements [tools.BankChecker]: a person confirms where a client's document goes, and once more when that is no
// address of the process's borrowers. An assistant does not send to an address that an assistant has set.
func (e ESISEmail) CheckBank(ctx context.Context, call *tools.Call) ([]tools.Problem, error) {
	process, to, err := e.recipient(ctx, call)
	if err != nil {
		return nil, err
	}
	problems := []tools.Problem{
		call.InClear(call.Warning("", "recipient.send", "email", to, "number", process.Number), "email", to, "number", process.Number),
	}
	if call.Actor.Assistant {
		switch set, err := call.SetByAssistant(ctx, to); {
		case err != nil:
			return nil, err
		case set:
			return []tools.Problem{call.Problem("borrower", "recipient.set_by_assistant", "command", SendESIS.Command(call.Actor.Lang))}, nil
		}
	}
	if e.Borrower != "" {
		return problems, nil
	}
	borrowers, err := call.Borrowers(ctx, process.ID)
	if err != nil {
		return nil, err
	}
	theirs := func(b portal.Borrower) bool { return strings.EqualFold(emailOf(b).Reveal(), to.Reveal()) }
	if !slices.ContainsFunc(borrowers, theirs) {
		problems = append(problems, call.Warning("email", "recipient.other"))
	}
	return problems, nil
}

// recipient is the address to send to.
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

// ESISSent says where the document went.
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
