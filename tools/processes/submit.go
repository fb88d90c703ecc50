package processes

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// Submit hands a process to the bank (Process Submit). It cannot be taken back.
var Submit = tools.Define(Toolset, tools.Spec{
	Name: "submit_process", Effect: tools.Sends, Operations: []portal.OperationID{portal.ProcessSubmit}, Needs: tools.InCreation,
	Next:    tools.Next{"get_process": {"process"}, "list_messages": {"process"}},
	Example: `{"process":"1042"}`,
}, func(ctx context.Context, call *tools.Call, in Submission) (ProcessSubmitted, error) {
	process, err := call.Process(ctx, in.Process)
	if err != nil {
		return ProcessSubmitted{}, err
	}
	if _, err := call.Bank.SubmitProcess(ctx, process.ID); err != nil {
		return ProcessSubmitted{}, err
	}
	return ProcessSubmitted{Process: process.ID, ProcessNumber: process.Number}, nil
})

// Submission names a process to submit.
type Submission struct{ tools.OfProcess }

// CheckBank implements [tools.BankChecker]: a person confirms what is submitted, and what seems to be missing. Which conditions
// the bank has is not public, so that what is missing does not prevent anything.
func (s Submission) CheckBank(ctx context.Context, call *tools.Call) ([]tools.Problem, error) {
	check, err := check(ctx, call, s.Process)
	if err != nil {
		return nil, err
	}
	problems := []tools.Problem{
		call.Warning("", "submit.confirm", "number", check.Number, "amount", check.amount.String(), "borrowers", check.borrowers),
	}
	if len(check.Missing) > 0 {
		var missing []string
		for _, one := range check.Missing {
			missing = append(missing, one.text())
		}
		problems = append(problems, call.Warning("", "submit.missing", "missing", strings.Join(missing, "; ")))
	}
	return problems, nil
}

// FindEffect implements [tools.Verifier]: the process is in a state after its creation. It was in creation when the call was
// checked.
func (s Submission) FindEffect(ctx context.Context, call *tools.Call) (tools.Carder, bool, error) {
	process, state, err := now(ctx, call, s.Process)
	if err != nil || !tools.Submitted(state) {
		return nil, false, err
	}
	return ProcessSubmitted{Process: process.ProcessUniqueID, ProcessNumber: process.ProcessNumber}, true, nil
}

// Target implements [tools.Verifier].
func (s Submission) Target(ctx context.Context, call *tools.Call) ([]string, error) {
	return target(ctx, call, s.Process)
}

// ProcessSubmitted is a process that was handed to the bank.
type ProcessSubmitted struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
}

// Subject implements [tools.Subjecter].
func (p ProcessSubmitted) Subject() tools.Subject { return tools.Subject{Process: p.Process} }

// Card implements [tools.Carder].
func (p ProcessSubmitted) Card(say tools.Say) tools.Card {
	return tools.Card{
		Title: say("card.title", "number", p.ProcessNumber), Text: say("card.text"),
		Next: []tools.Step{
			tools.NextStep("get_process", "process", p.Process), tools.NextStep("list_messages", "process", p.Process),
		},
	}
}
