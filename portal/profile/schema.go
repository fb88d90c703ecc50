package profile

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// SchemaID is the address of the JSON Schema of a profile, docs/bank-profile.schema.json.
const SchemaID = "https://raw.githubusercontent.com/balcao/balcao/main/docs/bank-profile.schema.json"

// object is a JSON object of the schema.
type object = map[string]any

// patterns are the forms of texts, by the name of their definition in the schema. The definition's name is also the key
// of the words that say what is expected.
var patterns = map[string]string{
	"mark":         `^(confirmed|seen|inferred|given):\s*\S`,
	"prefix":       `^(/[\w.~-]+)*$`,
	"path":         `^(/([\w.~-]+|\{\w+\}))+/?$`,
	"listPath":     `^(/([\w.~-]+|\{name\}))+/?$`,
	"fixedPath":    `^(/[\w.~-]+)+/?$`,
	"listName":     `^[\w.~-]+(/[\w.~-]+)*$`,
	"headerName":   "^[\\w!#$%&'*+.^`|~-]+$",
	"template":     `^([^{}\x00-\x1f\x7f]|\{(client_id|client_secret|broker|username|language|token)\})*$`,
	"loginValue":   `^([^{}\x00-\x1f\x7f]|\{(client_id|client_secret|broker|username|language)\})*$`,
	"condition":    `^[\w-]+(\.[\w-]+)*(=.+)?$`,
	"name":         `^[^\x00-\x1f\x7f]{0,200}$`,
	"nonEmptyText": `\S`,
	"phrase":       `[\p{L}\p{N}]`,
}

// shapes are the shapes of fields that their Go type does not say, by type and name in a file.
var shapes = map[string]any{
	"Profile.prefix": ref("prefix"), "Operation.prefix": ref("prefix"),
	"Profile.headers": headers("template"), "Login.headers": headers("loginValue"),
	"Forms.ids":     object{"additionalProperties": oneOf(UUID, Integer)},
	"Forms.numbers": oneOf(Number, Text), "Forms.dates": oneOf(Date, DateTime), "Forms.names": oneOf(Camel, Pascal, Lower, Snake),
	"Forms.absent": oneOf(Omitted, Null), "Forms.done": oneOf(Status, Empty),
	"Operation.method": methods, "Taxonomies.method": methods, "List.method": methods,
	"Operation.path": ref("path"), "Taxonomies.path": ref("listPath"), "List.path": ref("fixedPath"), "List.name": ref("listName"),
	"Operation.query": renamed, "Operation.body": renamed, "Taxonomies.query": renamed,
	"Operation.missing": object{"type": "array", "items": object{"type": "integer", "minimum": 400, "maximum": 499}, "uniqueItems": true},
	"Operation.lengths": object{"additionalProperties": object{"type": "integer", "minimum": 1, "maximum": 1_000_000}},
	"Content.size":      object{"type": "integer", "minimum": 1, "maximum": 32 << 20},
	"Page.size":         object{"type": "integer", "minimum": 1, "maximum": 10_000},
	"Page.first":        object{"type": "integer", "minimum": 0, "maximum": 1},
	"Errors.in_reply":   object{"type": "array", "items": ref("condition")},
	"Item.id":           object{"type": "integer", "minimum": 0, "maximum": 1<<31 - 1}, "Item.pt": ref("nonEmptyText"), "Item.en": ref("nonEmptyText"),
	"States.ids": stateIDs(object{"type": "string"}), "States.phases": stateIDs(object{"type": "integer", "minimum": -1 << 31, "maximum": 1<<31 - 1}),
	"SimulationStates.ids": stateIDs(object{"type": "string"}), "SimulationMeaning.words": phrases,
	"Notifications.ids": stateIDs(object{"type": "string"}), "NotificationMeaning.words": phrases,
	"Meaning.words": phrases, "Meaning.phase": phrases, "States.negations": phrases, "States.breaks": phrases,
	"Taxonomies.none": itemIDs, "ItemMeaning.ids": itemIDs, "ItemMeaning.examples": itemIDs, "ItemMeaning.words": phrases,
	"LTVLimits.note": percent, "LTVLimits.own_home": percent, "LTVLimits.other": percent, "LTVLimits.lender_owned": percent,
	"DSTILimits.note": percent, "DSTILimits.warn": percent, "DSTILimits.limit": percent,
	"AgeLimits.note": years, "AgeLimits.max": years, "TermLimit.up_to_age": years, "TermLimit.years": years,
	"RateShock.over_months": object{"type": "integer", "minimum": 0, "maximum": 1200}, "RateShock.basis_points": object{"type": "integer", "minimum": 0, "maximum": 10_000},
	"Alternative.profile": object{"$ref": "#"}, "Alternative.name": ref("nonEmptyText"),
}

// required are the fields that a type cannot be without.
var required = map[string][]string{
	"Item": {"id", "pt"}, "Alternative": {"name", "profile"}, "RateShock": {"over_months", "basis_points"}, "TermLimit": {"up_to_age", "years"},
}

// values are the values of types that have few.
var values = map[reflect.Type]object{
	reflect.TypeFor[Shape]():      oneOf(ListShape, BareShape, ObjectShape, FieldsShape, XMLShape),
	reflect.TypeFor[PageStyle]():  oneOf(Whole, ByCursor, ByNumber, ByOffset),
	reflect.TypeFor[Strictness](): oneOf(Error, Warn, Off),
	reflect.TypeFor[Turn]():       oneOf(Nobody, Bank, Partner),
	reflect.TypeFor[End]():        oneOf(Open, Granted, Cancelled),
}

var (
	methods = oneOf("GET", "POST", "PUT", "PATCH", "DELETE")
	renamed = object{"additionalProperties": ref("name")}
)

// phrases are texts with a word each.
var phrases = object{"type": "array", "items": ref("phrase")}

// itemIDs are ids of the items of a list.
var itemIDs = object{"type": "array", "items": object{"type": "integer", "minimum": -1 << 31, "maximum": 1<<31 - 1}, "uniqueItems": true}

var (
	percent = object{"type": "integer", "minimum": 0, "maximum": 1000}
	years   = object{"type": "integer", "minimum": 0, "maximum": 150}
)

// stateIDs is a table by the ids of states.
func stateIDs(value object) object {
	return object{"additionalProperties": value, "propertyNames": object{"pattern": `^(-?[1-9]\d{0,9}|marks?)$`}}
}

func ref(name string) object { return object{"$ref": "#/$defs/" + name} }

func oneOf[T ~string](of ...T) object {
	all := make([]any, len(of))
	for i, value := range of {
		all[i] = string(value)
	}
	return object{"enum": all}
}

func headers(value string) object {
	return object{"additionalProperties": ref(value), "propertyNames": ref("headerName")}
}

// Schema returns the JSON Schema of a file with a profile, without descriptions.
func Schema() map[string]any {
	b := schemaBuilder{object{"names": object{"type": []any{"string", "array"}, "items": ref("name"), "minItems": 1, "pattern": patterns["name"]}}}
	for name, pattern := range patterns {
		b.defs[name] = object{"type": "string", "pattern": pattern}
	}
	b.defs["marks"] = object{"type": "object", "additionalProperties": ref("mark")}
	whole := b.fields(reflect.TypeFor[Profile]())
	operations := whole["properties"].(object)["operations"].(object)
	delete(operations, "additionalProperties")
	for id, op := range Builtin().Operations {
		operations["properties"].(object)[id] = named(op)
	}
	operations["additionalProperties"] = false
	whole["properties"].(object)["alternatives"].(object)["maxItems"] = 100
	whole["properties"].(object)["limits"].(object)["propertyNames"] = object{"pattern": `^(\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])|marks?)$`}
	meanings := whole["properties"].(object)["meanings"].(object)
	delete(meanings, "additionalProperties")
	for list, names := range Builtin().Meanings {
		meanings["properties"].(object)[list] = knownKeys(b.of(reflect.TypeOf(names)), slices.Collect(maps.Keys(names)))
	}
	meanings["additionalProperties"] = false
	lists := b.defs["taxonomies"].(object)["properties"].(object)["lists"].(object)
	knownKeys(lists, slices.Collect(maps.Keys(Builtin().Taxonomies.Lists)))
	properties := b.defs["taxonomies"].(object)["properties"].(object)
	knownKeys(properties["query"].(object), pageNames)
	itemKeys := slices.Collect(maps.Keys(Builtin().Taxonomies.Reply.Items))
	properties["reply"] = object{"$ref": "#/$defs/reply", "properties": object{"items": knownKeys(object{}, itemKeys)}}
	b.defs["list"].(object)["properties"].(object)["reply"] = properties["reply"]
	knownKeys(b.defs["forms"].(object)["properties"].(object)["ids"].(object), slices.Collect(maps.Keys(Builtin().Forms.IDs)))
	maps.Copy(whole, object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SchemaID, "title": "What a bank is taken to be", "$defs": b.defs,
	})
	whole["properties"].(object)["$schema"] = object{"type": "string"}
	return whole
}

// pageNames are the parameters that ask for a page of a list.
var pageNames = []string{"lineCount", "limit", "nextRecord", "offset", "pageNumber", "pageSize", "previousRecord"}

// knownKeys lets a table have these keys only, and returns it.
func knownKeys(table object, keys []string) object {
	all := []any{markKey, marksKey}
	for _, key := range slices.Sorted(slices.Values(keys)) {
		all = append(all, key)
	}
	table["propertyNames"] = object{"enum": all}
	return table
}

// named returns the schema of an operation, with the canonical names that it has.
func named(op Operation) object {
	tables, reply := object{}, object{}
	placeholders := Placeholders(op.Path)
	query := slices.Concat(slices.Collect(maps.Keys(op.Query)), placeholders)
	if op.Page.Style != Whole || len(op.Reply.List) > 0 {
		query = slices.Concat(query, pageNames)
	}
	slices.Sort(query)
	tables["query"] = knownKeys(object{}, slices.Compact(query))
	if len(op.Body) > 0 {
		tables["body"] = knownKeys(object{}, slices.Concat(slices.Collect(maps.Keys(op.Body)), placeholders))
		tables["lengths"] = knownKeys(object{}, slices.Collect(maps.Keys(op.Body)))
	}
	if len(op.Reply.Fields) > 0 {
		fields := slices.Concat(slices.Collect(maps.Keys(op.Reply.Fields)), slices.Collect(maps.Keys(Builtin().Replies.Fields)))
		reply["fields"] = knownKeys(object{}, fields)
	}
	if len(op.Reply.Items) > 0 {
		reply["items"] = knownKeys(object{}, slices.Collect(maps.Keys(op.Reply.Items)))
	}
	if len(reply) > 0 {
		tables["reply"] = object{"properties": reply}
	}
	return object{"$ref": "#/$defs/operation", "properties": tables}
}

// schemaBuilder builds the definitions of the types.
type schemaBuilder struct{ defs object }

// fields returns the schema of a struct: a table with its fields and marks.
func (b schemaBuilder) fields(t reflect.Type) object {
	properties := object{markKey: ref("mark"), marksKey: ref("marks")}
	schema := object{"type": "object", "properties": properties, "additionalProperties": false}
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if !field.IsExported() || name == "-" {
			continue
		}
		properties[name] = b.field(field.Type, t.Name()+"."+name)
	}
	if names := required[t.Name()]; names != nil {
		all := make([]any, len(names))
		for i, name := range names {
			all[i] = name
		}
		schema["required"] = all
	}
	return schema
}

func (b schemaBuilder) field(t reflect.Type, at string) object {
	shape, special := shapes[at].(object)
	if special {
		shape = maps.Clone(shape)
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t.Kind() == reflect.Map:
		schema := object{"type": "object", "properties": object{markKey: ref("mark"), marksKey: ref("marks")}}
		if maps.Copy(schema, shape); !special {
			schema["additionalProperties"] = b.of(t.Elem())
		}
		return schema
	case special:
		return shape
	}
	return b.of(t)
}

// of returns the schema of a type.
func (b schemaBuilder) of(t reflect.Type) object {
	if of, ok := values[t]; ok {
		return maps.Clone(of)
	}
	switch {
	case t == reflect.TypeFor[Names]():
		return ref("names")
	case t == reflect.TypeFor[json.RawMessage]():
		return object{}
	}
	switch t.Kind() {
	case reflect.Struct:
		name := definition(t)
		if _, has := b.defs[name]; !has {
			b.defs[name] = object{} // for a type that contains itself
			b.defs[name] = b.fields(t)
		}
		return ref(name)
	case reflect.Map:
		return b.field(t, "")
	case reflect.Slice:
		return object{"type": "array", "items": b.of(t.Elem())}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.String:
		return object{"type": "string"}
	default:
		return object{"type": "integer"}
	}
}

// definition returns the name of a type's definition.
func definition(t reflect.Type) string {
	name := []rune(t.Name())
	name[0] = unicode.ToLower(name[0])
	return string(name)
}
