package processes

import (
	"context"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/tools"
)

// Cancel ends a process (Process Cancel). That the bank wants a reason of its list is a guess: a bank that does not ignores it.
var Cancel = tools.Define(Toolset, tools.Spec{
	Name: "cancel_process", Effect: tools.Deletes, Operations: []portal.OperationID{portal.ProcessCancel}, Needs: tools.OpenProcess,
	Next:    tools.Next{"get_process": {"process"}},
	Example: `{"process":"1042","reason":1}`,
}, func(ctx context.Context, call *tools.Call, in Cancellation) (ProcessCancelled, error) {
	process, err := call.Process(ctx, in.Process)
	if err != nil {
		return ProcessCancelled{}, err
	}
	if _, err := call.Bank.CancelProcess(ctx, process.ID, in.Reason); err != nil {
		return ProcessCancelled{}, err
	}
	return ProcessCancelled{Process: process.ID, ProcessNumber: process.Number}, nil
})

// Cancellation names a process to cancel, and why.
type Cancellation struct {
	Process tools.ProcessRef `json:"process" page:"process" validate:"required"`
	Reason  int32            `json:"reason" page:"reason" taxonomy:"proposalCancelReasons" validate:"required,choice" pii:"open"`
}

// CheckBank implements [tools.BankChecker]: a person confirms that the process ends.
func (c Cancellation) CheckBank(ctx context.Context, call *tools.Call) ([]tools.Problem, error) {
	process, err := call.Process(ctx, c.Process)
	if err != nil {
		return nil, err
	}
	warning := call.Warning("process", "cancel.confirm", "number", process.Number, "status", call.StatusWord(ctx, process))
	return []tools.Problem{call.About(warning, "number", process.Number, "status", process.StatusID)}, nil
}

// FindEffect implements [tools.Verifier]: the process is cancelled. It was open when the call was checked.
func (c Cancellation) FindEffect(ctx context.Context, call *tools.Call) (tools.Carder, bool, error) {
	process, state, err := now(ctx, call, c.Process)
	if err != nil || state.Ends != profile.Cancelled {
		return nil, false, err
	}
	return ProcessCancelled{Process: process.ProcessUniqueID, ProcessNumber: process.ProcessNumber}, true, nil
}

// Target implements [tools.Verifier].
func (c Cancellation) Target(ctx context.Context, call *tools.Call) ([]string, error) {
	return target(ctx, call, c.Process)
}

// ProcessCancelled is a process that was cancelled.
type ProcessCancelled struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
}

// Subject implements [tools.Subjecter].
func (p ProcessCancelled) Subject() tools.Subject { return tools.Subject{Process: p.Process} }

// Card implements [tools.Carder].
func (p ProcessCancelled) Card(say tools.Say) tools.Card {
	return tools.Card{
		Title: say("card.title", "number", p.ProcessNumber), Text: say("card.text"),
		Next: []tools.Step{tools.NextStep("get_process", "process", p.Process)},
	}
}
