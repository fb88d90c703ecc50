package slackapp

import (
	"regexp"
	"slices"
	"strings"

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
	hint := field.Help(lang)
	block := slack.NewInputBlock(field.Path, plain(field.Label(lang), maxLabel), nil, element(lang, field, typed, label, generation))
	block.Optional = !field.Required
	if isChoice(field.Kind) {
		block.DispatchAction = reports
		if hint != "" { // the placeholder has no room for it
			block.Hint = plain(hint, maxHint)
		}
	}
	return block
}

// isChoice reports whether a field of this kind is chosen from a list.
func isChoice(kind tools.Kind) bool {
	return slices.Contains([]tools.Kind{tools.YesNo, tools.Choice, tools.Process, tools.Borrower, tools.Taxonomy, tools.Somebody}, kind)
}

func element(lang words.Lang, field tools.Field, typed, label, generation string) slack.BlockElement {
	placeholder := placeholder(lang, field)
	switch field.Kind {
	case tools.YesNo:
		return yesNo(lang, field, typed, generation)
	case tools.Choice, tools.Process, tools.Borrower, tools.Taxonomy:
		choose := slack.NewOptionsSelectBlockElement(slack.OptTypeExternal, placeholder, generation)
		choose.MinQueryLength = new(int)
		if label == "" {
			label = typed
		}
		if typed != "" && len(typed) <= maxOptionValue {
			choose.InitialOption = option(tools.Option{Value: typed, Text: label})
		}
		return choose
	case tools.Somebody:
		choose := slack.NewOptionsSelectBlockElement(slack.OptTypeUser, placeholder, generation)
		if user, is := userID("slack:" + strings.TrimPrefix(typed, "slack:")); is {
			choose.InitialUser = user
		}
		return choose
	case tools.Email:
		email := slack.NewEmailTextInputBlockElement(placeholder, generation)
		email.InitialValue = fit(typed, maxTyped)
		return email
	case tools.Integer:
		number := slack.NewNumberInputBlockElement(placeholder, generation, false)
		if integerPattern.MatchString(typed) { // else Slack refuses the form
			number.InitialValue = typed
		}
		return number
	default:
		text := slack.NewPlainTextInputBlockElement(placeholder, generation)
		text.InitialValue, text.MaxLength = fit(typed, maxTyped), maxTyped
		return text
	}
}

var integerPattern = regexp.MustCompile(`^-?\d{1,18}$`)

// placeholder shows how a value is written, or that something can be chosen.
func placeholder(lang words.Lang, field tools.Field) *slack.TextBlockObject {
	text := field.Help(lang)
	switch field.Kind {
	case tools.YesNo:
		text = say(lang, "field.yes_or_no")
	case tools.Choice, tools.Process, tools.Borrower, tools.Taxonomy, tools.Somebody:
		text = say(lang, "field.choose")
	}
	if text == "" {
		return nil
	}
	return plain(text, maxPlaceholder)
}

func yesNo(lang words.Lang, field tools.Field, typed, generation string) slack.BlockElement {
	options := []*slack.OptionBlockObject{
		option(tools.Option{Value: "true", Text: say(lang, "field.yes")}),
		option(tools.Option{Value: "false", Text: say(lang, "field.no")}),
	}
	if !field.Required {
		options = append(options, option(none(lang)))
	}
	choose := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, placeholder(lang, field), generation, options...)
	for _, each := range options {
		if each.Value == typed {
			choose.InitialOption = each
		}
	}
	return choose
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
