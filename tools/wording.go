package tools

import (
	"embed"
	"fmt"
	"strings"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
)

// The tools' texts, by key:
//
//	<tool>.title, <tool>.help       what it is called and what it does
//	<tool>.submit                   the button that has it done, of a tool that changes something at the bank
//	<tool>.<path>.label, .help      a field; field.<name>.label, .help for names that several tools share
//	<tool>.card.…                   a result's card
//	page.<page>                     a form page's title
//	command.<command>.help          a slash command with subcommands
//	error.<kind>.what, .next        what happened, and what to do now; <tool>.error.<kind>.… where a tool knows better,
//	                                error.<kind>.store.… where the store failed and not the bank
//	earlier.…                       another call for the same, who made it and when
//	problem.<code>                  a problem of the form of the arguments
//
//go:embed words
var wordFiles embed.FS

var book = words.Sub(wordFiles, "words")

// Title is the tool's name for people, at most 24 characters: what Slack grants a modal's title.
func (t *Tool) Title(lang words.Lang) string { return book.Say(lang, t.Name+".title", nil) }

// Help says what the tool does, in a sentence or two. In English it is what an assistant reads.
func (t *Tool) Help(lang words.Lang) string { return book.Say(lang, t.Name+".help", nil) }

// Submit is what stands on the button that has it done, at most 24 characters: what the button does.
func (t *Tool) Submit(lang words.Lang) string { return book.Say(lang, t.Name+".submit", nil) }

// CommandHelp says what a slash command with subcommands is for.
func CommandHelp(lang words.Lang, command string) string {
	return book.Say(lang, "command."+strings.TrimPrefix(command, "/")+".help", nil)
}

// PageTitle is what a form page is called, at most 24 characters.
func PageTitle(lang words.Lang, page string) string { return book.Say(lang, "page."+page, nil) }

// Label is what the field is called.
func (f Field) Label(lang words.Lang) string { return f.say(lang, "label") }

// Help says what to fill in; "" when the label says it all.
func (f Field) Help(lang words.Lang) string { return f.say(lang, "help") }

func (f Field) say(lang words.Lang, what string) string {
	for _, key := range []string{f.tool + "." + f.Path + "." + what, "field." + f.Name() + "." + what} {
		if book.Has(lang, key) {
			return book.Say(lang, key, nil)
		}
	}
	return ""
}

// What says what happened.
func (e *Error) What(lang words.Lang) string {
	if e.Earlier != nil {
		return e.Earlier.Text(lang, "")
	}
	return e.say(lang, "what")
}

// Next says what to do now.
func (e *Error) Next(lang words.Lang) string { return e.say(lang, "next") }

func (e *Error) say(lang words.Lang, what string) string {
	seconds := int(e.RetryAfter.Seconds())
	key := "error." + string(e.Kind) + "." + what
	if own := e.Tool + "." + key; book.Has(lang, own) {
		key = own
	}
	if store := "error." + string(e.Kind) + ".store." + what; e.Store && book.Has(lang, store) {
		key = store
	}
	args := e.stageArgs()
	args["id"], args["seconds"], args["wait"], args["confirmation"] = e.ID, seconds, e.RetryAfter > 0, e.Confirmation
	if tool, known := Named(e.Tool); known {
		args["command"] = tool.Command
	}
	return book.Say(lang, key, args)
}

// sayer gives the words of one tool to its card.
func (t *Tool) sayer(lang words.Lang) Say {
	return func(key string, args ...any) string {
		values := named(args)
		if own := t.Name + "." + key; book.Has(lang, own) {
			return book.Say(lang, own, values)
		}
		return book.Say(lang, key, values)
	}
}

func problem(lang words.Lang, path, code string, args ...any) Problem {
	return Problem{Path: path, Code: code, Severity: Blocks, Text: book.Say(lang, "problem."+code, named(args))}
}

// clearly adds to a problem its text with the personal data among its args unmasked.
func (p Problem) clearly(lang words.Lang, args ...any) Problem {
	values := named(args)
	for name, value := range values {
		if personal, ok := value.(interface{ Reveal() string }); ok {
			values[name] = personal.Reveal()
		}
	}
	p.Clear = pii.New[pii.Private](book.Say(lang, "problem."+p.Code, values))
	return p
}

// named are names and values in turn, by name.
func named(args []any) map[string]any {
	values := map[string]any{}
	for i := 0; i+1 < len(args); i += 2 {
		values[fmt.Sprint(args[i])] = args[i+1]
	}
	return values
}
