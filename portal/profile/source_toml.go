package profile

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// maxDepth is the most parts of a dotted key.
const maxDepth = 32

// parseTOML reads a file in TOML. It reports every key that is defined twice.
func parseTOML(data []byte, lines lines) (*node, []Problem) {
	root := newTable(1)
	b := tomlReader{lines: lines}
	b.parser.Reset(data)
	table, path := root, ""
	for b.parser.NextExpression() {
		expression := b.parser.Expression()
		switch expression.Kind {
		case unstable.Table, unstable.ArrayTable:
			table, path = b.open(root, expression)
		case unstable.KeyValue:
			b.set(table, path, expression)
		}
	}
	if wrong, ok := errors.AsType[*unstable.ParserError](b.parser.Error()); ok {
		at := len(data)
		if len(wrong.Highlight) > 0 {
			at = int(b.parser.Range(wrong.Highlight).Offset)
		}
		return nil, append(b.found, Problem{Line: lines.at(at), What: "toml", args: map[string]any{"detail": bounded(wrong.Message)}})
	}
	return root, b.found
}

type tomlReader struct {
	parser unstable.Parser
	lines  lines
	found  []Problem
}

// keys returns the parts of a key and its line. There are no parts if they are too many.
func (b *tomlReader) keys(expression *unstable.Node) (parts []string, line int) {
	for it := expression.Key(); it.Next(); {
		key := it.Node()
		if line == 0 {
			line = b.lines.at(int(key.Raw.Offset))
		}
		parts = append(parts, string(key.Data))
	}
	if len(parts) > maxDepth {
		b.found = append(b.found, Problem{Line: line, Key: strings.Join(parts[:maxDepth], "."), What: "deep"})
		return nil, line
	}
	return parts, line
}

// open returns the table that a header begins, and its path. If it may not be defined there, the table is one that is
// not part of the file.
func (b *tomlReader) open(root *node, expression *unstable.Node) (*node, string) {
	parts, line := b.keys(expression)
	last := len(parts) - 1
	if last < 0 {
		return newTable(line), ""
	}
	table, path := root, ""
	for _, key := range parts[:last] {
		next := table.table[key]
		if path = join(path, key); next == nil {
			next = newTable(line)
			table.table[key] = next
		}
		if next.repeated {
			path = join(path, strconv.Itoa(len(next.array)-1))
			next = next.array[len(next.array)-1]
		}
		if next.table == nil || next.inline {
			b.found = append(b.found, twice(line, path, next.line))
			return newTable(line), path
		}
		table = next
	}
	key := parts[last]
	old := table.table[key]
	path = join(path, key)
	opened := newTable(line)
	opened.header = true
	switch {
	case expression.Kind == unstable.ArrayTable && (old == nil || old.repeated):
		if old == nil {
			old = &node{line: line, array: []*node{}, repeated: true}
			table.table[key] = old
		}
		path = join(path, strconv.Itoa(len(old.array)))
		old.array = append(old.array, opened)
	case old == nil:
		table.table[key] = opened
	case expression.Kind == unstable.Table && old.table != nil && !old.header && !old.inline && !old.dotted:
		old.header, old.line = true, line
		return old, path
	default:
		b.found = append(b.found, twice(line, path, old.line))
	}
	return opened, path
}

// set sets a key in a table.
func (b *tomlReader) set(table *node, path string, expression *unstable.Node) {
	parts, line := b.keys(expression)
	last := len(parts) - 1
	if last < 0 {
		return
	}
	for _, key := range parts[:last] {
		next := table.table[key]
		if path = join(path, key); next == nil {
			next = newTable(line)
			next.dotted = true
			table.table[key] = next
		}
		if next.table == nil || next.inline || !next.dotted {
			b.found = append(b.found, twice(line, path, next.line))
			return
		}
		table = next
	}
	key := parts[last]
	path = join(path, key)
	if old := table.table[key]; old != nil {
		b.found = append(b.found, twice(line, path, old.line))
		return
	}
	if value := b.value(expression.Value(), path, line); value != nil {
		table.table[key] = value
	}
}

// value returns a value, nil if a profile cannot have it.
func (b *tomlReader) value(from *unstable.Node, path string, line int) *node {
	n := &node{line: line}
	var err error
	switch from.Kind {
	case unstable.String:
		n.value = string(from.Data)
	case unstable.Bool:
		n.value = from.Data[0] == 't'
	case unstable.Integer:
		n.value, err = strconv.ParseInt(strings.TrimPrefix(string(from.Data), "+"), 0, 64)
	case unstable.Float:
		var value float64
		if value, err = strconv.ParseFloat(strings.ReplaceAll(string(from.Data), "_", ""), 64); math.IsNaN(value) || math.IsInf(value, 0) {
			err = strconv.ErrRange
		}
		n.value = number(value)
	case unstable.Array:
		n.array = []*node{}
		for it := from.Children(); it.Next(); {
			if inner := b.value(it.Node(), join(path, strconv.Itoa(len(n.array))), line); inner != nil {
				n.array = append(n.array, inner)
			}
		}
	case unstable.InlineTable:
		n.table = map[string]*node{}
		for it := from.Children(); it.Next(); {
			b.set(n, path, it.Node())
		}
		n.inline = true
	default: // dates and times
		err = strconv.ErrSyntax
	}
	if err != nil {
		b.found = append(b.found, Problem{Line: line, Key: path, What: "value"})
		return nil
	}
	return n
}
