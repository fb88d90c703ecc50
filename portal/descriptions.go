package portal

import (
	"reflect"
	"strings"
	"sync"
)

// Description is what a reply says of an id: «Married» of the marital status 3. The bank names such fields in pairs, …ID and
// …Description. The field of the id has the tag taxonomy: the taxonomy that has the id, or «-» if none has. «countries,other»
// is an id of the countries whose description is another text than the taxonomy's: a nationality.
type Description struct {
	Member   string      // the id's field in the reply by its Go names, such as Personal.GenderID; in an array, from the item on
	Taxonomy TaxonomyKey // "" if no taxonomy has the id
	Other    bool        // Text is not the taxonomy's text for the id
	ID       int32
	Given    bool   // the reply has the id
	Text     string // "" if the reply describes nothing
}

// Descriptions returns the pairs of an id and its description in a reply, those without a value included.
func Descriptions(reply any) []Description {
	return appendDescriptions(nil, reflect.ValueOf(reply), "")
}

func appendDescriptions(found []Description, v reflect.Value, member string) []Description {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return appendDescriptions(found, v.Elem(), member)
		}
	case reflect.Slice:
		if describes(v.Type()) {
			for i := range v.Len() {
				found = appendDescriptions(found, v.Index(i), "")
			}
		}
	case reflect.Struct:
		plan := planOf(v.Type())
		for _, pair := range plan.pairs {
			one := Description{Member: member + pair.name, Taxonomy: pair.taxonomy, Other: pair.other, Text: v.Field(pair.text).String()}
			one.ID, one.Given = idIn(v.Field(pair.id))
			found = append(found, one)
		}
		for _, part := range plan.parts {
			found = appendDescriptions(found, v.Field(part.index), member+part.prefix)
		}
	}
	return found
}

// idIn returns the id in a field, and whether there is one.
func idIn(v reflect.Value) (int32, bool) {
	if v.Kind() != reflect.Pointer {
		return int32(v.Int()), true
	}
	if v.IsNil() {
		return 0, false
	}
	return int32(v.Elem().Int()), true
}

// plan says where a struct has descriptions.
type plan struct {
	pairs []pair
	parts []part // the fields that have descriptions in them
}

type pair struct {
	name     string
	id, text int // indexes of the fields
	taxonomy TaxonomyKey
	other    bool
}

type part struct {
	index  int
	prefix string // "" of an embedded struct
}

var plans sync.Map // plan by reflect.Type

func planOf(t reflect.Type) plan {
	if known, ok := plans.Load(t); ok {
		return known.(plan)
	}
	var p plan
	for i := range t.NumField() {
		field := t.Field(i)
		list, tagged := field.Tag.Lookup("taxonomy")
		text, described := t.FieldByName(strings.TrimSuffix(field.Name, "ID") + "Description")
		switch {
		case tagged && described:
			key, kind, _ := strings.Cut(strings.TrimPrefix(list, "-"), ",")
			p.pairs = append(p.pairs, pair{field.Name, i, text.Index[0], TaxonomyKey(key), kind == "other"})
		case describes(field.Type) && field.Anonymous:
			p.parts = append(p.parts, part{i, ""})
		case describes(field.Type):
			p.parts = append(p.parts, part{i, field.Name + "."})
		}
	}
	plans.Store(t, p)
	return p
}

var thisPackage = reflect.TypeFor[Description]().PkgPath()

// describes reports whether a type of a reply has descriptions. Only the structs of this package do. None contains itself but
// [TaxonomyItem], which has none.
func describes(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		return describes(t.Elem())
	case reflect.Struct:
		if t.PkgPath() != thisPackage || t == reflect.TypeFor[TaxonomyItem]() {
			return false
		}
		p := planOf(t)
		return len(p.pairs)+len(p.parts) > 0
	}
	return false
}
