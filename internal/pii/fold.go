package pii

import (
	"unicode"
	"unicode/utf8"
)

// folded is a text in which what people take for the same is the same, so that it can be searched: every decimal digit,
// space, dash and full-width letter is the ASCII one, and what is invisible is gone. It knows where its parts stood.
type folded struct {
	text     string
	from, to []int // of each byte, where its character stood in the original; nil when nothing was folded
}

func fold(text string) folded {
	if plain(text) {
		return folded{text: text}
	}
	return foldBy(text, utf8.DecodeRuneInString)
}

// foldBy folds a text of which next tells the first character, and how many bytes it takes.
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

// plain tells whether a text is what folding would make of it.
func plain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c >= utf8.RuneSelf || c < ' ' && c != '\n' || c == 0x7f {
			return false
		}
	}
	return true
}

// alike is the character that c is taken for; seen is false when nobody sees it.
func alike(c rune) (like rune, seen bool) {
	switch {
	case c == '\n' || c == '\u2028' || c == '\u2029' || c == '\u0085':
		return '\n', true
	case unicode.IsSpace(c) || c == '\u2800' || c == '\u3164': // the last two are blank, and no space by their class
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

// valueOf is what a decimal digit of any script stands for: they come in tens, from zero.
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

// original is where spans of the folded text stood.
func (f folded) original(spans []span) []span {
	if f.from == nil {
		return spans
	}
	for i, each := range spans {
		spans[i] = span{f.from[each.from], f.to[each.to-1]}
	}
	return spans
}
