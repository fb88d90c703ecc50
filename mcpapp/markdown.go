package mcpapp

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// markdown shows a card as short Markdown. Every text of the card is plain: what looks like Markdown in it may come
// from outside, and is escaped.
func markdown(card tools.Card, lang words.Lang) string {
	var text strings.Builder
	fmt.Fprintf(&text, "## %s\n", escaped(card.Title))
	if card.Text != "" {
		fmt.Fprintf(&text, "\n%s\n", escaped(card.Text))
	}
	if card.Note != "" {
		fmt.Fprintf(&text, "\n%s\n", escaped(card.Note))
	}
	if len(card.Facts) > 0 {
		fmt.Fprintln(&text)
	}
	for _, fact := range card.Facts {
		fmt.Fprintf(&text, "- %s: %s\n", escaped(fact.Label), escaped(fact.Value))
	}
	table := withIDs(card.Table, lang)
	if len(table.Rows) > 0 {
		fmt.Fprintf(&text, "\n%s%s", row(table.Columns), row(make([]string, len(table.Columns)), "---"))
	}
	for _, cells := range table.Rows {
		text.WriteString(row(cells))
	}
	if card.File != nil {
		fmt.Fprintf(&text, "\n%s\n", book.Say(lang, "file", map[string]any{"name": escaped(card.File.Name), "uri": card.File.URI}))
	}
	if len(card.Next) > 0 {
		fmt.Fprintln(&text)
	}
	text.WriteString(nextSteps(card.Next, lang))
	return strings.TrimSpace(text.String())
}

// nextSteps are the lines of what may be called next.
func nextSteps(steps []tools.Step, lang words.Lang) string {
	var text strings.Builder
	for _, step := range steps {
		args, err := json.Marshal(step.Args)
		if err != nil {
			continue // a hint that cannot be written is no loss
		}
		fmt.Fprintln(&text, book.Say(lang, "next", map[string]any{"label": escaped(step.Label), "tool": step.Tool, "args": string(args)}))
	}
	return text.String()
}

// withIDs gives the rows their ids as a last column, for assistants who see the text alone.
func withIDs(table tools.Table, lang words.Lang) tools.Table {
	if table.IDs == nil {
		return table
	}
	with := tools.Table{Columns: append(slices.Clone(table.Columns), book.Say(lang, "column.id", nil))}
	for i, cells := range table.Rows {
		with.Rows = append(with.Rows, append(slices.Clone(cells), table.IDs[i]))
	}
	return with
}

// row is a line of a table; an empty cell is filled with blank.
func row(cells []string, blank ...string) string {
	line := "|"
	for _, cell := range cells {
		if cell == "" && blank != nil {
			line += " " + blank[0] + " |"
			continue
		}
		line += " " + escaped(cell) + " |"
	}
	return line + "\n"
}

// special is what means something to Markdown within a line. A dash or a digit means something only where a line
// begins, where no text from outside stands alone.
var special = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", `*`, `\*`, `_`, `\_`, `[`, `\[`, `]`, `\]`, `<`, `\<`, `>`, `\>`, `|`, `\|`, `~`, `\~`, `#`, `\#`, `$`, `\$`,
)

// escaped is plain text within Markdown, on one line.
func escaped(text string) string { return special.Replace(visible(text)) }

// visible is text from outside with nothing hidden in it: white space of any kind is a space, and what has no width,
// turns the direction of writing, selects variants, controls terminals or has no meaning is gone.
func visible(text string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case unicode.IsSpace(c):
			return ' '
		case unicode.In(c, unicode.C, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point), c == '\u2800', c == unicode.ReplacementChar:
			return -1
		case !unicode.In(c, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S): // not assigned to anything yet
			return -1
		}
		return c
	}, text)
}
