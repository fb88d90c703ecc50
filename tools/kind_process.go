package tools

import (
	"context"
	"slices"

	"github.com/balcao/balcao/internal/pii"
)

// ProcessRef names a process as people do: by its number ("1042") or by its uuid.
type ProcessRef string

// Class returns [pii.Open].
func (ProcessRef) Class() pii.Class { return pii.Open }

// processChoices are the broker's processes.
type processChoices struct{}

// List implements [Choices].
func (processChoices) List(ctx context.Context, call *Call, _ Field, query string, _ map[string]string) ([]Option, error) {
	found, err := call.FindProcesses(ctx, pii.New[pii.Name](query), MaxOptions, false)
	if err != nil {
		return nil, err
	}
	var options []Option
	for _, process := range found.Processes {
		options = append(options, Option{
			Value: process.ProcessUniqueID.String(),
			Text:  FormatNumber(process.ProcessNumber) + " · " + process.KeyBorrowerName.String(),
			Note:  call.Word(ctx, process, "ProcessStatusID"),
		})
	}
	return options, nil
}

// Find implements [Choices]. The option of a single process does not name the client.
func (processChoices) Find(ctx context.Context, call *Call, _ Field, value string, _ map[string]string) (Option, bool) {
	process, err := call.Process(ctx, ProcessRef(value))
	if err != nil {
		return Option{}, false
	}
	return Option{Value: process.ID.String(), Text: FormatNumber(process.Number), Note: call.StatusWord(ctx, process)}, true
}

// processField returns the field that says which process a call is about.
func (t *Tool) processField() (Field, bool) {
	i := slices.IndexFunc(t.Fields, func(f Field) bool { return f.Kind == Process })
	if i < 0 {
		return Field{}, false
	}
	return t.Fields[i], true
}

// AsksForProcess reports whether a page of the tool's form asks which process a call is about.
func (t *Tool) AsksForProcess(page string) bool {
	field, ok := t.processField()
	return ok && field.Page == page
}
