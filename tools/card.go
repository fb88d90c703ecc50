package tools

import (
	"slices"

	"github.com/google/uuid"
)

// Card is a result for eyes, the same for every front end. Its texts are in the actor's language, personal data masked.
type Card struct {
	Title string
	Text  string // a sentence or two; may be ""
	Note  string // that somebody had asked for the same before; "" where the call did it itself
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
	IDs     []string // of the rows, for a program that goes on with one of them; nil where a column says it
	Steps   []Step   // of the rows: what a person goes on with from one of them; nil where there is no such thing
}

// File is a document that comes with a result. Its content is a client's: it goes to the person who asked and is
// stored nowhere.
type File struct {
	Name      string // with its extension, without personal data
	MediaType string
	URI       string // where an assistant reads it, a resource of the same tool
	Content   []byte
}

// Step is what a person may want to do next: another tool with arguments filled in. The arguments are ids, never
// personal data.
type Step struct {
	Label string
	Tool  string
	Args  map[string]any
	Form  bool // its form opens, with the arguments filled in, even where they are enough
}

// Next says to which tools the cards of a tool may lead, each with the names of the arguments that are filled in. A
// catalogue with a tool that leads nowhere is not built, and the runner drops steps that are not among these.
type Next map[string][]string

// NextStep makes a step to a tool. args are names and values in turn. Its label is that of the tool unless
// [Step.Labelled] gives another.
func NextStep(tool string, args ...any) Step {
	step := Step{Tool: tool}
	if len(args) > 0 {
		step.Args = named(args)
	}
	return step
}

// Labelled gives a step a label of its own.
func (s Step) Labelled(label string) Step {
	s.Label = label
	return s
}

// declared tells whether the tool says of itself that it may lead to a step.
func (n Next) declared(step Step) bool {
	args, known := n[step.Tool]
	for name := range step.Args {
		known = known && slices.Contains(args, name)
	}
	return known
}

// Carder is implemented by every tool's output.
type Carder interface {
	// Card shows the output. say gives the tool's words in the actor's language.
	Card(say Say) Card
}

// Subject is what an output is about: a process, a simulation, or neither.
type Subject struct {
	Process    uuid.UUID
	Simulation uuid.UUID
}

// Subjecter is implemented by the outputs of tools that change something at the bank.
type Subjecter interface {
	Subject() Subject
}

// Say gives the text of a key of the tool's own words ("card.title") or, where the tool has none, of the words that
// all tools share ("yes"). Args are names and values in turn.
type Say func(key string, args ...any) string
