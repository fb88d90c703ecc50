package documents

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/spool"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// GetESIS fetches the ESIS of a process (Process ESIS Get). Only a person may ignore the rules of Law 24/2023, for the
// team's own use, and has to give a reason.
var GetESIS = tools.Define(Toolset, tools.Spec{
	Name: "get_esis", Effect: tools.Reads, Operations: []portal.OperationID{portal.ProcessESISGet}, Core: true, Resource: "balcao://processes/{process}/esis",
	Needs: tools.NotCancelled, CardOrder: 2,
	Next:    tools.Next{"send_esis": {"process"}, "list_borrowers": {"process"}},
	Example: `{"process":"1042"}`,
}, func(ctx context.Context, call *tools.Call, in ESISRequest) (ESIS, error) {
	process, err := call.Process(ctx, in.Process)
	if err != nil {
		return ESIS{}, err
	}
	esis, err := call.Bank.ProcessESIS(ctx, process.ID, portal.ESISOptions{IgnoreRules: in.IgnoreRules})
	if err != nil {
		return ESIS{}, err
	}
	name := fmt.Sprintf("FINE-%d.pdf", process.Number)
	if in.IgnoreRules {
		name = fmt.Sprintf("FINE-%d-%s.pdf", process.Number, call.Say(call.Actor.Lang)("internal"))
	}
	return ESIS{
		Process: process.ID, ProcessNumber: process.Number, Internal: in.IgnoreRules,
		FileName: name, Size: esis.Size(), content: esis.File,
	}, nil
})

// ESISRequest names an ESIS.
type ESISRequest struct {
	Process     tools.ProcessRef `json:"process" page:"process" validate:"required"`
	IgnoreRules bool             `json:"ignoreRules,omitzero" page:"process" pii:"open" only:"people"`
	Why         string           `json:"reason,omitzero" page:"process" validate:"omitempty,text=200" pii:"contact" only:"people"`
}

// CheckFields implements [tools.FieldChecker].
func (e ESISRequest) CheckFields(_ context.Context, call *tools.Call) []tools.Problem {
	if e.IgnoreRules && strings.TrimSpace(e.Why) == "" && !call.Actor.Assistant { // an assistant is refused anyway
		return []tools.Problem{call.Problem("reason", "reason.missing")}
	}
	return nil
}

// Reason implements [tools.Reasoned].
func (e ESISRequest) Reason() string { return e.Why }

// ESIS describes the document. Its content is in the card.
type ESIS struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	FileName      string    `json:"fileName" pii:"open"`
	Size          int64     `json:"size"`               // bytes
	Internal      bool      `json:"internal,omitempty"` // made without the rules of Law 24/2023: not for clients
	content       *spool.File
}

// Close removes the content, which the card has too.
func (e ESIS) Close() error { return e.content.Close() }

// Card implements [tools.Carder].
func (e ESIS) Card(say tools.Say) tools.Card {
	text := say("card.text")
	if e.Internal {
		text = say("card.internal")
	}
	return tools.Card{
		Title: say("card.title", "number", e.ProcessNumber),
		Text:  text,
		File: &tools.File{
			Name: e.FileName, MediaType: "application/pdf", File: e.content,
			URI: fmt.Sprintf("balcao://processes/%s/esis", e.Process),
		},
		Next: []tools.Step{
			tools.NextStep("send_esis", "process", e.Process),
			tools.NextStep("list_borrowers", "process", e.Process),
		},
	}
}
