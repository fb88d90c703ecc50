// Package tools is the catalogue: every operation that Balcão offers, defined once. The front ends («doors») derive
// their commands, forms, schemas and answers from these definitions, and run them through one [Runner].
package tools

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Effect says what an operation does to the world. Permissions, confirmations and the hints that assistants get
// follow from it.
type Effect string

// The effects.
const (
	Reads   Effect = "reads"
	Creates Effect = "creates" // adds something
	Updates Effect = "updates" // changes what was there
	Deletes Effect = "deletes"
	Sends   Effect = "sends" // something leaves the bank, and cannot be taken back

	Remembers Effect = "remembers" // something is kept at Balcão, and the bank hears nothing of it
)

// Writes tells whether something at the bank is different afterwards.
func (e Effect) Writes() bool { return e != Reads && e != Remembers }

// Toolset groups tools that belong together.
type Toolset string

// The toolsets, in the order people meet them.
const (
	Processes Toolset = "processes"
	Borrowers Toolset = "borrowers"
	Documents Toolset = "documents"
	News      Toolset = "news"
	Reference Toolset = "reference"
)

// Spec is what a definition says of its operation besides its input and output.
type Spec struct {
	Name             string         // in snake_case: the tool's name for assistants and the prefix of its words
	Command          string         // Slack's slash command, without the slash; of two words, the second is a subcommand: "balcao watch"
	Toolset          Toolset        //
	Effect           Effect         //
	Resource         string         // where the result's file can be read again, "balcao://processes/{process}/esis"; "" without a file
	NeedsDestination bool           // about the place where it is asked: nothing for an actor without one, nor without [Config.Destinations]
	Subscribes       bool           // the place where it is asked is told of processes from then on: nothing where outsiders read
	NeedsHistory     bool           // tells from [Config.Updates]: nothing without it
	AlwaysForm       bool           // no field is required, and yet its form opens unless one is given
	Needs            Needs          // of its process: where it is not met, the tool is not offered and its form does not open
	CardArgs         map[string]any // what the button on a process's card says beside the process
	CardOrder        int            // its place among the buttons of a process's card, from 1; 0 where it does not belong there
}

// Tool is one operation of the catalogue.
type Tool struct {
	Spec
	Fields []Field  // what it takes, in the order of its pages
	Pages  []string // the pages of its form, in order
	Edits  bool     // its form shows what the bank holds, and what is left out of its arguments stays as it is; see [Editor]
	in     reflect.Type
	out    reflect.Type
	run    func(context.Context, *Call, any) (any, error)
}

var catalogue []*Tool

// Define adds an operation to the catalogue. In is a struct whose tags describe each field (see [Field]); Out is a
// struct with a method Card. In may implement [FieldChecker], [BankChecker], [Verifier], [Editor] and [Reasoned]. It
// panics on a definition that no door could show.
func Define[In any, Out Carder](spec Spec, run func(context.Context, *Call, In) (Out, error)) *Tool {
	tool := &Tool{
		Spec: spec,
		in:   reflect.TypeFor[In](),
		out:  reflect.TypeFor[Out](),
		run: func(ctx context.Context, call *Call, in any) (any, error) {
			return run(ctx, call, in.(In))
		},
	}
	tool.Fields = fieldsOf(spec.Name, tool.in)
	_, tool.Edits = reflect.Zero(tool.in).Interface().(Editor)
	for _, field := range tool.Fields {
		if !field.Hidden() && !slices.Contains(tool.Pages, field.Page) {
			tool.Pages = append(tool.Pages, field.Page)
		}
	}
	for _, other := range catalogue {
		if other.Name == spec.Name || other.Command == spec.Command {
			panic(fmt.Sprintf("tools: %s and %s share a name or a command", other.Name, spec.Name))
		}
	}
	if spec.Effect.Writes() && !tool.tellsProcess() {
		panic(fmt.Sprintf("tools: the output of %s does not say which process it changed", spec.Name))
	}
	catalogue = append(catalogue, tool)
	return tool
}

// Catalogue lists every tool, by toolset and name.
func Catalogue() []*Tool {
	order := []Toolset{Processes, Borrowers, Documents, News, Reference}
	return slices.SortedFunc(slices.Values(catalogue), func(a, b *Tool) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Toolset), slices.Index(order, b.Toolset)), cmp.Compare(a.Name, b.Name))
	})
}

// Named finds a tool by its name.
func Named(name string) (*Tool, bool) {
	i := slices.IndexFunc(catalogue, func(t *Tool) bool { return t.Name == name })
	if i < 0 {
		return nil, false
	}
	return catalogue[i], true
}

// ForCommand finds the tool that a slash command and the text after it ask for, and gives the rest of the text.
func ForCommand(command, text string) (tool *Tool, rest string, ok bool) {
	command, text = strings.TrimPrefix(command, "/"), strings.TrimSpace(text)
	first, after, _ := strings.Cut(text, " ")
	for _, tool := range catalogue {
		switch tool.Command {
		case command:
			return tool, text, true
		case command + " " + strings.ToLower(first):
			return tool, strings.TrimSpace(after), true
		}
	}
	return nil, "", false
}

// Subcommands lists the tools whose commands are subcommands of this one, in the catalogue's order.
func Subcommands(command string) []*Tool {
	return slices.DeleteFunc(Catalogue(), func(t *Tool) bool {
		return !strings.HasPrefix(t.Command, strings.TrimPrefix(command, "/")+" ")
	})
}

// ForAssistants tells whether an assistant may ever use the tool. What is about a place is for who is at one, and what
// deletes is for people.
func (t *Tool) ForAssistants() bool { return !t.NeedsDestination && t.Effect != Deletes }

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
