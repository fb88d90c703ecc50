package pii

import (
	"unicode"
	"unicode/utf8"
)

// folded is a text for searching: every decimal digit, space, dash and full-width letter is replaced by the ASCII one, and
// invisible characters are removed. It keeps the original positions.
type folded struct {
	text     string
	from, to []int // of each byte, the position of its character in the original; nil if nothing was folded
}

func fold(text string) folded {
	if plain(text) {
		return folded{text: text}
	}
	return foldBy(text, utf8.DecodeRuneInString)
}

// foldBy folds a text; next returns the first character of a text and its length in bytes.
func foldBy(text string, next func(string) (rune, int)) folded {
	out := make([]byte, 0, len(text))
	f := folded{from: make([]int, 0, len(text)), to: make([]int, 0, len(text))}
	for at, size := 0, 0; at < len(text); at += size {
		var c rune
		c, size = next(text[at:])
		like, seen := alike(c)
		if !seen {
			continue
		}
		before := len(out)
		out = utf8.AppendRune(out, like)
		for range len(out) - before {
			f.from, f.to = append(f.from, at), append(f.to, at+size)
		}
	}
	f.text = string(out)
	return f
}

// plain reports whether folding would not change a text.
func plain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c >= utf8.RuneSelf || c < ' ' && c != '\n' || c == 0x7f {
			return false
		}
	}
	return true
}

// alike returns the character that replaces c; seen is false if c is invisible.
func alike(c rune) (like rune, seen bool) {
	switch {
	case c == '\n' || c == '\u2028' || c == '\u2029' || c == '\u0085':
		return '\n', true
	case unicode.IsSpace(c) || c == '\u2800' || c == '\u3164': // the last two are blank, but not spaces by their class
		return ' ', true
	case c < utf8.RuneSelf && c >= ' ' && c != 0x7f:
		return c, true
	case unicode.In(c, unicode.Cc, unicode.Cf, unicode.Mn, unicode.Me, unicode.Other_Default_Ignorable_Code_Point):
		return 0, false
	case unicode.Is(unicode.Nd, c):
		return '0' + valueOf(c), true
	case unicode.Is(unicode.Pd, c) || c == '\u2212' || c == '\u2043':
		return '-', true
	case c == '\u2044' || c == '\u2215':
		return '/', true
	case c == '\u00b7' || c == '\u2024' || c == '\u3002':
		return '.', true
	case c >= '\uff01' && c <= '\uff5e': // the full-width forms of ASCII
		return c - '\uff01' + '!', true
	}
	return c, true
}

// valueOf returns the value of a decimal digit of any script. Their code points are in groups of ten, from zero.
func valueOf(c rune) rune {
	for _, r := range unicode.Nd.R16 {
		if rune(r.Lo) <= c && c <= rune(r.Hi) {
			return (c - rune(r.Lo)) % 10
		}
	}
	for _, r := range unicode.Nd.R32 {
		if rune(r.Lo) <= c && c <= rune(r.Hi) {
			return (c - rune(r.Lo)) % 10
		}
	}
	return 0
}

// original returns spans of the folded text as spans of the original.
func (f folded) original(spans []span) []span {
	if f.from == nil {
		return spans
	}
	for i, each := range spans {
		spans[i] = span{f.from[each.from], f.to[each.to-1]}
	}
	return spans
}
