// Package kindtest makes tools whose fields are of each kind, for tests of the front ends.
package kindtest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/balcao/balcao/tools"
)

// Attachment is a kind that only tests know: an attachment of the process beside it. Its entry, with its choices below, is all
// that a new kind of reference takes.
var Attachment = &tools.Kind{
	Name: "attachment", Control: tools.ControlSelect, Schema: tools.Borrower.Schema, Refers: true,
	Parse: tools.Borrower.Parse, Choices: attachments{}, DependsOn: []*tools.Kind{tools.Process}, Audit: tools.AuditLists,
}

// Contract and Plan are the ids of the attachments of every process.
const (
	Contract = "5f0c3f2e-6a53-4b7e-9d6b-0d8f1a2b3c4d"
	Plan     = "1f0c3f2e-6a53-4b7e-9d6b-0d8f1a2b3c4d"
)

type attachments struct{}

// List implements [tools.Choices].
func (attachments) List(ctx context.Context, call *tools.Call, field tools.Field, _ string, answers map[string]string) ([]tools.Option, error) {
	process, err := call.Process(ctx, tools.ProcessRef(answers[field.Dependencies()[0].Path]))
	if err != nil {
		return nil, err
	}
	number := tools.FormatNumber(process.Number)
	return []tools.Option{{Value: Contract, Text: "Contrato " + number}, {Value: Plan, Text: "Planta " + number}}, nil
}

// Find implements [tools.Choices].
func (d attachments) Find(ctx context.Context, call *tools.Call, field tools.Field, value string, answers map[string]string) (tools.Option, bool) {
	options, _ := d.List(ctx, call, field, "", answers)
	i := slices.IndexFunc(options, func(o tools.Option) bool { return o.Value == value })
	if i < 0 {
		return tools.Option{}, false
	}
	return options[i], true
}

// Kinds returns the engine's kinds and [Attachment].
func Kinds() []*tools.Kind { return append(tools.Kinds(), Attachment) }

type input struct {
	Process    tools.ProcessRef    `json:"process" page:"about" validate:"required"`
	Borrower   tools.BorrowerRef   `json:"borrower" page:"about"`
	Simulation tools.SimulationRef `json:"simulation" page:"about"`
	Value      string              `json:"value" page:"value" validate:"required" pii:"open"`
}

type output struct {
	Done bool `json:"done"`
}

// Card implements [tools.Carder].
func (output) Card(tools.Say) tools.Card { return tools.Card{} }

// ToolName returns the name of a kind's tool in the catalogue.
func ToolName(kind *tools.Kind) string { return "kind_" + kind.Name }

// Catalogue returns a catalogue with a tool for each kind. The tool reads, and takes a process, a borrower and a simulation on
// the page «about» and a required field «value» of the kind on the page «value».
func Catalogue(t testing.TB, kinds ...*tools.Kind) *tools.Catalogue {
	t.Helper()
	text := `"field.value.label" = "Value"` + "\n" + `"page.about" = "About"` + "\n" + `"page.value" = "Value"` + "\n"
	for _, kind := range kinds {
		for _, key := range []string{"title", "help"} {
			text += fmt.Sprintf("%q = %q\n", ToolName(kind)+"."+key, kind.Name)
		}
	}
	set := tools.NewToolset("kinds", fstest.MapFS{"words/en.toml": {Data: []byte(text)}, "words/pt-PT.toml": {Data: []byte(text)}})
	for _, kind := range kinds {
		tool := tools.Define(set, tools.Spec{Name: ToolName(kind), Effect: tools.Reads},
			func(context.Context, *tools.Call, input) (output, error) { return output{}, nil })
		field := &tool.Fields[len(tool.Fields)-1]
		field.Kind, field.People = kind, kind.PeopleOnly
		if kind == tools.Choice {
			field.Taxonomy = "genders"
		}
	}
	catalogue, err := tools.NewCatalogue(set)
	if err != nil {
		t.Fatal(err)
	}
	return catalogue
}
