package bank

import (
	"slices"
	"strings"

	"github.com/balcao/balcao/portal/profile"
)

// maxNesting is how deep the data of a reply is looked for.
const maxNesting = 3

// location is where a reply has its objects.
type location struct {
	path    string // with dots; "" is the reply itself
	objects sample
	matched matched
}

// arrays returns the arrays of objects in a reply, by their path. An empty array counts.
func arrays(value any) map[string][]any {
	found := map[string][]any{}
	var descend func(path string, value any, depth int)
	descend = func(path string, value any, depth int) {
		switch value := value.(type) {
		case []any:
			found[path] = value
		case map[string]any:
			if depth > maxNesting {
				return
			}
			for name, inner := range value {
				if !strings.Contains(name, ".") {
					descend(strings.TrimPrefix(path+"."+name, "."), inner, depth+1)
				}
			}
		}
	}
	descend("", value, 0)
	return found
}

// objects returns the objects of an array, false if it holds anything else.
func objects(array []any) (sample, bool) {
	var all sample
	for _, item := range array {
		object, ok := item.(map[string]any)
		if !ok {
			return nil, false
		}
		all = append(all, object)
	}
	return all, true
}

// nested returns the objects in a reply by their path, itself included, down to a depth.
func nested(value any) map[string]map[string]any {
	found := map[string]map[string]any{}
	var descend func(path string, value any, depth int)
	descend = func(path string, value any, depth int) {
		object, ok := value.(map[string]any)
		if !ok || depth > maxNesting {
			return
		}
		found[path] = object
		for name, inner := range object {
			if !strings.Contains(name, ".") {
				descend(strings.TrimPrefix(path+"."+name, "."), inner, depth+1)
			}
		}
	}
	descend("", value, 0)
	return found
}

// container returns where a profile looks for the data of a reply.
func container(value any, at profile.Names) (path string, inside any, ok bool) {
	whole := len(at) == 0
	for _, name := range at {
		if name == "" {
			whole = true
			continue
		}
		if found, has := profile.Lookup(value, name); has && isContainer(found) {
			return name, found, true
		}
	}
	return "", value, whole
}

func isContainer(value any) bool {
	switch value.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

// array returns the array that a profile finds in the data of a reply.
func array(inside any, list profile.Names) (path string, found []any, ok bool) {
	for _, name := range list {
		if name == "*" {
			object, _ := inside.(map[string]any)
			var only []string
			for key, value := range object {
				if _, is := value.([]any); is {
					only = append(only, key)
				}
			}
			if len(only) == 1 {
				return only[0], object[only[0]].([]any), true
			}
			continue
		}
		value, has := profile.Lookup(inside, name)
		if found, is := value.([]any); has && is {
			return name, found, true
		}
	}
	return "", nil, false
}

// bestList returns the array whose items are likeliest those of the fields, false if there is none.
func bestList(value any, f fields) (location, bool) {
	best, least := location{}, -1.0
	all := arrays(value)
	for _, path := range sortedKeys(all) {
		items, ok := objects(all[path])
		if !ok || len(items) == 0 {
			continue
		}
		m := f.match(items)
		score := float64(len(m.found)-len(m.entries)) + 0.9*float64(len(m.entries)) - 0.1*float64(strings.Count(path, "."))
		if m.key && score > least {
			best, least = location{path, items, m}, score
		}
	}
	if least >= 0 {
		return best, true
	}
	if len(all) == 1 { // an empty list, with nothing to compare
		for path, items := range all {
			if len(items) == 0 {
				return location{path: path}, true
			}
		}
	}
	return location{}, false
}

// bestObject returns the object that likeliest has the fields, false if none has the key.
func bestObject(value any, f fields) (location, bool) {
	best, least := location{}, -1.0
	all := nested(value)
	for _, path := range sortedKeys(all) {
		one := sample{all[path]}
		m := f.match(one)
		inDots := slices.ContainsFunc(m.entries, func(e entry) bool {
			names, _ := e.value.(profile.Names)
			return strings.Contains(names[0], ".")
		})
		score := float64(len(m.found)) - 0.1*float64(strings.Count(path, "."))
		if inDots && path == "" {
			score -= 0.6 * float64(len(m.entries)) // an object around them is likelier than that each is nested
		}
		if m.key && score > least {
			best, least = location{path, one, m}, score
		}
	}
	return best, least >= 0
}

// join returns a path within a path.
func join(outer, inner string) string { return strings.Trim(outer+"."+inner, ".") }

// parent returns the path around a path, and its last name.
func parent(path string) (outer, name string) {
	if at := strings.LastIndexByte(path, '.'); at >= 0 {
		return path[:at], path[at+1:]
	}
	return "", path
}
