package tools

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

// DocumentRef names a document of a process by the bank's uuid.
type DocumentRef string

// Class returns [pii.Open].
func (DocumentRef) Class() pii.Class { return pii.Open }

// Documents reads the documents of a process.
func (c *Call) Documents(ctx context.Context, ref ProcessRef) (FoundProcess, []portal.DocumentSummary, error) {
	process, err := c.Process(ctx, ref)
	if err != nil {
		return process, nil, err
	}
	all, err := c.Bank.ListDocuments(ctx, process.ID)
	if portal.MissingReason(err) == portal.ProcessMissing {
		err = processMissing(err)
	}
	return process, all, err
}

// Document finds a document in the list of a process.
func (c *Call) Document(ctx context.Context, process ProcessRef, ref DocumentRef) (FoundProcess, portal.DocumentSummary, error) {
	found, all, err := c.Documents(ctx, process)
	if err != nil {
		return found, portal.DocumentSummary{}, err
	}
	i := slices.IndexFunc(all, func(d portal.DocumentSummary) bool { return d.DocumentUniqueID.String() == string(ref) })
	if i < 0 {
		return found, portal.DocumentSummary{}, c.UnknownDocument(nil)
	}
	return found, all[i], nil
}

// UnknownDocument returns the error of a document that the process does not have.
func (c *Call) UnknownDocument(cause error) error {
	return &Error{Kind: Invalid, Problems: []Problem{problem(c.Actor.Lang, "document", "document.unknown")}, err: cause}
}

// DocumentOption returns the option of a document: its type, what the bank says of it, and its title without what looks
// personal.
func (c *Call) DocumentOption(ctx context.Context, d portal.DocumentSummary) Option {
	text := c.Word(ctx, d, "DocumentTypeID")
	return Option{
		Value: d.DocumentUniqueID.String(), Text: text, Clear: pii.New[pii.Private](strings.Trim(text+" · "+d.Title.Reveal(), " ·")),
		Note: strings.Trim(Clean(d.DocumentStatusDescription)+" · "+Clean(d.Title.Reveal()), " ·"),
	}
}

// documentChoices are the documents of the process beside a field.
type documentChoices struct{}

// List implements [Choices].
func (documentChoices) List(ctx context.Context, call *Call, field Field, query string, answers map[string]string) ([]Option, error) {
	_, all, err := call.Documents(ctx, ProcessRef(field.beside(Process, answers)))
	if err != nil {
		return nil, err
	}
	var options []Option
	for _, d := range all {
		if option := call.DocumentOption(ctx, d); strings.Contains(Fold(option.Text+" "+option.Note), Fold(query)) {
			options = append(options, option)
		}
	}
	return options, nil
}

// Find implements [Choices].
func (documentChoices) Find(ctx context.Context, call *Call, field Field, value string, answers map[string]string) (Option, bool) {
	id, err := uuid.Parse(value)
	if err != nil {
		return Option{}, false
	}
	_, d, err := call.Document(ctx, ProcessRef(field.beside(Process, answers)), DocumentRef(id.String()))
	if err != nil {
		return Option{}, false
	}
	return call.DocumentOption(ctx, d), true
}
