package profile

import (
	"bytes"
	"math"
	"path/filepath"
	"slices"
	"strings"
)

// node is a value of a file, with the line where it stands: that of its key.
type node struct {
	line  int
	table map[string]*node
	array []*node
	value any // a string, bool, int64, float64 or nil, if it is neither a table nor an array

	// How TOML has defined a table or an array; each way forbids others to add to it.
	header, dotted, inline, repeated bool
}

func newTable(line int) *node { return &node{line: line, table: map[string]*node{}} }

// plain returns a value without its lines.
func (n *node) plain() any {
	switch {
	case n.table != nil:
		out := make(map[string]any, len(n.table))
		for key, inner := range n.table {
			out[key] = inner.plain()
		}
		return out
	case n.array != nil:
		out := make([]any, len(n.array))
		for i, inner := range n.array {
			out[i] = inner.plain()
		}
		return out
	}
	return n.value
}

// number returns an integer for a whole number, as JSON Schema takes 1.0 for one.
func number(value float64) any {
	if value == math.Trunc(value) && math.Abs(value) < 1<<53 {
		return int64(value)
	}
	return value
}

// parseSource reads a file of which the format follows from its name, or else from its content.
func parseSource(name string, data []byte) (*node, []Problem) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	lines := newLines(data)
	switch ext := strings.ToLower(filepath.Ext(name)); {
	case ext == ".json" || ext != ".toml" && bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")):
		return parseJSON(data, lines)
	default:
		return parseTOML(data, lines)
	}
}

// lines are the offsets of the line ends of a file.
type lines []int

func newLines(data []byte) lines {
	ends := lines{}
	for i, c := range data {
		if c == '\n' {
			ends = append(ends, i)
		}
	}
	return ends
}

// at returns the number of the line with an offset, from 1.
func (l lines) at(offset int) int {
	i, _ := slices.BinarySearch(l, offset)
	return i + 1
}
