package tools

import (
	"context"

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

// Stage implements staged.
func (processChoices) Stage(ctx context.Context, call *Call, ref string) (Stage, error) {
	process, err := call.Process(ctx, ProcessRef(ref))
	if err != nil {
		return Stage{}, err
	}
	return call.stageOf(ctx, process), nil
}

// Known implements staged.
func (processChoices) Known(ctx context.Context, call *Call, ref string) (Stage, bool) {
	process, known := call.known(ProcessRef(ref))
	if !known {
		return Stage{}, false
	}
	return call.stageOf(ctx, process), true
}

func (c *Call) stageOf(ctx context.Context, process FoundProcess) Stage {
	meaning := c.State(ctx, process)
	return Stage{
		Subject: Subject{Process: process.ID}, Number: process.Number, StatusID: process.StatusID,
		Status: c.StatusWord(ctx, process), Meaning: StateMeaning{Name: meaning.Name, Ends: meaning.Ends},
	}
}
