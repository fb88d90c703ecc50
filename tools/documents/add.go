package documents

import (
	"cmp"
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/validation"
)

// Add adds documents to a process: a call of Document Create for each file, in the order in which they are given.
var Add = tools.Define(Toolset, tools.Spec{
	Name: "add_document", Effect: tools.Creates, Operations: []portal.OperationID{portal.DocumentCreate}, Needs: tools.OpenProcess,
	Next:    tools.Next{"list_documents": {"process"}, "add_document": {"process"}},
	Example: `{"process":"1042","documentTypeId":203,"title":"Recibo de outubro","files":["upload:example"]}`,
}, func(ctx context.Context, call *tools.Call, in NewDocuments) (DocumentsAdded, error) {
	process, there, err := call.Documents(ctx, in.Process)
	if err != nil {
		return DocumentsAdded{}, err
	}
	out := DocumentsAdded{Process: process.ID, ProcessNumber: process.Number, Added: []AddedDocument{}}
	_, what := call.Described(ctx, "documentTypes", &in.TypeID)
	var first error
	for i, ref := range in.Files {
		added := AddedDocument{Number: i + 1}
		if d, ok, _ := arrived(call, there, ref); ok {
			added.Document = d.DocumentUniqueID
		} else if added.Document, err = in.send(ctx, call, process.ID, ref, titleOf(in, what, i), what); err != nil {
			if !leavesOthers(err) {
				return DocumentsAdded{}, err
			}
			first = cmp.Or(first, err)
			out.Failed = append(out.Failed, FailedDocument{i + 1, ref.String(), tools.Clean(call.Reason(err))})
			continue
		}
		out.Added = append(out.Added, added)
	}
	if len(out.Added) == 0 {
		return DocumentsAdded{}, first
	}
	return out, nil
})

// NewDocuments are files of one type.
type NewDocuments struct {
	Process      tools.ProcessRef `json:"process" page:"process" validate:"required"`
	TypeID       int32            `json:"documentTypeId" page:"document" taxonomy:"documentTypes" validate:"required" pii:"open"`
	Files        tools.FileRefs   `json:"files" page:"document" validate:"required"`
	Title        pii.Title        `json:"title,omitzero" page:"document" validate:"omitempty,text=90"`
	Observations pii.FreeText     `json:"observations,omitzero" page:"document" validate:"omitempty,text=500"`
	CopyConsent
}

// titleOf returns the title of a file, numbered if there are several.
func titleOf(in NewDocuments, what string, i int) pii.Title {
	title := in.Title.Reveal()
	if title == "" {
		title = what
	}
	if len(in.Files) > 1 {
		title = fmt.Sprintf("%s %d/%d", title, i+1, len(in.Files))
	}
	return pii.New[pii.Title](title)
}

// leavesOthers reports whether further files may be sent after a failure: it is certain that this one was not stored.
func leavesOthers(err error) bool {
	switch portal.KindOf(err) {
	case portal.Refused, portal.NotFound, portal.TooMany, portal.Unavailable:
		return true
	}
	return tools.AsError(err).Kind == tools.Invalid
}

// send sends one file.
func (n NewDocuments) send(ctx context.Context, call *tools.Call, process uuid.UUID, ref tools.FileRef, title pii.Title, what string) (uuid.UUID, error) {
	file, err := call.File(ctx, "files", ref, maxSize(call))
	if err != nil {
		return uuid.Nil, err
	}
	created, err := call.Bank.CreateDocument(ctx, process, portal.DocumentRequest{
		DocumentTitle: title, DocumentTypeID: &n.TypeID, FileName: sentName(call, file, what),
		DocumentObservations: n.Observations, Content: file.Content,
	})
	return created.DocumentUniqueID, err
}

// CheckFields implements [tools.FieldChecker].
func (n NewDocuments) CheckFields(ctx context.Context, call *tools.Call) []tools.Problem {
	if n.TypeID == 0 {
		return nil
	}
	id, description := call.Described(ctx, "documentTypes", &n.TypeID)
	return n.CopyConsent.problems(call, validation.Item{ID: &id, Description: description})
}

// CheckBank implements [tools.BankChecker]: each file is of an accepted type and size, and who has consented is a borrower.
func (n NewDocuments) CheckBank(ctx context.Context, call *tools.Call) ([]tools.Problem, error) {
	if err := n.isBorrower(ctx, call, n.Process); err != nil {
		return nil, err
	}
	return checkFiles(ctx, call, "files", n.Files)
}

// FindEffect implements [tools.Verifier]: the bank's list has a document with the mark of each file. It is not known if the
// list does not show the names.
func (n NewDocuments) FindEffect(ctx context.Context, call *tools.Call) (tools.Carder, bool, error) {
	process, there, err := call.Documents(ctx, n.Process)
	if err != nil {
		return nil, false, err
	}
	out := DocumentsAdded{Process: process.ID, ProcessNumber: process.Number}
	for i, ref := range n.Files {
		d, ok, known := arrived(call, there, ref)
		switch {
		case ok:
			out.Added = append(out.Added, AddedDocument{d.DocumentUniqueID, i + 1})
		case !known:
			return nil, false, &tools.Error{Kind: tools.Unclear}
		}
	}
	return out, len(out.Added) == len(n.Files), nil
}

// Target implements [tools.Verifier]. A file that is given again is the same.
func (n NewDocuments) Target(ctx context.Context, call *tools.Call) ([]string, error) {
	process, err := call.Process(ctx, n.Process)
	target := []string{"new documents", process.ID.String()}
	for _, file := range n.Files {
		target = append(target, file.ID)
	}
	return target, err
}

// DocumentsAdded says which files have become documents of a process, and which have not.
type DocumentsAdded struct {
	Process       uuid.UUID        `json:"process"`
	ProcessNumber int64            `json:"processNumber"`
	Added         []AddedDocument  `json:"added"`
	Failed        []FailedDocument `json:"failed,omitempty"` // nothing of these is at the bank
}

// AddedDocument is a document that was added.
type AddedDocument struct {
	Document uuid.UUID `json:"document"`
	Number   int       `json:"file"` // of the files that were given, from 1
}

// FailedDocument is a file that was not added.
type FailedDocument struct {
	Number int    `json:"file"` // of the files that were given, from 1
	Type   string `json:"type,omitempty" pii:"open"`
	Reason string `json:"reason" pii:"open"`
}

// Subject implements [tools.Subjecter].
func (d DocumentsAdded) Subject() tools.Subject { return tools.Subject{Process: d.Process} }

// Card implements [tools.Carder].
func (d DocumentsAdded) Card(say tools.Say) tools.Card {
	card := tools.Card{
		Title: say("card.title"),
		Text:  say("card.text", "count", len(d.Added), "number", d.ProcessNumber),
		Next:  []tools.Step{tools.NextStep("list_documents", "process", d.Process), tools.NextStep("add_document", "process", d.Process)},
	}
	if len(d.Failed) > 0 {
		card.Title = say("card.part")
		card.Text = say("card.some", "count", len(d.Added), "all", len(d.Added)+len(d.Failed), "number", d.ProcessNumber)
	}
	for _, failed := range d.Failed {
		card.Facts = append(card.Facts, tools.Fact{Label: say("card.failed", "file", failed.Number, "type", failed.Type), Value: failed.Reason})
	}
	return card
}
