package mcpapp

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// markdown renders a card without its steps as short Markdown. The card's texts are plain text, some of it from outside, and are escaped.
func markdown(card tools.Card, lang words.Lang) string {
	var text strings.Builder
	fmt.Fprintf(&text, "## %s\n", escapeMarkdown(card.Title))
	if card.Text != "" {
		fmt.Fprintf(&text, "\n%s\n", escapeMarkdown(card.Text))
	}
	if card.Note != "" {
		fmt.Fprintf(&text, "\n%s\n", escapeMarkdown(card.Note))
	}
	if len(card.Facts) > 0 {
		fmt.Fprintln(&text)
	}
	for _, fact := range card.Facts {
		fmt.Fprintf(&text, "- %s: %s\n", escapeMarkdown(fact.Label), escapeMarkdown(fact.Value))
	}
	table := withIDColumn(card.Table, lang)
	if len(table.Rows) > 0 {
		fmt.Fprintf(&text, "\n%s%s", tableRow(table.Columns), tableRow(make([]string, len(table.Columns)), "---"))
	}
	for _, cells := range table.Rows {
		text.WriteString(tableRow(cells))
	}
	if card.File != nil {
		fmt.Fprintf(&text, "\n%s\n", book.Say(lang, "file", map[string]any{"name": escapeMarkdown(card.File.Name), "uri": card.File.URI}))
	}
	return strings.TrimSpace(text.String())
}

// withIDColumn returns table with the rows' ids as a last column, for assistants that read only the text.
func withIDColumn(table tools.Table, lang words.Lang) tools.Table {
	if table.IDs == nil {
		return table
	}
	with := tools.Table{Columns: append(slices.Clone(table.Columns), book.Say(lang, "column.id", nil))}
	for i, cells := range table.Rows {
		with.Rows = append(with.Rows, append(slices.Clone(cells), table.IDs[i]))
	}
	return with
}

// tableRow returns a line of a table; blank replaces empty cells.
func tableRow(cells []string, blank ...string) string {
	line := "|"
	for _, cell := range cells {
		if cell == "" && blank != nil {
			line += " " + blank[0] + " |"
			continue
		}
		line += " " + escapeMarkdown(cell) + " |"
	}
	return line + "\n"
}

// markdownEscaper escapes what is special within a line. A dash or a digit is special only at the beginning of a line,
// where no text from outside is written.
var markdownEscaper = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", `*`, `\*`, `_`, `\_`, `[`, `\[`, `]`, `\]`, `<`, `\<`, `>`, `\>`, `|`, `\|`, `~`, `\~`, `#`, `\#`, `$`, `\$`,
)

// withinWord finds an escaped underscore within a word, where it is not special: names of tools stay as they are called.
var withinWord = regexp.MustCompile(`([\pL\pN])\\_([\pL\pN])`)

// escapeMarkdown returns text escaped for Markdown, on one line.
func escapeMarkdown(text string) string {
	escaped := markdownEscaper.Replace(sanitize(text))
	if !strings.Contains(escaped, `\_`) {
		return escaped
	}
	for range 2 { // twice, for a character between two of them
		escaped = withinWord.ReplaceAllString(escaped, "${1}_${2}")
	}
	return escaped
}

// sanitize returns text without hidden characters. Each white space character becomes a space; characters without width,
// directional marks, variation selectors, control characters and unassigned code points are removed.
func sanitize(text string) string {
	if isClean(text) {
		return text
	}
	return strings.Map(func(c rune) rune {
		switch {
		case isPlain(c):
			return c
		case unicode.IsSpace(c):
			return ' '
		case unicode.In(c, unicode.C, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point), c == '\u2800', c == unicode.ReplacementChar:
			return -1
		case !unicode.In(c, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S): // unassigned
			return -1
		}
		return c
	}, text)
}

// isClean reports whether sanitize certainly leaves a text as it is. Nearly all texts are of this kind, and the tables of
// Unicode take long.
func isClean(text string) bool {
	for _, c := range text {
		if !isPlain(c) {
			return false
		}
	}
	return true
}

// isPlain reports whether a character is a visible one of Latin-1 or a space.
func isPlain(c rune) bool {
	return ' ' <= c && c <= '~' || 0xa1 <= c && c <= 0xff && c != 0xad
}
