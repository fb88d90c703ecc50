package validation_test

import (
	"reflect"
	"testing"

	"github.com/balcao/balcao/validation"
)

func TestASchemaSaysOfATagWhatASchemaCan(t *testing.T) {
	for _, c := range []struct {
		tag  string
		want map[string]any
	}{
		{"required,date,adult", map[string]any{"format": "date"}},
		{"required,email_address", map[string]any{"format": "email", "maxLength": 254}},
		{"omitempty,text=100", map[string]any{"maxLength": 100}},
		{"omitempty,amount", map[string]any{"minimum": 0, "maximum": 1_000_000}},
		{"omitempty,dependants", map[string]any{"minimum": 0, "maximum": 20}},
		{"required,choice", map[string]any{"minimum": 1}},
		{"required", map[string]any{}},
		{"", map[string]any{}},
	} {
		if got := validation.JSONSchema(c.tag); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: got %v, want %v", c.tag, got, c.want)
		}
	}
}
