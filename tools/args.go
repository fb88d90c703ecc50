package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/validation"
)

// maxArgs is the most bytes of a call's arguments, far above those of the largest form.
const maxArgs = 64 << 10

// decode reads a call's arguments into the tool's input. Names must be exact: an unknown one is a problem. Values may be
// as a form sends them: a number in quotes is a number. A value with a problem is left out of the input, so that the
// rest can be checked. in is nil if there is nothing to check. Problems never contain a value.
func (t *Tool) decode(args json.RawMessage, lang words.Lang) (in any, problems []Problem) {
	if len(bytes.TrimSpace(args)) == 0 {
		args = json.RawMessage("{}")
	}
	if len(args) > maxArgs {
		return nil, []Problem{problem(lang, "", "args.too_long")}
	}
	decoder := json.NewDecoder(bytes.NewReader(args))
	decoder.UseNumber()
	var given map[string]any
	if err := decoder.Decode(&given); err != nil || decoder.More() {
		return nil, []Problem{problem(lang, "", "args.not_object")}
	}
	problems = t.expand(given, lang)
	problems = append(problems, t.conform(given, "", lang)...)
	data, err := json.Marshal(given)
	input := reflect.New(t.in)
	if err == nil {
		err = json.Unmarshal(data, input.Interface())
	}
	if err != nil { // conform leaves nothing that does not fit
		return nil, append(problems, problem(lang, "", "args.not_object"))
	}
	return input.Elem().Interface(), problems
}

// normalised returns an input in the form that the bank gets.
func (t *Tool) normalised(in any) any {
	copied := reflect.New(t.in)
	copied.Elem().Set(reflect.ValueOf(in))
	validation.Normalise(copied.Interface())
	return copied.Elem().Interface()
}

// conform checks the names below prefix and converts each value to the form that its field is read from. It deletes the
// values that it cannot convert.
func (t *Tool) conform(given map[string]any, prefix string, lang words.Lang) []Problem {
	var problems []Problem
	wrong := func(name, path, code string, args ...any) {
		delete(given, name)
		problems = append(problems, problem(lang, path, code, args...))
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		path, value := prefix+name, given[name]
		field, isField := t.Field(path)
		isField = isField && !strings.Contains(name, ".")
		group, isObject := value.(map[string]any)
		switch {
		case value == nil && (isField || t.isGroup(path)):
			delete(given, name)
		case isField:
			form, ok := field.Kind.read(value)
			if given[name] = form; !ok {
				wrong(name, path, field.Kind.problem())
			}
		case t.isGroup(path) && isObject:
			problems = append(problems, t.conform(group, path+".", lang)...)
		case t.isGroup(path):
			wrong(name, path, "args.not_object")
		default:
			code, args := t.unknown(prefix, name)
			wrong(name, strings.TrimSuffix(prefix, "."), code, args...)
		}
	}
	return problems
}

// unknown returns the problem of an argument that is no field where it stands: where it belongs, or what is there. A name is
// repeated only if it is that of a field.
func (t *Tool) unknown(prefix, name string) (code string, args []any) {
	if field, is := t.Field(name); is { // with dots
		if field.Editable() {
			return "args.misplaced", []any{"name", name, "paths", t.pathOf(field)}
		}
		return "args.nested", []any{"name", name, "object", objectAt(name)}
	}
	named := func(names func(Field) bool) (paths []string) {
		for _, field := range t.Fields {
			if !field.People && names(field) && len(paths) < 3 {
				paths = append(paths, t.pathOf(field))
			}
		}
		return paths
	}
	if paths := named(func(f Field) bool { return strings.EqualFold(f.Name(), name) }); paths != nil {
		return "args.misplaced", []any{"name", name, "paths", strings.Join(paths, ", ")}
	}
	if paths := named(func(f Field) bool { return f.IsCalled(name) || Fold(f.Name()) == Fold(name)+"id" }); paths != nil {
		return "args.misplaced", []any{"name", name, "paths", strings.Join(paths, ", ")}
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	near := func(f Field) bool { return typos(Fold(f.Name()), Fold(last)) <= min(maxTypos, len(last)/3) }
	if paths := named(near); paths != nil {
		return "args.resembles", []any{"paths", strings.Join(paths, ", ")}
	}
	return "args.unknown_field", []any{"known", t.namesUnder(prefix)}
}

// pathOf returns where an assistant gives a field.
func (t *Tool) pathOf(field Field) string {
	if field.Editable() {
		return fmt.Sprintf("%s: {%q: …}", pathSet, field.Path)
	}
	return field.Path
}

// objectAt returns the objects around a field with the names in its path: {"personal": {"email": …}}.
func objectAt(path string) string {
	name, rest, nested := strings.Cut(path, ".")
	if !nested {
		return fmt.Sprintf("{%q: …}", name)
	}
	return fmt.Sprintf("{%q: %s}", name, objectAt(rest))
}

// Args converts what a person typed, by path, to the arguments of a call. Blank answers are left out.
func (t *Tool) Args(answers map[string]string, lang words.Lang) (json.RawMessage, []Problem) {
	args := map[string]any{}
	var problems []Problem
	for _, field := range t.Fields {
		text := strings.TrimSpace(answers[field.Path])
		if text == "" {
			continue
		}
		value, ok := field.Kind.Parse(text)
		if !ok {
			problems = append(problems, problem(lang, field.Path, field.Kind.problem()))
			continue
		}
		group, name := args, field.Path
		for {
			around, rest, nested := strings.Cut(name, ".")
			if !nested {
				break
			}
			if group[around] == nil {
				group[around] = map[string]any{}
			}
			group, name = group[around].(map[string]any), rest
		}
		group[name] = value
	}
	data, err := json.Marshal(args)
	if err != nil {
		panic(err) // strings, numbers and booleans marshal
	}
	return data, problems
}

// Answers converts the arguments of a [Step] to the answers that a form shows.
func (t *Tool) Answers(args map[string]any) map[string]string {
	answers := map[string]string{}
	for _, field := range t.Fields {
		if value, ok := args[field.Path]; ok {
			answers[field.Path] = fmt.Sprint(value)
		}
	}
	return answers
}

func (t *Tool) isGroup(path string) bool {
	for _, field := range t.Fields {
		if strings.HasPrefix(field.Path, path+".") {
			return true
		}
	}
	return false
}

func (t *Tool) namesUnder(prefix string) string {
	var names []string
	for _, field := range t.Fields {
		rest, ok := strings.CutPrefix(field.Path, prefix)
		name, _, _ := strings.Cut(rest, ".")
		if ok && (len(names) == 0 || names[len(names)-1] != name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
