package processes

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/tools"
)

// Get shows a process: its state, what was last done, its loan and its borrowers (Process Detail, Borrower List, and
// Borrower Get for each borrower).
var Get = tools.Define(Toolset, tools.Spec{
	Name: "get_process", Effect: tools.Reads, Operations: []portal.OperationID{portal.ProcessDetail}, Core: true,
	Resource: "balcao://processes/{process}",
	Next: tools.Next{
		"list_borrowers": {"process"}, "get_borrower": {"process", "borrower"}, "create_borrower": {"process"}, "get_esis": {"process"},
		"list_documents": {"process"}, "list_messages": {"process"}, "check_process": {"process"}, "update_process": {"process"}, "submit_process": {"process"}, "cancel_process": {"process"},
		"get_property": {"process"}, "get_simulation": {"simulation"},
	},
	Example: `{"process":"1042"}`,
}, func(ctx context.Context, call *tools.Call, in tools.OfProcess) (ProcessDetails, error) {
	process, borrowers, err := call.BorrowerNames(ctx, in.Process)
	if err != nil {
		return ProcessDetails{}, err
	}
	found := tools.FoundProcess{ID: process.ProcessUniqueID, Number: process.ProcessNumber, StatusID: process.ProcessStatusID, Status: process.ProcessStatusDescription}
	said := profile.Phase{Description: process.ProcessPhaseDescription}
	if process.ProcessPhaseID != nil {
		said.ID = *process.ProcessPhaseID
	}
	state := call.State(ctx, found)
	details := ProcessDetails{
		submitted: tools.Submitted(state) || state.Ends != profile.Open,
		scheme:    call.Word(ctx, process, "ProductSchemeID"), product: call.Word(ctx, process, "ProductPurposeID"),
		Process: process.ProcessUniqueID, Number: process.ProcessNumber, simulation: process.SimulationNumber,
		Status: call.Word(ctx, process, "ProcessStatusID"), Phase: call.Phase(ctx, found, said), Turn: state.Turn,
		LastAction: process.LastActionDescription, LastActionDate: process.LastActionDate.Time,
		LoanAmount: process.LoanAmount, PropertyPrice: process.AcquisitionAmount,
		Purpose: call.Word(ctx, process, "LoanPurposeID"), Branch: call.Word(ctx, process, "BranchID"), Borrowers: []ProcessBorrower{},
	}
	if process.LoanDurationMonths != nil {
		details.TermMonths = *process.LoanDurationMonths
	}
	for _, borrower := range borrowers {
		row := ProcessBorrower{Borrower: borrower.BorrowerUniqueID, Role: call.Word(ctx, borrower, "BorrowerTypeID")}
		if borrower.Personal != nil {
			row.Name = borrower.Personal.Name
		}
		details.Borrowers = append(details.Borrowers, row)
	}
	return details, nil
})

// ProcessDetails is a process with its borrowers. What the bank does not say is absent.
type ProcessDetails struct {
	Process        uuid.UUID         `json:"process"`
	Number         int64             `json:"number"`
	Status         string            `json:"status" pii:"open"`
	Phase          string            `json:"phase,omitempty" pii:"open"`
	Turn           profile.Turn      `json:"turn,omitempty" pii:"open"` // who acts next
	LastAction     string            `json:"lastAction,omitempty" pii:"open"`
	LastActionDate time.Time         `json:"lastActionDate,omitzero"`
	LoanAmount     pii.Money         `json:"loanAmount,omitzero"`
	PropertyPrice  pii.Money         `json:"propertyPrice,omitzero"`
	TermMonths     int32             `json:"termMonths,omitzero"`
	Purpose        string            `json:"purpose,omitempty" pii:"open"`
	Branch         string            `json:"branch,omitempty" pii:"open"`
	Borrowers      []ProcessBorrower `json:"borrowers"`

	simulation      int64  // the number of the one that it was made of; as the next ones
	scheme, product string // for the card only: assistants' list of tools is bounded
	submitted       bool
}

// ProcessBorrower is one borrower of a process.
type ProcessBorrower struct {
	Borrower uuid.UUID `json:"borrower"`
	Role     string    `json:"role" pii:"open"`
	Name     pii.Name  `json:"name"`
}

// Card implements [tools.Carder].
func (p ProcessDetails) Card(say tools.Say) tools.Card {
	card := tools.Card{
		Title: say("card.title", "number", p.Number),
		Next: []tools.Step{
			tools.NextStep("list_borrowers", "process", p.Process),
			tools.NextStep("get_esis", "process", p.Process),
			tools.NextStep("list_documents", "process", p.Process),
			tools.NextStep("get_property", "process", p.Process),
			tools.NextStep("list_messages", "process", p.Process),
		},
	}
	if p.simulation == 0 { // else the borrowers came from the simulation, and a card has ten buttons
		card.Next = slices.Insert(card.Next, 1, tools.NextStep("create_borrower", "process", p.Process))
	}
	if !p.submitted {
		card.Next = append(card.Next, tools.NextStep("check_process", "process", p.Process))
	}
	for _, tool := range []string{"update_process", "submit_process", "cancel_process"} { // as its state allows
		card.Next = append(card.Next, tools.NextStep(tool, "process", p.Process))
	}
	simulation := ""
	if p.simulation > 0 {
		simulation = tools.FormatNumber(p.simulation)
		card.Next = append(card.Next, tools.NextStep("get_simulation", "simulation", p.simulation))
	}
	turn, term, last := "", "", []string{tools.Clean(p.LastAction), tools.FormatDay(say, p.LastActionDate)}
	if p.Turn != profile.Nobody {
		turn = say("turn." + string(p.Turn))
	}
	if p.TermMonths > 0 {
		term = say("card.term", "count", p.TermMonths)
	}
	last = slices.DeleteFunc(last, func(part string) bool { return part == "" })
	for _, fact := range []tools.Fact{
		{Label: say("label.status"), Value: p.Status},
		{Label: say("label.phase"), Value: p.Phase},
		{Label: say("label.turn"), Value: turn},
		{Label: say("label.lastAction"), Value: strings.Join(last, " · ")},
		{Label: say("label.loanAmount"), Value: p.LoanAmount.String()},
		{Label: say("label.propertyPrice"), Value: p.PropertyPrice.String()},
		{Label: say("label.term"), Value: term},
		{Label: say("label.purpose"), Value: p.Purpose},
		{Label: say("list.productPurposes"), Value: p.product},
		{Label: say("list.productSchemes"), Value: p.scheme},
		{Label: say("label.branch"), Value: p.Branch},
		{Label: say("label.simulation"), Value: simulation},
	} {
		if fact.Value != "" {
			card.Facts = append(card.Facts, fact)
		}
	}
	if len(p.Borrowers) == 0 {
		card.Text = say("card.none")
		return card
	}
	card.Table.Columns = []string{say("label.borrower"), say("label.role")}
	for _, b := range p.Borrowers {
		card.Table.Rows = append(card.Table.Rows, []string{b.Name.String(), b.Role})
		card.Table.IDs = append(card.Table.IDs, b.Borrower.String())
		card.Table.Steps = append(card.Table.Steps, tools.NextStep("get_borrower", "process", p.Process, "borrower", b.Borrower).Labelled(say("step.open")))
	}
	return card
}
