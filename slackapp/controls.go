package slackapp

import (
	"regexp"
	"strings"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// control is how Slack shows one of the engine's controls, and how its answer is read.
type control struct {
	element func(shown inputField) slack.BlockElement
	// answer reads what is in the element. before is the draft's answer so far. label is the text of a chosen option.
	answer      func(given answer, before string) (text, label string)
	placeholder func(words.Lang) string // nil where the field's help is the placeholder
	noHelp      bool                    // the element has no room for the field's help, which then is the input's hint
	chosen      bool                    // it is chosen and not typed, so that Slack can report it at once
	trailing    bool                    // it may follow the process on the line of a command
}

// inputField is a field as an element shows it.
type inputField struct {
	tools.Field
	lang        words.Lang
	typed       string // the answer so far
	label       string // the text of the option chosen so far
	id          string // of the element
	placeholder *slack.TextBlockObject
}

// controls has an entry for each of the engine's controls.
var controls = map[tools.Control]control{
	tools.ControlText:   {element: textElement(false), answer: typedAnswer},
	tools.ControlLines:  {element: textElement(true), answer: typedAnswer},
	tools.ControlEmail:  {element: emailElement, answer: typedAnswer},
	tools.ControlNumber: {element: numberElement, answer: typedAnswer},
	tools.ControlDate:   {element: textElement(false), answer: typedAnswer, trailing: true}, // people type 3/7/1985 faster than they find it in a calendar
	tools.ControlYesNo:  {element: yesNoElement, answer: chosenAnswer, placeholder: yesOrNoText, noHelp: true, chosen: true},
	tools.ControlSelect: {element: selectElement, answer: chosenAnswer, placeholder: chooseText, noHelp: true, chosen: true},
	tools.ControlPerson: {element: personElement, answer: personAnswer, placeholder: chooseText, noHelp: true, chosen: true, trailing: true},
	tools.ControlFile:   {element: fileElement, answer: fileAnswer, noHelp: true},
}

func chooseText(lang words.Lang) string { return say(lang, "field.choose") }

func yesOrNoText(lang words.Lang) string { return say(lang, "field.yes_or_no") }

func controlOf(field tools.Field) control { return controls[field.Kind.Control] }

func textElement(multiline bool) func(inputField) slack.BlockElement {
	return func(shown inputField) slack.BlockElement {
		text := slack.NewPlainTextInputBlockElement(shown.placeholder, shown.id)
		text.InitialValue, text.MaxLength, text.Multiline = fit(shown.typed, maxTyped), maxTyped, multiline
		return text
	}
}

func emailElement(shown inputField) slack.BlockElement {
	email := slack.NewEmailTextInputBlockElement(shown.placeholder, shown.id)
	email.InitialValue = fit(shown.typed, maxTyped)
	return email
}

var integerPattern = regexp.MustCompile(`^-?\d{1,18}$`)

func numberElement(shown inputField) slack.BlockElement {
	number := slack.NewNumberInputBlockElement(shown.placeholder, shown.id, false)
	if integerPattern.MatchString(shown.typed) { // Slack refuses the whole form otherwise
		number.InitialValue = shown.typed
	}
	return number
}

func yesNoElement(shown inputField) slack.BlockElement {
	options := []*slack.OptionBlockObject{
		option(tools.Option{Value: "true", Text: say(shown.lang, "field.yes")}),
		option(tools.Option{Value: "false", Text: say(shown.lang, "field.no")}),
	}
	if !shown.Required {
		options = append(options, option(none(shown.lang)))
	}
	choose := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, shown.placeholder, shown.id, options...)
	for _, each := range options {
		if each.Value == shown.typed {
			choose.InitialOption = each
		}
	}
	return choose
}

func selectElement(shown inputField) slack.BlockElement {
	choose := slack.NewOptionsSelectBlockElement(slack.OptTypeExternal, shown.placeholder, shown.id)
	choose.MinQueryLength = new(int)
	label := shown.label
	if label == "" {
		label = shown.typed
	}
	if shown.typed != "" && len(shown.typed) <= maxOptionValue {
		choose.InitialOption = option(tools.Option{Value: shown.typed, Text: label})
	}
	return choose
}

func personElement(shown inputField) slack.BlockElement {
	choose := slack.NewOptionsSelectBlockElement(slack.OptTypeUser, shown.placeholder, shown.id)
	if user, is := userID("slack:" + strings.TrimPrefix(shown.typed, "slack:")); is {
		choose.InitialUser = user
	}
	return choose
}

// fileElement returns an input for files. Slack cannot show a file that was given before; see [input].
func fileElement(shown inputField) slack.BlockElement {
	return slack.NewFileInputBlockElement(shown.id).WithFileTypes(shown.Kind.Accepts.Extensions...).WithMaxFiles(shown.Kind.Accepts.MaxFiles)
}

func typedAnswer(given answer, _ string) (text, label string) {
	if given.Value != nil {
		text = strings.TrimSpace(*given.Value)
	}
	return text, ""
}

func chosenAnswer(given answer, _ string) (text, label string) {
	if given.Chosen == nil || given.Chosen.Value == unanswered {
		return "", ""
	}
	return given.Chosen.Value, given.Chosen.Text.Text
}

func personAnswer(given answer, _ string) (text, label string) {
	if given.User != nil {
		text = *given.User
	}
	return text, ""
}

// fileAnswer keeps the files that were given before, because Slack shows an empty input for it.
func fileAnswer(given answer, before string) (text, label string) {
	if len(given.Files) == 0 {
		return before, ""
	}
	var files tools.FileRefs
	for _, file := range given.Files {
		files = append(files, tools.FileRef{ID: slackFiles + ":" + file.ID, Name: pii.New[pii.Private](file.Name), Size: file.Size})
	}
	if len(files) == 1 {
		return files[0].Answer(), ""
	}
	return files.Answer(), ""
}
