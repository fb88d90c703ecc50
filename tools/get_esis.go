package tools

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
)

// GetESIS fetches the ESIS of a process (Process ESIS Get). The rules of Law 24/2023 are never skipped.
var GetESIS = Define(Spec{
	Name: "get_esis", Command: "esis", Toolset: Documents, Effect: Reads, Resource: "balcao://processes/{process}/esis",
}, func(ctx context.Context, call *Call, in OfProcess) (ESIS, error) {
	process, err := call.Process(ctx, in.Process)
	if err != nil {
		return ESIS{}, err
	}
	esis, err := call.Bank.ProcessESIS(ctx, process.ID, portal.ESISOptions{})
	if err != nil {
		return ESIS{}, err
	}
	return ESIS{
		Process: process.ID, ProcessNumber: process.Number,
		FileName: fmt.Sprintf("FINE-%d.pdf", process.Number), Size: len(esis.PDF), content: esis.PDF,
	}, nil
})

// ESIS describes the document; its content goes with the card.
type ESIS struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	FileName      string    `json:"fileName" pii:"open"`
	Size          int       `json:"size"` // bytes
	content       []byte
}

// Card implements [Carder].
func (e ESIS) Card(say Say) Card {
	return Card{
		Title: say("card.title", "number", e.ProcessNumber),
		Text:  say("card.text"),
		File: &File{
			Name: e.FileName, MediaType: "application/pdf", Content: e.content,
			URI: fmt.Sprintf("balcao://processes/%s/esis", e.Process),
		},
		Next: []Step{{Label: say("step.list_borrowers"), Tool: "list_borrowers", Args: map[string]any{"process": e.Process}}},
	}
}
