package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/validation"
)

// maxArgs bounds a call's arguments in bytes; the largest form, filled to the brim, stays far below.
const maxArgs = 64 << 10

// decode reads a call's arguments into the tool's input. It is strict about names and kind about forms: an unknown
// name is a problem, a number in quotes is a number. What has a problem is left out of the input, so that the rest can
// be checked too; in is nil when there is nothing to check. Problems never repeat a value.
func (t *Tool) decode(args json.RawMessage, lang words.Lang) (in any, problems []Problem) {
	if len(bytes.TrimSpace(args)) == 0 {
		args = json.RawMessage("{}")
	}
	if len(args) > maxArgs {
		return nil, []Problem{problem(lang, "", "args.too_long")}
	}
	decoder := json.NewDecoder(bytes.NewReader(args))
	decoder.UseNumber()
	var given map[string]any
	if err := decoder.Decode(&given); err != nil || decoder.More() {
		return nil, []Problem{problem(lang, "", "args.not_object")}
	}
	problems = t.conform(given, "", lang)
	data, err := json.Marshal(given)
	input := reflect.New(t.in)
	if err == nil {
		err = json.Unmarshal(data, input.Interface())
	}
	if err != nil { // conform leaves nothing that does not fit
		return nil, append(problems, problem(lang, "", "args.not_object"))
	}
	return input.Elem().Interface(), problems
}

// normalised is an input in the form in which the bank gets it.
func (t *Tool) normalised(in any) any {
	copied := reflect.New(t.in)
	copied.Elem().Set(reflect.ValueOf(in))
	validation.Normalise(copied.Interface())
	return copied.Elem().Interface()
}

// conform checks the names below prefix and brings each value into the one form that its field is read from. It takes
// out what does not conform.
func (t *Tool) conform(given map[string]any, prefix string, lang words.Lang) []Problem {
	var problems []Problem
	wrong := func(name, path, code string, args ...any) {
		delete(given, name)
		problems = append(problems, problem(lang, path, code, args...))
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		path, value := prefix+name, given[name]
		field, isField := t.Field(path)
		group, isObject := value.(map[string]any)
		switch {
		case value == nil && (isField || t.isGroup(path)):
			delete(given, name)
		case isField:
			form, ok := conformed(field.Kind, value)
			if given[name] = form; !ok {
				wrong(name, path, "kind."+string(field.Kind))
			}
		case t.isGroup(path) && isObject:
			problems = append(problems, t.conform(group, path+".", lang)...)
		case t.isGroup(path):
			wrong(name, path, "args.not_object")
		default:
			wrong(name, strings.TrimSuffix(prefix, "."), "args.unknown_field", "known", t.namesUnder(prefix))
		}
	}
	return problems
}

func conformed(kind Kind, value any) (any, bool) {
	switch v := value.(type) {
	case string:
		return parsed(kind, v)
	case json.Number:
		switch kind {
		case Process:
			return v.String(), true
		case Amount:
			return v, true
		case Integer, Choice:
			return parsed(kind, v.String())
		}
	case bool:
		return v, kind == YesNo
	case []any:
		names := []string{}
		for _, each := range v {
			name, ok := each.(string)
			if !ok {
				return nil, false
			}
			names = append(names, name)
		}
		return names, kind == Names
	}
	return nil, false
}

// parsed reads what a person typed or chose as the value of a field of this kind.
func parsed(kind Kind, text string) (any, bool) {
	text = strings.TrimSpace(text)
	switch kind {
	case Integer, Choice:
		n, err := strconv.ParseInt(text, 10, 32)
		return int32(n), err == nil
	case Amount:
		amount, ok := parseAmount(text)
		return json.Number(amount.String()), ok
	case YesNo:
		answer, err := strconv.ParseBool(text)
		return answer, err == nil
	case Names:
		return strings.FieldsFunc(text, func(c rune) bool { return c == ',' || unicode.IsSpace(c) }), true
	case Borrower:
		id, err := uuid.Parse(text)
		return id.String(), err == nil
	case Taxonomy:
		return text, slices.Contains(portal.Taxonomies(), portal.TaxonomyKey(text))
	case Date:
		if date, err := validation.ParseDateInput(text); err == nil {
			return date.String(), true
		}
		return text, true // a date that is none is told with the other problems of its page
	default:
		return text, true
	}
}

// Amounts as people in Portugal and in English-speaking countries type them. Neither has three decimal places, so that
// 2.500 and 2,500 are both two and a half thousand.
var (
	portugueseAmount = regexp.MustCompile(`^-?(\d{1,3}(\.\d{3})+|\d+)(,\d{1,2})?$`)
	englishAmount    = regexp.MustCompile(`^-?(\d{1,3}(,\d{3})+|\d+)(\.\d{1,2})?$`)
)

// parseAmount reads euros: 2500, 2500,5, 2.500,00, 2 500.00, 2500 €.
func parseAmount(text string) (decimal.Decimal, bool) {
	text = strings.NewReplacer("€", "", " ", "", "\u00a0", "", "\u202f", "").Replace(text)
	switch {
	case len(text) > 20:
		return decimal.Zero, false
	case portugueseAmount.MatchString(text):
		text = strings.Replace(strings.ReplaceAll(text, ".", ""), ",", ".", 1)
	case englishAmount.MatchString(text):
		text = strings.ReplaceAll(text, ",", "")
	default:
		return decimal.Zero, false
	}
	amount, err := decimal.NewFromString(text)
	return amount, err == nil
}

// Args puts what a person typed, by path, into the arguments of a call. What is blank is left out.
func (t *Tool) Args(answers map[string]string, lang words.Lang) (json.RawMessage, []Problem) {
	args := map[string]any{}
	var problems []Problem
	for _, field := range t.Fields {
		text := strings.TrimSpace(answers[field.Path])
		if text == "" {
			continue
		}
		value, ok := parsed(field.Kind, text)
		if !ok {
			problems = append(problems, problem(lang, field.Path, "kind."+string(field.Kind)))
			continue
		}
		group, name := args, field.Path
		for {
			around, rest, nested := strings.Cut(name, ".")
			if !nested {
				break
			}
			if group[around] == nil {
				group[around] = map[string]any{}
			}
			group, name = group[around].(map[string]any), rest
		}
		group[name] = value
	}
	data, err := json.Marshal(args)
	if err != nil {
		panic(err) // strings, numbers and booleans marshal
	}
	return data, problems
}

// Answers is the way back from arguments to what a form shows, for arguments filled in by a [Step].
func (t *Tool) Answers(args map[string]any) map[string]string {
	answers := map[string]string{}
	for _, field := range t.Fields {
		if value, ok := args[field.Path]; ok {
			answers[field.Path] = fmt.Sprint(value)
		}
	}
	return answers
}

func (t *Tool) isGroup(path string) bool {
	for _, field := range t.Fields {
		if strings.HasPrefix(field.Path, path+".") {
			return true
		}
	}
	return false
}

func (t *Tool) namesUnder(prefix string) string {
	var names []string
	for _, field := range t.Fields {
		rest, ok := strings.CutPrefix(field.Path, prefix)
		name, _, _ := strings.Cut(rest, ".")
		if ok && (len(names) == 0 || names[len(names)-1] != name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
