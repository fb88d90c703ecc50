package slackapp

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/tools"
)

// noticeMessage is a notice as a message. Only the mention and the names of people and channels are markup; all else
// is text.
func (a *App) noticeMessage(n destination.Notice, names map[string]string) message {
	lead := escaped(n.Text, maxText)
	if slices.ContainsFunc(n.Facts, func(fact [2]string) bool { return fact[1] == n.Text }) { // the facts say it already
		lead = ""
	}
	if user, ok := userID(n.Mention); ok {
		lead = strings.TrimSpace("<@" + user + "> " + lead)
	}
	var blocks []slack.Block
	switch title := oneLine(n.Title, maxHeader+1); {
	case title == "":
	case n.Card:
		blocks = append(blocks, header(title))
	default: // in a thread a heading is too large
		lead = strings.TrimSpace("*" + escaped(title, maxHeader) + "*\n" + lead)
	}
	if lead != "" {
		blocks = append(blocks, slack.NewSectionBlock(mrkdwn(lead), nil, nil))
	}
	facts := noticeFields(n, names)
	blocks = append(blocks, fieldBlocks("", facts)...)
	blocks = append(blocks, moreBlocks(n.Lang, len(n.Facts)-len(facts))...)
	var lines []string
	for _, line := range n.Lines {
		lines = append(lines, "• "+escaped(oneLine(line, maxFact+1), maxFact)+"\n")
	}
	blocks = append(blocks, lineBlocks(n.Lang, lines)...)
	if about := (tools.Subject{Process: n.Process, Simulation: n.Simulation}); n.Card && about != (tools.Subject{}) {
		blocks = append(blocks, stepBlocks(a.runner.Catalogue.StepsOn(about, tools.StateMeaning{Ends: tools.End(n.Ends)}, n.Lang))...)
	}
	if n.Undo != "" {
		blocks = append(blocks, stepBlocks([]tools.Step{a.runner.Catalogue.UndoStep(n.Undo, n.Lang)})...)
	}
	if blocks == nil {
		blocks = []slack.Block{paragraph("")}
	}
	return message{strings.TrimSpace(n.Title + "\n" + n.Text), blocks}
}

// noticeFields are the facts that fit, in mrkdwn.
func noticeFields(n destination.Notice, names map[string]string) []string {
	var fields []string
	total := 0
	for _, fact := range n.Facts[:min(len(n.Facts), maxNoticeFacts)] {
		text := factText(tools.Fact{Label: fact[0], Value: fact[1]})
		if name, known := names[fact[1]]; known {
			text = "*" + escaped(fact[0], maxCell) + "*\n" + name
		}
		if total += utf8.RuneCountInString(text); total > maxTable {
			break
		}
		fields = append(fields, text)
	}
	return fields
}

// names returns the markup for the person and the channel among the facts. A person is named, not mentioned, so that
// she is not notified.
func (a *App) names(ctx context.Context, n destination.Notice) map[string]string {
	names := map[string]string{}
	for _, one := range []string{n.Owner, n.About} {
		user, isPerson := userID(one)
		id, known := slackID(one)
		switch {
		case isPerson:
			found, err := a.person(ctx, user)
			if err != nil {
				a.log.WarnContext(ctx, "reading a person's name failed", "error", logged(err))
			}
			names[one] = escaped(cmp.Or(found.Name, emptyText), maxCell)
		case known:
			names[one] = "<#" + id + ">"
		}
	}
	return names
}
