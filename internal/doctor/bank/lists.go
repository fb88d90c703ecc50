package bank

import (
	"context"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/balcao/balcao/internal/finding"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

const (
	atOnce    = 4                 // lists that are read at once
	firstList = "maritalStatuses" // few items, each with an id and a description
)

// checkLists reads all lists of the bank.
func (x *Examination) checkLists(ctx context.Context) (found []finding.Finding) {
	if f, ok := x.checkFirstList(ctx); !ok {
		return []finding.Finding{f}
	} else if f.Code != "" {
		found = append(found, f)
	}
	x.passed = true
	keys := x.listKeys()
	failing := x.readLists(ctx, x.profile, keys)
	var entries []entry
	if names := x.renamedLists(ctx, failing); len(names) > 0 {
		entries = append(entries, names...)
	}
	if len(entries) > 0 {
		found = append(found, x.differs("", entries))
	}
	read, absent := []string{}, []string{}
	for _, key := range keys {
		if _, ok := x.lists[portal.TaxonomyKey(key)]; ok {
			read = append(read, key)
		} else {
			absent = append(absent, key)
		}
	}
	f := x.found(finding.OK, "bank.lists.confirmed", "total", len(read))
	for _, key := range read {
		f.Entries = append(f.Entries, finding.Entry{Path: "taxonomies.lists." + key, Status: finding.OK})
	}
	found = append(found, f)
	if len(absent) > 0 {
		f := finding.New(finding.Fail, "bank.lists.absent", "lists", strings.Join(absent, ", "), "total", len(absent))
		for _, key := range absent {
			f.Entries = append(f.Entries, finding.Entry{Path: "taxonomies.lists." + key, Status: finding.Differs})
		}
		found = append(found, f)
	}
	return found
}

// listKeys returns the lists that the bank has an operation for and that the profile has no values of.
func (x *Examination) listKeys() (keys []string) {
	for _, key := range sortedKeys(x.profile.Taxonomies.Lists) {
		if list := x.profile.Taxonomies.Lists[key]; list.Title != "" && len(list.Items) == 0 && x.profile.Wire(key+"Get").Path != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

func listReading(key string) reading {
	return reading{op: portal.TaxonomyKey(key).Operation(), isList: true, key: "id", about: wordsIn(key)}
}

// checkFirstList reads one list, and finds out where and how it comes. ok is false if it does not come.
func (x *Examination) checkFirstList(ctx context.Context) (f finding.Finding, ok bool) {
	r := listReading(firstList)
	o := outcome{}
	o.probe = x.ask(ctx, x.profile, r.op, nil)
	o.came = describe(o.probe)
	if wrongPath(o.probe) {
		if o.entries = x.findListPath(ctx, r); o.entries != nil {
			if p, err := x.over(o.entries); err == nil {
				o.probe = x.try(ctx, p, r.op, nil)
			}
		}
	}
	if answered(o.probe) {
		x.settleShape(ctx, r, &o)
	}
	if o.probe.Err != nil {
		return x.found(finding.Fail, x.whyNot(o.probe), "came", o.came, "operation", string(r.op)), false
	}
	x.note(o)
	if len(o.entries) > 0 {
		return x.differs(o.came, o.entries), true
	}
	return finding.Finding{}, true
}

// settleShape adds entries for the location and the names of a list that came.
func (x *Examination) settleShape(ctx context.Context, r reading, o *outcome) {
	p, err := x.over(o.entries)
	if err != nil {
		return
	}
	more, at := x.locate(p, r, tree(o.probe.Body))
	o.location = at
	more = slices.DeleteFunc(more, func(e entry) bool { return x.settled[e.path()] })
	if len(more) == 0 {
		return
	}
	better, err := x.over(slices.Concat(o.entries, more))
	if err != nil {
		return
	}
	if probe := x.try(ctx, better, r.op, nil); probe.Err == nil {
		o.probe, o.entries = probe, slices.Concat(o.entries, more)
		_, o.location = x.locate(better, r, tree(probe.Body))
	}
}

// findListPath returns entries for the path of the lists, and for how their names are written.
func (x *Examination) findListPath(ctx context.Context, r reading) []entry {
	for _, style := range listStyles {
		names := x.styledNames(style)
		for _, path := range x.profile.Candidates.Lists {
			entries := slices.Clone(names)
			if path != x.profile.Taxonomies.Path {
				entries = append([]entry{set(path, "taxonomies", "path")}, entries...)
			}
			p, err := x.over(entries)
			if err != nil || len(entries) == 0 {
				continue
			}
			if answered(x.try(ctx, p, r.op, nil)) {
				return x.onlyIf(ctx, entries, names)
			}
		}
	}
	return nil
}

// secondList is the list that shows whether all names are written as that of the first one.
const secondList = "documentTypes"

// onlyIf returns the entries with the names of all lists only if another list has such a name too.
func (x *Examination) onlyIf(ctx context.Context, entries, names []entry) []entry {
	if len(names) == 0 {
		return entries
	}
	if p, err := x.over(entries); err == nil && answered(x.try(ctx, p, listReading(secondList).op, nil)) {
		return entries
	}
	return slices.DeleteFunc(slices.Clone(entries), func(e entry) bool {
		return e.concerns("taxonomies.lists") && !e.concerns("taxonomies.lists."+firstList)
	})
}

// listStyle writes the words of a list's name.
type listStyle func(words []string) string

// listStyles are how names of lists may be written, the profile's first.
var listStyles = []listStyle{
	func(words []string) string { return strings.Join(words, "-") },
	func(words []string) string { return words[0] + capitalised(words[1:]) },
	capitalised,
	func(words []string) string { return strings.Join(words, "") },
	func(words []string) string { return strings.Join(words, "_") },
	func(words []string) string { return strings.Join(singular(words), "-") },
	func(words []string) string {
		words = singular(words)
		return words[0] + capitalised(words[1:])
	},
	func(words []string) string { return capitalised(singular(words)) },
}

func capitalised(words []string) (name string) {
	for _, word := range words {
		name += strings.ToUpper(word[:1]) + word[1:]
	}
	return name
}

// singular returns words with the last one in the singular.
func singular(words []string) []string {
	words = slices.Clone(words)
	word := words[len(words)-1]
	switch {
	case strings.HasSuffix(word, "ies"):
		word = strings.TrimSuffix(word, "ies") + "y"
	case strings.HasSuffix(word, "uses"), strings.HasSuffix(word, "sses"):
		word = strings.TrimSuffix(word, "es")
	default:
		word = strings.TrimSuffix(word, "s")
	}
	words[len(words)-1] = word
	return words
}

// styledNames returns entries for the names of all lists in a style, as far as they differ.
func (x *Examination) styledNames(style listStyle) (entries []entry) {
	for _, key := range sortedKeys(x.profile.Taxonomies.Lists) {
		list := x.profile.Taxonomies.Lists[key]
		if list.Name == "" {
			continue
		}
		if name := style(strings.Split(list.Name, "-")); name != list.Name {
			entries = append(entries, set(name, "taxonomies", "lists", key, "name"))
		}
	}
	return entries
}

// readLists reads lists, a few at once, and returns those that do not come.
func (x *Examination) readLists(ctx context.Context, p *profile.Profile, keys []string) (failing []string) {
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, key := range keys {
		group.Go(func() error {
			probe := x.ask(ctx, p, portal.TaxonomyKey(key).Operation(), nil)
			mu.Lock()
			defer mu.Unlock()
			if probe.Err != nil {
				failing = append(failing, key)
				return nil
			}
			x.lists[portal.TaxonomyKey(key)] = listItems(probe.Canonical)
			return nil
		})
	}
	_ = group.Wait() // no error is returned
	slices.Sort(failing)
	return failing
}

func listItems(canonical []byte) (items []portal.TaxonomyItem) {
	for _, item := range itemsOf(canonical) {
		id, ok := number(item, "id")
		if !ok {
			continue
		}
		parent, _ := number(item, "parentID")
		items = append(items, portal.TaxonomyItem{ID: id, Description: text(item, "description"), ParentID: parent})
	}
	return items
}

// renamedLists returns entries for lists that come under another name, or with other names of their items, and reads them.
func (x *Examination) renamedLists(ctx context.Context, failing []string) (entries []entry) {
	for _, key := range failing {
		r := listReading(key)
		probe := x.try(ctx, x.profile, r.op, nil)
		own := x.profile.Taxonomies.Lists[key].Name
		var more []entry
		if wrongPath(probe) {
			tried := map[string]bool{own: true}
			words := splitName(own)
			for _, style := range listStyles {
				name := style(words)
				if tried[name] {
					continue
				}
				tried[name] = true
				named := []entry{set(name, "taxonomies", "lists", key, "name")}
				p, err := x.over(named)
				if err != nil {
					continue
				}
				if probe = x.try(ctx, p, r.op, nil); answered(probe) {
					more = named
					break
				}
			}
		}
		if probe.Err != nil && answered(probe) {
			more = append(more, x.ownReply(key, tree(probe.Body))...)
		}
		if len(more) == 0 {
			continue
		}
		p, err := x.over(more)
		if err == nil && len(x.readLists(ctx, p, []string{key})) == 0 {
			entries = append(entries, more...)
		}
	}
	return entries
}

// splitName returns the words of a list's name in any style.
func splitName(name string) []string { return wordsIn(name) }

// ownReply returns entries for a list whose reply differs from those of the others.
func (x *Examination) ownReply(key string, value any) (entries []entry) {
	found, at := x.locate(x.profile, listReading(key), value)
	if !at.matched.key {
		return nil
	}
	all := x.profile.Taxonomies.Reply
	outer, name := parent(at.path)
	put := func(value any, keys ...string) {
		entries = append(entries, set(value, append([]string{"taxonomies", "lists", key, "reply"}, keys...)...))
	}
	put(first(outer, atOf(x.profile, all)), "at")
	put(first(name, all.List), "list")
	for _, item := range sortedKeys(all.Items) {
		names := all.Items[item]
		for _, e := range found {
			if e.path() == "taxonomies.reply.items."+item {
				names, _ = e.value.(profile.Names)
			}
		}
		put(names, "items", item)
	}
	return entries
}
