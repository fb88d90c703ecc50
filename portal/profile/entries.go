package profile

import (
	"reflect"
	"slices"
	"strings"
)

// Entry is a value of a profile.
type Entry struct {
	Keys   []string // of the tables around it, and its own
	Path   string   // the keys, with dots
	Value  any      // a string, bool, integer, or an array of these or of tables
	Mark   Mark
	Source string // of the mark
}

// Entries returns all entries of the profile, sorted by path. An array is one entry.
func (p *Profile) Entries() []Entry {
	var all []Entry
	each(p.tree(), nil, func(keys []string, value any) {
		path := dotted(keys)
		mark, source := p.Mark(path)
		all = append(all, Entry{keys, path, value, mark, source})
	})
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// Difference is an entry that differs between two profiles. Of one that a profile does not have, the value is nil.
type Difference struct {
	Path     string
	Old, New Entry
}

// Compare returns the entries of a profile that differ from those of an older one, sorted by path.
func (p *Profile) Compare(old *Profile) (found []Difference) {
	before := map[string]Entry{}
	for _, entry := range old.Entries() {
		before[entry.Path] = entry
	}
	for _, entry := range p.Entries() {
		was := before[entry.Path]
		if delete(before, entry.Path); !reflect.DeepEqual(was.Value, entry.Value) {
			found = append(found, Difference{entry.Path, was, entry})
		}
	}
	for path, was := range before {
		found = append(found, Difference{Path: path, Old: was})
	}
	slices.SortFunc(found, func(a, b Difference) int { return strings.Compare(a.Path, b.Path) })
	return found
}
