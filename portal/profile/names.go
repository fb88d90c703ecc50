package profile

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Names are the names that something may have at the bank, the likeliest first. In a file they are a string or an array of
// strings. A name with a dot is a path. A name that begins with «*» is any that ends in the rest.
type Names []string

// UnmarshalJSON reads a string or an array of strings.
func (n *Names) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*n = Names{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(n))
}

// first returns the name that a sandbox sends.
func (n Names) first(otherwise string) string {
	if len(n) == 0 {
		return otherwise
	}
	return n[0]
}

// only reports whether the names are just this one.
func (n Names) only(name string) bool { return len(n) == 0 || len(n) == 1 && n[0] == name }

// Find returns the value under the first of the names that the object has.
func (n Names) Find(object map[string]any) (value any, found bool) {
	for _, name := range n {
		if value, found = lookup(object, strings.Split(name, ".")); found {
			return value, true
		}
	}
	return nil, false
}

// Lookup returns the value at a dotted path of an object, by names in any case. The path "" is the value itself.
func Lookup(value any, path string) (any, bool) {
	if path == "" {
		return value, true
	}
	return lookup(value, strings.Split(path, "."))
}

// lookup returns the value at a path of an object.
func lookup(value any, path []string) (any, bool) {
	for _, name := range path {
		object, ok := value.(map[string]any)
		if !ok {
			return nil, false
		}
		if value, ok = member(object, name); !ok {
			return nil, false
		}
	}
	return value, true
}

// objectsAt returns the objects at a dotted path of an object, which may lead through arrays: all that are in them.
func objectsAt(object map[string]any, path string) []map[string]any {
	found := []map[string]any{object}
	if path == "" {
		return found
	}
	for name := range strings.SplitSeq(path, ".") {
		var inner []map[string]any
		for _, object := range found {
			value, _ := member(object, name)
			switch value := value.(type) {
			case map[string]any:
				inner = append(inner, value)
			case []any:
				for _, item := range value {
					if object, ok := item.(map[string]any); ok {
						inner = append(inner, object)
					}
				}
			}
		}
		found = inner
	}
	return found
}

// member returns the field of an object with this name, or else with this name in another case.
func member(object map[string]any, name string) (any, bool) {
	if value, ok := object[name]; ok {
		return value, true
	}
	suffix, any := strings.CutPrefix(name, "*")
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if strings.EqualFold(key, name) || any && strings.HasSuffix(strings.ToLower(key), strings.ToLower(suffix)) {
			return object[key], true
		}
	}
	return nil, false
}

// put sets the value at a path of an object, and makes the objects on the way.
func put(object map[string]any, path string, value any) {
	names := strings.Split(path, ".")
	for _, name := range names[:len(names)-1] {
		inner, ok := object[name].(map[string]any)
		if !ok {
			inner = map[string]any{}
			object[name] = inner
		}
		object = inner
	}
	object[names[len(names)-1]] = value
}

// split returns the path of the enclosing object and the last name of a dotted path.
func split(path string) (outer, name string) {
	if at := strings.LastIndexByte(path, '.'); at >= 0 {
		return path[:at], path[at+1:]
	}
	return "", path
}

// byDepth returns the keys of a map sorted, enclosing objects before what is in them.
func byDepth[V any](m map[string]V) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		if depth := strings.Count(a, ".") - strings.Count(b, "."); depth != 0 {
			return depth
		}
		return strings.Compare(a, b)
	})
}
