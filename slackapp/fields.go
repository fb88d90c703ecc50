package slackapp

import (
	"github.com/slack-go/slack"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// unanswered is the option that empties an optional choice: Slack's selects cannot be emptied.
const unanswered = "-"

// input is a field as a block. Its block_id is the field's path. Slack keeps what is typed in an element as long as
// its ids stay the same, so generation must change when the form starts over or its subject changes.
//
// If reports is true, Slack reports a choice at once, with the other values of the page. Text is not reported: it
// would be with every character, or with the Enter key, which then does not submit the page.
func input(lang words.Lang, field tools.Field, typed, label, generation string, reports bool) slack.Block {
	how, help := controlOf(field), field.Help(lang)
	shown := inputField{Field: field, lang: lang, typed: typed, label: label, id: generation}
	switch {
	case how.placeholder != nil:
		shown.placeholder = plain(how.placeholder(lang), maxPlaceholder)
	case help != "" && !how.noHelp:
		shown.placeholder = plain(help, maxPlaceholder)
	}
	block := slack.NewInputBlock(field.Path, plain(field.Label(lang), maxLabel), nil, how.element(shown))
	block.Optional = !field.Required
	block.DispatchAction = how.chosen && reports
	if field.Kind.Control == tools.ControlFile && typed != "" {
		block.Optional = true // it has one
		help = say(lang, "field.file_kept")
	}
	if how.noHelp && help != "" {
		block.Hint = plain(help, maxHint)
	}
	return block
}

func none(lang words.Lang) tools.Option {
	return tools.Option{Value: unanswered, Text: say(lang, "field.none")}
}

func option(o tools.Option) *slack.OptionBlockObject {
	var note *slack.TextBlockObject
	if o.Note != "" {
		note = plain(o.Note, maxOption)
	}
	return slack.NewOptionBlockObject(o.Value, plain(o.Text, maxOption), note)
}
