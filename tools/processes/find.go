package processes

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/tools"
)

// Find searches the broker's processes (Process List, and Process Detail of those that only the index finds).
var Find = tools.Define(Toolset, tools.Spec{
	Name: "find_processes", Effect: tools.Reads, Operations: []portal.OperationID{portal.ProcessList}, Core: true, Example: `{"turn":"partner"}`,
	Next: tools.Next{
		"find_processes": {"cursor"}, "get_process": {"process"}, "list_borrowers": {"process"}, "create_borrower": {"process"}, "get_esis": {"process"},
	},
}, func(ctx context.Context, call *tools.Call, in ProcessSearch) (ProcessList, error) {
	filter := tools.ProcessFilter{Text: in.Text, Borrower: in.Borrower, Branch: in.Branch, State: in.State, Phase: in.Phase, Turn: in.Turn}
	found, next, err := call.SearchProcesses(ctx, filter, in.Cursor, processesShown)
	if err != nil {
		return ProcessList{}, err
	}
	list := ProcessList{Total: found.Total, Partial: found.Partial, Next: next, Processes: []ProcessRow{}}
	for _, process := range found.Processes {
		row := ProcessRow{
			Process: process.ProcessUniqueID, Number: process.ProcessNumber, KeyBorrower: process.KeyBorrowerName,
			Status: call.Word(ctx, process, "ProcessStatusID"), Branch: call.Word(ctx, process, "BranchID"), LastAction: process.LastActionDate.Time,
		}
		row.Turn = call.State(ctx, tools.FoundProcess{
			ID: process.ProcessUniqueID, Number: process.ProcessNumber, StatusID: process.ProcessStatusID, Status: process.ProcessStatusDescription,
		}).Turn
		list.Processes = append(list.Processes, row)
	}
	return list, nil
})

// processesShown is the number of processes in one result, so that it fits into a message and is short for assistants.
const processesShown = 20

// ProcessSearch is a search for processes. With a cursor the other fields do not count.
type ProcessSearch struct {
	Text     pii.Name     `json:"text,omitzero" page:"search" validate:"omitempty,text=100"` // perhaps a borrower's name
	State    int32        `json:"state,omitzero" page:"search" taxonomy:"workflowStatesProposal" pii:"open"`
	Phase    int32        `json:"phase,omitzero" page:"search" taxonomy:"workflowPhases" pii:"open"`
	Turn     profile.Turn `json:"turn,omitzero" page:"search" pii:"open"`
	Branch   string       `json:"branch,omitzero" page:"search" validate:"omitempty,text=100" pii:"open"`
	Borrower pii.Name     `json:"borrower,omitzero" page:"search" validate:"omitempty,text=100"`
	Cursor   string       `json:"cursor,omitzero" page:"-" validate:"omitempty,text=100" pii:"open"`
}

// ProcessList has the newest of the processes found.
type ProcessList struct {
	Processes []ProcessRow `json:"processes"`
	Total     int          `json:"total,omitzero"`            // absent if it is not known
	Next      string       `json:"next,omitempty" pii:"open"` // the cursor of the next page
	Partial   bool         `json:"partial,omitempty"`         // there may be others
}

// ProcessRow is one process.
type ProcessRow struct {
	Process     uuid.UUID    `json:"process"`
	Number      int64        `json:"number"`
	KeyBorrower pii.Name     `json:"keyBorrower"`
	Status      string       `json:"status" pii:"open"`
	Branch      string       `json:"branch,omitempty" pii:"open"`
	Turn        profile.Turn `json:"turn,omitempty" pii:"open"` // who acts next
	LastAction  time.Time    `json:"lastAction,omitzero"`
}

// Card implements [tools.Carder].
func (l ProcessList) Card(say tools.Say) tools.Card {
	card := tools.Card{Title: say("card.title")}
	filter := tools.NextStep("find_processes").Labelled(say("step.filter"))
	filter.Form = true
	card.Next = []tools.Step{filter}
	if l.Next != "" {
		card.Next = []tools.Step{tools.NextStep("find_processes", "cursor", l.Next).Labelled(say("step.more")), filter}
	}
	switch {
	case len(l.Processes) == 0 && l.Next != "":
		card.Text = say("card.noneYet")
	case len(l.Processes) == 0 && l.Partial:
		card.Text = say("card.noneRead")
	case len(l.Processes) == 0:
		card.Text = say("card.none")
	case l.Next != "" && l.Total > len(l.Processes):
		card.Text = say("card.page", "shown", len(l.Processes), "total", l.Total)
	case l.Next != "":
		card.Text = say("card.more")
	case l.Partial:
		card.Text = say("card.partial")
	}
	if len(l.Processes) == 0 {
		return card
	}
	card.Table.Columns = []string{say("label.number"), say("label.borrower"), say("label.status"), say("label.lastAction")}
	for _, p := range l.Processes {
		card.Table.Rows = append(card.Table.Rows, []string{tools.FormatNumber(p.Number), p.KeyBorrower.String(), p.Status, tools.FormatDay(say, p.LastAction)})
		card.Table.Steps = append(card.Table.Steps, tools.NextStep("get_process", "process", p.Process).Labelled(say("step.open")))
	}
	if len(l.Processes) == 1 && l.Next == "" {
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
