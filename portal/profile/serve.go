package profile

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"
)

// What follows is for a server with the profile: it reads what [Wire.Target] and [Wire.Body] write, and writes what
// [Wire.Reply] reads.

// Aliases are the integers that a server with uuids writes for them, where the profile has integers. A nil one has none.
type Aliases struct {
	mu  sync.Mutex
	ids map[uuid.UUID]uuid.UUID
}

// Alias returns the integer for a uuid, as an id.
func (a *Aliases) Alias(id uuid.UUID) uuid.UUID {
	if a == nil {
		return id
	}
	hash := fnv.New64a()
	_, _ = hash.Write(id[:]) // it never fails
	short := uuid.UUID{6: 0x80, 8: 0x80}
	copy(short[10:], hash.Sum(nil))
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ids == nil {
		a.ids = map[uuid.UUID]uuid.UUID{}
	}
	a.ids[short] = id
	return short
}

// Read returns the uuid that an integer was written for.
func (a *Aliases) Read(id uuid.UUID) uuid.UUID {
	if a == nil {
		return id
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if whole, ok := a.ids[id]; ok {
		return whole
	}
	return id
}

// Parameters returns a query with canonical names. A parameter that the profile does not have keeps its name, behind «?».
func (w *Wire) Parameters(wire url.Values) url.Values {
	canonical := url.Values{}
	for sent, values := range wire {
		name := "?" + sent
		for own, known := range w.query {
			if known == sent {
				name = own
			}
		}
		for _, value := range values {
			canonical.Add(name, w.ParseValue(name, value))
		}
	}
	return canonical
}

// ParseValue reads the value of a parameter. An id in the bank's form becomes a uuid; any other value is not changed.
func (w *Wire) ParseValue(name, value string) string {
	if w.formOf(name) == Integer {
		if id, err := ParseID(Integer, value); err == nil {
			return w.Aliases.Read(id).String()
		}
	}
	return value
}

// Request returns the body of a request with canonical names.
func (w *Wire) Request(wire []byte) ([]byte, error) {
	if w.sameBody || len(wire) == 0 {
		return wire, nil
	}
	value, err := parse(wire)
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return wire, nil
	}
	out := map[string]any{}
	taken := w.take(object, out, names(w.body))
	for name, value := range object {
		if !taken[name] {
			out[name] = value // refused as unknown
		}
	}
	return json.Marshal(w.plain(out))
}

// take copies the fields that the profile has to canonical paths. It returns the names at the top that they came from.
func (w *Wire) take(object, out map[string]any, fields map[string]Names) map[string]bool {
	taken := map[string]bool{}
	for _, path := range byDepth(fields) {
		sent := []string{}
		for i, prefix := 0, ""; i <= strings.Count(path, "."); i++ {
			prefix = strings.Join(strings.Split(path, ".")[:i+1], ".")
			_, own := split(prefix)
			sent = append(sent, strings.Split(fields[prefix].first(own), ".")...)
		}
		value, found := lookup(object, sent)
		if _, inner := value.(map[string]any); !found || inner {
			continue
		}
		taken[sent[0]] = true
		if array, is := value.([]any); is {
			value = w.takeItems(array, below(fields, path))
		} else if w.formOf(path) == Integer {
			value = w.ParseValue(path, fmt.Sprint(value))
		}
		put(out, path, value)
	}
	return taken
}

// takeItems returns an array whose objects have canonical names. A field that the profile does not have keeps its name.
func (w *Wire) takeItems(array []any, fields map[string]Names) []any {
	all := make([]any, len(array))
	for i, item := range array {
		object, is := item.(map[string]any)
		if !is {
			all[i] = item
			continue
		}
		out := map[string]any{}
		taken := w.take(object, out, fields)
		for name, value := range object {
			if !taken[name] {
				out[name] = value
			}
		}
		all[i] = out
	}
	return all
}

// below returns the fields of what is at a path, by their paths from there.
func below(fields map[string]Names, path string) map[string]Names {
	inner := map[string]Names{}
	for of, names := range fields {
		if rest, ok := strings.CutPrefix(of, path+"."); ok {
			inner[rest] = names
		}
	}
	return inner
}

// plain undoes the forms of a request's values.
func (w *Wire) plain(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			value[name] = w.plain(inner)
		}
	case string:
		if day, ok := strings.CutSuffix(value, "T00:00:00"); ok && w.forms.Dates == DateTime {
			return day
		}
	case []any:
		for i, inner := range value {
			value[i] = w.plain(inner)
		}
	}
	return value
}

// WriteReply returns a reply as the bank writes it, from a canonical one.
func (w *Wire) WriteReply(canonical []byte) ([]byte, error) {
	value, err := parse(canonical)
	if err != nil {
		return nil, err
	}
	if object, ok := value.(map[string]any); ok {
		value = w.reshaped(object)
	}
	if at := w.reply.At.first(""); at != "" {
		out := map[string]any{}
		put(out, at, value)
		value = out
	}
	return json.Marshal(w.format(value, true))
}

func (w *Wire) reshaped(object map[string]any) any {
	array, has := object[ListName].([]any)
	if len(w.reply.List) == 0 || !has {
		return w.completed(object, w.reply.Fields)
	}
	for i, item := range array {
		array[i] = w.written(item)
	}
	delete(object, ListName)
	name := w.reply.List.first(ListName)
	if name == "" {
		return array
	}
	if at, one := strings.CutSuffix(name, oneItem); one {
		return onlyItem(array, at)
	}
	out := w.rename(object, w.reply.Fields)
	put(out, strings.TrimPrefix(name, "*"), array)
	for _, other := range w.reply.Also {
		out[other] = []any{}
	}
	return out
}

// written returns an item of a list as the bank writes it, and so the items inside it.
func (w *Wire) written(item any) any {
	object, ok := item.(map[string]any)
	if !ok {
		return item
	}
	if children, has := object[childrenName].([]any); has && w.reply.Items[childrenName] != nil {
		for i, child := range children {
			children[i] = w.written(child)
		}
	}
	return w.completed(object, w.reply.Items)
}

// onlyItem returns a reply that has the first item of a list at a path, or an empty object without one.
func onlyItem(array []any, at string) any {
	item := any(map[string]any{})
	if len(array) > 0 {
		item = array[0]
	}
	if at == "" {
		return item
	}
	out := map[string]any{}
	put(out, at, item)
	return out
}

// completed renames the fields of an object, and adds null for those that it lacks if the bank does.
func (w *Wire) completed(object map[string]any, fields map[string]Names) map[string]any {
	if w.forms.Absent == Null {
		for _, path := range byDepth(fields) {
			outer, own := split(path)
			for _, enclosing := range objectsAt(object, outer) {
				if _, has := enclosing[own]; !has {
					enclosing[own] = nil
				}
			}
		}
	}
	return w.rename(object, fields)
}

var wordStart = regexp.MustCompile(`([a-z0-9])([A-Z])`)

var day = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)

// format gives values their form. The names of a reply get their casing.
func (w *Wire) format(value any, reply bool) any {
	switch value := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(value))
		for _, name := range slices.Sorted(maps.Keys(value)) {
			cased := name
			if reply {
				cased = w.cased(name)
			}
			out[cased] = w.format(value[name], reply)
		}
		return out
	case []any:
		for i, inner := range value {
			value[i] = w.format(inner, reply)
		}
	case json.Number:
		if w.forms.Numbers == Text {
			return value.String()
		}
	case string:
		if w.forms.Dates == DateTime && day.MatchString(value) {
			return value + "T00:00:00"
		}
	}
	return value
}

func (w *Wire) cased(name string) string {
	switch {
	case name == "":
	case w.forms.Names == Pascal:
		return strings.ToUpper(name[:1]) + name[1:]
	case w.forms.Names == Lower:
		return strings.ToLower(name)
	case w.forms.Names == Snake:
		return strings.ToLower(wordStart.ReplaceAllString(name, "${1}_${2}"))
	}
	return name
}

// PathID reads an id of a path or a query; only the bank's form is accepted.
func (w *Wire) PathID(name, value string) (uuid.UUID, error) {
	id, err := ParseID(w.formOf(name), value)
	return w.Aliases.Read(id), err
}

// BodyName returns the name of a field in the body, the last part of its path, "" if it is not sent.
func (w *Wire) BodyName(field string) string {
	name, known := w.body[field]
	if !known {
		name = field
	}
	return name[strings.LastIndexByte(name, '.')+1:]
}

// QueryName returns the name of a parameter in the query, "" if it is not there.
func (w *Wire) QueryName(name string) string { return w.query[name] }

// IgnoresUnknown reports whether the bank ignores parameters that it does not have.
func (w *Wire) IgnoresUnknown() bool { return w.forms.Unknown == Ignored }
