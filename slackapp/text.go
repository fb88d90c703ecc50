package slackapp

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text from outside, be it the bank's or a person's, is made fit to be shown here and nowhere else: [fit] for what Slack
// shows as it is, [escaped] for mrkdwn.

// fit is text with nothing hidden in it, shortened to limit characters.
func fit(text string, limit int) string { return cut(visible(text), limit) }

var (
	escapes = map[rune]string{'&': "&amp;", '<': "&lt;", '>': "&gt;"}
	// What formats text in mrkdwn, which knows no escapes, and what looks like it. Within a word they format nothing.
	lookalikes = map[rune]string{'*': "∗", '_': "ˍ", '~': "∼", '`': "ˋ"}
)

// escaped makes text safe to stand in mrkdwn, where <!channel> would call a whole channel and *this* would be loud, and
// shortens it to limit characters, escapes included and never inside one.
func escaped(text string, limit int) string {
	var out strings.Builder
	length, runes := 0, []rune(visible(text))
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

// visible is text without what is not seen: what has no width, turns the direction of writing or controls something is
// gone. Line ends stay, and what joins faces to one.
func visible(text string) string {
	var out strings.Builder
	out.Grow(len(text))
	runes := []rune(text)
	for i, r := range runes {
		switch {
		case r == '\n', r == '\ufe0f', r == '\u200d' && joinsFaces(runes, i):
			out.WriteRune(r)
		case r == '\u2028' || r == '\u2029' || r == '\u0085':
			out.WriteRune('\n')
		case r == '\t' || r == '\v' || r == '\f' || r == '\r' && (i+1 == len(runes) || runes[i+1] != '\n'):
			out.WriteRune(' ')
		case unicode.In(r, unicode.C, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) || r == '\u2800':
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// joinsFaces tells whether a zero-width joiner makes one symbol of two.
func joinsFaces(runes []rune, i int) bool {
	return i > 0 && i+1 < len(runes) && unicode.Is(unicode.So, runes[i+1]) &&
		(unicode.In(runes[i-1], unicode.So, unicode.Sk) || runes[i-1] == '\ufe0f')
}
