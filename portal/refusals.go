package portal

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/balcao/balcao/internal/words"
)

// Reason is why the bank refuses, as far as that is known, such as "borrower.duplicate"; "" is not known. The texts of
// reasons stand in this package's translation files: a text of the bank's that is one of them is known, and no other is.
type Reason string

// reasons lists what refusals mean, each with the last two digits of its code. Of codes only this is public: two digits
// each for category, field and error. The categories 04 and 05 are those of the bank's codes for success; everything else
// is inferred. Where two share a code, the first is what the code is taken to mean.
var reasons = []struct {
	Reason
	error int
}{
	{"field.required", 1}, {"field.format", 2}, {"field.type", 2}, {"field.id", 3}, {"field.range", 4}, {"field.length", 4},
	{"field.checkDigit", 5}, {"field.unknown", 6},
	{"borrower.missing", 1}, {"borrower.secondKey", 7}, {"borrower.duplicate", 8}, {"borrower.tooMany", 9}, {"borrower.lastKey", 10}, {"borrower.isKey", 11},
	{"process.missing", 1}, {"process.state", 2},
	{"esis.age", 1}, {"esis.term", 2}, {"esis.noKey", 3}, {"esis.state", 4}, {"esis.address", 5},
	{"callback.partner", 1}, {"callback.type", 2}, {"callback.url", 3}, {"callback.missing", 4}, {"callback.subject", 5}, {"callback.body", 6},
	{"callback.unreachable", 7}, {"callback.answer", 8},
	{"request.json", 1}, {"request.contentType", 2}, {"request.tooLarge", 3}, {"request.path", 4}, {"request.method", 5},
	{"request.uuid", 6}, {"request.query", 7}, {"request.failed", 8},
	{"session.client", 1}, {"session.broker", 2}, {"session.user", 3}, {"session.missing", 4}, {"session.expired", 5},
}

// categories are the first two digits of codes, by the first part of reasons.
var categories = map[string]int{"request": 0, "session": 1, "process": 4, "borrower": 5, "field": 5, "esis": 7, "callback": 8}

// Reasons lists the reasons that are known.
func Reasons() []Reason {
	var all []Reason
	for _, reason := range reasons {
		all = append(all, reason.Reason)
	}
	return all
}

// Text says the reason, of a field where the reason is about one.
func (r Reason) Text(language, field string) string {
	return texts.Say(words.Lang(language), "refusal."+string(r), map[string]any{"field": field})
}

// Code is the reason's code, of a field of a borrower's request or of none.
func (r Reason) Code(field string) string {
	category, _, _ := strings.Cut(string(r), ".")
	for _, each := range reasons {
		if each.Reason == r {
			return fmt.Sprintf("%02d%02d%02d", categories[category], FieldNumber(field), each.error)
		}
	}
	return ""
}

// FieldNumber numbers the fields of a borrower's request by their JSON path, from 1; 0 is no such field.
func FieldNumber(path string) int { return borrowerFields[path] }

var borrowerFields = func() map[string]int {
	numbers := map[string]int{}
	var walk func(reflect.Type, string)
	walk = func(t reflect.Type, path string) {
		for field := range t.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			numbers[path+name] = len(numbers) + 1
			if inner := field.Type; inner.Kind() == reflect.Pointer && inner.Elem().Kind() == reflect.Struct {
				walk(inner.Elem(), path+name+".")
			}
		}
	}
	walk(reflect.TypeFor[BorrowerRequest](), "")
	return numbers
}()

// requestFields are the names of what requests hold, by their lower-case form.
var requestFields = func() map[string]string {
	names := map[string]string{}
	for _, path := range append(slices.Collect(maps.Keys(borrowerFields)), "sendAddress", "ignoreRules", "processUniqueId", "borrowerUniqueId",
		"simulationUniqueId", "partnerUniqueID", "notificationType", "notificationTypeID", "callbackUrl", "rawBody", "filterByText") {
		name := lastPart(path)
		names[strings.ToLower(name)] = name
	}
	return names
}()

// lastPart is the last name of a path, be it dotted, a JSON pointer or a JSON path.
func lastPart(path string) string {
	return strings.Trim(path[strings.LastIndexAny(strings.TrimRight(path, "]'\""), "./['\"")+1:], "]'\"")
}

// knownField is the name of the request's field that a path from outside ends in, "" when there is none.
func knownField(path string) string { return requestFields[strings.ToLower(lastPart(path))] }

// knownText is what a refusal says in one language, around the field that it may name.
type knownText struct {
	reason        Reason
	before, after string
	field         bool
}

var knownTexts = func() (known []knownText) {
	for _, lang := range words.Langs {
		for _, reason := range Reasons() {
			before, after, field := strings.Cut(normal(reason.Text(string(lang), "\x00")), "\x00")
			known = append(known, knownText{reason, before, after, field})
		}
	}
	return known
}()

// normal is a text without what does not matter to its meaning.
func normal(text string) string {
	return strings.TrimRight(strings.ToLower(strings.Join(strings.Fields(text), " ")), ".!")
}

// meaning is the reason that a text gives, and the field that it names. Only a text that is known whole has one.
func meaning(text string) (Reason, string) {
	text = normal(text)
	for _, known := range knownTexts {
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

// isCode matches what the bank's codes look like. A code that is a number loses its zeros.
var isCode = regexp.MustCompile(`^(?:[A-Z]{2,5}-)?\d{3,6}$`)

// meaningOf is what a code is taken to mean.
func meaningOf(code string) Reason {
	var category, field, failed int
	if len(code) < 5 || len(code) > 6 || strings.Trim(code, "0123456789") != "" {
		return ""
	}
	if n, err := fmt.Sscanf(strings.Repeat("0", 6-len(code))+code, "%2d%2d%2d", &category, &field, &failed); n != 3 || err != nil {
		return ""
	}
	for _, each := range reasons {
		room, _, _ := strings.Cut(string(each.Reason), ".")
		if categories[room] == category && each.error == failed && (room != "field" || field > 0) {
			return each.Reason
		}
	}
	return ""
}
