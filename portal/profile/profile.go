// Package profile holds what Balcão takes the bank to be: paths, names, forms, states and rules. What the bank prints and
// what is inferred of it are told apart by marks. The built-in profile is bank.toml; a file overrides its entries.
//
// A name in a profile is canonical if it is the one that package portal has in its JSON tags and parameters. The entries
// map the canonical names to the bank's. [Wire] translates one operation, in both directions: the client sends requests and
// reads replies with it, the sandbox reads requests and sends replies.
package profile

import "encoding/json"

// Profile is what a bank is taken to be.
type Profile struct {
	Prefix     string               `json:"prefix"` // of every path
	Forms      Forms                `json:"forms"`
	Login      Login                `json:"login"`
	Headers    map[string]string    `json:"headers"` // of every call but the login, see [Login]
	Replies    Reply                `json:"replies"` // names that the replies of all operations share
	Errors     Errors               `json:"errors"`
	Operations map[string]Operation `json:"operations"` // by id
	Taxonomies Taxonomies           `json:"taxonomies"`
	// Notifications are what the bank sends to callbacks.
	Notifications Notifications `json:"notifications"`
	States        States        `json:"states"` // of processes
	// SimulationStates are the states of simulations.
	SimulationStates SimulationStates `json:"simulation_states"`
	Meanings         Meanings         `json:"meanings"`
	Rules            Rules            `json:"rules"`
	// Limits are reference values with which a loan is compared, by the first day on which they are in force. What a day does not
	// say is as on the day before it.
	Limits map[string]Limits `json:"limits"`
	// Alternatives are other guesses that the doctor may try.
	Alternatives []Alternative `json:"alternatives"`
	Candidates   Candidates    `json:"candidates"`

	tree  func() map[string]any // what the entries above were read from
	marks marks
}

// Forms are the forms of values. Replies are read in every form; Forms says what requests have, and what a sandbox with the
// profile sends.
type Forms struct {
	IDs     map[string]Form `json:"ids"`     // uuid or integer, by what they identify: broker, process, borrower
	Numbers Form            `json:"numbers"` // number or text
	Dates   Form            `json:"dates"`   // date or datetime
	Names   Form            `json:"names"`   // camel, pascal, lower or snake: the casing of names in replies
	Absent  Form            `json:"absent"`  // omitted or null: a value in a reply that the bank does not have
	Done    Form            `json:"done"`    // status or empty: the reply to a write that returns nothing else
	Unknown Form            `json:"unknown"` // refused or ignored: a parameter that the bank does not have
}

// Form is the form of a value.
type Form string

// The forms.
const (
	UUID     Form = "uuid"
	Integer  Form = "integer"
	Number   Form = "number"
	Text     Form = "text"
	Date     Form = "date"
	DateTime Form = "datetime"
	Camel    Form = "camel"
	Pascal   Form = "pascal"
	Lower    Form = "lower"
	Snake    Form = "snake"
	Omitted  Form = "omitted"
	Null     Form = "null"
	Status   Form = "status"
	Empty    Form = "empty"
	Refused  Form = "refused"
	Ignored  Form = "ignored"
)

// Login says how a session is opened. The values of headers are templates with {client_id}, {client_secret}, {broker},
// {username}, {language} and, after the login, {token}. A header with an empty template is not sent.
type Login struct {
	Headers map[string]string `json:"headers"`
	Token   Names             `json:"token"` // of the token in the reply; "" is the reply itself, as a string
}

// Operation is an operation of the bank.
type Operation struct {
	Title  string  `json:"title"` // in the bank's navigation
	Tag    string  `json:"tag"`   // the page of the bank's reference
	Method string  `json:"method"`
	Path   string  `json:"path"` // below the prefix, with placeholders like {processUniqueId}
	Prefix *string `json:"prefix"`
	// Query maps parameters to their names in the query; one without a name is not sent. A placeholder that is not in Path
	// may be in the query or the body.
	Query map[string]string `json:"query"`
	// Body maps fields of the request, by their dotted path, to their names; one without a name is not sent. A name that
	// contains a dot is a path from the enclosing object.
	Body map[string]string `json:"body"`
	// Missing are the statuses that say that what the path names does not exist. The bank documents few; any other 404
	// means that the path is wrong.
	Missing []int `json:"missing"`
	// Searches are what a text filter looks at: name, taxID, branch, number.
	Searches []string `json:"searches"`
	// Lengths are the most characters of texts in the body.
	Lengths map[string]int `json:"lengths"`
	// Content limits the document in the body.
	Content Content `json:"content"`
	Page    Page    `json:"page"`
	Reply   Reply   `json:"reply"`
}

// Content says which documents an operation takes.
type Content struct {
	Size  int64    `json:"size"`  // bytes, before base64; 0 is not known
	Types []string `json:"types"` // media types that their first bytes show; none is not known
}

// Reply says where a reply has its data.
type Reply struct {
	At     Names            `json:"at"`     // of the object or array with the data; "" is the reply itself
	List   Names            `json:"list"`   // of the array, from At; "" is At itself, "*" its only array; one that ends in "." is an object, the only item
	Fields map[string]Names `json:"fields"` // by their dotted path
	Items  map[string]Names `json:"items"`  // of the objects in the array
	Also   []string         `json:"also"`   // other arrays beside it
}

// Page says how a list is read page by page.
type Page struct {
	Style PageStyle `json:"style"`
	Size  int       `json:"size"`  // the most items of a page
	First int       `json:"first"` // the number of the first page
	Key   string    `json:"key"`   // the field of an item that the next page is named by
}

// PageStyle is a style of pages.
type PageStyle string

// The styles.
const (
	Whole    PageStyle = ""       // the list has one page
	ByCursor PageStyle = "cursor" // the query names the last item of the page before
	ByNumber PageStyle = "number" // the query has the number of the page
	ByOffset PageStyle = "offset" // the query has the number of items to skip
)

// Errors says how the bank writes an error. Names are compared without case.
type Errors struct {
	Shape Shape `json:"shape"` // what a sandbox with the profile sends
	At    Names `json:"at"`    // of the messages, at any depth
	Code  Names `json:"code"`
	Text  Names `json:"text"`
	Field Names `json:"field"`
	// InReply are conditions like "success=false" for which a reply with status 200 is an error; "errors" alone is an
	// error if the reply has such a field and it is not empty.
	InReply []string `json:"in_reply"`
	// Reasons are the codes of the reasons that are known. «--» in a code is the number of the field.
	Reasons map[string]Names `json:"reasons"`
}

// Shape is the shape of an error.
type Shape string

// The shapes.
const (
	ListShape   Shape = "list"   // an object with an array of messages
	BareShape   Shape = "bare"   // an array of messages
	ObjectShape Shape = "object" // an object with one message
	FieldsShape Shape = "fields" // an object with texts by field, as ASP.NET has it
	XMLShape    Shape = "xml"    // the same as list, in XML
)

// Taxonomies says how the bank's lists are read.
type Taxonomies struct {
	Method string            `json:"method"`
	Path   string            `json:"path"` // with {name}
	Query  map[string]string `json:"query"`
	Page   Page              `json:"page"`
	Reply  Reply             `json:"reply"` // the items have id, description and parentID, and children that are items
	Lists  map[string]List   `json:"lists"` // by key
	None   []int32           `json:"none"`  // ids of no item, where the bank does not describe one
}

// List is one of the bank's lists. It may override how it is read: of Reply the names that it has.
type List struct {
	Title string `json:"title"` // in the bank's navigation; "" if the bank has no operation for it
	Name  string `json:"name"`  // in the path
	// Items are values that are used instead of the bank's.
	Items  []Item `json:"items"`
	Method string `json:"method"`
	Path   string `json:"path"`
	Page   *Page  `json:"page"`
	Reply  *Reply `json:"reply"`
}

// Item is a value of a list.
type Item struct {
	ID         int32  `json:"id"`
	Portuguese string `json:"pt"`
	English    string `json:"en"`
}

// In returns the item's text in English or in Portuguese.
func (i Item) In(english bool) string {
	if english {
		return i.English
	}
	return i.Portuguese
}

// Rules are the strictness of each rule that the bank may have, by the rule's code.
type Rules map[string]Strictness

// Strictness says what a rule does with data that breaks it.
type Strictness string

// The strictnesses.
const (
	Error Strictness = "error" // the data is refused
	Warn  Strictness = "warn"  // the person confirms
	Off   Strictness = "off"   // nothing is checked
)

// Alternative is another guess: entries of a profile that may be right together.
type Alternative struct {
	Name    string          `json:"name"`
	Profile json.RawMessage `json:"profile"`
}

// Candidates are names and paths that the doctor may try where those of the profile do not work.
type Candidates struct {
	Prefixes  []string            `json:"prefixes"`  // of every path
	Paths     map[string][]string `json:"paths"`     // of operations, by id, below the prefix
	Lists     []string            `json:"lists"`     // paths of the bank's lists, with {name}
	Queries   map[string][]string `json:"queries"`   // names of parameters, by their canonical name
	Envelopes []string            `json:"envelopes"` // names around the data of every reply
	// Words are groups of words or phrases, in lower case, that mean the same in names of fields.
	Words [][]string `json:"words"`
}
