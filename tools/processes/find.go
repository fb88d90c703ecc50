package processes

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/tools"
)

// Find searches the broker's processes (Process List, and Process Detail of those that only the index finds).
var Find = tools.Define(Toolset, tools.Spec{
	Name: "find_processes", Effect: tools.Reads, Core: true,
	Next:    tools.Next{"get_process": {"process"}, "list_borrowers": {"process"}, "create_borrower": {"process"}, "get_esis": {"process"}},
	Example: `{"text":"1042"}`,
}, func(ctx context.Context, call *tools.Call, in ProcessSearch) (ProcessList, error) {
	found, err := call.FindProcesses(ctx, in.Text, processesShown, true)
	if err != nil {
		return ProcessList{}, err
	}
	list := ProcessList{Total: found.Total, Partial: found.Partial, Processes: []ProcessRow{}}
	for _, process := range found.Processes {
		list.Processes = append(list.Processes, ProcessRow{
			Process: process.ProcessUniqueID, Number: process.ProcessNumber, KeyBorrower: process.KeyBorrowerName,
			Status: call.Word(ctx, process, "ProcessStatusID"), Branch: call.Word(ctx, process, "BranchID"), LastAction: process.LastActionDate.Time,
		})
	}
	list.More = max(0, list.Total-len(list.Processes))
	return list, nil
})

// processesShown is the number of processes in one result, so that it fits into a message and is short for assistants.
const processesShown = 20

// ProcessSearch is a search for processes.
type ProcessSearch struct {
	Text pii.Name `json:"text,omitzero" page:"search" validate:"omitempty,text=100"` // perhaps a borrower's name
}

// ProcessList has the newest of the processes found.
type ProcessList struct {
	Processes []ProcessRow `json:"processes"`
	Total     int          `json:"total"`
	More      int          `json:"more"`              // found and not listed here
	Partial   bool         `json:"partial,omitempty"` // there may be others
}

// ProcessRow is one process.
type ProcessRow struct {
	Process     uuid.UUID `json:"process"`
	Number      int64     `json:"number"`
	KeyBorrower pii.Name  `json:"keyBorrower"`
	Status      string    `json:"status" pii:"open"`
	Branch      string    `json:"branch,omitempty" pii:"open"`
	LastAction  time.Time `json:"lastAction,omitzero"`
}

// Card implements [tools.Carder].
func (l ProcessList) Card(say tools.Say) tools.Card {
	card := tools.Card{Title: say("card.title")}
	switch {
	case len(l.Processes) == 0:
		card.Text = say("card.none")
		if l.Partial {
			card.Text = say("card.noneRead")
		}
		return card
	case l.More > 0:
		card.Text = say("card.more", "count", l.More)
	case l.Partial:
		card.Text = say("card.partial")
	}
	card.Table.Columns = []string{say("label.number"), say("label.borrower"), say("label.status"), say("label.lastAction")}
	for _, p := range l.Processes {
		card.Table.Rows = append(card.Table.Rows, []string{tools.FormatNumber(p.Number), p.KeyBorrower.String(), p.Status, tools.FormatDay(say, p.LastAction)})
		card.Table.Steps = append(card.Table.Steps, tools.NextStep("get_process", "process", p.Process).Labelled(say("step.open")))
	}
	if len(l.Processes) == 1 {
		process := l.Processes[0].Process
		card.Table.Steps = nil // the card has the same below
		card.Next = []tools.Step{
			tools.NextStep("get_process", "process", process),
			tools.NextStep("list_borrowers", "process", process),
			tools.NextStep("create_borrower", "process", process),
			tools.NextStep("get_esis", "process", process),
		}
	}
	return card
}
