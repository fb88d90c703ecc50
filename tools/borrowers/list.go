package borrowers

import (
	"context"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// List lists the borrowers of a process (Process Detail and Borrower List, and Borrower Get for those whose names are not known).
var List = tools.Define(Toolset, tools.Spec{
	Name: "list_borrowers", Effect: tools.Reads, Operations: []portal.OperationID{portal.BorrowerList}, Core: true, CardOrder: 1,
	Next:    tools.Next{"get_borrower": {"process"}, "create_borrower": {"process"}, "get_esis": {"process"}},
	Example: `{"process":"1043"}`,
}, func(ctx context.Context, call *tools.Call, in tools.OfProcess) (BorrowerList, error) {
	_, borrowers, err := call.BorrowerNames(ctx, in.Process)
	if err != nil {
		return BorrowerList{}, err
	}
	process, err := call.Process(ctx, in.Process) // which was read
	if err != nil {
		return BorrowerList{}, err
	}
	list := BorrowerList{Process: process.ID, ProcessNumber: process.Number, Status: call.StatusWord(ctx, process), Borrowers: []BorrowerRow{}}
	for _, borrower := range borrowers {
		row := BorrowerRow{
			Borrower: borrower.BorrowerUniqueID, Role: call.Word(ctx, borrower, "BorrowerTypeID"),
			Relation: call.Word(ctx, borrower, "KeyBorrowerRelationID"),
		}
		if borrower.Personal != nil {
			row.Name, row.TaxID = borrower.Personal.Name, borrower.Personal.TaxID
		}
		list.Borrowers = append(list.Borrowers, row)
	}
	return list, nil
})

// BorrowerList has the borrowers of a process, in the bank's order.
type BorrowerList struct {
	Process       uuid.UUID     `json:"process"`
	ProcessNumber int64         `json:"processNumber"`
	Status        string        `json:"status" pii:"open"`
	Borrowers     []BorrowerRow `json:"borrowers"`
}

// BorrowerRow is one borrower.
type BorrowerRow struct {
	Borrower uuid.UUID `json:"borrower"`
	Role     string    `json:"role" pii:"open"`
	Relation string    `json:"relation,omitempty" pii:"open"`
	Name     pii.Name  `json:"name"`
	TaxID    pii.TaxID `json:"taxId"`
}

// Card implements [tools.Carder].
func (l BorrowerList) Card(say tools.Say) tools.Card {
	card := tools.Card{
		Title: say("card.title", "number", l.ProcessNumber),
		Facts: []tools.Fact{{Label: say("label.status"), Value: l.Status}},
		Next: []tools.Step{
			tools.NextStep("get_borrower", "process", l.Process),
			tools.NextStep("create_borrower", "process", l.Process),
			tools.NextStep("get_esis", "process", l.Process),
		},
	}
	if len(l.Borrowers) == 0 {
		card.Text = say("card.none")
		return card
	}
	card.Table.Columns = []string{say("label.borrower"), say("label.role"), say("label.relation"), say("label.taxId")}
	for _, b := range l.Borrowers {
		card.Table.Rows = append(card.Table.Rows, []string{b.Name.String(), b.Role, b.Relation, b.TaxID.String()})
		card.Table.IDs = append(card.Table.IDs, b.Borrower.String())
	}
	return card
}
