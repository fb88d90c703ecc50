package tools

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
)

// InputSchema is the JSON Schema (2020-12) of the arguments that an assistant gives, described in English. It names what a
// field is and leaves the rules to the runner, whose problems say more than a schema's. The changes of an editor are one
// argument, with the paths of the fields as names.
func (t *Tool) InputSchema() *jsonschema.Schema {
	root, set := object(), object()
	set.Description = engineWords.Say(words.English, "schema.set", nil)
	for _, field := range t.Fields {
		switch {
		case field.People:
			continue
		case field.Editable():
			add(set, field.Path, field.schema(), false)
			if root.Properties[pathSet] == nil {
				add(root, pathSet, set, false)
			}
			continue
		}
		group, name := root, field.Path
		for {
			around, rest, nested := strings.Cut(name, ".")
			if !nested {
				break
			}
			if group.Properties[around] == nil {
				inner := object()
				inner.Description = t.groupTitle(around, field)
				add(group, around, inner, false)
			}
			if field.RequiredOfAssistants() && !slices.Contains(group.Required, around) {
				group.Required = append(group.Required, around)
			}
			group, name = group.Properties[around], rest
		}
		add(group, name, field.schema(), field.RequiredOfAssistants())
	}
	return root
}

func (f Field) schema() *jsonschema.Schema {
	schema := *f.Kind.Schema
	if f.Refers() { // its help is for people
		schema.Description = f.Form(words.English)
		return &schema
	}
	schema.Description = f.Label(words.English)
	switch help := f.Help(words.English); {
	case help == "" || f.Kind.SchemaSaysAll:
	default:
		schema.Description += ". " + help
	}
	if saidByName(f.Name(), schema.Description) {
		schema.Description = ""
	}
	return &schema
}

// groupTitle describes a group of fields: the title of the page of its name, or of the page of its first field; "" if the
// group's name says it.
func (t *Tool) groupTitle(group string, first Field) string {
	page := first.Page
	if slices.Contains(t.Pages, group) {
		page = group
	}
	if title := t.PageTitle(words.English, page); !saidByName(group, title) {
		return title
	}
	return ""
}

// saidByName reports whether the words of a description are in a name, as «Birth date» is in birthDate.
func saidByName(name, description string) bool {
	spaced := strings.Join(wordsIn(camelCase.ReplaceAllString(name, "$1 $2")), " ")
	return alikeWords(spaced, strings.Join(wordsIn(description), " "))
}

var camelCase = regexp.MustCompile(`([a-z])([A-Z])`)

// Form says how an assistant writes a value of the field: «date, YYYY-MM-DD».
func (f Field) Form(lang words.Lang) string {
	return f.Kind.form(lang)
}

// HelpForAssistants returns what [Field.Form] does not say of a value, "" for nothing.
func (f Field) HelpForAssistants(lang words.Lang) string {
	if f.Kind.SchemaSaysAll || f.Refers() {
		return ""
	}
	return f.Help(lang)
}

// OutputSchema is the JSON Schema of the tool's structured result. Personal data in it is text: a mask.
func (t *Tool) OutputSchema() *jsonschema.Schema {
	masked := &jsonschema.Schema{Type: "string"}
	types := map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[uuid.UUID](): {Type: "string", Format: "uuid"},
		reflect.TypeFor[time.Time](): {Type: "string", Format: "date-time"},
		reflect.TypeFor[pii.Money](): masked,
		reflect.TypeFor[pii.Flag]():  masked,
	}
	for _, text := range pii.Texts {
		types[text] = masked
	}
	schema, err := jsonschema.ForType(t.out, &jsonschema.ForOptions{TypeSchemas: types})
	if err != nil {
		panic(fmt.Sprintf("tools: the output of %s: %v", t.Name, err))
	}
	schema = lean(schema)
	if chooses := slices.ContainsFunc(t.Fields, func(f Field) bool { return f.Taxonomy != "" && !f.People }); chooses && t.Effect.Writes() {
		add(schema, "choices", &jsonschema.Schema{Type: "object"}, false) // see [Result]
	}
	if t.Effect.Writes() { // a call that waits for a person has nothing but its approval
		add(schema, "approval", &jsonschema.Schema{Type: "object"}, false)
		schema.Required = nil
	}
	return schema
}

// lean turns «array or null» into array: our slices are never null, and some clients refuse two types. Nor does an
// output promise that it will never say more.
func lean(schema *jsonschema.Schema) *jsonschema.Schema {
	if schema.Properties != nil {
		schema.AdditionalProperties = nil
	} else if schema.AdditionalProperties != nil { // of a map
		lean(schema.AdditionalProperties)
	}
	schema.Minimum, schema.Maximum = nil, nil // the limits of Go's types
	if len(schema.Types) == 2 && schema.Types[0] == "null" {
		schema.Type, schema.Types = schema.Types[1], nil
	}
	if schema.Items != nil {
		lean(schema.Items)
	}
	for _, property := range schema.Properties {
		lean(property)
	}
	return schema
}

func object() *jsonschema.Schema {
	return &jsonschema.Schema{
		Type:                 "object",
		Properties:           map[string]*jsonschema.Schema{},
		AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}}, // marshals as false
	}
}

func add(object *jsonschema.Schema, name string, property *jsonschema.Schema, required bool) {
	object.Properties[name] = property
	object.PropertyOrder = append(object.PropertyOrder, name)
	if required {
		object.Required = append(object.Required, name)
	}
}
