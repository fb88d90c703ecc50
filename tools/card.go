package tools

// Card is a result for eyes, the same for every door. Its texts are in the actor's language, personal data masked.
type Card struct {
	Title string
	Text  string // a sentence or two; may be ""
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
}

// Carder is implemented by every tool's output.
type Carder interface {
	// Card shows the output. say gives the tool's words in the actor's language.
	Card(say Say) Card
}

// Say gives the text of a key of the tool's own words ("card.title") or, where the tool has none, of the words that
// all tools share ("yes"). Args are names and values in turn.
type Say func(key string, args ...any) string
