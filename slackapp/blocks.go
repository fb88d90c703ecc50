package slackapp

import (
	"strings"

	"github.com/slack-go/slack"
)

// The blocks that everything is made of. Each shortens its text, so that no text can make Slack refuse a whole message.

// emptyText replaces an empty text, which Slack refuses.
const emptyText = "–"

// plain is any text, shown as it is.
func plain(text string, limit int) *slack.TextBlockObject {
	if text = fit(text, limit); strings.TrimSpace(text) == "" {
		text = emptyText
	}
	return slack.NewTextBlockObject(slack.PlainTextType, text, false, false)
}

// mrkdwn is text that was escaped before.
func mrkdwn(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, text, false, true)
}

// paragraph is any text, shown as it is.
func paragraph(text string) slack.Block {
	return slack.NewSectionBlock(plain(text, maxText), nil, nil)
}

func header(text string) slack.Block { return slack.NewHeaderBlock(plain(text, maxHeader)) }

// contextLine is a line in small print.
func contextLine(text string) slack.Block {
	return slack.NewContextBlock("", plain(text, maxSmall))
}

// row is text with a button beside it.
func row(text string, beside *slack.ButtonBlockElement) slack.Block {
	return slack.NewSectionBlock(plain(text, maxText), nil, slack.NewAccessory(beside))
}

// button is a button: action says what it does, value on what.
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

// modal is a view without a submit button.
func modal(title, close string, blocks ...slack.Block) slack.ModalViewRequest {
	return slack.ModalViewRequest{
		Type:   slack.VTModal,
		Title:  plain(title, maxTitle),
		Close:  plain(close, maxTitle),
		Blocks: slack.Blocks{BlockSet: blocks[:min(len(blocks), maxViewBlocks)]},
	}
}
