package portal

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/shopspring/decimal"
)

// Percent is a share or a rate in a reply: 3.55 is 3.55 %. Its zero value is absent, which differs from 0 %.
type Percent struct{ value *decimal.Decimal }

// PercentOf returns d percent.
func PercentOf(d decimal.Decimal) Percent { return Percent{&d} }

// Value returns the percentage; ok is false when absent.
func (p Percent) Value() (d decimal.Decimal, ok bool) {
	if p.value == nil {
		return decimal.Zero, false
	}
	return *p.value, true
}

// IsZero reports whether the percentage is absent (not whether it is 0 %).
func (p Percent) IsZero() bool { return p.value == nil }

// String returns the number with a point and without the sign, "" when absent.
func (p Percent) String() string {
	if p.value == nil {
		return ""
	}
	return p.value.String()
}

// MarshalJSON writes a number, or null when absent.
func (p Percent) MarshalJSON() ([]byte, error) {
	if p.value == nil {
		return []byte("null"), nil
	}
	return json.Marshal(json.Number(p.value.String()))
}

var errNotPercent = errors.New("want a JSON number")

// UnmarshalJSON reads a number, or a text of one; null is absent.
func (p *Percent) UnmarshalJSON(data []byte) error {
	*p = Percent{}
	text := strings.Trim(string(data), `"`)
	if text == "null" {
		return nil
	}
	d, err := decimal.NewFromString(text)
	if err != nil || d.Exponent() > 15 || d.Exponent() < -15 { // 1e999999999 would take all memory to write out
		return errNotPercent
	}
	p.value = &d
	return nil
}
