package profile

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// ListName is the canonical name of the array in a reply that has one.
const ListName = "list"

// Wire translates the requests and replies of one operation between the canonical names and the bank's.
type Wire struct {
	ID     string
	Title  string
	Method string
	Path   string // with the prefix
	Page   Page
	// Missing are the statuses that say that what the path names does not exist.
	Missing  []int
	Searches []string       // what a text filter looks at
	Lengths  map[string]int // the most characters of texts in the body
	Aliases  *Aliases       // of a server that has uuids; nil in a client

	forms    Forms
	query    map[string]string
	body     map[string]string
	sameBody bool // the body is sent as it is
	reply    Reply
	deep     bool // the fields or items of a reply have other names or forms
}

// Wire returns the translator of an operation, or of a list by its key and «Get». It is nil if the profile has no such
// operation.
func (p *Profile) Wire(id string) *Wire {
	op, ok := p.Operations[id]
	if !ok {
		if op, ok = p.taxonomy(strings.TrimSuffix(id, "Get")); !ok {
			return nil
		}
	}
	prefix := p.Prefix
	if op.Prefix != nil {
		prefix = *op.Prefix
	}
	w := &Wire{ID: id, Title: op.Title, Method: op.Method, Page: op.Page, Missing: op.Missing, Searches: op.Searches, Lengths: op.Lengths, forms: p.Forms, query: op.Query, body: op.Body, reply: op.Reply}
	if op.Path != "" {
		w.Path = prefix + op.Path
	}
	w.reply.Fields = maps.Clone(p.Replies.Fields)
	if w.reply.Fields == nil {
		w.reply.Fields = map[string]Names{}
	}
	maps.Copy(w.reply.Fields, op.Reply.Fields)
	w.reply.At = op.Reply.At
	if len(w.reply.At) == 0 {
		w.reply.At = p.Replies.At
	}
	w.sameBody = cmp.Or(w.forms.Numbers, Number) == Number && cmp.Or(w.forms.Dates, Date) == Date && !w.hasIntegers(w.body)
	for path, name := range w.body {
		if _, own := split(path); name != own {
			w.sameBody = false
		}
	}
	w.deep = w.hasIntegers(w.reply.Fields) || w.hasIntegers(w.reply.Items) || renames(w.reply.Fields) || renames(w.reply.Items)
	return w
}

// taxonomy returns the operation of a list.
func (p *Profile) taxonomy(key string) (Operation, bool) {
	list, ok := p.Taxonomies.Lists[key]
	if !ok {
		return Operation{}, false
	}
	all := p.Taxonomies
	op := Operation{Title: list.Title, Tag: "Taxonomy", Method: cmp.Or(list.Method, all.Method), Query: all.Query, Page: all.Page, Reply: all.Reply}
	if list.Page != nil {
		op.Page = *list.Page
	}
	if list.Reply != nil {
		op.Reply = all.Reply.with(*list.Reply)
	}
	switch {
	case list.Path != "":
		op.Path = list.Path
	case list.Name != "":
		op.Path = strings.ReplaceAll(all.Path, "{name}", list.Name)
	}
	return op, true
}

func (w *Wire) hasIntegers(fields any) bool {
	var names []string
	switch fields := fields.(type) {
	case map[string]Names:
		names = slices.Collect(maps.Keys(fields))
	case map[string]string:
		names = slices.Collect(maps.Keys(fields))
	}
	return slices.ContainsFunc(names, func(name string) bool { return w.formOf(name) == Integer })
}

// formOf returns the form of an id, "" if the name is not an id's.
func (w *Wire) formOf(name string) Form {
	if kind, is := idKind(name); is {
		return cmp.Or(w.forms.IDs[kind], UUID)
	}
	return ""
}

// with returns a reply with the entries of another instead of its own.
func (r Reply) with(other Reply) Reply {
	merged := func(own, others map[string]Names) map[string]Names {
		all := maps.Clone(own)
		if all == nil {
			all = map[string]Names{}
		}
		maps.Copy(all, others)
		return all
	}
	r.Fields, r.Items = merged(r.Fields, other.Fields), merged(r.Items, other.Items)
	if len(other.At) > 0 {
		r.At = other.At
	}
	if len(other.List) > 0 {
		r.List = other.List
	}
	if len(other.Also) > 0 {
		r.Also = other.Also
	}
	return r
}

// renames reports whether a field has another name than the canonical one.
func renames(fields map[string]Names) bool {
	for path, names := range fields {
		if _, own := split(path); !names.only(own) {
			return true
		}
	}
	return false
}

// Names returns the canonical names of the parameters and fields of requests, sorted.
func (w *Wire) Names() []string {
	return slices.Sorted(func(yield func(string) bool) {
		for _, names := range []map[string]string{w.query, w.body} {
			for name := range names {
				if !yield(name) {
					return
				}
			}
		}
	})
}

// Knows reports whether the profile has an entry for a canonical name: of a reply, of an item or of a body.
func (w *Wire) Knows(what, name string) bool {
	var known bool
	switch what {
	case "reply":
		_, known = w.reply.Fields[name]
	case "item":
		_, known = w.reply.Items[name]
	case "body":
		_, known = w.body[name]
	}
	return known
}

// Placeholder matches a placeholder in a path.
var Placeholder = regexp.MustCompile(`\{\w+\}`)

// Placeholders returns the names in a path's placeholders.
func Placeholders(path string) []string {
	found := Placeholder.FindAllString(path, -1)
	for i, placeholder := range found {
		found[i] = strings.Trim(placeholder, "{}")
	}
	return found
}

// Value writes the value of a parameter in the bank's form. A value that is not an id is not changed.
func (w *Wire) Value(name, value string) string {
	if w.formOf(name) == Integer {
		if id, err := uuid.Parse(value); err == nil {
			return FormatID(Integer, id)
		}
	}
	return value
}

// HasForm reports whether the value of a parameter has the form of the bank's ids. Any value of another parameter has.
func (w *Wire) HasForm(name, value string) bool {
	id, err := uuid.Parse(value)
	_, isInteger := integer(id)
	return w.formOf(name) != Integer || err != nil || isInteger
}

// Target returns the path and the query of a request. The values are by canonical name; those of the path's placeholders
// are in ids.
func (w *Wire) Target(ids map[string]string, query url.Values) (path string, wire url.Values) {
	path = Placeholder.ReplaceAllStringFunc(w.Path, func(placeholder string) string {
		name := strings.Trim(placeholder, "{}")
		return url.PathEscape(w.Value(name, ids[name]))
	})
	wire = url.Values{}
	for name, values := range query {
		if sent := w.query[name]; sent != "" {
			wire[sent] = values
		}
	}
	for name, value := range ids {
		if sent := w.query[name]; sent != "" {
			wire.Set(sent, w.Value(name, value))
		}
	}
	return path, wire
}

// Body returns the body of a request, from a canonical one and the ids that the path does not have. Both may be empty.
func (w *Wire) Body(canonical []byte, ids map[string]string) ([]byte, error) {
	moved := map[string]any{}
	for name, value := range ids {
		if sent := w.body[name]; sent != "" && !slices.Contains(Placeholders(w.Path), name) {
			moved[name] = value
		}
	}
	if w.sameBody && len(moved) == 0 || len(canonical) == 0 && len(moved) == 0 {
		return canonical, nil
	}
	tree := map[string]any{}
	if len(canonical) > 0 {
		value, err := parse(canonical)
		object, ok := value.(map[string]any)
		if err != nil || !ok {
			return nil, errors.New("the request's body is not a JSON object")
		}
		tree = object
	}
	maps.Copy(tree, moved)
	return json.Marshal(w.format(w.rename(tree, names(w.body)), false))
}

// names returns single names as [Names]; the empty name is of what is not sent.
func names(single map[string]string) map[string]Names {
	all := make(map[string]Names, len(single))
	for path, name := range single {
		all[path] = Names{name}
	}
	return all
}

// ReplyNames returns the bank's names of a field of a reply, the last part of each in lower case and without underscores.
func (w *Wire) ReplyNames(field string) (all []string) {
	names := w.reply.Fields[field]
	if len(names) == 0 {
		names = Names{field}
	}
	for _, name := range names {
		all = append(all, strings.ToLower(strings.ReplaceAll(name[strings.LastIndexByte(name, '.')+1:], "_", "")))
	}
	return all
}

// rename returns an object of canonical names with the first of the bank's names for each. A field that the profile does
// not have keeps its name.
func (w *Wire) rename(object map[string]any, fields map[string]Names) map[string]any {
	return w.renameAt(object, "", fields)
}

func (w *Wire) renameAt(object map[string]any, path string, fields map[string]Names) map[string]any {
	out := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		value, own := object[name], strings.TrimPrefix(path+"."+name, ".")
		sent := strings.TrimPrefix(fields[own].first(name), "*")
		switch inner := value.(type) {
		case map[string]any:
			value = w.renameAt(inner, own, fields)
		case []any:
			for i, item := range inner {
				if object, ok := item.(map[string]any); ok {
					inner[i] = w.renameAt(object, own, fields)
				}
			}
		}
		if text, ok := value.(string); ok && w.formOf(own) == Integer {
			if id, err := uuid.Parse(text); err == nil {
				value = json.Number(FormatID(Integer, w.Aliases.Alias(id)))
			}
		}
		if sent != "" {
			put(out, sent, value)
		}
	}
	return out
}

// Reply returns a reply with canonical names, from the bank's. An array is under [ListName]. The error says what the reply
// lacks, without values.
func (w *Wire) Reply(wire []byte) ([]byte, error) {
	wire = bytes.TrimPrefix(wire, []byte("\ufeff"))
	if !w.deep && len(w.reply.List) == 0 && w.reply.At.only("") && w.forms.Names != Snake {
		return wire, nil
	}
	value, err := parse(wire)
	if err != nil {
		return nil, err
	}
	if w.forms.Names == Snake {
		value = joined(value)
	}
	value, err = w.inside(value)
	if err != nil {
		return nil, err
	}
	tree := map[string]any{}
	if object, ok := value.(map[string]any); ok {
		tree = w.canonical(object, w.reply.Fields)
	}
	if len(w.reply.List) > 0 {
		array, name, err := w.array(value)
		if err != nil {
			return nil, err
		}
		if name != "" {
			delete(tree, name)
		}
		tree[ListName] = array
		for i, item := range array {
			array[i] = w.item(item)
		}
	} else if len(tree) == 0 {
		return json.Marshal(value)
	}
	return json.Marshal(tree)
}

// childrenName is the canonical name of the items inside an item of a list.
const childrenName = "children"

// item returns an item of a list with canonical names, and so the items inside it.
func (w *Wire) item(item any) any {
	object, ok := item.(map[string]any)
	if !ok {
		return item
	}
	object = w.canonical(object, w.reply.Items)
	if children, has := object[childrenName].([]any); has && w.reply.Items[childrenName] != nil {
		for i, child := range children {
			children[i] = w.item(child)
		}
	}
	return object
}

// joined returns a value with the underscores of its names removed. Names are compared without case.
func joined(value any) any {
	switch value := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(value))
		for name, inner := range value {
			out[strings.ReplaceAll(name, "_", "")] = joined(inner)
		}
		return out
	case []any:
		for i, inner := range value {
			value[i] = joined(inner)
		}
	}
	return value
}

// inside returns the value that has the data of a reply.
func (w *Wire) inside(value any) (any, error) {
	whole := len(w.reply.At) == 0
	for _, path := range w.reply.At {
		if path == "" {
			whole = true
		} else if found, ok := lookup(value, strings.Split(path, ".")); ok && isContainer(found) {
			return found, nil
		}
	}
	if !whole {
		return nil, fmt.Errorf("the reply has no %s", strings.Join(w.reply.At, " or "))
	}
	return value, nil
}

func isContainer(value any) bool {
	switch value.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

// array returns the array of a reply, and its name if it is a field of value.
func (w *Wire) array(value any) (array []any, name string, err error) {
	for _, path := range w.reply.List {
		switch path {
		case "":
			if array, ok := value.([]any); ok {
				return array, "", nil
			}
		case "*":
			object, _ := value.(map[string]any)
			var found []string
			for key, value := range object {
				if _, ok := value.([]any); ok && !slices.Contains(w.reply.Also, key) {
					found = append(found, key)
				}
			}
			if len(found) == 1 {
				return object[found[0]].([]any), found[0], nil
			}
		default:
			if at, one := strings.CutSuffix(path, oneItem); one {
				if array, ok := single(value, at); ok {
					return array, "", nil
				}
				continue
			}
			found, ok := lookup(value, strings.Split(path, "."))
			if array, is := found.([]any); ok && (is || found == nil) {
				return array, "", nil
			}
		}
	}
	return nil, "", fmt.Errorf("the reply has no %s", w.reply.List.first(ListName))
}

// oneItem ends the name of an object that is the only item of a list; alone it is the reply itself.
const oneItem = "."

// single returns the list of the one object at a path. One without fields is no item.
func single(value any, at string) (array []any, ok bool) {
	if at != "" {
		if value, ok = lookup(value, strings.Split(at, ".")); ok && value == nil {
			return nil, true
		}
	}
	object, ok := value.(map[string]any)
	if !ok || len(object) == 0 {
		return nil, ok
	}
	return []any{maps.Clone(object)}, true
}

// canonical returns an object of the bank's with canonical names. Fields that the profile does not have are kept.
func (w *Wire) canonical(object map[string]any, fields map[string]Names) map[string]any {
	if !w.deep {
		return object
	}
	out := maps.Clone(object)
	for _, path := range byDepth(fields) {
		outer, own := split(path)
		for _, enclosing := range objectsAt(out, outer) {
			value, found := fields[path].Find(enclosing)
			if !found {
				continue
			}
			if w.formOf(path) == Integer {
				value = w.id(value)
			}
			if _, exact := enclosing[own]; !exact { // a reader ignores case: of two it would take the last
				maps.DeleteFunc(enclosing, func(name string, _ any) bool { return strings.EqualFold(name, own) })
			}
			enclosing[own] = cloned(value) // its fields are renamed in turn
		}
	}
	return out
}

// cloned returns a copy of an object, or of an array with copies of its objects.
func cloned(value any) any {
	switch value := value.(type) {
	case map[string]any:
		return maps.Clone(value)
	case []any:
		array := slices.Clone(value)
		for i, item := range array {
			if object, ok := item.(map[string]any); ok {
				array[i] = maps.Clone(object)
			}
		}
		return array
	}
	return value
}

// id returns an integer, or a text of one, as a uuid.
func (w *Wire) id(value any) any {
	if id, err := ParseID(Integer, fmt.Sprint(value)); err == nil {
		return id.String()
	}
	return value
}

// parse decodes one JSON value. Numbers keep their digits.
func parse(data []byte) (value any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return nil, errors.New("the reply is not JSON")
	}
	if decoder.More() {
		return nil, errors.New("the reply is more than one JSON value")
	}
	return value, nil
}
