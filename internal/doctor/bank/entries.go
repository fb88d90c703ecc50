package bank

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/balcao/balcao/portal/profile"
)

// entry is an entry of a profile.
type entry struct {
	keys    []string
	value   any // a string, an int, a []string, a profile.Names or a []profile.Item
	comment string
}

func set(value any, keys ...string) entry { return entry{keys: keys, value: value} }

// path returns the keys with dots.
func (e entry) path() string { return strings.Join(e.keys, ".") }

var bareKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// line returns the entry as a line of TOML with dotted keys, which may stand anywhere before the first table of a file.
func (e entry) line() string {
	var keys []string
	for _, key := range e.keys {
		if !bareKey.MatchString(key) {
			key = quoted(key)
		}
		keys = append(keys, key)
	}
	line := strings.Join(keys, ".") + " = " + valueText(e.value)
	if e.comment != "" {
		line += " # " + e.comment
	}
	return line
}

// quoted returns a basic string of TOML, whose escapes are those of JSON.
func quoted(text string) string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string can always be encoded
	return strings.TrimSpace(strings.ReplaceAll(out.String(), "\x7f", `\u007f`))
}

func valueText(value any) string {
	switch value := value.(type) {
	case int:
		return strconv.Itoa(value)
	case profile.Names:
		if len(value) == 1 {
			return quoted(value[0])
		}
		return valueText([]string(value))
	case []string:
		var all []string
		for _, text := range value {
			all = append(all, quoted(text))
		}
		return "[" + strings.Join(all, ", ") + "]"
	case []int:
		return strings.Join(strings.Fields(fmt.Sprint(value)), ", ")
	case []profile.Item:
		var all []string
		for _, item := range value {
			text := fmt.Sprintf("{ id = %d, pt = %s", item.ID, quoted(item.Portuguese))
			if item.English != "" && item.English != item.Portuguese {
				text += ", en = " + quoted(item.English)
			}
			all = append(all, text+" }")
		}
		return "[" + strings.Join(all, ", ") + "]"
	}
	return quoted(fmt.Sprint(value))
}

func lines(entries []entry) (all []string) {
	for _, e := range entries {
		all = append(all, e.line())
	}
	return all
}

// with returns a profile with entries in location of its own. The error says that they make no valid profile.
func with(p *profile.Profile, entries []entry) (*profile.Profile, error) {
	if len(entries) == 0 {
		return p, nil
	}
	return profile.Read("proposal.toml", []byte(strings.Join(lines(entries), "\n")), profile.Over(p), profile.KnownRules(sortedKeys(p.Rules)...))
}

var errSettled = errors.New("an entry has been settled")

// over returns the profile with the entries, unless one of them has been settled by an earlier check.
func (x *Examination) over(entries []entry) (*profile.Profile, error) {
	for _, e := range entries {
		if x.settled[e.path()] {
			return nil, errSettled
		}
	}
	return with(x.profile, entries)
}

// flatten returns the entries of a fragment of a profile.
func flatten(fragment json.RawMessage) (entries []entry) {
	var tree map[string]any
	if json.Unmarshal(fragment, &tree) != nil {
		return nil
	}
	var descend func(keys []string, table map[string]any)
	descend = func(keys []string, table map[string]any) {
		for _, key := range sortedKeys(table) {
			at := append(keys[:len(keys):len(keys)], key)
			switch value := table[key].(type) {
			case map[string]any:
				descend(at, value)
			case string:
				entries = append(entries, set(value, at...))
			case float64:
				entries = append(entries, set(int(value), at...))
			case []any:
				var texts []string
				for _, item := range value {
					texts = append(texts, fmt.Sprint(item))
				}
				entries = append(entries, set(texts, at...))
			}
		}
	}
	descend(nil, tree)
	return entries
}

// concerns reports whether an entry stands in the table.
func (e entry) concerns(table string) bool { return strings.HasPrefix(e.path()+".", table+".") }

// first returns names with another one before them.
func first(name string, others profile.Names) profile.Names {
	all := profile.Names{name}
	for _, other := range others {
		if other != name {
			all = append(all, other)
		}
	}
	return all
}
