package portal

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/balcao/balcao/internal/words"
)

// Reason is why the bank refuses, such as "borrower.duplicate"; "" is not known. The texts of reasons are in this
// package's translation files. A refusal whose text is one of them has that reason.
type Reason string

// reason is a row of the table of reasons: with the last two digits of its code. Of codes only this is public: two digits
// each for category, field and error. The categories 04 and 05 are those of the bank's codes for success; everything else
// is inferred. Where two reasons share a code, the code means the first.
type reason struct {
	Reason
	error int
}

var (
	reasons    []reason
	categories = map[string]int{} // the first two digits of codes, by the first part of reasons
)

// registerReasons adds the reasons of a category. It panics if one is registered twice.
func registerReasons(category int, rows ...reason) {
	for _, row := range rows {
		if slices.Contains(Reasons(), row.Reason) {
			panic(fmt.Sprintf("portal: reason %q is registered twice", row.Reason))
		}
		reasons = append(reasons, row)
		categories[row.part()] = category
	}
}

// The reasons that any operation may have.
func init() {
	registerReasons(0,
		reason{"request.json", 1}, reason{"request.contentType", 2}, reason{"request.tooLarge", 3}, reason{"request.path", 4},
		reason{"request.method", 5}, reason{"request.uuid", 6}, reason{"request.query", 7}, reason{"request.failed", 8},
	)
}

// Reasons returns the reasons that are known.
func Reasons() []Reason {
	var all []Reason
	for _, reason := range reasons {
		all = append(all, reason.Reason)
	}
	return all
}

// part returns the first part of the reason: "borrower" of "borrower.duplicate".
func (r Reason) part() string {
	part, _, _ := strings.Cut(string(r), ".")
	return part
}

// Text returns the reason as a text, which names the field if the reason is about one.
func (r Reason) Text(language, field string) string {
	return texts.Say(words.Lang(language), string(r), map[string]any{"field": field})
}

// Code returns the reason's code for a field of a borrower's request, or for no field. It is "" for an unknown reason.
func (r Reason) Code(field string) string {
	for _, each := range reasons {
		if each.Reason == r {
			return fmt.Sprintf("%02d%02d%02d", categories[r.part()], FieldNumber(field), each.error)
		}
	}
	return ""
}

// FieldNumber returns the number of a field of a borrower's request, by its JSON path. It counts from 1; 0 is no such
// field.
func FieldNumber(path string) int { return borrowerFields[path] }

var borrowerFields = func() map[string]int {
	numbers := map[string]int{}
	var number func(reflect.Type, string)
	number = func(t reflect.Type, path string) {
		for field := range t.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			numbers[path+name] = len(numbers) + 1
			if inner := field.Type; inner.Kind() == reflect.Pointer && inner.Elem().Kind() == reflect.Struct {
				number(inner.Elem(), path+name+".")
			}
		}
	}
	number(reflect.TypeFor[BorrowerRequest](), "")
	return numbers
}()

// requestFields returns the names of the fields, parameters and placeholders of all requests, by their lower-case form.
var requestFields = sync.OnceValue(func() map[string]string {
	paths := slices.Collect(maps.Keys(borrowerFields))
	for _, op := range operations {
		paths = append(paths, op.Parameters...)
		for _, placeholder := range placeholders(op.Path) {
			paths = append(paths, strings.Trim(placeholder, "{}"))
		}
	}
	names := map[string]string{}
	for _, path := range paths {
		name := lastPart(path)
		names[strings.ToLower(name)] = name
	}
	return names
})

// lastPart returns the last name of a dotted path, a JSON pointer or a JSON path.
func lastPart(path string) string {
	return strings.Trim(path[strings.LastIndexAny(strings.TrimRight(path, "]'\""), "./['\"")+1:], "]'\"")
}

// knownField returns the name of the request's field that a path of the bank's ends in, "" if there is none.
func knownField(path string) string { return requestFields()[strings.ToLower(lastPart(path))] }

// knownText is the text of a reason in one language, around the field that it may name.
type knownText struct {
	reason        Reason
	before, after string
	field         bool
}

var knownTexts = sync.OnceValue(func() (known []knownText) {
	for _, lang := range words.Langs {
		for _, reason := range Reasons() {
			before, after, field := strings.Cut(normal(reason.Text(string(lang), "\x00")), "\x00")
			known = append(known, knownText{reason, before, after, field})
		}
	}
	return known
})

// normal returns a text in lower case, without repeated spaces and the full stop.
func normal(text string) string {
	return strings.TrimRight(strings.ToLower(strings.Join(strings.Fields(text), " ")), ".!")
}

// reasonOfText returns the reason of a text, and the field that it names: "" unless the whole text is known.
func reasonOfText(text string) (Reason, string) {
	text = normal(text)
	for _, known := range knownTexts() {
		inner, begins := strings.CutPrefix(text, known.before)
		inner, ends := strings.CutSuffix(inner, known.after)
		switch {
		case !begins || !ends:
		case !known.field && inner == "":
			return known.reason, ""
		case known.field && knownField(inner) != "" && !strings.Contains(inner, " "):
			return known.reason, knownField(inner)
		}
	}
	return "", ""
}

// isCode matches codes in the bank's form. A code that is a JSON number has lost its leading zeros.
var isCode = regexp.MustCompile(`^(?:[A-Z]{2,5}-)?\d{3,6}$`)

// reasonOfCode returns the reason of a code, "" if none has it.
func reasonOfCode(code string) Reason {
	var category, field, failed int
	if len(code) < 5 || len(code) > 6 || strings.Trim(code, "0123456789") != "" {
		return ""
	}
	if n, err := fmt.Sscanf(strings.Repeat("0", 6-len(code))+code, "%2d%2d%2d", &category, &field, &failed); n != 3 || err != nil {
		return ""
	}
	for _, each := range reasons {
		part := each.part()
		if categories[part] == category && each.error == failed && (part != "field" || field > 0) {
			return each.Reason
		}
	}
	return ""
}
