package documents

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// Remove removes a document of a process (Document Delete).
var Remove = tools.Define(Toolset, tools.Spec{
	Name: "remove_document", Effect: tools.Deletes, Operations: []portal.OperationID{portal.DocumentDelete}, Needs: tools.OpenProcess,
	Next:    tools.Next{"list_documents": {"process"}},
	Example: `{"process":"1043","document":"` + exampleDocument + `"}`,
}, func(ctx context.Context, call *tools.Call, in DocumentRemoval) (DocumentRemoved, error) {
	process, d, err := call.Document(ctx, in.Process, in.Document)
	if err != nil {
		return DocumentRemoved{}, err
	}
	if _, err := call.Bank.DeleteDocument(ctx, process.ID, d.DocumentUniqueID); err != nil {
		return DocumentRemoved{}, err
	}
	return DocumentRemoved{Process: process.ID, ProcessNumber: process.Number, Type: call.Word(ctx, d, "DocumentTypeID")}, nil
})

// DocumentRemoval is a document to remove.
type DocumentRemoval struct{ tools.OfDocument }

// CheckBank implements [tools.BankChecker]: a person confirms.
func (r DocumentRemoval) CheckBank(ctx context.Context, call *tools.Call) ([]tools.Problem, error) {
	process, d, err := call.Document(ctx, r.Process, r.Document)
	if err != nil {
		return nil, err
	}
	option := call.DocumentOption(ctx, d)
	warning := call.InClear(call.Warning("document", "remove.document", "what", option.Text, "number", process.Number), "what", option.Clear, "number", process.Number)
	return []tools.Problem{call.About(warning, "number", process.Number, "type", d.DocumentTypeID, "title", d.Title.Reveal())}, nil
}

// FindEffect implements [tools.Verifier]: the process no longer has the document. It had it when the call was checked.
func (r DocumentRemoval) FindEffect(ctx context.Context, call *tools.Call) (tools.Carder, bool, error) {
	process, all, err := call.Documents(ctx, r.Process)
	if err != nil {
		return nil, false, err
	}
	still := slices.ContainsFunc(all, func(d portal.DocumentSummary) bool { return d.DocumentUniqueID.String() == string(r.Document) })
	return DocumentRemoved{Process: process.ID, ProcessNumber: process.Number}, !still, nil
}

// Target implements [tools.Verifier].
func (r DocumentRemoval) Target(ctx context.Context, call *tools.Call) ([]string, error) {
	return documentTarget(ctx, call, r.Process, r.Document)
}

// DocumentRemoved is a document that was removed.
type DocumentRemoved struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	Type          string    `json:"documentType,omitempty" pii:"open"` // "" if it could no longer be read
}

// Subject implements [tools.Subjecter].
func (d DocumentRemoved) Subject() tools.Subject { return tools.Subject{Process: d.Process} }

// Card implements [tools.Carder].
func (d DocumentRemoved) Card(say tools.Say) tools.Card {
	return tools.Card{
		Title: say("card.title"), Text: say("card.text", "type", d.Type, "number", d.ProcessNumber),
		Next: []tools.Step{tools.NextStep("list_documents", "process", d.Process)},
	}
}
