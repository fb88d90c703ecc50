package slackapp

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text from outside, be it the bank's or a person's, is made fit to be shown here and nowhere else: [fit] for what Slack
// shows as it is, [escaped] for mrkdwn.

// fit is text with nothing hidden in it, shortened to limit characters.
func fit(text string, limit int) string { return cut(visible(text, limit+1), limit) }

var (
	escapes = map[rune]string{'&': "&amp;", '<': "&lt;", '>': "&gt;"}
	// What formats text in mrkdwn, which knows no escapes, and what looks like it. Within a word they format nothing.
	lookalikes = map[rune]string{'*': "∗", '_': "ˍ", '~': "∼", '`': "ˋ"}
)

// escaped makes text safe to stand in mrkdwn, where <!channel> would call a whole channel and *this* would be loud, and
// shortens it to limit characters, escapes included and never inside one.
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
		if r == '>' && (i == 0 || runes[i-1] == '\n') { // even escaped, it makes a line a quotation
			piece = "›"
		}
		if length += utf8.RuneCountInString(piece); length > limit {
			return shortened(out.String(), limit)
		}
		out.WriteString(piece)
	}
	return out.String()
}

// inWord tells whether letters or figures stand at both sides of a character.
func inWord(runes []rune, i int) bool {
	return i > 0 && i+1 < len(runes) && unicode.In(runes[i-1], unicode.L, unicode.N) && unicode.In(runes[i+1], unicode.L, unicode.N)
}

// shortened makes room for the dots behind text that is full, dropping a whole escape where one is in the way.
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

// visible returns at most limit characters of text without what is not seen: characters that have no width, change the
// direction of writing or control a terminal are removed. Line ends stay, and so do joiners of symbols.
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

// oneLine returns at most limit characters of text on one line: white space is one space, and what is not seen is removed.
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
