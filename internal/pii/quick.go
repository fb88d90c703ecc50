package pii

import (
	"strings"
	"unicode/utf8"
)

// Most of what is logged has nothing to mask. The functions in this file find that out without a regular expression; where
// they are not certain, the expressions decide.

// harmless reports whether a text is certainly left as it is: a UUID, or a short text of letters, spaces, dots, underscores
// and dashes that mentions no token.
func harmless(text string) bool {
	if len(text) == 36 {
		return isUUID(text)
	}
	for i := range len(text) {
		c := text[i]
		if letter := c | 0x20; (letter < 'a' || letter > 'z') && c != ' ' && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return len(text) < maxScrubbed && !mayHaveSecret(text)
}

// isUUID reports whether a text of 36 bytes is a UUID in hexadecimal.
func isUUID(text string) bool {
	for i := range len(text) {
		c := text[i]
		switch dash := i == 8 || i == 13 || i == 18 || i == 23; {
		case dash && c == '-', !dash && '0' <= c && c <= '9', !dash && 'a' <= c|0x20 && c|0x20 <= 'f':
		default:
			return false
		}
	}
	return true
}

// mayHaveSecret reports whether looksLikeSecret may match: each of its matches has one of these words.
func mayHaveSecret(text string) bool {
	for i := range len(text) {
		switch text[i] | 0x20 {
		case 'b':
			if startsWith(text[i:], "bearer") {
				return true
			}
		case 'x':
			if startsWith(text[i:], "xox") || startsWith(text[i:], "xapp-") {
				return true
			}
		}
	}
	return false
}

// startsWith compares without case; a word is in lower case.
func startsWith(text, word string) bool {
	return len(text) >= len(word) && strings.EqualFold(text[:len(word)], word)
}

// mayHaveMonth reports whether a text may have the name of a month: each begins with three of these letters. Of letters that
// are not ASCII some count as ASCII ones in another case.
func mayHaveMonth(text []byte) bool {
	for i, c := range text {
		if c >= utf8.RuneSelf {
			return true
		}
		if i+2 >= len(text) || c|0x20 < 'a' || c|0x20 > 'z' {
			continue
		}
		switch string([]byte{c | 0x20, text[i+1] | 0x20, text[i+2] | 0x20}) {
		case "jan", "fev", "feb", "mar", "abr", "apr", "mai", "may", "jun", "jul", "ago", "aug", "sep", "set", "oct", "out", "nov", "dec", "dez":
			return true
		}
	}
	return false
}
