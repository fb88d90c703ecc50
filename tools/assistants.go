package tools

import (
	"maps"
	"slices"
	"strings"

	"github.com/balcao/balcao/internal/words"
)

// RequiredOfAssistants reports whether a call of an assistant has to have the field.
func (f Field) RequiredOfAssistants() bool {
	if f.tool.Edits {
		return f.Refers() && f.Required
	}
	return (f.Required || f.Needed) && !f.People
}

// Lacks returns what a call with these arguments, by path, lacks to be made by an assistant: the paths of fields, and of an
// editor the argument with its changes.
func (t *Tool) Lacks(args map[string]any) []string {
	var lacking []string
	changes := false
	for _, field := range t.Fields {
		_, given := args[field.Path]
		if field.RequiredOfAssistants() && !given {
			lacking = append(lacking, field.Path)
		}
		changes = changes || given && field.Editable()
	}
	if t.Edits && !changes {
		lacking = append(lacking, pathSet)
	}
	return lacking
}

// Editable reports whether an editor changes the field, unlike those that say what it is about.
func (f Field) Editable() bool { return f.tool.Edits && !f.Refers() && !f.Hidden() && !f.People }

// pathSet is the argument of an editor that has its changes: values by the paths of fields.
const pathSet = "set"

// expand turns the changes of an editor, which have the paths of fields, into the arguments that the form of the tool has:
// {"set": {"personal.email": …}} into {"personal": {"email": …}}. A value that is given in both ways is a problem.
func (t *Tool) expand(given map[string]any, lang words.Lang) (problems []Problem) {
	value, has := given[pathSet]
	if !t.Edits || !has {
		return nil
	}
	delete(given, pathSet)
	changes, ok := value.(map[string]any)
	if !ok {
		if value == nil {
			return nil
		}
		return []Problem{problem(lang, pathSet, "args.set")}
	}
	for _, path := range slices.Sorted(maps.Keys(changes)) {
		if !insert(given, path, changes[path]) {
			problems = append(problems, problem(lang, pathSet, "args.twice"))
		}
	}
	return problems
}

// insert puts a value at a path into nested arguments. It reports false if another value is there.
func insert(args map[string]any, path string, value any) bool {
	around, rest, nested := strings.Cut(path, ".")
	existing, taken := args[around]
	inner, isObject := existing.(map[string]any)
	switch {
	case nested && !taken:
		inner = map[string]any{}
		args[around] = inner
		return insert(inner, rest, value)
	case nested:
		return isObject && insert(inner, rest, value)
	case !taken:
		args[around] = value
		return true
	}
	added, both := value.(map[string]any)
	if !isObject || !both {
		return false
	}
	ok := true
	for name, each := range added {
		ok = insert(inner, name, each) && ok
	}
	return ok
}
