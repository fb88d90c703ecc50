// Package validation checks what can be checked before the bank is asked: numbers and their check digits, dates, and
// rules across the fields of one borrower and across the borrowers of a process. A person gets all problems at once, in
// their language and under the field, and no message repeats what they typed.
package validation

import (
	"strings"
	"unicode"
)

// longest is the maximum length of the input of a parser of a short number, in bytes.
const longest = 64

// without drops white space and the given separators.
func without(s, separators string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune(separators, r) {
			return -1
		}
		return r
	}, s)
}

func digits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// weighted sums the digits of s, each times its weight.
func weighted(s string, weights ...int) (sum int) {
	for i, weight := range weights {
		sum += weight * int(s[i]-'0')
	}
	return sum
}
