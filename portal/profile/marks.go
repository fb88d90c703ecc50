package profile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Mark says how well an entry is known.
type Mark string

// The marks.
const (
	Confirmed Mark = "confirmed" // the bank's reference prints it
	Seen      Mark = "seen"      // it is printed in a public excerpt of the bank's documents
	Inferred  Mark = "inferred"  // a guess
	Given     Mark = "given"     // a file sets it
)

// Marks lists every mark.
var Marks = []Mark{Confirmed, Seen, Inferred, Given}

// In a file, a table may have the key «mark», for its entries and those of its tables, and the table «marks» for single
// keys of these. Both are texts like «seen: the guide». A table's mark for a key has precedence over a mark of all its
// entries, and both over those of the tables around it.
const (
	markKey  = "mark"
	marksKey = "marks"
)

// marks are the marks of a profile by the path of a table: «path.key» in marks, «path» in mark. Those of the entries that a
// file sets are by their paths, in given.
type marks struct{ tables, keys, given map[string]string }

// cut removes the marks from a tree of tables, and returns them.
func cut(tree map[string]any) (marks, error) {
	found := marks{map[string]string{}, map[string]string{}, map[string]string{}}
	err := found.cut(tree, "")
	return found, err
}

func (m marks) cut(table map[string]any, path string) error {
	if mark, ok := table[markKey].(string); ok {
		if err := checkMark(mark); err != nil {
			return fmt.Errorf("%s: %w", join(path, markKey), err)
		}
		m.tables[path] = mark
		delete(table, markKey)
	}
	if all, ok := table[marksKey].(map[string]any); ok {
		for key, mark := range all {
			text, _ := mark.(string)
			if err := checkMark(text); err != nil {
				return fmt.Errorf("%s: %w", join(path, marksKey+"."+key), err)
			}
			m.keys[join(path, key)] = text
		}
		delete(table, marksKey)
	}
	for _, key := range slices.Sorted(maps.Keys(table)) {
		switch inner := table[key].(type) {
		case map[string]any:
			if err := m.cut(inner, join(path, key)); err != nil {
				return err
			}
		case []any:
			for i, item := range inner {
				if table, ok := item.(map[string]any); ok {
					if err := m.cut(table, index(join(path, key), i)); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// checkMark reports a text that is not a mark and its source.
func checkMark(text string) error {
	mark, source, ok := strings.Cut(text, ":")
	if !ok || strings.TrimSpace(source) == "" || !slices.Contains(Marks, Mark(mark)) {
		return fmt.Errorf("a mark is «confirmed», «seen» or «inferred», a colon and its source; got %q", text)
	}
	return nil
}

func join(path, key string) string { return strings.TrimPrefix(path+"."+key, ".") }

// Mark returns the mark of an entry, by its dotted path, and where it comes from. The mark is "" if the entry has none.
func (p *Profile) Mark(path string) (mark Mark, source string) {
	text := p.marks.of(path)
	before, after, _ := strings.Cut(text, ":")
	return Mark(before), strings.TrimSpace(after)
}

// of looks for the mark of an entry, from the table that has it outwards: first among the table's marks of single keys, of
// the entry or of a table that has it, and then for the table's own mark.
func (m marks) of(path string) string {
	if mark, ok := m.given[path]; ok {
		return mark
	}
	if mark, ok := m.tables[path]; ok {
		return mark
	}
	if array, item := split(path); m.given[array] != "" && item != "" && strings.Trim(item, "0123456789") == "" {
		return m.given[array]
	}
	names := []string{}
	for table := path; table != ""; {
		outer, key := split(table)
		names = append(names, key)
		for _, name := range names {
			if mark, ok := m.keys[join(outer, name)]; ok {
				return mark
			}
		}
		if mark, ok := m.tables[outer]; ok {
			return mark
		}
		table = outer
	}
	return ""
}
