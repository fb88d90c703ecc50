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
	"github.com/balcao/balcao/portal/profile"
)

// Reason is why the bank refuses, such as "borrower.duplicate"; "" is not known. The texts of reasons are in this
// package's translation files. A refusal whose text is one of them has that reason.
type Reason string

var reasons []Reason

// registerReasons adds reasons. It panics if one is registered twice. Their codes are in the profile.
func registerReasons(added ...Reason) {
	for _, reason := range added {
		if slices.Contains(reasons, reason) {
			panic(fmt.Sprintf("portal: reason %q is registered twice", reason))
		}
		reasons = append(reasons, reason)
	}
}

// The reasons that any operation may have.
func init() {
	registerReasons("request.json", "request.contentType", "request.tooLarge", "request.path", "request.method", "request.uuid",
		"request.query", "request.failed")
}

// Reasons returns the reasons that are known.
func Reasons() []Reason { return slices.Clone(reasons) }

// Text returns the reason as a text, which names the field if the reason is about one.
func (r Reason) Text(language, field string) string {
	return texts.Say(words.Lang(language), string(r), map[string]any{"field": field})
}

// Code returns the reason's code in a profile, for a field of a borrower's request or for no field. It is "" for an unknown
// reason.
func (r Reason) Code(p *profile.Profile, field string) string {
	return p.Errors.CodeOf(string(r), FieldNumber(field))
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
	for _, row := range table(profile.Builtin()) {
		paths = append(append(paths, row.Parameters...), profile.Placeholders(row.Path)...)
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
func reasonOfCode(errors *profile.Errors, code string) Reason {
	if len(code) < 5 || len(code) > 6 || strings.Trim(code, "0123456789") != "" {
		return ""
	}
	code = strings.Repeat("0", 6-len(code)) + code
	for _, reason := range reasons {
		if errors.Has(string(reason), code) && (!strings.HasPrefix(string(reason), "field.") || code[2:4] != "00") {
			return reason
		}
	}
	return ""
}
