package tools

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

// Field is one value that a tool takes, read from a field of its input struct:
//
//	json      the name; with the names of the structs around it, joined by dots, the path
//	page      the form page that shows it; inherited from the struct around it
//	validate  the rules, as package validation defines them
//	taxonomy  the bank's list of the ids of a choice
//	within    the field beside it that has the parent of a choice: the district of a county
//	pii       the class of personal data of a plain type; the types of package pii have their own
//	only      "people" if assistants cannot give it
//	required  "assistants" if they have to give it, because what people may give in its place is not for them
//	          "form" if a form requires it, and a call need not have it
//
// A field of the page "-" is on no form. The fields of an embedded struct belong to the struct around it. Unexported
// fields are ignored. A slash command takes the first field after its name.
type Field struct {
	Path     string
	Page     string
	Kind     *Kind
	Required bool // always; rules across fields may require more
	Expected bool // required only if the bank insists on it, see [validation.Expected]
	Asked    bool // a form requires it, though a call need not have it
	Rules    string
	Taxonomy portal.TaxonomyKey
	Within   string // the path of the field that has the parent of a choice; "" without one
	Class    pii.Class
	People   bool // assistants cannot give it
	Needed   bool // assistants have to give it
	tool     *Tool
	index    []int // in the input struct, as reflect.Value.FieldByIndex takes it
}

// Name returns the last part of the path.
func (f Field) Name() string { return f.Path[strings.LastIndexByte(f.Path, '.')+1:] }

// Hidden reports whether the field is on no form.
func (f Field) Hidden() bool { return f.Page == hiddenPage }

const hiddenPage = "-"

// Refers reports whether the field says what a call is about: a form asks for it first, and skips the page if it is given.
func (f Field) Refers() bool { return f.Kind != nil && f.Kind.Refers }

// PersonRef names a colleague as an actor; see [Actor].
type PersonRef string

// Class returns [pii.Open].
func (PersonRef) Class() pii.Class { return pii.Open }

func fieldsOf(tool *Tool, in reflect.Type) []Field {
	return appendFields(nil, in, Field{tool: tool})
}

// appendFields appends the fields of a struct. around has what they inherit.
func appendFields(fields []Field, in reflect.Type, around Field) []Field {
	for i := range in.NumField() {
		member := in.Field(i)
		name, _, _ := strings.Cut(member.Tag.Get("json"), ",")
		if !member.IsExported() {
			continue
		}
		if member.Anonymous {
			embedded := around
			embedded.index = append(slices.Clone(around.index), i)
			fields = appendFields(fields, member.Type, embedded)
			continue
		}
		if name == "" {
			panic(fmt.Sprintf("tools: %s.%s has no JSON name", in, member.Name))
		}
		rules := strings.Split(member.Tag.Get("validate"), ",")
		field := Field{
			tool:     around.tool,
			Path:     strings.TrimPrefix(around.Path+"."+name, "."),
			Page:     or(member.Tag.Get("page"), around.Page),
			Rules:    member.Tag.Get("validate"),
			Taxonomy: portal.TaxonomyKey(member.Tag.Get("taxonomy")),
			Within:   siblingPath(around.Path, member.Tag.Get("within")),
			People:   member.Tag.Get("only") == "people",
			Needed:   member.Tag.Get("required") == "assistants",
			Asked:    member.Tag.Get("required") == "form",
			Required: slices.Contains(rules, "required") || slices.Contains(rules, "expected"),
			Expected: slices.Contains(rules, "expected"),
			index:    append(slices.Clone(around.index), i),
		}
		kind := member.Type
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		if kind.Kind() == reflect.Struct && !kind.Implements(reflect.TypeFor[pii.Classed]()) {
			fields = appendFields(fields, kind, field)
			continue
		}
		field.Kind, field.Class = kindOf(kind, field.Taxonomy), classOf(kind, member.Tag)
		field.People = field.People || field.Kind.PeopleOnly
		if field.Page == "" || field.Class == "" {
			panic(fmt.Sprintf("tools: %s.%s has no page or no class of personal data", in, member.Name))
		}
		fields = append(fields, field)
	}
	return fields
}

// siblingPath returns the path of a field that is named beside another, "" for none.
func siblingPath(group, name string) string {
	if name == "" {
		return ""
	}
	return strings.TrimPrefix(group+"."+name, ".")
}

func classOf(t reflect.Type, tag reflect.StructTag) pii.Class {
	if classed, ok := reflect.Zero(t).Interface().(pii.Classed); ok {
		return classed.Class()
	}
	return pii.Class(tag.Get("pii"))
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
