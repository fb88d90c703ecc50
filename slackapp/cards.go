package slackapp

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// shownCard is a result as Slack shows it.
type shownCard struct {
	tools.Card
	earlier  *tools.Earlier
	fileNote string
}

// resultMessage sends a result's file to the person and returns the message that shows the result. If sending the file
// fails, the message says so. The file is closed.
func (a *App) resultMessage(ctx context.Context, req *request, result tools.Result) message {
	lang, shown := req.actor.Lang, shownCard{Card: result.Card, earlier: result.Earlier}
	defer result.Close()
	if file := shown.File; file != nil {
		shown.fileNote = say(lang, "file.sent", "name", file.Name)
		if err := a.sendFile(ctx, req, file, shown.Title); err != nil {
			shown.fileNote = say(lang, "file.failed", "name", file.Name, "id", a.describe(req, err).ID)
		}
	}
	return message{shown.text(), shown.blocks(lang)}
}

// text is the card for notifications and screen readers.
func (c shownCard) text() string { return strings.TrimSpace(c.Title + "\n" + c.Text + "\n" + c.Note) }

func (c shownCard) blocks(lang words.Lang) []slack.Block {
	blocks := []slack.Block{header(c.Title)}
	if c.Text != "" {
		blocks = append(blocks, paragraph(c.Text))
	}
	if c.earlier != nil {
		blocks = append(blocks, earlierBlock(lang, *c.earlier))
	}
	facts := fittingFacts(c.Facts)
	blocks = append(blocks, factBlocks("", facts)...)
	blocks = append(blocks, moreBlocks(lang, len(c.Facts)-len(facts))...)
	blocks = append(blocks, tableBlocks(lang, c.Table)...)
	if c.fileNote != "" {
		blocks = append(blocks, paragraph(cut(c.fileNote, maxFact)))
	}
	return append(blocks, stepBlocks(c.Next)...)
}

// stepBlocks are the buttons of next steps.
func stepBlocks(steps []tools.Step) []slack.Block {
	next := stepButtons(steps)
	if next == nil {
		return nil
	}
	return []slack.Block{buttons(next...)}
}

func stepButtons(steps []tools.Step) (next []*slack.ButtonBlockElement) {
	for i, s := range steps {
		if one := stepButton(string(rune('a'+i)), s); one != nil && len(next) < maxButtons {
			next = append(next, one)
		}
	}
	return next
}

// stepButton is the button of a step, nil if the step is too large for one. name is unique in the card.
func stepButton(name string, s tools.Step) *slack.ButtonBlockElement {
	value := string(encode(step{s.Tool, s.Args, s.Form}))
	if len(value) > maxValue {
		return nil
	}
	return button(actStep+":"+name, value, s.Label)
}

// step is the value of a next step's button.
type step struct {
	Tool string         `json:"tool"`
	Args map[string]any `json:"args"`
	Form bool           `json:"form,omitempty"` // the form opens even if the arguments are complete
}

// parseStep reads a button's value: a tool, and the answers for its form.
func (a *App) parseStep(value string) (tool *tools.Tool, answers map[string]string, asks, known bool) {
	var s step
	if json.Unmarshal([]byte(value), &s) != nil {
		return nil, nil, false, false
	}
	if tool, known = a.runner.Catalogue.Named(s.Tool); !known {
		return nil, nil, false, false
	}
	return tool, tool.Answers(s.Args), s.Form, true
}

// fittingFacts returns the facts that fit into a card.
func fittingFacts(facts []tools.Fact) []tools.Fact {
	total := 0
	for i, fact := range facts {
		if total += utf8.RuneCountInString(factText(fact)); total > maxTable {
			return facts[:i]
		}
	}
	return facts
}

func factText(fact tools.Fact) string {
	return "*" + escaped(fact.Label, maxCell) + "*\n" + escaped(fact.Value, maxFact)
}

// moreBlocks say how many more there are.
func moreBlocks(lang words.Lang, more int) []slack.Block {
	if more <= 0 {
		return nil
	}
	return []slack.Block{contextLine(say(lang, "card.more", "count", more))}
}

// factBlocks shows labels and values in two columns, under a title in mrkdwn that may be "".
func factBlocks(title string, facts []tools.Fact) []slack.Block {
	var texts []string
	for _, fact := range facts {
		texts = append(texts, factText(fact))
	}
	return fieldBlocks(title, texts)
}

// fieldBlocks shows texts in mrkdwn in two columns.
func fieldBlocks(title string, texts []string) []slack.Block {
	var blocks []slack.Block
	var text *slack.TextBlockObject
	if title != "" {
		text = mrkdwn(title)
	}
	for from := 0; from < len(texts); from += maxFacts {
		var fields []*slack.TextBlockObject
		for _, one := range texts[from:min(from+maxFacts, len(texts))] {
			fields = append(fields, mrkdwn(one))
		}
		blocks = append(blocks, slack.NewSectionBlock(text, fields, nil))
		text = nil
	}
	return blocks
}

// tableBlocks shows rows as lines, which fit on a telephone: the names of the columns once, then each row.
func tableBlocks(lang words.Lang, table tools.Table) []slack.Block {
	if len(table.Rows) == 0 {
		return nil
	}
	if table.Steps != nil {
		return append([]slack.Block{columnLine(table.Columns)}, rowBlocks(lang, table)...)
	}
	var lines []string
	for _, cells := range table.Rows {
		lines = append(lines, "• "+rowText(cells)+"\n")
	}
	return append([]slack.Block{columnLine(table.Columns)}, lineBlocks(lang, lines)...)
}

// columnLine shows the names of a table's columns.
func columnLine(columns []string) slack.Block {
	var names []string
	for _, name := range columns {
		names = append(names, fit(name, maxCell))
	}
	return contextLine(strings.Join(names, " · "))
}

// lineBlocks shows the lines that fit, and says how many more there are. Lines are mrkdwn and end in a newline.
func lineBlocks(lang words.Lang, lines []string) []slack.Block {
	var blocks []slack.Block
	chunk, total, shown := "", 0, 0
	for _, line := range lines[:min(len(lines), maxRows)] {
		length := utf8.RuneCountInString(line)
		if total+length > maxTable {
			break
		}
		if utf8.RuneCountInString(chunk)+length > maxChunk {
			blocks, chunk = append(blocks, slack.NewSectionBlock(mrkdwn(strings.TrimSpace(chunk)), nil, nil)), ""
		}
		chunk, total, shown = chunk+line, total+length, shown+1
	}
	if chunk != "" {
		blocks = append(blocks, slack.NewSectionBlock(mrkdwn(strings.TrimSpace(chunk)), nil, nil))
	}
	return append(blocks, moreBlocks(lang, len(lines)-shown)...)
}

// rowBlocks shows the rows that fit, each with the button of its step.
func rowBlocks(lang words.Lang, table tools.Table) []slack.Block {
	var blocks []slack.Block
	total := 0
	for i, cells := range table.Rows[:min(len(table.Rows), maxRows)] {
		text := rowText(cells)
		if total += utf8.RuneCountInString(text); total > maxTable {
			break
		}
		row := slack.NewSectionBlock(mrkdwn(text), nil, nil)
		if open := stepButton("row"+strconv.Itoa(i), table.Steps[i]); open != nil {
			open.AccessibilityLabel = fit(open.Text.Text+" "+cells[0], maxButton) // all buttons have the same text
			row.Accessory = slack.NewAccessory(open)
		}
		blocks = append(blocks, row)
	}
	return append(blocks, moreBlocks(lang, len(table.Rows)-len(blocks))...)
}

// rowText is a row on one line in mrkdwn, its first cell in bold.
func rowText(cells []string) string {
	var shown []string
	for i, cell := range cells {
		switch cell = escaped(oneLine(cell, maxCell+1), maxCell); {
		case cell == "": // keeps the cells after it in their columns
			shown = append(shown, emptyText)
		case i == 0:
			shown = append(shown, "*"+cell+"*")
		default:
			shown = append(shown, cell)
		}
	}
	return strings.Join(shown, " · ")
}
