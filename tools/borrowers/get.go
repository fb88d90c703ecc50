package borrowers

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// Get shows all data of a borrower, masked (Borrower Get).
var Get = tools.Define(Toolset, tools.Spec{
	Name: "get_borrower", Effect: tools.Reads, Operations: []portal.OperationID{portal.BorrowerGet}, Core: true,
	Resource: "balcao://processes/{process}/borrowers/{borrower}",
	Next:     tools.Next{"update_borrower": {"process", "borrower", "version"}, "list_borrowers": {"process"}, "delete_borrower": {"process", "borrower"}},
	Example:  `{"process":"1043","borrower":"1d4f2264-400e-502e-9f39-5e10a38ce5df"}`,
}, func(ctx context.Context, call *tools.Call, in tools.OfBorrower) (BorrowerFile, error) {
	process, borrower, err := call.Borrower(ctx, in.Process, in.Borrower)
	if err != nil {
		return BorrowerFile{}, err
	}
	file := BorrowerFile{
		Process: process.ID, ProcessNumber: process.Number, Borrower: borrower.BorrowerUniqueID,
		Version: version(call, borrower), Fields: map[string]map[string]string{},
	}
	if borrower.Personal != nil {
		file.Name = borrower.Personal.Name
	}
	record := current(borrower)
	for _, field := range Update.Fields {
		if field.Refers() || field.Hidden() {
			continue
		}
		text := call.Shown(ctx, field, record)
		if text == "" {
			continue
		}
		file.facts = append(file.facts, tools.Fact{Label: field.Label(call.Actor.Lang), Value: text})
		if id, given := field.Value(record); given && field.Taxonomy != "" {
			text = withID(text, fmt.Sprint(id.Interface()))
		}
		file.add(field.Path, text)
	}
	return file, nil
})

// BorrowerFile is a borrower, masked.
type BorrowerFile struct {
	Process       uuid.UUID                    `json:"process"`
	ProcessNumber int64                        `json:"processNumber"`
	Borrower      uuid.UUID                    `json:"borrower"`
	Role          string                       `json:"role" pii:"open"` // a choice has its id: «Spouse #1»
	Relation      string                       `json:"relation,omitempty" pii:"open"`
	Name          pii.Name                     `json:"name"`
	Version       string                       `json:"version" pii:"open"` // for update_borrower
	Fields        map[string]map[string]string `json:"fields" pii:"open"`  // masked, by group and name as create_borrower has them
	facts         []tools.Fact                 // the same, and role and relation, in the order of a form
}

// withID adds its id, which assistants need for a change, to what a choice is called.
func withID(text, id string) string {
	if strings.HasPrefix(text, id+" ") { // it is called by the id
		return text
	}
	return text + " #" + id
}

// add adds a field. Role and relation, outside of the groups, have members of their own.
func (b *BorrowerFile) add(path, text string) {
	group, name, grouped := strings.Cut(path, ".")
	switch {
	case path == "borrowerTypeId":
		b.Role = text
	case path == "keyBorrowerRelationId":
		b.Relation = text
	}
	if !grouped {
		return
	}
	if b.Fields[group] == nil {
		b.Fields[group] = map[string]string{}
	}
	b.Fields[group][name] = text
}

// version returns a fingerprint of the data of a borrower: it changes with every field, and reveals none.
func version(call *tools.Call, borrower portal.Borrower) string {
	data, err := pii.MarshalClear(borrower.Request())
	if err != nil {
		panic(fmt.Sprintf("tools: a borrower that the bank sent: %T", err)) // it was JSON a moment ago
	}
	digest := call.Fingerprint(data)
	return digest[:min(len(digest), 16)]
}

// Card implements [tools.Carder].
func (b BorrowerFile) Card(say tools.Say) tools.Card {
	return tools.Card{
		Title: say("card.title", "number", b.ProcessNumber),
		Facts: b.facts,
		Next: []tools.Step{
			tools.NextStep("update_borrower", "process", b.Process, "borrower", b.Borrower, "version", b.Version),
			tools.NextStep("list_borrowers", "process", b.Process),
			tools.NextStep("delete_borrower", "process", b.Process, "borrower", b.Borrower),
		},
	}
}
