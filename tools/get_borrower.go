package tools

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

// GetBorrower shows all that the bank holds of a borrower, masked (Borrower Get).
var GetBorrower = Define(Spec{
	Name: "get_borrower", Command: "borrower", Toolset: Borrowers, Effect: Reads,
}, func(ctx context.Context, call *Call, in OfBorrower) (BorrowerFile, error) {
	process, borrower, err := call.Borrower(ctx, in.Process, in.Borrower)
	if err != nil {
		return BorrowerFile{}, err
	}
	file := BorrowerFile{
		Process: process.ID, ProcessNumber: process.Number, Borrower: borrower.BorrowerUniqueID,
		Role: borrower.BorrowerTypeDescription, Relation: borrower.KeyBorrowerRelationDescription,
		Version: call.version(borrower), Fields: map[string]map[string]string{},
	}
	if borrower.Personal != nil {
		file.Name = borrower.Personal.Name
	}
	details := NewBorrower{BorrowerDetails: detailsOf(borrower.Request())}
	call.readAhead(ctx, CreateBorrower.Fields)
	for _, field := range CreateBorrower.Fields {
		value, given := field.value(details)
		if !given || field.Refers() {
			continue
		}
		if text := call.runner.shown(ctx, call.Actor, field, value.Interface(), nil); text != "" {
			file.add(field.Path, text)
			file.facts = append(file.facts, Fact{field.Label(call.Actor.Lang), text})
		}
	}
	return file, nil
})

// OfBorrower is the input of the tools that take a borrower of a process and nothing else.
type OfBorrower struct {
	Process  ProcessRef  `json:"process" page:"process" validate:"required"`
	Borrower BorrowerRef `json:"borrower" page:"borrower" validate:"required"`
}

// BorrowerFile is a borrower, masked.
type BorrowerFile struct {
	Process       uuid.UUID                    `json:"process"`
	ProcessNumber int64                        `json:"processNumber"`
	Borrower      uuid.UUID                    `json:"borrower"`
	Role          string                       `json:"role" pii:"open"`
	Relation      string                       `json:"relation,omitempty" pii:"open"`
	Name          pii.Name                     `json:"name"`
	Version       string                       `json:"version" pii:"open"` // for update_borrower
	Fields        map[string]map[string]string `json:"fields" pii:"open"`  // masked, by group and name as create_borrower has them
	facts         []Fact                       // the same, and role and relation, in the order of a form
}

// add adds a field of a group; those outside, role and relation, stand for themselves.
func (b BorrowerFile) add(path, text string) {
	group, name, grouped := strings.Cut(path, ".")
	if !grouped {
		return
	}
	if b.Fields[group] == nil {
		b.Fields[group] = map[string]string{}
	}
	b.Fields[group][name] = text
}

// version is a keyed digest of what the bank holds of a borrower: it changes with every field, and tells of none.
func (c *Call) version(borrower portal.Borrower) string {
	data, err := pii.MarshalClear(borrower.Request())
	if err != nil {
		panic(fmt.Sprintf("tools: a borrower that the bank sent: %T", err)) // it was JSON a moment ago
	}
	digest := c.runner.Fingerprint(data)
	return digest[:min(len(digest), 16)]
}

// Card implements [Carder].
func (b BorrowerFile) Card(say Say) Card {
	return Card{
		Title: say("card.title", "number", b.ProcessNumber),
		Facts: b.facts,
		Next: []Step{
			{Label: say("step.update_borrower"), Tool: "update_borrower", Args: map[string]any{"process": b.Process, "borrower": b.Borrower, "version": b.Version}},
			{Label: say("step.list_borrowers"), Tool: "list_borrowers", Args: map[string]any{"process": b.Process}},
			{Label: say("step.delete_borrower"), Tool: "delete_borrower", Args: map[string]any{"process": b.Process, "borrower": b.Borrower}},
		},
	}
}
