package tools

import (
	"cmp"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
)

// Card is a result for eyes, the same for every door. Its texts are in the actor's language, personal data masked.
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

// StepsOn lists what the card of a process with this status leads to: the tools whose definitions say so and that are of
// use at its stage, in their order.
func StepsOn(process uuid.UUID, status string, lang words.Lang) []Step {
	var steps []Step
	stage := portal.StageOf(status)
	belong := slices.DeleteFunc(Catalogue(), func(t *Tool) bool { return t.CardOrder == 0 || !t.WorksAt(stage) })
	slices.SortStableFunc(belong, func(a, b *Tool) int { return cmp.Compare(a.CardOrder, b.CardOrder) })
	for _, tool := range belong {
		field, about := tool.processField()
		if !about {
			continue
		}
		label := tool.Title(lang)
		for _, key := range []string{"on_card." + tool.Name, "step." + tool.Name} {
			if book.Has(lang, key) {
				label = book.Say(lang, key, nil)
				break
			}
		}
		args := map[string]any{field.Path: process}
		maps.Copy(args, tool.CardArgs)
		steps = append(steps, Step{Label: label, Tool: tool.Name, Args: args})
	}
	return steps
}

// Carder is implemented by every tool's output.
type Carder interface {
	// Card shows the output. say gives the tool's words in the actor's language.
	Card(say Say) Card
}

// Say gives the text of a key of the tool's own words ("card.title") or, where the tool has none, of the words that
// all tools share ("yes"). Args are names and values in turn.
type Say func(key string, args ...any) string
