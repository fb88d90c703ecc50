package profile

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// checker checks what the schema does not: what entries say of each other. It reports those that a file sets; the rest of
// the profile is valid.
type checker struct {
	p      *Profile
	o      options
	file   *node
	around string // the path of the file's entries, "" but in an alternative
	found  []Problem
}

// check returns what is wrong with a profile that has the entries of a file.
func check(p *Profile, o options, file *node, around string) []Problem {
	c := &checker{p: p, o: o, file: file, around: around}
	c.headers()
	for _, id := range slices.Sorted(maps.Keys(p.Operations)) {
		c.operation(id, p.Operations[id])
	}
	c.lists()
	c.routes()
	c.rules()
	c.states()
	c.simulationStates()
	c.notifications()
	c.meanings()
	c.limits()
	c.alternatives()
	return c.found
}

// report adds a problem of the first of the entries that the file has.
func (c *checker) report(what string, args map[string]any, entries ...[]string) {
	at := entries[0]
	for _, entry := range entries {
		if c.file.find(entry) != nil {
			at = entry
			break
		}
	}
	c.found = append(c.found, Problem{Line: c.file.lineOf(at), Key: join(c.around, dotted(at)), What: what, args: args})
}

// headers finds headers that differ in case only: they are one to HTTP.
func (c *checker) headers() {
	for table, headers := range map[string]map[string]string{"headers": c.p.Headers, "login.headers": c.p.Login.Headers} {
		names := map[string]string{}
		for _, name := range slices.Sorted(maps.Keys(headers)) {
			canonical := http.CanonicalHeaderKey(name)
			if other, has := names[canonical]; has && headers[name] != "" && headers[other] != "" {
				keys := strings.Split(table, ".")
				c.report("sameHeader", map[string]any{"other": other, "name": name}, append(slices.Clone(keys), name), append(slices.Clone(keys), other))
			}
			if headers[name] != "" {
				names[canonical] = name
			}
		}
	}
}

// asker is the placeholder for who asks: a bank may know it from the session.
const asker = "partnerUniqueID"

func (c *checker) operation(id string, op Operation) {
	at := func(keys ...string) []string { return append([]string{"operations", id}, keys...) }
	own := Placeholders(Builtin().Operations[id].Path)
	has := Placeholders(op.Path)
	slices.Sort(has)
	for i, name := range has {
		if !slices.Contains(own, name) {
			c.suggest("placeholder", name, own, at("path"))
		}
		if i > 0 && has[i-1] == name {
			c.report("placeholderTwice", map[string]any{"name": name}, at("path"))
		}
	}
	for _, name := range own {
		if name != asker && !slices.Contains(has, name) && op.Query[name] == "" && op.Body[name] == "" {
			c.report("placeholderLost", map[string]any{"name": name}, at("path"), at("query", name), at("body", name))
		}
	}
	needs := map[PageStyle]string{ByCursor: "nextRecord", ByNumber: "pageNumber", ByOffset: "offset"}
	if name := needs[op.Page.Style]; name != "" && op.Query[name] == "" {
		c.report("pageQuery", map[string]any{"style": op.Page.Style, "name": name}, at("query", name), at("page", "style"), at("page"))
	}
	if _, known := op.Reply.Items[op.Page.Key]; op.Page.Style == ByCursor && !known {
		c.report("pageKey", map[string]any{"key": op.Page.Key}, at("page", "key"), at("page", "style"), at("page"))
	}
	c.once(op.Query, at("query"))
	c.once(op.Body, at("body"))
}

// once finds parameters or fields of one object that are sent under the same name.
func (c *checker) once(names map[string]string, table []string) {
	sent := map[string]string{}
	for _, path := range slices.Sorted(maps.Keys(names)) {
		outer, _ := split(path)
		name := join(outer, names[path])
		if other, has := sent[name]; has && names[path] != "" {
			c.report("sameName", map[string]any{"other": other, "name": names[path]}, append(slices.Clone(table), path), append(slices.Clone(table), other))
		}
		sent[name] = path
	}
}

func (c *checker) lists() {
	for _, key := range slices.Sorted(maps.Keys(c.p.Taxonomies.Lists)) {
		list := c.p.Taxonomies.Lists[key]
		ids := map[int32]bool{}
		for _, item := range list.Items {
			if ids[item.ID] {
				c.report("sameItem", map[string]any{"id": item.ID}, []string{"taxonomies", "lists", key, "items"})
			}
			ids[item.ID] = true
		}
	}
	if c.p.Taxonomies.Page.Style == ByNumber && c.p.Taxonomies.Query["pageNumber"] == "" {
		c.report("pageQuery", map[string]any{"style": ByNumber, "name": "pageNumber"}, []string{"taxonomies", "query", "pageNumber"})
	}
}

// routes finds operations that the bank could not tell apart.
func (c *checker) routes() {
	mux := http.NewServeMux()
	taken := map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(c.p.Operations)) {
		c.route(mux, taken, id)
	}
	for _, key := range slices.Sorted(maps.Keys(c.p.Taxonomies.Lists)) {
		c.route(mux, taken, key+"Get")
	}
}

// routeEntries returns the entries that say how an operation or a list is called.
func (c *checker) routeEntries(id string) (entries [][]string) {
	at := []string{"operations", id}
	if _, is := c.p.Operations[id]; !is {
		at = []string{"taxonomies", "lists", strings.TrimSuffix(id, "Get")}
	}
	for _, key := range []string{"path", "method", "name", "prefix"} {
		entries = append(entries, append(slices.Clone(at), key))
	}
	return entries
}

// route adds the route of an operation. [http.ServeMux] refuses one that conflicts with another.
func (c *checker) route(mux *http.ServeMux, taken map[string]string, id string) {
	w := c.p.Wire(id)
	if w == nil || w.Path == "" {
		return
	}
	pattern := w.Method + " " + w.Path
	defer func() {
		conflict := recover()
		if conflict == nil {
			taken[pattern] = id
			return
		}
		for known, other := range taken {
			if !strings.Contains(fmt.Sprint(conflict), fmt.Sprintf("%q", known)) {
				continue
			}
			c.report("conflict", map[string]any{"id": id, "other": other}, slices.Concat(c.routeEntries(id), c.routeEntries(other), [][]string{{"taxonomies", "path"}, {"prefix"}})...)
		}
	}()
	mux.Handle(pattern, http.NotFoundHandler())
}

// rules finds rules that do not exist.
func (c *checker) rules() {
	known := slices.Sorted(maps.Keys(Builtin().Rules))
	known = append(known, c.o.rules...)
	for _, code := range slices.Sorted(maps.Keys(c.p.Rules)) {
		if !slices.Contains(known, code) {
			c.suggest("rule", code, known, []string{"rules", code})
		}
	}
}

// states finds states with a meaning that does not exist.
func (c *checker) states() {
	known := c.p.States.Names()
	for _, id := range slices.Sorted(maps.Keys(c.p.States.IDs)) {
		if name := c.p.States.IDs[id]; name != "" && !slices.Contains(known, name) {
			c.suggest("meaning", name, known, []string{"states", "ids", id})
		}
	}
}

// meanings finds items of a list with two meanings.
func (c *checker) meanings() {
	for _, list := range slices.Sorted(maps.Keys(c.p.Meanings)) {
		taken := map[int32]string{}
		for _, name := range slices.Sorted(maps.Keys(c.p.Meanings[list])) {
			at := []string{"meanings", list, name, "ids"}
			for _, id := range c.p.Meanings[list][name].IDs {
				if other, has := taken[id]; has && other != name {
					c.report("twoMeanings", map[string]any{"id": id, "name": name, "other": other}, at, []string{"meanings", list, other, "ids"})
				}
				taken[id] = name
			}
		}
	}
}

// limits finds limits of a day that no month has.
func (c *checker) limits() {
	for _, day := range slices.Sorted(maps.Keys(c.p.Limits)) {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			c.report("day", nil, []string{"limits", day})
		}
	}
}

// suggest adds a problem of an entry that has a name which is not known.
func (c *checker) suggest(what, name string, known []string, at []string) {
	c.found = append(c.found, Problem{
		Line: c.file.lineOf(at), Key: join(c.around, dotted(at)), What: what, known: known, args: map[string]any{"name": name, "text": name},
	})
}

// alternatives checks each of the file's alternatives as if it were given.
func (c *checker) alternatives() {
	all := c.file.find([]string{"alternatives"})
	if all == nil {
		return
	}
	for i, alternative := range all.array {
		fragment := alternative.inner("profile")
		if fragment == nil {
			continue
		}
		around := join(index("alternatives", i), "profile")
		p, err := overlay(c.p, "", fragment)
		if err != nil {
			c.found = append(c.found, Problem{Line: fragment.line, Key: around, What: "invalid"})
			continue
		}
		delete(fragment.table, "alternatives") // they would be checked for ever
		c.found = append(c.found, check(p, c.o, fragment, around)...)
	}
}
