package validation

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Normalise gives the texts in a struct the form in which the bank gets them, by the same tags that check them: nine
// digits for a tax number, E.164 for a phone, YYYY-MM-DD for a date. It does not change invalid text. It is
// idempotent. v must be a pointer to a struct, or Normalise panics.
func Normalise(v any) {
	value := reflect.ValueOf(v)
	if value.Kind() != reflect.Pointer || value.IsNil() || value.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("validation: cannot normalise a %T", v))
	}
	normaliseStruct(value.Elem())
}

func normaliseStruct(s reflect.Value) {
	for i := range s.NumField() {
		definition, field := s.Type().Field(i), s.Field(i)
		if !definition.IsExported() {
			continue
		}
		if current, isText := readText(field); isText {
			normaliseText(s, field, current, definition.Tag.Get("validate"))
			continue
		}
		if field.Kind() == reflect.Pointer && !field.IsNil() {
			field = field.Elem()
		}
		if field.Kind() == reflect.Struct {
			normaliseStruct(field)
		}
	}
}

func normaliseText(s, field reflect.Value, current, tags string) {
	if current == "" {
		return
	}
	if strings.TrimSpace(current) == "" {
		writeText(field, "")
		return
	}
	for tag := range strings.SplitSeq(tags, ",") {
		name, param, _ := strings.Cut(tag, "=")
		rule := rules[name]
		if rule.normal == nil {
			continue
		}
		if name == "document" && splitCard(field, s.FieldByName(param), current) {
			return
		}
		if normal, err := rule.normal(current, param); err == nil && normal != current {
			writeText(field, normal)
		}
	}
}

// splitCard splits the number of a citizen card into its two fields. It requires both check digits, so that the number of
// another document is rarely taken for that of a card.
func splitCard(number, suffix reflect.Value, current string) bool {
	if !suffix.IsValid() {
		return false
	}
	last, isText := readText(suffix)
	if !isText {
		return false
	}
	nic, last, err := CitizenCard(current, last)
	if err != nil {
		return false
	}
	writeText(number, nic)
	writeText(suffix, last)
	return true
}

// readText returns the text of a string or of a value of package pii.
func readText(field reflect.Value) (current string, isText bool) {
	switch v := field.Interface().(type) {
	case string:
		return v, true
	case interface{ Reveal() string }:
		if field.Kind() == reflect.Pointer && field.IsNil() {
			return "", true
		}
		return v.Reveal(), true
	}
	return "", false
}

func writeText(field reflect.Value, s string) {
	if field.Kind() == reflect.String {
		field.SetString(s)
		return
	}
	if field.Kind() != reflect.Pointer {
		field = field.Addr()
	}
	quoted, err := json.Marshal(s)
	if err == nil {
		err = field.Interface().(json.Unmarshaler).UnmarshalJSON(quoted)
	}
	if err != nil {
		panic("validation: a text that cannot be written") // quoting and reading back cannot fail
	}
}
