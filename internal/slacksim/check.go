package slacksim

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"
)

// check validates a payload against the shapes in limits.go. It collects problems as Slack formats them, each with a JSON
// pointer.
type check struct {
	surface   surface
	problems  []string
	blockIDs  map[string]bool
	actionIDs map[string]bool // of the current block
	inputs    int
	tables    int
	focused   int
	markdown  int
}

// rule checks one value at a JSON pointer.
type rule func(c *check, at string, value any)

const maxProblems = 20

func newCheck(on surface) *check { return &check{surface: on, blockIDs: map[string]bool{}} }

func (c *check) refuse(at, format string, args ...any) {
	if len(c.problems) < maxProblems {
		c.problems = append(c.problems, fmt.Sprintf("[ERROR] "+format, args...)+" [json-pointer:"+at+"]")
	}
}

// checkView returns the problems of a view. Their pointers begin with at.
func checkView(raw []byte, at string, on surface) []string {
	c := newCheck(on)
	kind(map[string]shape{string(on): viewShapes[string(on)]})(c, at, decodeAny(raw))
	return c.problems
}

// checkMessage returns the problems of a message's blocks, and whether their text is too long in total.
func checkMessage(raw []byte) (problems []string, tooLong bool) {
	c := newCheck(inMessage)
	blocks(c, "/blocks", decodeAny(raw))
	return c.problems, textLength(raw) > maxAllBlockText
}

// textLength returns the number of visible characters of blocks.
func textLength(raw []byte) int {
	n := 0
	for _, line := range blockTexts(raw) {
		n += utf8.RuneCountInString(line)
	}
	return n
}

func must(r rule) field { return field{required: true, rule: r} }

func opt(r rule) field { return field{rule: r} }

// fits requires an object with the fields of a shape and no others.
func fits(s shape, alsoAllowed ...string) rule {
	return func(c *check, at string, value any) {
		o, ok := value.(map[string]any)
		if !ok {
			c.refuse(at, "must provide an object")
			return
		}
		for _, name := range slices.Sorted(maps.Keys(o)) {
			if f, ok := s.fields[name]; ok {
				f.rule(c, at+"/"+name, o[name])
			} else if !slices.Contains(alsoAllowed, name) {
				c.refuse(at, "no such field: %q", truncate(name))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(s.fields)) {
			if _, ok := o[name]; s.fields[name].required && !ok {
				c.refuse(at, "missing required field: %s", name)
			}
		}
		if s.check != nil {
			s.check(c, at, o)
		}
	}
}

// kind requires one of several shapes, selected by "type".
func kind(shapes map[string]shape, alsoAllowed ...string) rule {
	alsoAllowed = append(alsoAllowed, "type")
	return func(c *check, at string, value any) {
		o, ok := value.(map[string]any)
		if !ok {
			c.refuse(at, "must provide an object")
			return
		}
		s, ok := shapes[str(o["type"])]
		if !ok {
			c.refuse(at+"/type", "unsupported type: %s", truncate(str(o["type"])))
			return
		}
		if s.surfaces != nil && !slices.Contains(s.surfaces, c.surface) {
			c.refuse(at+"/type", "unsupported type on this surface: %s", str(o["type"]))
			return
		}
		fits(s, alsoAllowed...)(c, at, o)
	}
}

// blocks requires an array of blocks with different block_ids.
func blocks(c *check, at string, value any) {
	maximum := maxMessageBlocks
	if c.surface != inMessage {
		maximum = maxViewBlocks
	}
	arrayOf(0, maximum, func(c *check, at string, value any) {
		c.actionIDs = map[string]bool{}
		if id, ok := object(value)["block_id"]; ok {
			chars(0, maxID)(c, at+"/block_id", id)
			if id := str(id); id != "" && c.blockIDs[id] {
				c.refuse(at+"/block_id", "block_id already exists: %s", truncate(id))
			}
			c.blockIDs[str(id)] = true
		}
		kind(blockShapes, "block_id")(c, at, value)
	})(c, at, value)
}

// element requires one of the allowed elements, with an action_id that is unique in its block.
func element(allowed []string) rule {
	shapes := map[string]shape{}
	for _, name := range allowed {
		shapes[name] = elementShapes[name]
	}
	return func(c *check, at string, value any) {
		if id, ok := object(value)["action_id"]; ok {
			chars(0, maxID)(c, at+"/action_id", id)
			if id := str(id); id != "" && c.actionIDs[id] {
				c.refuse(at+"/action_id", "action_id already exists: %s", truncate(id))
			}
			c.actionIDs[str(id)] = true
		}
		kind(shapes, "action_id")(c, at, value)
	}
}

// arrayOf requires an array of minimum to maximum items.
func arrayOf(minimum, maximum int, each rule) rule {
	return func(c *check, at string, value any) {
		items, ok := value.([]any)
		switch {
		case !ok:
			c.refuse(at, "must provide an array")
		case len(items) < minimum:
			c.refuse(at, "no fewer than %d items allowed", minimum)
		case len(items) > maximum:
			c.refuse(at, "no more than %d items allowed", maximum)
		default:
			for i, item := range items {
				each(c, at+"/"+strconv.Itoa(i), item)
			}
		}
	}
}

func nullable(r rule) rule {
	return func(c *check, at string, value any) {
		if value != nil {
			r(c, at, value)
		}
	}
}

// chars requires a string of minimum to maximum code points.
func chars(minimum, maximum int) rule {
	return func(c *check, at string, value any) {
		s, ok := value.(string)
		switch n := utf8.RuneCountInString(s); {
		case !ok:
			c.refuse(at, "must be a string")
		case n < minimum:
			c.refuse(at, "must be more than %d characters", minimum-1)
		case n > maximum:
			c.refuse(at, "must be less than %d characters", maximum+1)
		}
	}
}

// plain requires a plain_text object; text allows mrkdwn too.
func plain(maximum int) rule { return textObject(maximum, "plain_text") }

func text(maximum int) rule { return textObject(maximum, "plain_text", "mrkdwn") }

func textObject(maximum int, kinds ...string) rule {
	shapes := map[string]shape{}
	for _, k := range kinds {
		shapes[k] = shape{fields: map[string]field{"text": must(chars(1, maximum))}}
	}
	if _, ok := shapes["plain_text"]; ok {
		shapes["plain_text"].fields["emoji"] = opt(boolean)
	}
	if _, ok := shapes["mrkdwn"]; ok {
		shapes["mrkdwn"].fields["verbatim"] = opt(boolean)
	}
	return kind(shapes)
}

func textOrImage(c *check, at string, value any) {
	if str(object(value)["type"]) == "image" {
		kind(map[string]shape{"image": elementShapes["image"]})(c, at, value)
		return
	}
	text(3000)(c, at, value)
}

func oneOf(words ...string) rule {
	return func(c *check, at string, value any) {
		if s, ok := value.(string); !ok || !slices.Contains(words, s) {
			c.refuse(at, "must be one of %q", words)
		}
	}
}

func matching(pattern *regexp.Regexp) rule {
	return func(c *check, at string, value any) {
		if s, ok := value.(string); !ok || !pattern.MatchString(s) {
			c.refuse(at, "must be of the form %s", pattern)
		}
	}
}

func boolean(c *check, at string, value any) {
	if _, ok := value.(bool); !ok {
		c.refuse(at, "must be a boolean")
	}
}

func integer(minimum, maximum int64) rule {
	return func(c *check, at string, value any) {
		n, ok := value.(json.Number)
		i, err := n.Int64()
		if !ok || err != nil || i < minimum || i > maximum {
			c.refuse(at, "must be an integer from %d to %d", minimum, maximum)
		}
	}
}

// number requires a string with a decimal number.
func number(c *check, at string, value any) {
	if _, ok := parseNumber(str(value)); !ok {
		c.refuse(at, "must be a number in a string")
	}
}

var numberPattern = regexp.MustCompile(`^-?\d{1,100}(\.\d{1,100})?$`)

func parseNumber(s string) (*big.Rat, bool) {
	if !numberPattern.MatchString(s) {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

// focus checks focus_on_load, which only one element of a view may have.
func focus(c *check, at string, value any) {
	boolean(c, at, value)
	if value == true {
		if c.focused++; c.focused > 1 {
			c.refuse(at, "only one element can be focused on load")
		}
	}
}

func textOrFields(c *check, at string, o map[string]any) {
	if o["text"] == nil && o["fields"] == nil {
		c.refuse(at, "must provide text or fields")
	}
}

func optionsOrGroups(c *check, at string, o map[string]any) {
	if (o["options"] == nil) == (o["option_groups"] == nil) {
		c.refuse(at, "must provide either options or option_groups")
		return
	}
	initialsAmongOptions(c, at, o)
}

// initialsAmongOptions requires each initial option to be equal to one of the options.
func initialsAmongOptions(c *check, at string, o map[string]any) {
	initials := list(o["initial_options"])
	pointer := at + "/initial_options"
	if one := o["initial_option"]; one != nil {
		initials, pointer = []any{one}, at+"/initial_option"
	}
	all := optionsOf(o)
	for _, initial := range initials {
		if !slices.ContainsFunc(all, func(o any) bool { return reflect.DeepEqual(o, initial) }) {
			c.refuse(pointer, "must be exactly one of the options")
		}
	}
}

func lengthsInOrder(c *check, at string, o map[string]any) {
	minimum, maximum := intOr(o["min_length"], 0), intOr(o["max_length"], 3000)
	if minimum > maximum {
		c.refuse(at+"/min_length", "must not exceed max_length")
	}
	if n := utf8.RuneCountInString(str(o["initial_value"])); n > maximum {
		c.refuse(at+"/initial_value", "must be less than %d characters", maximum+1)
	}
}

func intOr(value any, otherwise int) int {
	if n, ok := value.(json.Number); ok {
		if i, err := n.Int64(); err == nil {
			return int(i)
		}
	}
	return otherwise
}

func countInput(c *check, _ string, _ map[string]any) { c.inputs++ }

func countMarkdown(c *check, at string, o map[string]any) {
	n := utf8.RuneCountInString(str(o["text"]))
	if c.markdown += n; c.markdown > maxMarkdown && n <= maxMarkdown {
		c.refuse(at+"/text", "markdown blocks must be less than %d characters together", maxMarkdown+1)
	}
}

func countTable(c *check, at string, o map[string]any) {
	if c.tables++; c.tables > 1 {
		c.refuse(at, "only one table is allowed in a message")
	}
	if textLength(encode(o["rows"])) > maxTableText {
		c.refuse(at+"/rows", "must be less than %d characters together", maxTableText+1)
	}
}

func submitWithInputs(c *check, at string, o map[string]any) {
	if c.inputs > 0 && o["submit"] == nil {
		c.refuse(at+"/submit", "missing required field: submit, since there are inputs")
	}
}

// truncate shortens a string of the app's for an error message.
func truncate(s string) string {
	if utf8.RuneCountInString(s) > 40 {
		return string([]rune(s)[:40]) + "…"
	}
	return s
}
