package profile

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
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

// In a file, a table may have the key «mark», for its entries and those of its tables, and the table «marks» for single
// keys of these. Both are texts like «seen: the guide». A table's mark for a key has precedence over a mark of all its
// entries, and a table over those around it.
const (
	markKey  = "mark"
	marksKey = "marks"
)

// marks are the marks of a profile by the path of a table: «path.key» in marks, «path» in mark.
type marks struct{ tables, keys map[string]string }

// cut removes the marks from a tree of tables, and returns them.
func cut(tree map[string]any) (marks, error) {
	found := marks{map[string]string{}, map[string]string{}}
	err := found.cut(tree, "")
	return found, err
}

func (m marks) cut(table map[string]any, path string) error {
	if mark, ok := table[markKey].(string); ok {
		if _, err := parseMark(mark); err != nil {
			return fmt.Errorf("%s: %w", join(path, markKey), err)
		}
		m.tables[path] = mark
		delete(table, markKey)
	}
	if all, ok := table[marksKey].(map[string]any); ok {
		for key, mark := range all {
			text, _ := mark.(string)
			if _, err := parseMark(text); err != nil {
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
		case []map[string]any:
			for i, inner := range inner {
				if err := m.cut(inner, join(path, key+"."+strconv.Itoa(i))); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func parseMark(text string) (Mark, error) {
	mark, source, ok := strings.Cut(text, ":")
	if !ok || strings.TrimSpace(source) == "" || !slices.Contains([]Mark{Confirmed, Seen, Inferred, Given}, Mark(mark)) {
		return "", fmt.Errorf("a mark is «confirmed», «seen» or «inferred», a colon and its source; got %q", text)
	}
	return Mark(mark), nil
}

func join(path, key string) string { return strings.TrimPrefix(path+"."+key, ".") }

// Mark returns the mark of an entry, by its dotted path, and where it comes from. The mark is "" if the entry has none.
func (p *Profile) Mark(path string) (mark Mark, source string) {
	text := p.marks.of(path)
	before, after, _ := strings.Cut(text, ":")
	return Mark(before), strings.TrimSpace(after)
}

// of looks for the mark of a key in the table of the entry and those around it, and then for that of a table.
func (m marks) of(path string) string {
	for inner := path; inner != ""; {
		outer, key := split(inner)
		for table := outer; ; table, _ = split(table) {
			if mark, ok := m.keys[join(table, key)]; ok {
				return mark
			}
			if table == "" {
				break
			}
		}
		inner = outer
	}
	for table := path; ; table, _ = split(table) {
		if mark, ok := m.tables[table]; ok {
			return mark
		}
		if table == "" {
			return ""
		}
	}
}
