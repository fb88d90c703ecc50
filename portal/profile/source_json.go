package profile

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// parseJSON reads a file in JSON. It reports every key that is there twice.
func parseJSON(data []byte, lines lines) (*node, []Problem) {
	r := jsonReader{jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(true)), lines, nil}
	root, err := r.value("")
	if err == nil {
		if _, err = r.decoder.ReadToken(); err == nil {
			return nil, []Problem{{Line: r.line(), What: "twoValues"}}
		} else if errors.Is(err, io.EOF) {
			err = nil
		}
	}
	if err != nil {
		at, detail := len(data), err
		if wrong, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
			at, detail = int(wrong.ByteOffset), wrong.Err
		}
		return nil, []Problem{{Line: lines.at(at), What: "json", args: map[string]any{"detail": bounded(detail.Error())}}}
	}
	if root.table == nil {
		return nil, []Problem{{Line: 1, What: "noTable"}}
	}
	return root, r.twice
}

type jsonReader struct {
	decoder *jsontext.Decoder
	lines   lines
	twice   []Problem
}

// line returns the line of the end of what was read last.
func (r *jsonReader) line() int { return r.lines.at(max(0, int(r.decoder.InputOffset())-1)) }

func (r *jsonReader) value(path string) (*node, error) {
	token, err := r.decoder.ReadToken()
	if err != nil {
		return nil, err
	}
	n := &node{line: r.line()}
	switch token.Kind() {
	case '"':
		n.value = token.String()
	case 't', 'f':
		n.value = token.Bool()
	case '0':
		if n.value, err = strconv.ParseInt(token.String(), 10, 64); err != nil {
			value, _ := strconv.ParseFloat(token.String(), 64) // the range's end for what is out of it
			n.value = number(value)
		}
	case '[':
		n.array = []*node{}
		for r.decoder.PeekKind() != ']' {
			inner, err := r.value(join(path, strconv.Itoa(len(n.array))))
			if err != nil {
				return nil, err
			}
			n.array = append(n.array, inner)
		}
		_, err := r.decoder.ReadToken()
		return n, err
	case '{':
		n.table = map[string]*node{}
		return n, r.members(n, path)
	}
	return n, nil
}

func (r *jsonReader) members(n *node, path string) error {
	for r.decoder.PeekKind() != '}' {
		name, err := r.decoder.ReadToken()
		if err != nil {
			return err
		}
		key, line := name.String(), r.line()
		inner, err := r.value(join(path, key))
		if err != nil {
			return err
		}
		inner.line = line
		if first, is := n.table[key]; is {
			r.twice = append(r.twice, twice(line, join(path, key), first.line))
			continue
		}
		n.table[key] = inner
	}
	_, err := r.decoder.ReadToken()
	return err
}
