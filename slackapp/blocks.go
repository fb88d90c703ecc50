package slackapp

import (
	"strings"

	"github.com/slack-go/slack"
)

// The few shapes that everything we show is made of. Each shortens what it is given, so that no text from outside can
// make Slack refuse the whole.

// emptyText stands where there is no text, since Slack refuses an empty one.
const emptyText = "–"

// plain is text from anywhere, shown as it is.
func plain(text string, limit int) *slack.TextBlockObject {
	if text = fit(text, limit); strings.TrimSpace(text) == "" {
		text = emptyText
	}
	return slack.NewTextBlockObject(slack.PlainTextType, text, false, false)
}

// mrkdwn takes text that is already escaped.
func mrkdwn(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, text, false, true)
}

// paragraph is text from anywhere, shown as it is.
func paragraph(text string) slack.Block {
	return slack.NewSectionBlock(plain(text, maxText), nil, nil)
}

func header(text string) slack.Block { return slack.NewHeaderBlock(plain(text, maxHeader)) }

// contextLine is a line of small print.
func contextLine(text string) slack.Block {
	return slack.NewContextBlock("", plain(text, maxSmall))
}

// row is text with a button beside it.
func row(text string, beside *slack.ButtonBlockElement) slack.Block {
	return slack.NewSectionBlock(plain(text, maxText), nil, slack.NewAccessory(beside))
}

// button acts when pressed: action says what, value on what.
func button(action, value, label string) *slack.ButtonBlockElement {
	return slack.NewButtonBlockElement(action, value, plain(label, maxButton))
}

func buttons(all ...*slack.ButtonBlockElement) slack.Block {
	elements := make([]slack.BlockElement, 0, len(all))
	for _, one := range all {
		elements = append(elements, one)
	}
	return slack.NewActionBlock("", elements...)
}

// modal is a view without anything to submit.
func modal(title, close string, blocks ...slack.Block) slack.ModalViewRequest {
	return slack.ModalViewRequest{
		Type:   slack.VTModal,
		Title:  plain(title, maxTitle),
		Close:  plain(close, maxTitle),
		Blocks: slack.Blocks{BlockSet: blocks[:min(len(blocks), maxViewBlocks)]},
	}
}
