package documents

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/validation"
)

// List lists the documents of a process and those that the bank asks for (Document List).
var List = tools.Define(Toolset, tools.Spec{
	Name: "list_documents", Effect: tools.Reads, Operations: []portal.OperationID{portal.DocumentList}, CardOrder: 2,
	Next: tools.Next{
		"get_document": {"process", "document"}, "add_document": {"process", "documentTypeId"},
		"replace_document": {"process", "document"}, "remove_document": {"process", "document"},
	},
	Example: `{"process":"1043"}`,
}, func(ctx context.Context, call *tools.Call, in tools.OfProcess) (DocumentList, error) {
	process, all, err := call.Documents(ctx, in.Process)
	if err != nil {
		return DocumentList{}, err
	}
	list := DocumentList{Process: process.ID, ProcessNumber: process.Number, Documents: []DocumentRow{}}
	for _, d := range all {
		status := statusOf(call, d)
		list.Documents = append(list.Documents, DocumentRow{
			Document: d.DocumentUniqueID, TypeID: d.DocumentTypeID, Type: call.Word(ctx, d, "DocumentTypeID"),
			Status: tools.Clean(d.DocumentStatusDescription), Asked: status == validation.FileRequested, Refused: status == validation.FileRefused,
			Title: tools.Clean(d.Title.Reveal()), FileName: tools.Clean(d.FileName.Reveal()), Observations: tools.Clean(d.Observations.Reveal()),
			Added: d.CreationDate.Time,
		})
	}
	return list, nil
})

// statusOf returns what the bank says of a document.
func statusOf(call *tools.Call, d portal.DocumentSummary) validation.FileStatus {
	return call.Checks().FileStatus(validation.Item{ID: d.DocumentStatusID, Description: d.DocumentStatusDescription})
}

// DocumentList has the documents of a process, in the bank's order.
type DocumentList struct {
	Process       uuid.UUID     `json:"process"`
	ProcessNumber int64         `json:"processNumber"`
	Documents     []DocumentRow `json:"documents"`
}

// DocumentRow is one document. The texts that people wrote are without what looks personal.
type DocumentRow struct {
	Document     uuid.UUID `json:"document"`
	TypeID       int32     `json:"documentTypeId"`
	Type         string    `json:"documentType" pii:"open"`
	Status       string    `json:"status,omitempty" pii:"open"` // in the bank's words
	Asked        bool      `json:"asked"`                       // the bank asks for it and has no file
	Refused      bool      `json:"refused,omitempty"`
	Title        string    `json:"title,omitempty" pii:"open"`
	FileName     string    `json:"fileName,omitempty" pii:"open"`
	Observations string    `json:"observations,omitempty" pii:"open"`
	Added        time.Time `json:"added,omitzero"`
}

// Card implements [tools.Carder].
func (l DocumentList) Card(say tools.Say) tools.Card {
	card := tools.Card{
		Title: say("card.title", "number", l.ProcessNumber),
		Next:  []tools.Step{tools.NextStep("get_document", "process", l.Process)},
	}
	if len(l.Documents) == 0 {
		card.Text = say("card.none")
		card.Next = []tools.Step{tools.NextStep("add_document", "process", l.Process)}
		return card
	}
	card.Table.Columns = []string{say("label.documentType"), say("label.status"), say("label.title"), say("label.added")}
	add := tools.NextStep("add_document", "process", l.Process)
	missing := 0
	for _, d := range l.Documents {
		if d.Asked {
			missing++
			if missing == 1 {
				add = tools.NextStep("add_document", "process", l.Process, "documentTypeId", d.TypeID).Labelled(say("card.add", "type", d.Type))
			}
		}
		card.Table.Rows = append(card.Table.Rows, []string{d.Type, d.Status, d.Title, tools.FormatDay(say, d.Added)})
		card.Table.IDs = append(card.Table.IDs, d.Document.String())
	}
	if missing > 0 {
		card.Text = say("card.asked", "count", missing)
	}
	card.Next = append(card.Next, add, tools.NextStep("replace_document", "process", l.Process), tools.NextStep("remove_document", "process", l.Process))
	return card
}
