package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// compiled is the schema, ready to check files.
var compiled = sync.OnceValues(func() (*jsonschema.Schema, error) {
	text, err := json.Marshal(Schema())
	if err != nil {
		return nil, err
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(SchemaID, document); err != nil {
		return nil, err
	}
	return compiler.Compile(SchemaID)
})

// keySchema is the schema, to look up which keys a table has.
var keySchema = sync.OnceValue(Schema)

// checkShape compares a file with the schema. It removes from the file what is wrong, so that the rest can be checked.
func checkShape(file *node) ([]Problem, error) {
	schema, err := compiled()
	if err != nil {
		return nil, err
	}
	err = schema.Validate(file.plain())
	if err == nil {
		return nil, nil
	}
	invalid, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return nil, err
	}
	var found []Problem
	reported := map[string]bool{}
	for _, leaf := range leaves(invalid, nil) {
		for _, at := range wrongPaths(leaf) {
			problem := explain(leaf, at)
			problem.Key, problem.Line = strings.Join(at, "."), file.lineOf(at)
			if !reported[problem.Key+" "+problem.What] {
				found = append(found, problem)
			}
			reported[problem.Key+" "+problem.What] = true
		}
	}
	for _, leaf := range leaves(invalid, nil) {
		for _, at := range wrongPaths(leaf) {
			file.remove(at)
		}
	}
	return found, nil
}

// leaves appends the innermost causes of an error.
func leaves(err *jsonschema.ValidationError, found []*jsonschema.ValidationError) []*jsonschema.ValidationError {
	if _, is := err.ErrorKind.(*kind.PropertyNames); is || len(err.Causes) == 0 {
		return append(found, err)
	}
	for _, cause := range err.Causes {
		found = leaves(cause, found)
	}
	return found
}

// wrongPaths returns the paths of the entries that an error is about.
func wrongPaths(err *jsonschema.ValidationError) (paths [][]string) {
	var names []string
	switch what := err.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		names = what.Properties
	case *kind.PropertyNames:
		names = []string{what.Property}
	default:
		return [][]string{slices.Clone(err.InstanceLocation)}
	}
	for _, name := range names {
		paths = append(paths, append(slices.Clone(err.InstanceLocation), name))
	}
	return paths
}

// explain returns what is wrong with the entry at a path.
func explain(err *jsonschema.ValidationError, at []string) Problem {
	inner := ""
	if _, fragment, ok := strings.Cut(err.SchemaURL, "#/$defs/"); ok {
		inner, _, _ = strings.Cut(fragment, "/")
	}
	switch what := err.ErrorKind.(type) {
	case *kind.AdditionalProperties, *kind.PropertyNames:
		return unknownKey(at)
	case *kind.Type:
		if parent := at[max(0, len(at)-2)]; what.Got == "object" && slices.Contains([]string{"fields", "items", "body", "query"}, parent) {
			return Problem{What: "quote"}
		}
		return Problem{What: "type", types: what.Want, args: map[string]any{"got": what.Got}}
	case *kind.Enum:
		known := []string{}
		for _, value := range what.Want {
			if text, ok := value.(string); ok {
				known = append(known, strconv.Quote(text))
			}
		}
		text, _ := what.Got.(string)
		return Problem{What: "oneOf", known: known, args: map[string]any{"text": strconv.Quote(text)}}
	case *kind.Pattern:
		if patterns[inner] == "" {
			inner = "name" // of names
		}
		return Problem{What: "form." + inner}
	case *kind.Minimum, *kind.Maximum:
		return Problem{What: "range"}
	case *kind.MinItems:
		return Problem{What: "empty"}
	case *kind.MaxItems:
		return Problem{What: "long", args: map[string]any{"most": what.Want}}
	case *kind.UniqueItems:
		return Problem{What: "repeated"}
	case *kind.Required:
		return Problem{What: "lacks", args: map[string]any{"keys": strings.Join(what.Missing, ", ")}}
	}
	return Problem{What: "invalid"}
}

// unknownKey says what could stand in place of a key that a profile does not have.
func unknownKey(at []string) Problem {
	table, key := at[:len(at)-1], at[len(at)-1]
	known := knownAt(keySchema(), table)
	if last := len(table) - 1; last >= 0 && table[last] == "headers" {
		return Problem{What: "form.headerName"}
	}
	if len(table) == 2 && (table[0] == "states" || table[0] == "simulation_states" || table[0] == "notifications" && table[1] == "ids") {
		return Problem{What: "stateID"}
	}
	if len(table) == 1 && table[0] == "limits" {
		return Problem{What: "day"}
	}
	if len(table) == 1 && table[0] == "operations" {
		if list := strings.TrimSuffix(key, "Get"); Builtin().Taxonomies.Lists[list].Title != "" {
			return Problem{What: "isList", args: map[string]any{"list": list}}
		}
		return Problem{What: "operation", known: known}
	}
	if len(table) == 2 && table[0] == "operations" && key == "items" {
		return Problem{What: "noList"}
	}
	if len(table) == 2 && table[0] == "taxonomies" && table[1] == "lists" {
		return Problem{What: "list", known: known}
	}
	return Problem{What: "key", known: known, args: map[string]any{"text": key}}
}

// knownAt returns the keys that a table of a file may have, sorted.
func knownAt(schema object, path []string) []string {
	defs, _ := schema["$defs"].(object)
	here := []object{schema}
	for _, key := range path {
		var next []object
		for _, one := range resolved(here, schema, defs) {
			properties, _ := one["properties"].(object)
			inner, ok := properties[key].(object)
			if !ok {
				inner, ok = one["additionalProperties"].(object)
			}
			if items, is := one["items"].(object); !ok && is {
				inner, ok = items, true
			}
			if ok {
				next = append(next, inner)
			}
		}
		here = next
	}
	keys := map[string]bool{}
	for _, one := range resolved(here, schema, defs) {
		if names, ok := one["propertyNames"].(object); ok {
			of, _ := names["enum"].([]any)
			keys = map[string]bool{}
			for _, name := range of {
				keys[name.(string)] = true
			}
			break
		}
		properties, _ := one["properties"].(object)
		for name := range properties {
			keys[name] = true
		}
	}
	delete(keys, markKey)
	delete(keys, marksKey)
	delete(keys, "$schema")
	return slices.Sorted(maps.Keys(keys))
}

// resolved returns schemas and those that they refer to.
func resolved(here []object, schema, defs object) (all []object) {
	for _, one := range here {
		all = append(all, one)
		switch target, _ := one["$ref"].(string); target {
		case "":
		case "#":
			all = append(all, schema)
		default:
			def, _ := defs[strings.TrimPrefix(target, "#/$defs/")].(object)
			all = append(all, def)
		}
	}
	return all
}

// inner returns the value at a key of a table or an index of an array, nil if there is none.
func (n *node) inner(key string) *node {
	if n.table != nil {
		return n.table[key]
	}
	if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(n.array) {
		return n.array[i]
	}
	return nil
}

// find returns the value at a path, nil if there is none.
func (n *node) find(path []string) *node {
	for _, key := range path {
		if n = n.inner(key); n == nil {
			return nil
		}
	}
	return n
}

// lineOf returns the line of the value at a path, or of the table around it that the file has.
func (n *node) lineOf(path []string) int {
	line := n.line
	for _, key := range path {
		if n = n.inner(key); n == nil {
			break
		}
		line = n.line
	}
	return line
}

// remove removes the value at a path; in an array, the whole array.
func (n *node) remove(path []string) {
	for len(path) > 0 {
		outer := n.find(path[:len(path)-1])
		if outer != nil && outer.table != nil {
			delete(outer.table, path[len(path)-1])
			return
		}
		path = path[:len(path)-1]
	}
}
