package documents

import (
	"context"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/validation"
)

// Replace replaces the file of a document (Document Update). Its type stays, and so do its title and observations unless
// others are given.
var Replace = tools.Define(Toolset, tools.Spec{
	Name: "replace_document", Effect: tools.Updates, Operations: []portal.OperationID{portal.DocumentUpdate}, Needs: tools.OpenProcess,
	Next:    tools.Next{"list_documents": {"process"}, "get_document": {"process", "document"}},
	Example: `{"process":"1043","document":"` + exampleDocument + `","file":"upload:example"}`,
}, func(ctx context.Context, call *tools.Call, in NewFile) (DocumentReplaced, error) {
	process, before, err := call.Document(ctx, in.Process, in.Document)
	if err != nil {
		return DocumentReplaced{}, err
	}
	what := call.Word(ctx, before, "DocumentTypeID")
	out := DocumentReplaced{Process: process.ID, ProcessNumber: process.Number, Document: before.DocumentUniqueID, Type: what}
	if _, ok, _ := arrived(call, []portal.DocumentSummary{before}, in.File); ok {
		return out, nil
	}
	file, err := call.File(ctx, "file", in.File, maxSize(call))
	if err != nil {
		return DocumentReplaced{}, err
	}
	sent := portal.DocumentRequest{ // whole: the bank may clear what is absent
		DocumentTitle: before.Title, DocumentTypeID: &before.DocumentTypeID, FileName: sentName(call, file, what),
		DocumentObservations: before.Observations, Content: file.Content,
	}
	if before.DocumentTypeID == 0 {
		sent.DocumentTypeID = nil
	}
	if !in.Title.IsZero() {
		sent.DocumentTitle = in.Title
	}
	if sent.DocumentTitle.IsZero() {
		sent.DocumentTitle = pii.New[pii.Title](what)
	}
	if !in.Observations.IsZero() {
		sent.DocumentObservations = in.Observations
	}
	if _, err := call.Bank.UpdateDocument(ctx, process.ID, before.DocumentUniqueID, sent); err != nil {
		return DocumentReplaced{}, err
	}
	return out, nil
})

// NewFile is the file that replaces that of a document.
type NewFile struct {
	Process      tools.ProcessRef  `json:"process" page:"process" validate:"required"`
	Document     tools.DocumentRef `json:"document" page:"document" validate:"required"`
	File         tools.FileRef     `json:"file" page:"document" validate:"required"`
	Title        pii.Title         `json:"title,omitzero" page:"document" validate:"omitempty,text=100"`
	Observations pii.FreeText      `json:"observations,omitzero" page:"document" validate:"omitempty,text=500"`
	CopyConsent
}

// CheckBank implements [tools.BankChecker]: the file is of an accepted type and size, a citizen card's copy has its holder's
// consent, and a person confirms that what the bank has accepted is replaced.
func (n NewFile) CheckBank(ctx context.Context, call *tools.Call) ([]tools.Problem, error) {
	process, before, err := call.Document(ctx, n.Process, n.Document)
	if err != nil {
		return nil, err
	}
	problems := n.CopyConsent.problems(call, validation.Item{ID: &before.DocumentTypeID, Description: call.Word(ctx, before, "DocumentTypeID")})
	if err := n.isBorrower(ctx, call, n.Process); err != nil {
		return nil, err
	}
	unfit, err := checkFiles(ctx, call, "file", tools.FileRefs{n.File})
	if problems = append(problems, unfit...); err != nil || len(problems) > 0 {
		return problems, err
	}
	if statusOf(call, before) == validation.FileAccepted {
		problems = append(problems, call.Warning("document", "replace.accepted", "type", call.Word(ctx, before, "DocumentTypeID"), "number", process.Number))
	}
	return problems, nil
}

// FindEffect implements [tools.Verifier]: the document's name in the bank's list has the mark of the file.
func (n NewFile) FindEffect(ctx context.Context, call *tools.Call) (tools.Carder, bool, error) {
	process, d, err := call.Document(ctx, n.Process, n.Document)
	if err != nil {
		return nil, false, err
	}
	_, ok, known := arrived(call, []portal.DocumentSummary{d}, n.File)
	if !known {
		return nil, false, &tools.Error{Kind: tools.Unclear}
	}
	return DocumentReplaced{
		Process: process.ID, ProcessNumber: process.Number, Document: d.DocumentUniqueID, Type: call.Word(ctx, d, "DocumentTypeID"),
	}, ok, nil
}

// Target implements [tools.Verifier]: all changes of a document have the same.
func (n NewFile) Target(ctx context.Context, call *tools.Call) ([]string, error) {
	return documentTarget(ctx, call, n.Process, n.Document)
}

func documentTarget(ctx context.Context, call *tools.Call, ref tools.ProcessRef, document tools.DocumentRef) ([]string, error) {
	process, err := call.Process(ctx, ref)
	return []string{"document", process.ID.String(), string(document)}, err
}

// DocumentReplaced is a document with a new file.
type DocumentReplaced struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	Document      uuid.UUID `json:"document"`
	Type          string    `json:"documentType" pii:"open"`
}

// Subject implements [tools.Subjecter].
func (d DocumentReplaced) Subject() tools.Subject { return tools.Subject{Process: d.Process} }

// Card implements [tools.Carder].
func (d DocumentReplaced) Card(say tools.Say) tools.Card {
	return tools.Card{
		Title: say("card.title"), Text: say("card.text", "type", d.Type, "number", d.ProcessNumber),
		Next: []tools.Step{
			tools.NextStep("list_documents", "process", d.Process), tools.NextStep("get_document", "process", d.Process, "document", d.Document),
		},
	}
}
