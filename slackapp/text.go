package slackapp

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text of the bank or of people is made safe to show in this file: by [fit] for plain text, by [escaped] for mrkdwn.

// fit returns text for plain_text, without invisible characters, cut to limit characters.
func fit(text string, limit int) string { return cut(visible(text, limit+1), limit) }

var (
	escapes = map[rune]string{'&': "&amp;", '<': "&lt;", '>': "&gt;"}
	// What formats text in mrkdwn, and characters that look like it, since mrkdwn has no escapes. Inside a word they do nothing.
	lookalikes = map[rune]string{'*': "∗", '_': "ˍ", '~': "∼", '`': "ˋ"}
)

// escaped returns text for mrkdwn, where <!channel> would notify a channel and *this* would be bold. It is cut to
// limit characters, escapes included, and never inside an escape.
func escaped(text string, limit int) string {
	var out strings.Builder
	length, runes := 0, []rune(visible(text, limit+1))
	for i, r := range runes {
		piece := string(r)
		if like, special := lookalikes[r]; special && (r == '`' || !inWord(runes, i)) {
			piece = like
		}
		if escape, special := escapes[r]; special {
			piece = escape
		}
		if r == '>' && (i == 0 || runes[i-1] == '\n') { // even escaped, it starts a quotation
			piece = "›"
		}
		if length += utf8.RuneCountInString(piece); length > limit {
			return shortened(out.String(), limit)
		}
		out.WriteString(piece)
	}
	return out.String()
}

// inWord reports whether letters or digits are on both sides of a character.
func inWord(runes []rune, i int) bool {
	return i > 0 && i+1 < len(runes) && unicode.In(runes[i-1], unicode.L, unicode.N) && unicode.In(runes[i+1], unicode.L, unicode.N)
}

// shortened makes room for an ellipsis in text that has reached the limit. It removes a whole escape if there is one
// at the end.
func shortened(text string, limit int) string {
	for utf8.RuneCountInString(text) >= limit {
		_, size := utf8.DecodeLastRuneInString(text)
		for _, escape := range escapes {
			if strings.HasSuffix(text, escape) {
				size = len(escape)
			}
		}
		text = text[:len(text)-size]
	}
	return text + "…"
}

// visible returns at most limit characters of text, without characters that have no width, change the direction of
// writing or control a terminal. Newlines and joiners of symbols stay.
func visible(text string, limit int) string {
	var out strings.Builder
	out.Grow(min(len(text), limit))
	previous, written := rune(-1), 0
	for i, r := range text {
		if written == limit {
			break
		}
		kept := r
		switch {
		case r >= ' ' && r < '\x7f', r == '\n', r == '\ufe0f':
		case r == '\u200d':
			if next, size := utf8.DecodeRuneInString(text[i+len("\u200d"):]); size == 0 || !joinsSymbols(previous, next) {
				kept = -1
			}
		case r == '\u2028' || r == '\u2029' || r == '\u0085':
			kept = '\n'
		case r == '\t' || r == '\v' || r == '\f' || r == '\r' && !strings.HasPrefix(text[i+1:], "\n"):
			kept = ' '
		case unicode.In(r, unicode.C, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) || r == '\u2800':
			kept = -1
		}
		if previous = r; kept >= 0 {
			out.WriteRune(kept)
			written++
		}
	}
	return out.String()
}

// oneLine returns at most limit visible characters of text, with each run of white space as one space.
func oneLine(text string, limit int) string {
	var out strings.Builder
	written := 0
	for word := range strings.FieldsSeq(text) {
		if word = visible(word, limit-written); word == "" {
			continue
		}
		if written > 0 {
			word = " " + prefix(word, limit-written-1)
		}
		out.WriteString(word)
		if written += utf8.RuneCountInString(word); written >= limit {
			break
		}
	}
	return out.String()
}

// prefix returns the first limit characters of text.
func prefix(text string, limit int) string {
	for i := range text {
		if limit == 0 {
			return text[:i]
		}
		limit--
	}
	return text
}

// joinsSymbols reports whether a zero-width joiner makes one symbol of the characters around it.
func joinsSymbols(previous, next rune) bool {
	return unicode.Is(unicode.So, next) && (unicode.In(previous, unicode.So, unicode.Sk) || previous == '\ufe0f')
}
