package tools

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
)

// The tools' texts, by key:
//
//	<tool>.title, <tool>.help       its name and what it does
//	<tool>.submit                   the button that sends it, of a tool that changes something at the bank
//	<tool>.<path>.label, .help      a field; field.<path>.… and field.<name>.… for those that several tools share
//	<tool>.card.…                   a result's card
//	<prompt>.title, .help, .text    a prompt: its name, what it is for, and what is said to the assistant
//	<prompt>.<name>.label, .help    an argument of a prompt that is no field of a tool
//	page.<page>                     a form page's title
//	command.<command>.help          a slash command with subcommands
//	error.<kind>.what, .next        what happened, and what to do now; <tool>.error.<kind>.… for a more exact text of a tool,
//	                                error.<kind>.simulation.… for the tools about a simulation, error.<kind>.store.… if the
//	                                store failed and not the bank, error.<kind>.<state>.… if the bank's list of processes
//	                                was not read
//	removed.title                   the name of a tool that this version does not have
//	earlier.…                       another call for the same, who made it and when
//	problem.<code>                  a problem of the form of the arguments
//
// Those of a tool are in its toolset's files, and so may be any other that its toolset uses; those that several toolsets
// share are in the engine's.
//
//go:embed words
var wordFiles embed.FS

var engineWords = words.Sub(wordFiles, "words")

// texts finds a text in the files of a toolset or, if they have none, in the engine's.
type texts struct{ own *words.Texts }

func (t texts) has(lang words.Lang, key string) bool {
	return t.own != nil && t.own.Has(lang, key) || engineWords.Has(lang, key)
}

func (t texts) say(lang words.Lang, key string, args map[string]any) string {
	if t.own != nil && t.own.Has(lang, key) {
		return t.own.Say(lang, key, args)
	}
	return engineWords.Say(lang, key, args)
}

// Title returns the tool's name for people, at most 24 characters, as in the title of a Slack modal.
func (t *Tool) Title(lang words.Lang) string {
	if t.removed {
		return t.texts.say(lang, "removed.title", nil)
	}
	return t.texts.say(lang, t.Name+".title", nil)
}

// Help returns what the tool does, in a sentence or two, for people and for assistants.
func (t *Tool) Help(lang words.Lang) string { return t.texts.say(lang, t.Name+".help", nil) }

// Submit returns the text of the button that sends the form, at most 24 characters.
func (t *Tool) Submit(lang words.Lang) string { return t.texts.say(lang, t.Name+".submit", nil) }

// PageTitle returns the title of a page of the form, at most 24 characters.
func (t *Tool) PageTitle(lang words.Lang, page string) string {
	return t.texts.say(lang, "page."+page, nil)
}

// Label returns the name of the field.
func (f Field) Label(lang words.Lang) string { return f.say(lang, "label") }

// Help returns what to fill in; "" if the label is enough.
func (f Field) Help(lang words.Lang) string { return f.say(lang, "help") }

// IsCalled reports whether a person may call the field by this name in a command: its own, its label in any language,
// or one of its text «words», between commas.
func (f Field) IsCalled(name string) bool {
	name = Fold(name)
	return name == Fold(f.Name()) || slices.ContainsFunc(words.Langs, func(lang words.Lang) bool {
		return name == Fold(f.Label(lang)) || slices.ContainsFunc(strings.Split(f.say(lang, "words"), ","), func(word string) bool {
			return word != "" && name == Fold(word)
		})
	})
}

func (f Field) say(lang words.Lang, what string) string {
	for _, key := range []string{f.tool.Name + "." + f.Path + "." + what, "field." + f.Path + "." + what, "field." + f.Name() + "." + what} {
		if f.tool.texts.has(lang, key) {
			return f.tool.texts.say(lang, key, nil)
		}
	}
	return ""
}

// What returns what happened.
func (e *Error) What(lang words.Lang) string {
	if e.Earlier != nil {
		return e.Earlier.Text(lang, "")
	}
	return e.say(lang, "what")
}

// Next returns what to do now.
func (e *Error) Next(lang words.Lang) string { return e.say(lang, "next") }

func (e *Error) say(lang words.Lang, what string) string {
	seconds := int(e.RetryAfter.Seconds())
	tool := e.Tool
	if tool == nil {
		tool = &Tool{}
	}
	subject := tool.subjectName()
	if e.about != nil {
		subject = e.about.Name
	}
	key := "error." + string(e.Kind) + "." + what
	if of := "error." + string(e.Kind) + "." + subject + "." + what; tool.texts.has(lang, of) {
		key = of
	}
	if own := tool.Name + "." + key; tool.texts.has(lang, own) {
		key = own
	}
	if e.other {
		key = "error." + string(e.Kind) + ".other." + what
	}
	if e.Kind == Refused && e.bank != nil && len(e.bank.Messages) == 0 {
		key = "error.refused.unread." + what
	}
	if store := "error." + string(e.Kind) + ".store." + what; e.Store && tool.texts.has(lang, store) {
		key = store
	}
	if e.list != "" {
		key = "error." + string(e.Kind) + "." + string(e.list) + "." + what
		if of := "error." + string(e.Kind) + "." + string(e.list) + "." + subject + "." + what; tool.texts.has(lang, of) {
			key = of
		}
	}
	args := e.stageArgs()
	args["listed"] = e.listed
	args["id"], args["seconds"], args["wait"], args["confirmation"] = e.ID, seconds, e.RetryAfter > 0, e.Confirmation
	args["command"] = tool.Command(lang)
	if e.bank != nil {
		args["status"], args["differs"] = e.bank.Status, differs(lang, e.bank)
	}
	return tool.texts.say(lang, key, args)
}

// sayer returns the texts of a tool for its card.
func (t *Tool) sayer(lang words.Lang) Say {
	return func(key string, args ...any) string {
		values := named(args)
		if own := t.Name + "." + key; t.texts.has(lang, own) {
			return t.texts.say(lang, own, values)
		}
		return t.texts.say(lang, key, values)
	}
}

// problem returns a problem with a text of the engine.
func problem(lang words.Lang, path, code string, args ...any) Problem {
	return texts{}.problem(lang, path, code, args)
}

// warning returns a problem that a person may confirm.
func warning(lang words.Lang, path, code string, args ...any) Problem {
	p := problem(lang, path, code, args...)
	p.Severity = Warns
	return p
}

func (t texts) problem(lang words.Lang, path, code string, args []any) Problem {
	return Problem{Path: path, Code: code, Severity: Blocks, Text: t.say(lang, "problem."+code, named(args))}
}

// Problem returns a problem that blocks, with a text of the tool. Its text is that of problem.<code>; args are names and
// values in turn.
func (c *Call) Problem(path, code string, args ...any) Problem {
	return c.tool.texts.problem(c.Actor.Lang, path, code, args)
}

// Warning returns a problem that a person may confirm.
func (c *Call) Warning(path, code string, args ...any) Problem {
	p := c.Problem(path, code, args...)
	p.Severity = Warns
	return p
}

// InClear adds to a problem its text with the personal data among args unmasked, for the one person who reads it.
func (c *Call) InClear(p Problem, args ...any) Problem {
	values := named(args)
	for name, value := range values {
		if personal, ok := value.(interface{ Reveal() string }); ok {
			values[name] = personal.Reveal()
		}
	}
	facts, _ := json.Marshal(values) // texts and numbers marshal
	p.Facts = pii.New[pii.Private](string(facts))
	p.Clear = pii.New[pii.Private](c.tool.texts.say(c.Actor.Lang, "problem."+p.Code, values))
	return p
}

// Invalid returns the error of an input with one problem.
func (c *Call) Invalid(path, code string, args ...any) error {
	return &Error{Kind: Invalid, Problems: []Problem{c.Problem(path, code, args...)}}
}

// About adds to a problem what it is about, as names and values in turn that are in no language: an approval for which it was
// shown is shown again if that has changed. Without it, what [Call.InClear] says counts.
func (c *Call) About(p Problem, facts ...any) Problem {
	text, _ := json.Marshal(named(facts)) // texts and numbers marshal
	p.Facts = pii.New[pii.Private](string(text))
	return p
}

// Say returns the texts of the call's tool in a language; see [Say].
func (c *Call) Say(lang words.Lang) Say { return c.tool.sayer(lang) }

// named returns names and values in turn as a map.
func named(args []any) map[string]any {
	values := map[string]any{}
	for i := 0; i+1 < len(args); i += 2 {
		values[fmt.Sprint(args[i])] = args[i+1]
	}
	return values
}
