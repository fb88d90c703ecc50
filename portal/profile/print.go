package profile

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// TOML returns the profile as a file, each entry with a comment of its mark and where that comes from. With a mark, it has
// only the entries with this mark.
func (p *Profile) TOML(only Mark) string {
	var out strings.Builder
	out.WriteString("#:schema " + SchemaID + "\n")
	p.writeTable(&out, p.tree(), nil, only)
	return out.String()
}

// writeTable writes the entries of a table, and then its tables, each sorted.
func (p *Profile) writeTable(out *strings.Builder, table map[string]any, keys []string, only Mark) {
	begun := false
	for _, key := range slices.Sorted(maps.Keys(table)) {
		if _, is := table[key].(map[string]any); is {
			continue
		}
		path := append(slices.Clone(keys), key)
		mark, source := p.Mark(dotted(path))
		if key == "alternatives" && len(keys) == 0 {
			mark, source = p.Mark("alternatives.0")
		}
		if only != "" && mark != only {
			continue
		}
		if !begun && len(keys) > 0 {
			fmt.Fprintf(out, "\n[%s]\n", tomlKey(keys))
		}
		begun = true
		value := tomlValue(table[key])
		if strings.Contains(value, "\n") {
			fmt.Fprintf(out, "# %s: %s\n%s = %s\n", mark, source, tomlKey([]string{key}), value)
		} else {
			fmt.Fprintf(out, "%s = %s # %s: %s\n", tomlKey([]string{key}), value, mark, source)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(table)) {
		if inner, is := table[key].(map[string]any); is {
			p.writeTable(out, inner, append(slices.Clone(keys), key), only)
		}
	}
}

var bareKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func tomlKey(keys []string) string {
	parts := make([]string, len(keys))
	for i, key := range keys {
		if parts[i] = key; !bareKey.MatchString(key) {
			parts[i] = tomlString(key)
		}
	}
	return strings.Join(parts, ".")
}

// tomlString quotes a text. What JSON escapes is the same in TOML, which also escapes DEL.
func tomlString(text string) string {
	quoted, err := jsontext.AppendQuote(nil, text)
	if err != nil { // it is not UTF-8, which no file can have
		quoted = []byte(strconv.QuoteToASCII(text))
	}
	return strings.ReplaceAll(string(quoted), "\x7f", `\u007f`)
}

// tomlValue writes a value. An array of tables has a line for each.
func tomlValue(value any) string {
	switch value := value.(type) {
	case string:
		return tomlString(value)
	case map[string]any:
		parts := []string{}
		for _, key := range slices.Sorted(maps.Keys(value)) {
			parts = append(parts, tomlKey([]string{key})+" = "+strings.ReplaceAll(tomlValue(value[key]), "\n", " "))
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	case []any:
		parts := []string{}
		tables := false
		for _, inner := range value {
			_, is := inner.(map[string]any)
			tables = tables || is
			parts = append(parts, tomlValue(inner))
		}
		if tables {
			return "[\n  " + strings.Join(parts, ",\n  ") + ",\n]"
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return fmt.Sprint(value)
}

// Text returns the value of an entry as a file has it, in one line.
func (e Entry) Text() string {
	if e.Value == nil {
		return ""
	}
	return strings.Join(strings.Fields(tomlValue(e.Value)), " ")
}
