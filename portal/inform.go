package portal

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
)

// midnight ends a date that a bank writes as a time.
const midnight = `T00:00:00`

// inForm returns a reply with each value in the form that its Go type reads: a number where the bank sends a text of digits,
// a text where it sends a number, a date where it sends a date with a time, nothing where it sends an empty text. It returns
// nil if the reply is not JSON.
func inForm(reply []byte, t reflect.Type) []byte {
	decoder := json.NewDecoder(bytes.NewReader(reply))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return nil
	}
	formed, err := json.Marshal(formOf(value, t))
	if err != nil {
		return nil
	}
	return formed
}

var (
	textType  = reflect.TypeFor[interface{ Reveal() string }]()
	moneyType = reflect.TypeFor[pii.Money]()
	flagType  = reflect.TypeFor[pii.Flag]()
	uuidType  = reflect.TypeFor[uuid.UUID]()
	dateTypes = []reflect.Type{reflect.TypeFor[pii.BirthDate](), reflect.TypeFor[pii.ExpiryDate](), reflect.TypeFor[Day]()}
)

func formOf(value any, t reflect.Type) any {
	switch {
	case t.Kind() == reflect.Pointer:
		return formOf(value, t.Elem())
	case t == uuidType, t == reflect.TypeFor[CallbackURL]():
		return notEmpty(value)
	case t == moneyType:
		return asNumber(value)
	case t == flagType || t.Kind() == reflect.Bool:
		return boolean(value)
	case slices.Contains(dateTypes, t):
		return date(value)
	case t.Implements(textType) || t.Kind() == reflect.String:
		return text(value)
	}
	switch t.Kind() {
	case reflect.Int, reflect.Int32, reflect.Int64:
		return whole(value)
	case reflect.Float64:
		return asNumber(value)
	case reflect.Slice:
		array, _ := value.([]any)
		for i := range array {
			array[i] = formOf(array[i], t.Elem())
		}
	case reflect.Struct:
		object, isObject := value.(map[string]any)
		if !isObject {
			if list, ok := t.FieldByName("all"); ok { // a list
				return formOf(value, list.Type)
			}
			return notEmpty(value)
		}
		for field := range t.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if field.Anonymous {
				formOf(object, field.Type) // changes the object
				continue
			}
			for key := range object {
				if name != "" && strings.EqualFold(key, name) {
					object[key] = formOf(object[key], field.Type)
				}
			}
		}
	}
	return value
}

func notEmpty(value any) any {
	if value == "" {
		return nil
	}
	return value
}

func text(value any) any {
	switch value := value.(type) {
	case json.Number:
		return value.String()
	case bool:
		return strconv.FormatBool(value)
	}
	return value
}

func date(value any) any {
	if written, ok := value.(string); ok && len(written) > len("2006-01-02") && written[10] == 'T' {
		return written[:10]
	}
	return value
}

func asNumber(value any) any {
	if written, ok := value.(string); ok {
		written = strings.TrimSpace(written)
		if _, err := strconv.ParseFloat(written, 64); err == nil {
			return json.Number(written)
		}
		return notEmpty(written)
	}
	return value
}

// whole returns a number that is a whole one without its decimals.
func whole(value any) any {
	value = asNumber(value)
	if written, ok := value.(json.Number); ok {
		digits, decimals, _ := strings.Cut(written.String(), ".")
		if strings.Trim(decimals, "0") == "" {
			return json.Number(digits)
		}
	}
	return value
}

func boolean(value any) any {
	if answer, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(toText(value)))); err == nil {
		return answer
	}
	return notEmpty(value)
}

func toText(value any) string {
	written, _ := text(value).(string)
	return written
}
