// Package tools is the engine of the catalogue: what a tool is, and the [Runner] through which every call goes. The
// operations are defined in the packages below it, one for each toolset; the front ends derive their commands, forms,
// schemas and answers from the definitions.
package tools

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/balcao/balcao/portal"
)

// Effect is what an operation changes. Permissions, confirmations and the annotations for assistants depend on it.
type Effect string

// The effects.
const (
	Reads   Effect = "reads"
	Creates Effect = "creates" // adds something
	Updates Effect = "updates" // changes something
	Deletes Effect = "deletes"
	Sends   Effect = "sends" // something leaves the bank, and cannot be taken back

	Remembers Effect = "remembers" // something is stored at Balcão, not at the bank
)

// Writes reports whether the effect changes something at the bank.
func (e Effect) Writes() bool { return e != Reads && e != Remembers }

// Spec describes an operation, besides its input and output.
type Spec struct {
	Name             string // in snake_case: the tool's name for assistants and the prefix of its words
	Effect           Effect
	Resource         string               // the template of the URI of the result, or of its file: "balcao://processes/{process}/esis"; "" for none
	NeedsDestination bool                 // the tool is forbidden for an actor without a destination, and without [Config.Destinations]
	Subscribes       bool                 // the tool subscribes the destination, and is refused if outsiders read there
	NeedsHistory     bool                 // the tool is forbidden without [Config.Updates]
	AssistantsOnly   bool                 // the tool is for files of assistants, and forbidden for people and without [Runner.OfferUploads]
	AlwaysForm       bool                 // its form opens unless a field is given, though none is required
	Needs            Needs                // how its process may have ended; otherwise the tool is not offered and its form does not open
	Next             Next                 // to which tools its cards lead
	CardArgs         map[string]any       // arguments of the button on a process's card, besides the process
	PageOrder        []string             // the pages of its form that come first, in order; the others follow as the fields have them
	CardOrder        int                  // its position among the buttons of a process's card, from 1; 0 if it is not there
	Core             bool                 // assistants are told of it directly; of other tools they learn by searching
	Operations       []portal.OperationID // of the bank, that the tool is for
	Like             map[string]string    // groups of its fields that the list for assistants describes as like another group, here or in another tool
	Example          string               // arguments of a call as JSON, for the samples of the sandbox
}

// Tool is one operation of the catalogue.
type Tool struct {
	Spec
	Fields  []Field  // of the input, in the order of its pages
	Pages   []string // the pages of its form, in order
	Toolset string   // the name of its toolset
	Edits   bool     // its form shows the data of the bank, and fields that its arguments omit stay unchanged; see [Editor]
	removed bool     // see [Runner.ToolOf]
	texts   texts
	in      reflect.Type
	out     reflect.Type
	run     func(context.Context, *Call, any) (any, error)
}

// Define adds a tool to a toolset. In is a struct whose tags describe each field (see [Field]); Out is a struct with a
// method Card. In may implement [FieldChecker], [BankChecker], [Verifier], [Editor] and [Reasoned]; Out implements
// [Subjecter] where the tool changes something at the bank. It panics on a definition that no front end could show.
func Define[In any, Out Carder](set *Toolset, spec Spec, run func(context.Context, *Call, In) (Out, error)) *Tool {
	tool := &Tool{
		Spec: spec,
		in:   reflect.TypeFor[In](),
		out:  reflect.TypeFor[Out](),
		run: func(ctx context.Context, call *Call, in any) (any, error) {
			return run(ctx, call, in.(In))
		},
	}
	tool.Fields = fieldsOf(tool, tool.in)
	_, tool.Edits = reflect.Zero(tool.in).Interface().(Editor)
	for i, field := range tool.Fields { // an editor keeps what is on no form as the bank has it, so nobody gives it
		tool.Fields[i].People = field.People || tool.Edits && field.Hidden() && strings.Contains(field.Path, ".")
	}
	for _, field := range tool.Fields {
		if lacks := field.Kind.incomplete(); lacks != "" {
			panic(fmt.Sprintf("tools: the kind %q of %s %s has no %s", field.Kind, spec.Name, field.Path, lacks))
		}
		if !field.Hidden() && !slices.Contains(tool.Pages, field.Page) {
			tool.Pages = append(tool.Pages, field.Page)
		}
	}
	order := func(page string) int {
		if i := slices.Index(spec.PageOrder, page); i >= 0 {
			return i
		}
		return len(spec.PageOrder)
	}
	slices.SortStableFunc(tool.Pages, func(a, b string) int { return order(a) - order(b) })
	if _, says := reflect.Zero(tool.out).Interface().(Subjecter); spec.Effect.Writes() && !says {
		panic(fmt.Sprintf("tools: the output of %s has no method Subject", spec.Name))
	}
	set.add(tool)
	return tool
}

// HasFile reports whether the result has a file: its output is closed once the file is delivered.
func (t *Tool) HasFile() bool { return t.out.Implements(reflect.TypeFor[io.Closer]()) }

// ForAssistants reports whether an assistant may ever use the tool. A tool about a destination needs one, and one with a
// required field that only people may give is for people.
func (t *Tool) ForAssistants() bool {
	forPeople := slices.ContainsFunc(t.Fields, func(f Field) bool { return f.People && f.Required })
	return !t.NeedsDestination && !forPeople
}

// Field finds a field by its path.
func (t *Tool) Field(path string) (Field, bool) {
	i := slices.IndexFunc(t.Fields, func(f Field) bool { return f.Path == path })
	if i < 0 {
		return Field{}, false
	}
	return t.Fields[i], true
}

// FieldsOn lists the fields of one page.
func (t *Tool) FieldsOn(page string) []Field {
	var fields []Field
	for _, field := range t.Fields {
		if field.Page == page {
			fields = append(fields, field)
		}
	}
	return fields
}
