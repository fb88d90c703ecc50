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
//	page      the form page it stands on; inherited from the struct around it
//	validate  the rules, in the terms of the package validation
//	taxonomy  where the ids of a choice come from
//	pii       the class of personal data of plain types; the types of the package pii know theirs
//	only      "people" for what no assistant may decide
//
// A field of the page "-" stands on no form. The fields of an embedded struct stand among those around it; what
// is not exported is no field.
//
// A field that stands first and is a process is what a slash command takes after its name.
type Field struct {
	Path     string
	Page     string
	Kind     *Kind
	Required bool // whatever else is given; rules across fields may require more
	Rules    string
	Taxonomy portal.TaxonomyKey
	Class    pii.Class
	People   bool // no assistant may give it
	tool     *Tool
	index    []int // in the input struct, as reflect.Value.FieldByIndex takes it
}

// Name is the last part of the path.
func (f Field) Name() string { return f.Path[strings.LastIndexByte(f.Path, '.')+1:] }

// Hidden tells whether the field stands on no form.
func (f Field) Hidden() bool { return f.Page == hiddenPage }

const hiddenPage = "-"

// Refers reports whether the field says what a call is about: a form asks for it first, and skips the page if it is given.
func (f Field) Refers() bool { return f.Kind != nil && f.Kind.Refers }

// PersonRef names a colleague as an actor; see [Actor].
type PersonRef string

// Class says that a colleague's id tells nothing of a client.
func (PersonRef) Class() pii.Class { return pii.Open }

func fieldsOf(tool *Tool, in reflect.Type) []Field {
	return appendFields(nil, in, Field{tool: tool})
}

// appendFields walks a struct; around carries what its fields inherit.
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
		field := Field{
			tool:     around.tool,
			Path:     strings.TrimPrefix(around.Path+"."+name, "."),
			Page:     or(member.Tag.Get("page"), around.Page),
			Rules:    member.Tag.Get("validate"),
			Taxonomy: portal.TaxonomyKey(member.Tag.Get("taxonomy")),
			People:   member.Tag.Get("only") == "people",
			Required: slices.Contains(strings.Split(member.Tag.Get("validate"), ","), "required"),
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
