// Package pii has the types of personal data. A value of these types masks itself when it is printed, logged or marshalled;
// only [MarshalClear] and Reveal return it in the clear.
package pii

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"unique"
)

// Class is the sensitivity of a field, which decides where its value may appear; see SECURITY.md.
type Class string

// The classes, from harmless to most sensitive.
const (
	Open        Class = "open"         // process ids, states, texts of taxonomies
	Contact     Class = "contact"      // names, phones, e-mail and postal addresses
	Financial   Class = "financial"    // incomes and instalments
	ID          Class = "id"           // tax, social security and document numbers, birth dates
	SpecialCare Class = "special-care" // debts to the social security
)

// Classed is implemented by every type of this package.
type Classed interface{ Class() Class }

// A kind of personal text: how it is masked and how sensitive it is.
type kind interface {
	mask(clear string) string
	class() Class
}

// Text is personal text of one kind. Its zero value is the absent text. Two Texts are equal (==) when their
// clear texts are. It has a handle and not the string, so that fmt does not print the string in an unexported field either.
type Text[K kind] struct{ handle unique.Handle[string] }

// The kinds of personal text that the bank knows.
type (
	Name           = Text[name]
	TaxID          = Text[tail]   // NIF or NIPC
	SocialSecurity = Text[tail]   // NISS
	DocumentNumber = Text[tail]   // citizen card, passport, residence permit
	CheckDigits    = Text[checks] // of the citizen card
	BirthDate      = Text[birth]  // YYYY-MM-DD
	ExpiryDate     = Text[date]   // YYYY-MM-DD, of a document
	Email          = Text[email]
	Phone          = Text[phone]   // E.164 or national
	Address        = Text[address] // street, door, floor
	PostalCode     = Text[postal]  // NNNN-NNN in Portugal
	Locality       = Text[locality]
	Employer       = Text[address] // the name of an employer may identify a person
	Private        = Text[private] // for one person only, with any content
	Title          = Text[title]   // one line in somebody's own words, such as a message's subject
	FreeText       = Text[free]    // any number of lines in somebody's own words
)

// Texts lists the kinds of personal text as Go types, for packages that derive schemas and forms from structs.
var Texts = []reflect.Type{
	reflect.TypeFor[Name](), reflect.TypeFor[TaxID](), reflect.TypeFor[CheckDigits](), reflect.TypeFor[BirthDate](), reflect.TypeFor[ExpiryDate](),
	reflect.TypeFor[Email](), reflect.TypeFor[Phone](), reflect.TypeFor[Address](), reflect.TypeFor[PostalCode](),
	reflect.TypeFor[Locality](), reflect.TypeFor[Title](), reflect.TypeFor[FreeText](),
}

// New returns s as personal text of the kind T: pii.New[pii.Name]("Maria Exemplo").
func New[T ~struct{ handle unique.Handle[string] }](s string) T {
	if s == "" {
		return T{}
	}
	return T{unique.Make(s)}
}

// Reveal returns the clear text, "" if absent. It is for sending it to the bank and for checking it.
func (t Text[K]) Reveal() string {
	if t.IsZero() {
		return ""
	}
	return t.handle.Value()
}

// IsZero reports whether the text is absent; encoders leave an absent text out under omitzero.
func (t Text[K]) IsZero() bool { return t == Text[K]{} }

// Class returns the class of the kind T.
func (Text[K]) Class() Class { var k K; return k.class() }

// String returns the mask. Its width is fixed if a width would reveal something. It is empty if the text is absent.
func (t Text[K]) String() string {
	if t.IsZero() {
		return ""
	}
	var k K
	return k.mask(t.handle.Value())
}

// Format writes the mask for every verb.
func (t Text[K]) Format(f fmt.State, _ rune) { fmt.Fprint(f, t.String()) }

// LogValue returns the mask.
func (t Text[K]) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalJSON writes the mask; see [MarshalClear] for the clear text.
func (t Text[K]) MarshalJSON() ([]byte, error) { return json.Marshal(t.String()) }

// UnmarshalJSON reads clear text.
func (t *Text[K]) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return errNotText
	}
	*t = New[Text[K]](s)
	return nil
}

func (t Text[K]) clearJSON() ([]byte, error) { return json.Marshal(t.Reveal()) }
