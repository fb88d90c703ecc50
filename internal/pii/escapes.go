package pii

import (
	"html"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// escapes are the characters with which escape sequences begin.
const escapes = `\%&`

// decoded returns the first character of a text, plain or as an escape sequence of Go, JSON, URLs or HTML, and its length in
// bytes.
func decoded(text string) (c rune, size int) {
	switch text[0] {
	case '\\':
		c, size = afterBackslash(text)
	case '%':
		c, size = percentEncoded(text)
	case '&':
		c, size = entity(text)
	}
	if size == 0 {
		return utf8.DecodeRuneInString(text)
	}
	return c, size
}

func afterBackslash(text string) (c rune, size int) {
	if len(text) < 2 {
		return 0, 0
	}
	hexDigits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[text[1]]
	switch size = 2 + hexDigits; {
	case text[1] == 'n' || text[1] == 'r':
		return '\n', size
	case text[1] == 't':
		return ' ', size
	case text[1] == '/': // as JSON may have it
		return '/', size
	case hexDigits == 0 || len(text) < size:
		return 0, 0
	}
	value, err := strconv.ParseUint(text[2:size], 16, 31)
	if err != nil {
		return 0, 0
	}
	return rune(value), size
}

func percentEncoded(text string) (c rune, size int) {
	for size+3 <= min(len(text), 3*utf8.UTFMax) && text[size] == '%' {
		size += 3
		if plain, err := url.PathUnescape(text[:size]); err == nil && utf8.FullRuneInString(plain) {
			c, _ = utf8.DecodeRuneInString(plain)
			return c, size
		}
	}
	return 0, 0
}

func entity(text string) (c rune, size int) {
	const longest = 10 // of those that stand for a space, a digit or a separator of digits
	end := strings.IndexByte(text[:min(len(text), longest)], ';')
	if end < 0 {
		return 0, 0
	}
	plain := html.UnescapeString(text[:end+1])
	if c, size = utf8.DecodeRuneInString(plain); size != len(plain) {
		return 0, 0
	}
	return c, end + 1
}
