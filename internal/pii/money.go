package pii

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"

	"github.com/shopspring/decimal"
)

var (
	errNotText   = errors.New("want a JSON string")
	errNotNumber = errors.New("want a JSON number")
	errNotBool   = errors.New("want true or false")
)

// Money is a monthly amount in euros of a person's finances. Its zero value is absent, which differs from 0 €.
type Money struct{ amount *decimal.Decimal }

// Euros returns d as Money.
func Euros(d decimal.Decimal) Money { return Money{&d} }

// Reveal returns the amount; ok is false when absent.
func (m Money) Reveal() (amount decimal.Decimal, ok bool) {
	if m.amount == nil {
		return decimal.Zero, false
	}
	return *m.amount, true
}

// IsZero reports whether the amount is absent (not whether it is 0 €).
func (m Money) IsZero() bool { return m.amount == nil }

// Class is [Financial].
func (Money) Class() Class { return Financial }

// String returns the band of 500 € that contains the amount: «2500–3000 €».
func (m Money) String() string {
	if m.amount == nil {
		return ""
	}
	const band = 500
	lower := m.amount.Div(decimal.NewFromInt(band)).Floor().IntPart() * band
	return strconv.FormatInt(lower, 10) + "–" + strconv.FormatInt(lower+band, 10) + " €"
}

// Format writes the band for every verb.
func (m Money) Format(f fmt.State, _ rune) { fmt.Fprint(f, m.String()) }

// LogValue returns a mask without the band.
func (m Money) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON writes the band; see [MarshalClear] for the number.
func (m Money) MarshalJSON() ([]byte, error) { return json.Marshal(m.String()) }

// UnmarshalJSON reads a JSON number; null is absent.
func (m *Money) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*m = Money{}
		return nil
	}
	d, err := decimal.NewFromString(string(data))
	if err != nil || d.Exponent() > 15 || d.Exponent() < -15 { // 1e999999999 would take all memory to write out
		return errNotNumber
	}
	m.amount = &d
	return nil
}

func (m Money) clearJSON() ([]byte, error) {
	if m.amount == nil {
		return []byte("null"), nil
	}
	return json.Marshal(json.Number(m.amount.StringFixed(max(0, -m.amount.Exponent())))) // 2500.00 stays 2500.00
}

// Flag is a yes or no about a person, of class [SpecialCare]. Its zero value is absent.
type Flag struct{ value *bool }

// Yes and No are the two answers.
func Yes() Flag { v := true; return Flag{&v} }

// No is the answer no.
func No() Flag { v := false; return Flag{&v} }

// Reveal returns the answer; ok is false when absent.
func (b Flag) Reveal() (answer, ok bool) {
	if b.value == nil {
		return false, false
	}
	return *b.value, true
}

// IsZero reports whether the answer is absent.
func (b Flag) IsZero() bool { return b.value == nil }

// Class is [SpecialCare].
func (Flag) Class() Class { return SpecialCare }

// String returns the same mask for yes and no.
func (b Flag) String() string {
	if b.value == nil {
		return ""
	}
	return hidden
}

// Format writes the mask for every verb.
func (b Flag) Format(f fmt.State, _ rune) { fmt.Fprint(f, b.String()) }

// LogValue returns the mask.
func (b Flag) LogValue() slog.Value { return slog.StringValue(b.String()) }

// MarshalJSON writes the mask; see [MarshalClear] for the answer.
func (b Flag) MarshalJSON() ([]byte, error) { return json.Marshal(b.String()) }

// UnmarshalJSON reads true or false; null is absent.
func (b *Flag) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*b = Flag{}
		return nil
	}
	var v bool
	if err := json.Unmarshal(data, &v); err != nil {
		return errNotBool
	}
	b.value = &v
	return nil
}

func (b Flag) clearJSON() ([]byte, error) { return json.Marshal(b.value) }
