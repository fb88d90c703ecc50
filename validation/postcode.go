package validation

import (
	"regexp"
	"strings"
)

var postalCode = regexp.MustCompile(`^[1-9]\d{3}-\d{3}$`)

// PostalCode reads a Portuguese postal code, NNNN-NNN with a first digit of 1 to 9. It fails with [PostalCodeFormat].
func PostalCode(s string) (norm string, err error) {
	if s = strings.TrimSpace(s); len(s) > longest || !postalCode.MatchString(s) {
		return "", PostalCodeFormat
	}
	return s, nil
}

// SuggestPostalCode guesses what was meant by digits without or with another separator: 1000-001 for 1000001. It is
// for asking the person who typed it; nothing is replaced unasked.
func SuggestPostalCode(s string) (suggestion string, ok bool) {
	if len(s) > longest {
		return "", false
	}
	if s = without(s, ".-–"); len(s) != 7 {
		return "", false
	}
	norm, err := PostalCode(s[:4] + "-" + s[4:])
	return norm, err == nil
}
