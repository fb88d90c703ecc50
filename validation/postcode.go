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
