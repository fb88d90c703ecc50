package processes

import (
	"context"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// Update changes what a process asks for, while it is in creation (Process Update). The bank may clear fields that an update
// omits, so the update has all data of the bank, with the changes.
var Update = tools.Define(Toolset, tools.Spec{
	Name: "update_process", Effect: tools.Updates, Operations: []portal.OperationID{portal.ProcessUpdate}, Needs: tools.InCreation,
	Next:    tools.Next{"get_process": {"process"}, "check_process": {"process"}},
	Example: `{"process":"1042","loanAmount":65000,"loanDurationMonths":180}`,
}, func(ctx context.Context, call *tools.Call, in ProcessChange) (ProcessUpdated, error) {
	if _, err := call.Bank.UpdateProcess(ctx, in.was.ProcessUniqueID, in.request()); err != nil {
		return ProcessUpdated{}, err
	}
	return in.done(), nil
})

// ProcessChange has the changes of a process.
type ProcessChange struct {
	Process tools.ProcessRef `json:"process" page:"process" validate:"required"`
	Terms
	tools.Editing
	was portal.Process
}

// Current implements [tools.Editor].
func (u ProcessChange) Current(ctx context.Context, call *tools.Call) (any, error) {
	process, err := call.ProcessDetail(ctx, u.Process)
	if err != nil {
		return nil, err
	}
	return u.current(call, process)
}

// current returns the update that changes nothing of a process.
func (u ProcessChange) current(call *tools.Call, process portal.Process) (ProcessChange, error) {
	request := process.Request()
	data, err := pii.MarshalClear(request)
	return ProcessChange{
		Process: u.Process, Terms: termsOf(request), was: process,
		Editing: tools.Editing{Version: call.Fingerprint(append([]byte("process "), data...))[:16]},
	}, err
}

// Reply implements [tools.Record].
func (u ProcessChange) Reply() any { return u.was }

// CheckFields implements [tools.FieldChecker].
func (u ProcessChange) CheckFields(_ context.Context, call *tools.Call) []tools.Problem {
	return u.problems(call)
}

// FindEffect implements [tools.Verifier]: the update was made if it would change nothing now.
func (u ProcessChange) FindEffect(ctx context.Context, call *tools.Call) (tools.Carder, bool, error) {
	process, _, err := now(ctx, call, u.Process)
	if err != nil {
		return nil, false, err
	}
	current, err := u.current(call, process)
	if err != nil || len(Update.Changed(current, Update.Merge(current, u))) > 0 {
		return nil, false, err
	}
	return current.done(), true, nil
}

// Target implements [tools.Verifier].
func (u ProcessChange) Target(ctx context.Context, call *tools.Call) ([]string, error) {
	return target(ctx, call, u.Process)
}

func (u ProcessChange) done() ProcessUpdated {
	return ProcessUpdated{Process: u.was.ProcessUniqueID, ProcessNumber: u.was.ProcessNumber}
}

// ProcessUpdated is a process of which the data has changed.
type ProcessUpdated struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
}

// Subject implements [tools.Subjecter].
func (p ProcessUpdated) Subject() tools.Subject { return tools.Subject{Process: p.Process} }

// Card implements [tools.Carder].
func (p ProcessUpdated) Card(say tools.Say) tools.Card {
	return tools.Card{
		Title: say("card.title", "number", p.ProcessNumber),
		Next: []tools.Step{
			tools.NextStep("get_process", "process", p.Process), tools.NextStep("check_process", "process", p.Process),
		},
	}
}
