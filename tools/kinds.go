package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

// Kind describes the values of a field: how they are read, offered, checked and shown. Each kind is one entry of the
// table below. Only this file and those named kind_*.go compare kinds; everything else, the front ends included, reads
// their properties. A new kind is an entry and its text, problem.kind.<name>.
type Kind struct {
	Name    string
	Control Control            // what a form shows
	Types   []reflect.Type     // the types of the input fields that are of this kind
	Schema  *jsonschema.Schema // of a value; the description is the field's
	// SchemaSaysAll is true if the field's help text is for people only: the schema, or the group that it is in, says the rest.
	SchemaSaysAll bool
	Refers        bool    // says what a call is about: a form asks for it first, and skips the page if it is given; needs Audit
	Sole          bool    // a form leaves it out where there is one choice
	PeopleOnly    bool    // assistants cannot give such a value
	Accepts       Accepts // of files

	// Parse reads what a person typed or chose, or an assistant's string. It returns the value as the arguments of a
	// call hold it.
	Parse func(text string) (value any, ok bool)
	// Convert reads any other JSON value of the arguments: a json.Number, bool, []any or map[string]any. It is nil for a
	// kind that takes strings only.
	Convert func(value any) (any, bool)

	// Named finds the value that a text names which Parse does not read, or says what is wrong with the text. It is nil for a
	// kind whose values have no names.
	Named func(ctx context.Context, call *Call, field Field, text string) (value any, problems []Problem)
	Exact func(text string) bool // whether an assistant may write a value so; nil for any text that Parse reads

	Choices   Choices   // what there is to choose from; nil for a kind that is typed
	DependsOn []*Kind   // the choices depend on the fields of these kinds beside the field
	Audit     AuditRule // which of the choices need an audit entry before they are shown
	// Check compares a value with the bank's lists, or looks at the beginning of a file; nil for a kind without one.
	Check func(ctx context.Context, call *Call, field Field, value reflect.Value) []Problem
	Quick bool // Check is for each page of a form too

	Typed  func(lang words.Lang, text string) string // the bank's text as a person types it; nil if that is the same
	Masked func(lang words.Lang, value any) string   // as others may see it; nil, or "", for the value's own mask
	Clear  func(lang words.Lang, value any) string   // as its own person sees it; nil for the plain text
	Equal  func(a, b any) bool                       // nil for reflect.DeepEqual
}

// Control is the input that a form shows for a kind. A front end has one implementation of each.
type Control string

// The controls.
const (
	ControlText   Control = "text" // one line
	ControlLines  Control = "lines"
	ControlNumber Control = "number"
	ControlEmail  Control = "email"
	ControlDate   Control = "date"
	ControlYesNo  Control = "yes_no"
	ControlSelect Control = "select" // one of the kind's [Choices], found as a person types
	ControlPerson Control = "person" // a colleague
	ControlFile   Control = "file"
)

// Controls lists the controls.
func Controls() []Control {
	return []Control{
		ControlText, ControlLines, ControlNumber, ControlEmail, ControlDate, ControlYesNo, ControlSelect, ControlPerson, ControlFile,
	}
}

// Choices finds the values that a field may take. answers holds the other fields of the form, by path.
type Choices interface {
	// List returns the options that match what a person has typed.
	List(ctx context.Context, call *Call, field Field, query string, answers map[string]string) ([]Option, error)
	// Find returns the option with a value. ok is false if there is none, or if the bank did not answer.
	Find(ctx context.Context, call *Call, field Field, value string, answers map[string]string) (option Option, ok bool)
}

// AuditRule says when showing options needs an audit entry: they may name clients.
type AuditRule int

// The rules.
const (
	AuditNothing AuditRule = iota
	AuditLists             // a list of options
	AuditOptions           // a list, and a single option
)

// Accepts limits the files of a kind.
type Accepts struct {
	Extensions []string // in lower case, without the dot: what a form offers to choose
	MediaTypes []string // that their content has
	MaxSize    int64    // bytes of each
	MaxFiles   int
}

// The kinds.
var (
	Text  = &Kind{Name: "text", Control: ControlText, Schema: ofType("string"), Parse: asTyped}
	Lines = &Kind{ // free text
		Name: "lines", Control: ControlLines, Types: []reflect.Type{reflect.TypeFor[FreeText](), reflect.TypeFor[pii.FreeText]()}, Schema: ofType("string"), Parse: asTyped,
	}
	Email = &Kind{Name: "email", Control: ControlEmail, Types: typesOf[pii.Email](), Schema: ofType("string"), Parse: asTyped}
	Phone = &Kind{Name: "phone", Control: ControlText, Types: typesOf[pii.Phone](), Schema: ofType("string"), Parse: asTyped}
	Date  = &Kind{ // YYYY-MM-DD; people type it as validation.ParseDateInput reads it
		Name: "date", Control: ControlDate,
		Types:  []reflect.Type{reflect.TypeFor[pii.BirthDate](), reflect.TypeFor[Day](), reflect.TypeFor[pii.ExpiryDate]()},
		Schema: &jsonschema.Schema{Type: "string", Format: "date"}, SchemaSaysAll: true,
		Parse: parseDate, Exact: isISODate, Typed: typedDate, Masked: maskedDate, Clear: clearDate,
	}
	Integer = &Kind{
		Name: "integer", Control: ControlNumber, Types: typesOf[int32](), Schema: ofType("integer"),
		Parse: parseInteger, Convert: convertNumber(parseInteger),
	}
	Number = &Kind{ // with decimals; people may type 102,5
		Name: "number", Control: ControlText, Types: typesOf[float64](), Schema: ofType("number"),
		Parse: parseNumber, Convert: convertNumber(func(number string) (any, bool) { return json.Number(number), true }),
		Typed: typedNumber, Masked: shownNumber, Clear: shownNumber,
	}
	Amount = &Kind{ // euros a month; people may type 1 234,56
		Name: "amount", Control: ControlText, Types: typesOf[pii.Money](), Schema: ofType("number"), SchemaSaysAll: true,
		Parse: parseAmountField, Convert: convertNumber(func(number string) (any, bool) { return json.Number(number), true }),
		Clear: clearAmount, Equal: equalAmounts,
	}
	YesNo = &Kind{
		Name: "yes_no", Control: ControlYesNo, Types: []reflect.Type{reflect.TypeFor[pii.Flag](), reflect.TypeFor[bool]()},
		Schema: ofType("boolean"), Parse: parseYesNo, Convert: convertBool, Masked: maskedYesNo, Clear: clearYesNo,
	}
	Choice = &Kind{ // an id of the bank's list that the field names
		Name: "choice", Control: ControlSelect, Schema: ofType("string"),
		Parse: parseInteger, Convert: convertNumber(parseInteger),
		Named: itemNamed, Choices: itemChoices{}, Check: checkItem,
	}
	Taxonomy = &Kind{ // the key of one of the bank's lists
		Name: "taxonomy", Control: ControlSelect, Types: typesOf[portal.TaxonomyKey](), Schema: ofType("string"),
		Parse: parseTaxonomy, Choices: taxonomyChoices{},
	}
	Turn = &Kind{ // who acts next
		Name: "turn", Control: ControlSelect, Types: typesOf[profile.Turn](), Schema: oneOf(turns),
		Parse: parseTurn, Choices: turnChoices{},
	}
	Process = &Kind{ // a process's uuid or number
		Name: "process", Control: ControlSelect, Types: typesOf[ProcessRef](), Schema: ofType("string"), Refers: true,
		Parse: asTyped, Convert: convertNumber(asTyped), Choices: processChoices{}, Audit: AuditLists,
	}
	Borrower = &Kind{ // the uuid of a borrower of the process beside it
		Name: "borrower", Control: ControlSelect, Types: typesOf[BorrowerRef](), Schema: &jsonschema.Schema{Type: "string", Format: "uuid"}, Refers: true,
		Parse: parseUUID, Choices: borrowerChoices{}, DependsOn: []*Kind{Process}, Audit: AuditOptions,
	}
	Branch = &Kind{ // a branch of the bank
		Name: "branch", Control: ControlSelect, Types: typesOf[BranchID](), Schema: ofType("integer"),
		Parse: parseInteger, Convert: convertNumber(parseInteger), Choices: branchChoices{},
	}
	Document = &Kind{ // the uuid of a document of the process beside it
		Name: "document", Control: ControlSelect, Types: typesOf[DocumentRef](), Schema: &jsonschema.Schema{Type: "string", Format: "uuid"}, Refers: true,
		Parse: parseUUID, Choices: documentChoices{}, DependsOn: []*Kind{Process}, Audit: AuditOptions,
	}
	Property = &Kind{ // the uuid of a property of the process beside it
		Name: "property", Control: ControlSelect, Types: typesOf[PropertyRef](), Schema: &jsonschema.Schema{Type: "string", Format: "uuid"}, Refers: true,
		Sole: true, Parse: parseUUID, Choices: propertyChoices{}, DependsOn: []*Kind{Process}, Audit: AuditOptions,
	}
	Simulation = &Kind{ // a simulation's uuid or number
		Name: "simulation", Control: ControlSelect, Types: typesOf[SimulationRef](), Schema: ofType("string"), Refers: true,
		Parse: asTyped, Convert: convertNumber(asTyped), Choices: simulationChoices{}, Audit: AuditLists,
	}
	SimulationPerson = &Kind{ // the position of a borrower of the simulation beside it
		Name: "simulation_person", Control: ControlSelect, Types: typesOf[SimulationPersonRef](), Schema: ofType("string"),
		Parse: asTyped, Convert: convertNumber(asTyped), Choices: simulationPeople{}, DependsOn: []*Kind{Simulation}, Audit: AuditOptions,
	}
	Somebody = &Kind{ // an actor; people choose a colleague
		Name: "person", Control: ControlPerson, Types: typesOf[PersonRef](), Schema: ofType("string"), Parse: asTyped,
	}
	Names = &Kind{ // names of fields
		Name: "names", Control: ControlText, Types: typesOf[[]string](), Parse: parseNames, Convert: convertNames,
		Schema: &jsonschema.Schema{Type: "array", Items: ofType("string")},
	}
	Upload = &Kind{ // a file
		Name: "file", Control: ControlFile, Types: typesOf[FileRef](), Schema: fileSchema,
		Parse: parseFile, Convert: convertJSON(parseFile), Masked: maskedFiles, Clear: clearFiles, Accepts: accepted(1), Check: checkFiles, Quick: true,
	}
	Uploads = &Kind{ // one or several
		Name: "files", Control: ControlFile, Types: typesOf[FileRefs](), Schema: filesSchema,
		Parse: parseFiles, Convert: convertJSON(parseFiles), Masked: maskedFiles, Clear: clearFiles, Accepts: accepted(maxFiles), Check: checkFiles, Quick: true,
	}
)

// Kinds lists the kinds.
func Kinds() []*Kind {
	return []*Kind{
		Text, Lines, Email, Phone, Date, Integer, Number, Amount, YesNo, Choice, Taxonomy, Turn, Process, Borrower, Property, Document, Branch,
		Simulation, SimulationPerson,
		Somebody, Names, Upload, Uploads,
	}
}

// String returns the name.
func (k *Kind) String() string { return k.Name }

// MarshalText implements encoding.TextMarshaler with the name.
func (k *Kind) MarshalText() ([]byte, error) { return []byte(k.Name), nil }

// incomplete names what the entry of a kind lacks, "" if nothing.
func (k *Kind) incomplete() string {
	switch {
	case k.Name == "":
		return "name"
	case !slices.Contains(Controls(), k.Control):
		return "control"
	case k.Schema == nil:
		return "schema"
	case k.Parse == nil:
		return "Parse"
	case (k.Control == ControlSelect) != (k.Choices != nil):
		return "choices for its control"
	case k.Refers && k.Audit == AuditNothing:
		return "audit rule"
	case k.Control == ControlFile && (k.Accepts.Extensions == nil || k.Accepts.MediaTypes == nil || min(k.Accepts.MaxSize, int64(k.Accepts.MaxFiles)) <= 0):
		return "accepted files"
	case slices.ContainsFunc(words.Langs, func(lang words.Lang) bool { return !engineWords.Has(lang, "problem."+k.problem()) }):
		return "text problem." + k.problem()
	}
	return ""
}

// problem is the code of the problem of a value that cannot be read.
func (k *Kind) problem() string { return "kind." + k.Name }

// form says how an assistant writes a value: a text form.<name>, or else the type.
func (k *Kind) form(lang words.Lang) string {
	if key := "form." + k.Name; engineWords.Has(lang, key) {
		return engineWords.Say(lang, key, nil)
	}
	return strings.TrimSpace(k.Schema.Type + " " + k.Schema.Format)
}

// kindOf returns the kind of an input field of type t.
func kindOf(t reflect.Type, taxonomy portal.TaxonomyKey) *Kind {
	if taxonomy != "" {
		return Choice
	}
	for _, kind := range Kinds() {
		if slices.Contains(kind.Types, t) {
			return kind
		}
	}
	return Text
}

// Dependencies lists the fields of the tool that decide what there is to choose in f.
func (f Field) Dependencies() []Field {
	var fields []Field
	for _, other := range f.tool.Fields {
		if slices.Contains(f.Kind.DependsOn, other.Kind) || other.Path == f.Within {
			fields = append(fields, other)
		}
	}
	return fields
}

// beside returns the answer to the first field of a kind in the form of f.
func (f Field) beside(kind *Kind, answers map[string]string) string {
	for _, other := range f.tool.Fields {
		if other.Kind == kind {
			return answers[other.Path]
		}
	}
	return ""
}

// FromList reports whether the values are the items of a list that is the same whatever the call is about.
func (f Field) FromList() bool {
	return f.Kind.Choices != nil && f.Kind.Audit == AuditNothing && len(f.Kind.DependsOn) == 0
}

// read reads a value of the arguments.
func (k *Kind) read(value any) (any, bool) {
	if text, ok := value.(string); ok {
		return k.Parse(strings.TrimSpace(text))
	}
	if k.Convert == nil {
		return nil, false
	}
	return k.Convert(value)
}

// understood returns the value that a text names, or the problems of a text that is not written as it has to be; neither where
// the text is a value.
func (k *Kind) understood(ctx context.Context, call *Call, field Field, text string) (value any, problems []Problem) {
	if call.Actor.Assistant && k.Exact != nil && !k.Exact(text) {
		return nil, []Problem{problem(call.Actor.Lang, field.Path, k.problem()+".exact")}
	}
	if k.Named == nil {
		return nil, nil
	}
	if _, ok := k.Parse(text); ok {
		return nil, nil
	}
	return k.Named(ctx, call, field, text)
}

// masked returns a value as others may see it.
func (f Field) masked(lang words.Lang, value any) string {
	if f.Kind.Masked != nil {
		if text := f.Kind.Masked(lang, value); text != "" {
			return text
		}
	}
	text := fmt.Sprint(value)
	if _, masks := value.(pii.Classed); !masks && f.Class != pii.Open {
		return pii.Scrub(text)
	}
	return text
}

// clear returns a value as the person who typed it, or may change it, sees it.
func (k *Kind) clear(lang words.Lang, value any) string {
	if k.Clear != nil {
		return k.Clear(lang, value)
	}
	return revealed(value)
}

func revealed(value any) string {
	if personal, ok := value.(interface{ Reveal() string }); ok {
		return personal.Reveal()
	}
	return fmt.Sprint(value)
}

func (k *Kind) equal(a, b any) bool {
	if k.Equal != nil {
		return k.Equal(a, b)
	}
	return reflect.DeepEqual(a, b)
}

func typesOf[T any]() []reflect.Type { return []reflect.Type{reflect.TypeFor[T]()} }

func ofType(name string) *jsonschema.Schema { return &jsonschema.Schema{Type: name} }

func oneOf[T ~string](values []T) *jsonschema.Schema {
	schema := ofType("string")
	for _, value := range values {
		schema.Enum = append(schema.Enum, value)
	}
	return schema
}

func asTyped(text string) (any, bool) { return text, true }

func parseInteger(text string) (any, bool) {
	n, err := strconv.ParseInt(text, 10, 32)
	return int32(n), err == nil
}

// convertNumber reads a JSON number as read reads its text.
func convertNumber(read func(string) (any, bool)) func(any) (any, bool) {
	return func(value any) (any, bool) {
		number, ok := value.(json.Number)
		if !ok {
			return nil, false
		}
		return read(number.String())
	}
}

func parseYesNo(text string) (any, bool) {
	answer, err := strconv.ParseBool(text)
	return answer, err == nil
}

func convertBool(value any) (any, bool) {
	answer, ok := value.(bool)
	return answer, ok
}

func maskedYesNo(lang words.Lang, value any) string {
	if answer, ok := value.(bool); ok {
		return yesOrNo(lang, answer)
	}
	return ""
}

func clearYesNo(lang words.Lang, value any) string {
	if flag, ok := value.(pii.Flag); ok {
		answer, _ := flag.Reveal()
		return yesOrNo(lang, answer)
	}
	return maskedYesNo(lang, value)
}

func yesOrNo(lang words.Lang, answer bool) string {
	if answer {
		return engineWords.Say(lang, "yes", nil)
	}
	return engineWords.Say(lang, "no", nil)
}

func parseNames(text string) (any, bool) {
	return strings.FieldsFunc(text, func(c rune) bool { return c == ',' || unicode.IsSpace(c) }), true
}

func convertNames(value any) (any, bool) {
	list, ok := value.([]any)
	names := []string{}
	for _, each := range list {
		name, isText := each.(string)
		names, ok = append(names, name), ok && isText
	}
	return names, ok
}
