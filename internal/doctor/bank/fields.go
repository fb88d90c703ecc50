package bank

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/balcao/balcao/portal/profile"
)

// sample is one or more objects with the same fields, as they came: the items of a list, or one object.
type sample []map[string]any

// values returns the values of a field in the objects.
func (s sample) values(name string) (all []any) {
	for _, object := range s {
		if value, ok := profile.Lookup(object, name); ok {
			all = append(all, value)
		}
	}
	return all
}

// names returns the names of fields in the objects, with dots, down to two levels.
func (s sample) names() []string {
	seen := map[string]bool{}
	var descend func(prefix string, object map[string]any, depth int)
	descend = func(prefix string, object map[string]any, depth int) {
		for name, value := range object {
			if strings.Contains(name, ".") || strings.HasPrefix(name, "*") || name == "" {
				continue
			}
			seen[prefix+name] = true
			if inner, ok := value.(map[string]any); ok && depth < 2 {
				descend(prefix+name+".", inner, depth+1)
			}
		}
	}
	for _, object := range s {
		descend("", object, 0)
	}
	return sortedKeys(seen)
}

// fields says which fields are looked for in objects.
type fields struct {
	table []string                 // of the profile, such as operations, processList, reply, items
	names map[string]profile.Names // by their canonical path
	about []string                 // words of what the objects are
	known map[string]string        // texts of values that are known, by canonical path
	key   string                   // the field that cannot be missing
	vocab vocabulary
}

// matched is what was found of the fields.
type matched struct {
	entries []entry           // that correct names
	found   []string          // canonical paths of fields that came
	absent  []string          // of those that did not
	cased   bool              // a name came in another case
	key     bool              // the key came
	at      map[string]string // the dotted names by canonical path
}

// match looks for the fields in objects, level by level. A field that has not the names of the profile is looked for by its
// meaning.
func (f fields) match(objects sample) matched {
	m := matched{at: map[string]string{}}
	f.level("", "", objects, &m)
	slices.Sort(m.found)
	slices.Sort(m.absent)
	return m
}

// level looks for the fields whose canonical path is prefix and one name.
// The objects are at a dotted path of those that were given.
func (f fields) level(prefix, around string, objects sample, m *matched) {
	taken, missing := map[string]bool{}, []string{}
	at := map[string]string{} // names by canonical path
	for _, path := range sortedKeys(f.names) {
		rest, inside := strings.CutPrefix(path, prefix)
		if !inside || strings.Contains(rest, ".") {
			continue
		}
		if name, cased, ok := f.present(path, objects); ok {
			taken[name], at[path] = true, name
			m.cased = m.cased || cased
			continue
		}
		missing = append(missing, path)
	}
	for path, name := range f.assign(missing, objects, taken) {
		at[path] = name
		m.entries = append(m.entries, set(first(name, f.names[path]), append(slices.Clone(f.table), path)...))
	}
	slices.SortFunc(m.entries, func(a, b entry) int { return strings.Compare(a.path(), b.path()) })
	for _, path := range missing {
		if at[path] == "" {
			m.absent = append(m.absent, path)
		}
	}
	for _, path := range sortedKeys(at) {
		m.found, m.at[path] = append(m.found, path), join(around, at[path])
		m.key = m.key || path == f.key
		if inner := objects.inner(at[path]); len(inner) > 0 && f.has(path+".") {
			f.level(path+".", m.at[path], inner, m)
		}
	}
}

// inner returns the objects in a field.
func (s sample) inner(name string) (all sample) {
	for _, value := range s.values(name) {
		if object, ok := value.(map[string]any); ok {
			all = append(all, object)
		}
	}
	return all
}

func (f fields) has(prefix string) bool {
	return slices.ContainsFunc(sortedKeys(f.names), func(path string) bool { return strings.HasPrefix(path, prefix) })
}

// present returns the name under which the profile finds a field, if its value may be that of the field.
func (f fields) present(path string, objects sample) (name string, cased, ok bool) {
	for _, object := range objects {
		value, found := f.names[path].Find(object)
		if !found || value != nil && !f.fits(path, []any{value}) {
			continue
		}
		if path == f.key && len(objects) > 1 && !distinct(firsts(f.names[path], objects)) {
			return "", false, false
		}
		for _, candidate := range f.names[path] {
			if strings.HasPrefix(candidate, "*") {
				candidate = ending(object, candidate[1:])
			}
			if _, exact := object[candidate]; exact {
				return candidate, false, true
			}
		}
		for _, candidate := range f.names[path] {
			if _, is := profile.Lookup(object, candidate); is {
				return sameName(object, candidate), true, true
			}
		}
	}
	return "", false, false
}

// firsts returns the value of a field in each object, as the profile finds it.
func firsts(names profile.Names, objects sample) (all []any) {
	for _, object := range objects {
		value, _ := names.Find(object)
		all = append(all, value)
	}
	return all
}

func ending(object map[string]any, suffix string) string {
	for _, name := range sortedKeys(object) {
		if strings.HasSuffix(strings.ToLower(name), strings.ToLower(suffix)) {
			return name
		}
	}
	return ""
}

func sameName(object map[string]any, name string) string {
	for _, own := range sortedKeys(object) {
		if strings.EqualFold(own, name) {
			return own
		}
	}
	return name
}

// assign returns names for fields that the profile's names do not find, the likeliest pairs first.
func (f fields) assign(missing []string, objects sample, taken map[string]bool) map[string]string {
	const least = 0.5
	type pair struct {
		path, name string
		score      float64
	}
	var pairs []pair
	for _, name := range objects.names() {
		if taken[name] || f.within(name, taken) {
			continue
		}
		values := objects.values(name)
		for _, path := range missing {
			if !f.fits(path, values) {
				continue
			}
			score := f.vocab.likeness(path[strings.LastIndexByte(path, '.')+1:], name, f.about)
			if own := f.known[path]; own != "" && slices.ContainsFunc(values, func(value any) bool { return textOf(value) == own }) {
				score += 0.5 // the value is the one that was asked for, or came before
			}
			if f.has(path + ".") {
				score += f.overlap(path+".", objects.inner(name))
			}
			if score >= least {
				pairs = append(pairs, pair{path, name, score - 0.01*float64(strings.Count(name, "."))})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	assigned, used := map[string]string{}, map[string]bool{}
	for _, p := range pairs {
		if assigned[p.path] == "" && !used[p.name] {
			assigned[p.path], used[p.name] = p.name, true
		}
	}
	if f.key != "" && slices.Contains(missing, f.key) && assigned[f.key] == "" {
		if name := f.onlyID(objects, used, taken); name != "" {
			assigned[f.key] = name
		}
	}
	return assigned
}

// within reports whether a name is inside an object that is a field of the profile by itself.
func (f fields) within(name string, taken map[string]bool) bool {
	outer, _, nested := strings.Cut(name, ".")
	return nested && taken[outer]
}

// overlap returns how many of the fields below a canonical path an object has, as a share.
func (f fields) overlap(prefix string, inner sample) float64 {
	if len(inner) == 0 {
		return 0
	}
	total, found := 0, 0
	for path, names := range f.names {
		rest, inside := strings.CutPrefix(path, prefix)
		if !inside || strings.Contains(rest, ".") {
			continue
		}
		total++
		if _, ok := names.Find(inner[0]); ok {
			found++
		}
	}
	if total == 0 {
		return 0
	}
	return float64(found) / float64(total)
}

// onlyID returns the only field that can be the id: a uuid, or a whole number, that is another in every object.
func (f fields) onlyID(objects sample, used, taken map[string]bool) string {
	for _, is := range []func(any) bool{isUUID, isWhole} {
		var found []string
		for _, name := range objects.names() {
			values := objects.values(name)
			if !used[name] && !taken[name] && len(values) == len(objects) && distinct(values) && all(values, is) {
				found = append(found, name)
			}
		}
		if len(found) == 1 {
			return found[0]
		}
	}
	return ""
}

func distinct(values []any) bool {
	seen := map[string]bool{}
	for _, value := range values {
		text := textOf(value)
		if seen[text] {
			return false
		}
		seen[text] = true
	}
	return true
}

func all(values []any, is func(any) bool) bool {
	return len(values) > 0 && !slices.ContainsFunc(values, func(value any) bool { return !is(value) })
}

// fits reports whether values may be those of a field, by its name: ids and numbers are whole, descriptions are texts.
func (f fields) fits(path string, values []any) bool {
	values = slices.DeleteFunc(slices.Clone(values), func(value any) bool { return value == nil || value == "" })
	if f.has(path + ".") {
		return all(values, func(value any) bool { _, is := value.(map[string]any); return is })
	}
	if len(values) == 0 {
		return true
	}
	switch {
	case endsIn(path, "uniqueid"):
		return all(values, func(value any) bool { return isUUID(value) || isWhole(value) })
	case path == "identificationDocumentNumber", endsIn(path, "taxid", "documentnumber", "doornumber", "securitynumber"):
		return all(values, isScalar)
	case endsIn(path, "id", "number", "months", "count", "records"):
		return all(values, isWhole)
	case endsIn(path, "description", "name", "date"):
		return all(values, func(value any) bool { _, is := value.(string); return is })
	}
	return all(values, isScalar)
}

func endsIn(path string, suffixes ...string) bool {
	return slices.ContainsFunc(suffixes, func(suffix string) bool { return strings.HasSuffix(strings.ToLower(path), suffix) })
}

func isScalar(value any) bool {
	switch value.(type) {
	case string, bool, json.Number:
		return true
	}
	return false
}
