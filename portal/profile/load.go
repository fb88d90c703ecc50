package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// maxFile is the largest file that is read, in bytes.
const maxFile = 1 << 20

// Option is an option of [Load] and [Read].
type Option func(*options)

type options struct {
	base  *Profile
	rules []string
}

// Over has a file override another profile than the built-in one.
func Over(base *Profile) Option { return func(o *options) { o.base = base } }

// KnownRules adds codes of rules of which a file may set the strictness, to those of the built-in profile.
func KnownRules(codes ...string) Option {
	return func(o *options) { o.rules = append(o.rules, codes...) }
}

// Load reads a file that overrides the built-in profile. Its error is a [*Problems].
func Load(path string, options ...Option) (*Profile, error) {
	name := filepath.Base(path)
	data, what := readFile(path)
	if what != "" {
		return nil, &Problems{name, []Problem{{What: what, args: map[string]any{"most": maxFile >> 10}}}}
	}
	return Read(name, data, options...)
}

// readFile returns the content of a file, or what is wrong with it.
func readFile(path string) (data []byte, what string) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "missing"
	}
	if err != nil {
		return nil, "unreadable"
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, "unreadable"
	}
	data, err = io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, "unreadable"
	}
	return data, ""
}

// Read reads the content of a file that overrides the built-in profile: TOML or JSON, by the file's name or else by the
// content. Tables are merged key by key; anything else replaces what was there. The error is a [*Problems] with everything
// that is wrong.
func Read(name string, data []byte, with ...Option) (*Profile, error) {
	o := options{base: Builtin()}
	for _, option := range with {
		option(&o)
	}
	problems := &Problems{File: name}
	if len(data) > maxFile {
		problems.List = []Problem{{What: "large", args: map[string]any{"most": maxFile >> 10}}}
		return nil, problems
	}
	file, found := parseSource(name, data)
	problems.List = found
	if file == nil {
		return nil, problems
	}
	delete(file.table, "$schema")
	found, err := checkShape(file)
	if err != nil {
		return nil, err
	}
	problems.List = append(problems.List, found...)
	p, err := overlay(o.base, name, file)
	if err != nil {
		return nil, err
	}
	problems.List = append(problems.List, check(p, o, file, "")...)
	if len(problems.List) > 0 {
		problems.sort()
		return nil, problems
	}
	return p, nil
}

// overlay returns a profile with the entries of a file in place of its own. The file has the shape of a profile.
func overlay(base *Profile, name string, file *node) (*Profile, error) {
	tree := file.plain().(map[string]any)
	own, err := cut(tree)
	if err != nil {
		return nil, err
	}
	merged := copied(base.tree()).(map[string]any)
	merge(merged, tree)
	p, err := decode(merged)
	if err != nil {
		return nil, err
	}
	p.marks = marks{maps.Clone(base.marks.tables), maps.Clone(base.marks.keys), maps.Clone(base.marks.given)}
	if tree["alternatives"] != nil {
		maps.DeleteFunc(p.marks.tables, func(path, _ string) bool { return strings.HasPrefix(path, "alternatives.") })
	}
	maps.Copy(p.marks.tables, own.tables)
	maps.Copy(p.marks.keys, own.keys)
	each(tree, nil, func(keys []string, _ any) {
		path := dotted(keys)
		mark := own.of(path)
		if mark == "" {
			mark = fmt.Sprintf("%s: %s:%d", Given, name, file.lineOf(keys))
		}
		p.marks.given[path] = mark
	})
	return p, nil
}

// decode returns the profile that a tree of tables without marks describes.
func decode(tree map[string]any) (*Profile, error) {
	data, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	p := &Profile{tree: func() map[string]any { return tree }}
	if err := decoder.Decode(p); err != nil {
		return nil, err
	}
	for _, list := range p.Taxonomies.Lists {
		for i, item := range list.Items {
			if item.English == "" {
				list.Items[i].English = item.Portuguese
			}
		}
	}
	return p, nil
}

// merge copies the entries of a table over those of another.
func merge(into, from map[string]any) {
	for key, value := range from {
		table, is := value.(map[string]any)
		old, has := into[key].(map[string]any)
		if is && has {
			merge(old, table)
			continue
		}
		into[key] = copied(value)
	}
}

// copied returns a deep copy of a value.
func copied(value any) any {
	switch value := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(value))
		for key, inner := range value {
			out[key] = copied(inner)
		}
		return out
	case []any:
		out := make([]any, len(value))
		for i, inner := range value {
			out[i] = copied(inner)
		}
		return out
	}
	return value
}

// each calls do with the keys and the value of every entry of a table and its tables. An array is one entry.
func each(table map[string]any, keys []string, do func(keys []string, value any)) {
	for key, value := range table {
		path := append(keys[:len(keys):len(keys)], key)
		if inner, ok := value.(map[string]any); ok {
			each(inner, path, do)
			continue
		}
		do(path, value)
	}
}

func dotted(keys []string) (path string) {
	for _, key := range keys {
		path = join(path, key)
	}
	return path
}

// index returns a path with the number of an item of an array.
func index(path string, i int) string { return join(path, strconv.Itoa(i)) }
