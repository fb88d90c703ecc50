package testenv

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
)

// WholeBorrower is a reply of Borrower Get in which every field that the client knows has a value.
type WholeBorrower []ReplyField

// ReplyField is a field of a reply.
type ReplyField struct {
	Path  string // of JSON names: borrowerPersonalData.genderID
	Value json.RawMessage
	// Word is the text of a description, and ID the number of an id that has one; "" of other fields. Both are like no other.
	Word, ID string
}

// ReadWholeBorrower reads the bank's example of the reply in a file. Its fields have to be those of [portal.Borrower]; those
// that no person is known by get values like no other.
func ReadWholeBorrower(t testing.TB, file string) WholeBorrower {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	printed := map[string]json.RawMessage{}
	var reply map[string]json.RawMessage
	if err := json.Unmarshal(data, &reply); err != nil {
		t.Fatal(err)
	}
	for name, value := range reply {
		var group map[string]json.RawMessage
		if json.Unmarshal(value, &group) != nil {
			printed[name] = value
		}
		for inner, value := range group {
			printed[name+"."+inner] = value
		}
	}
	var whole WholeBorrower
	for _, field := range replyFields(reflect.TypeFor[portal.Borrower](), "") {
		number := len(whole) + 101
		one := ReplyField{Path: field.path, Value: printed[field.path]}
		switch {
		case strings.HasSuffix(field.path, "Description"):
			one.Word = fmt.Sprintf("palavra %d", number)
			one.Value = json.RawMessage(fmt.Sprintf("%q", one.Word))
		case field.kind == reflect.TypeFor[int32]():
			one.ID = fmt.Sprint(number)
			one.Value = json.RawMessage(one.ID)
		}
		whole = append(whole, one)
	}
	if got, want := whole.Paths(), slices.Sorted(maps.Keys(printed)); !slices.Equal(got, want) {
		t.Fatalf("the client knows the fields\n%q\nthe bank's example has\n%q", got, want)
	}
	return whole
}

// Paths returns the sorted paths of the fields.
func (w WholeBorrower) Paths() []string {
	var paths []string
	for _, field := range w {
		paths = append(paths, field.Path)
	}
	slices.Sort(paths)
	return paths
}

// JSON returns the reply, with other values for the fields in change, by path; a field without one is left out.
func (w WholeBorrower) JSON(t testing.TB, change map[string]json.RawMessage) string {
	t.Helper()
	reply := map[string]any{}
	for _, field := range w {
		value, changed := change[field.Path]
		if !changed {
			value = field.Value
		}
		if value == nil {
			continue
		}
		group, name, nested := strings.Cut(field.Path, ".")
		if !nested {
			reply[field.Path] = value
			continue
		}
		if reply[group] == nil {
			reply[group] = map[string]json.RawMessage{}
		}
		reply[group].(map[string]json.RawMessage)[name] = value
	}
	data, err := json.Marshal(reply)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// jsonField is a field of a Go struct that is no struct of fields itself.
type jsonField struct {
	path string
	kind reflect.Type
}

func replyFields(in reflect.Type, group string) (fields []jsonField) {
	for i := range in.NumField() {
		member := in.Field(i)
		name, _, _ := strings.Cut(member.Tag.Get("json"), ",")
		kind := member.Type
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		switch isGroup := kind.Kind() == reflect.Struct && kind.PkgPath() == reflect.TypeFor[portal.Borrower]().PkgPath(); {
		case member.Anonymous:
			fields = append(fields, replyFields(kind, group)...)
		case isGroup:
			fields = append(fields, replyFields(kind, group+name+".")...)
		default:
			fields = append(fields, jsonField{group + name, kind})
		}
	}
	return fields
}

// BorrowerID is the id in the reply.
func (w WholeBorrower) BorrowerID(t testing.TB) (id uuid.UUID) {
	t.Helper()
	for _, field := range w {
		if field.Path == "borrowerUniqueID" {
			if err := json.Unmarshal(field.Value, &id); err != nil {
				t.Fatal(err)
			}
		}
	}
	return id
}
