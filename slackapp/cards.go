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

// shownCard is a result as Slack shows it, with what became of its file.
type shownCard struct {
	tools.Card
	earlier  *tools.Earlier
	fileNote string
}

// resultMessage gives a result's file to the person, and gives the card to show with it. A file that cannot be given is said
// on the card: what was asked for did happen.
func (a *App) resultMessage(ctx context.Context, req *request, result tools.Result) message {
	lang, shown := req.actor.Lang, shownCard{Card: result.Card, earlier: result.Earlier}
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

// stepBlocks are the buttons of what may come next.
func stepBlocks(steps []tools.Step) []slack.Block {
	var next []*slack.ButtonBlockElement
	for i, s := range steps {
		if one := stepButton(string(rune('a'+i)), s); one != nil && len(next) < maxButtons {
			next = append(next, one)
		}
	}
	if next == nil {
		return nil
	}
	return []slack.Block{buttons(next...)}
}

// stepButton is the button of a step, nil for one that it cannot carry. name tells it from the others of the card.
func stepButton(name string, s tools.Step) *slack.ButtonBlockElement {
	value := string(encode(step{s.Tool, s.Args, s.Form}))
	if len(value) > maxValue {
		return nil
	}
	return button(actStep+":"+name, value, s.Label)
}

// step is what the button of a next step carries.
type step struct {
	Tool string         `json:"tool"`
	Args map[string]any `json:"args"`
	Form bool           `json:"form,omitempty"` // it opens even where the arguments are enough
}

// parseStep reads a button's value back into a tool and the answers that its form would hold.
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

// fittingFacts are as many facts as a card has room for.
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

// moreBlocks say how much there is besides what is shown.
func moreBlocks(lang words.Lang, more int) []slack.Block {
	if more <= 0 {
		return nil
	}
	return []slack.Block{contextLine(say(lang, "card.more", "count", more))}
}

// factBlocks shows labelled values, two beside each other, under a title in mrkdwn that may be "".
func factBlocks(title string, facts []tools.Fact) []slack.Block {
	var texts []string
	for _, fact := range facts {
		texts = append(texts, factText(fact))
	}
	return fieldBlocks(title, texts)
}

// fieldBlocks shows texts in mrkdwn, two beside each other.
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

// tableBlocks shows rows as lines, which a telephone can break: the columns' names once, then each row with its first
// cell standing out.
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

// lineBlocks shows as many lines as there is room for, and says how many more there are. They are mrkdwn and end in a
// line's end.
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

// rowBlocks shows each row of a table with the button of its step beside it, as many as there is room for.
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
			open.AccessibilityLabel = fit(open.Text.Text+" "+cells[0], maxButton) // all of them look alike
			row.Accessory = slack.NewAccessory(open)
		}
		blocks = append(blocks, row)
	}
	return append(blocks, moreBlocks(lang, len(table.Rows)-len(blocks))...)
}

// rowText is a row on one line, its first cell standing out, in mrkdwn.
func rowText(cells []string) string {
	var told []string
	for i, cell := range cells {
		switch cell = escaped(oneLine(cell, maxCell+1), maxCell); {
		case cell == "": // keeps its place, so that those after it stay under their columns
			told = append(told, emptyText)
		case i == 0:
			told = append(told, "*"+cell+"*")
		default:
			told = append(told, cell)
		}
	}
	return strings.Join(told, " · ")
}
