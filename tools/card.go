package tools

import (
	"slices"

	"github.com/balcao/balcao/internal/spool"
)

// Card is a result for people, the same for every front end. Its texts are in the actor's language, personal data masked.
type Card struct {
	Title string
	Text  string // a sentence or two; may be ""
	Note  string // that another call made the change; "" if this one did
	Facts []Fact
	Table Table
	File  *File
	Next  []Step
}

// Fact is one labelled value.
type Fact struct{ Label, Value string }

// Table is rows under columns; both may be empty.
type Table struct {
	Columns []string
	Rows    [][]string
	IDs     []string // of the rows, for programs; nil if a column has them
	Steps   []Step   // of the rows: the next step of a person; nil for none
}

// File is a document in a result. Its content is client data: it is sent to the person who asked, and not stored. The front
// end closes it with [Result.Close].
type File struct {
	Name        string // with its extension, without personal data
	MediaType   string
	URI         string // of the resource that an assistant reads
	*spool.File        // the content; nil for an empty one
}

// Step is what a person may want to do next: another tool with arguments filled in. The arguments are ids, never
// personal data.
type Step struct {
	Label string
	Tool  string
	Args  map[string]any
	Form  bool // its form opens, with the arguments filled in, even where they are enough
}

// Next lists the tools to which the cards of a tool may lead, each with the names of the arguments that are filled in. A
// catalogue in which such a tool is missing cannot be built, and the runner removes steps that are not listed.
type Next map[string][]string

// NextStep returns a step to a tool. args are names and values in turn. Its label is that of the tool unless
// [Step.Labelled] gives another.
func NextStep(tool string, args ...any) Step {
	step := Step{Tool: tool}
	if len(args) > 0 {
		step.Args = named(args)
	}
	return step
}

// Labelled returns the step with another label.
func (s Step) Labelled(label string) Step {
	s.Label = label
	return s
}

// declared reports whether the Next of the tool lists a step.
func (n Next) declared(step Step) bool {
	args, known := n[step.Tool]
	for name := range step.Args {
		known = known && slices.Contains(args, name)
	}
	return known
}

// Carder is implemented by every tool's output.
type Carder interface {
	// Card returns the output as a card. say returns texts of the tool in the actor's language.
	Card(say Say) Card
}

// Say returns the text of a key of the tool ("card.title") or, if the tool has none, of the texts that all tools share
// ("yes"). args are names and values in turn.
type Say func(key string, args ...any) string
