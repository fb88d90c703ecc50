package tools

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
)

// maxReasons is the number of reasons of the bank that are shown for one refusal.
const maxReasons = 20

// explain adds the bank's reasons to a refusal, as far as its reader may see them. A refusal may repeat what was sent and
// may name other people. An assistant therefore gets the bank's code in our own text, and a text of the bank only if all
// of it is known. A person, who alone reads it, gets the bank's text without what she sent. A reason that is about a field
// of the tool becomes a problem as well.
func (e *Error) explain(actor Actor, tool *Tool) {
	var bank *portal.Error
	if e.Kind != Refused || e.Notes != nil || !errors.As(e.err, &bank) {
		return
	}
	problems, notes := reasons(actor, tool, bank.Messages)
	e.Problems = append(e.Problems, problems...)
	e.Notes = notes
}

// Reasons returns the bank's reasons against a call as [Error] has them: problems of fields, and a sentence for each.
func (c *Call) Reasons(messages []portal.ErrorMessage) (problems []Problem, notes []string) {
	return reasons(c.Actor, c.tool, messages)
}

func reasons(actor Actor, tool *Tool, messages []portal.ErrorMessage) (problems []Problem, notes []string) {
	for _, message := range messages[:min(len(messages), maxReasons)] {
		field, named := tool.fieldNamed(message.Field)
		if named {
			code := "bank." + cmp.Or(message.Code, string(message.Reason), "refused")
			problems = append(problems, Problem{
				Path: field.Path, Code: code, Severity: Blocks, Text: explained(actor.Lang, message, field.Path),
			})
		}
		note := explained(actor.Lang, message, message.Field)
		switch {
		case actor.Assistant && named:
			continue // the problem has the same text
		case !actor.Assistant && message.Known && named:
			note = message.Reason.Text(string(actor.Lang), field.Label(actor.Lang))
		case !actor.Assistant && message.Text != "":
			note = Clean(message.Text)
			if named {
				note = field.Label(actor.Lang) + ": " + note
			}
		}
		if !slices.Contains(notes, note) {
			notes = append(notes, note)
		}
	}
	return problems, notes
}

// differs describes what of the bank is not as Balcão takes it to be, in a clause. It names the operation as the settings of
// the bank do, for who corrects them.
func differs(lang words.Lang, bank *portal.Error) string {
	part := "operation"
	key, isList := strings.CutSuffix(string(bank.Operation), "Get")
	isList = isList && slices.Contains(portal.Taxonomies(), portal.TaxonomyKey(key))
	name := string(bank.Operation)
	switch {
	case bank.Operation == portal.Authenticate:
		part = "login"
	case isList:
		part, name = "list", ListName(lang, portal.TaxonomyKey(key))
	}
	what := map[portal.Kind]string{
		portal.WrongPath: "path", portal.Unauthorized: "session", portal.Mismatch: "request",
	}[bank.Kind]
	return engineWords.Say(lang, "differs."+part+"."+cmp.Or(what, "reply"), map[string]any{"name": name})
}

// explained describes a reason without a text of the bank that is not known, and with the field that it is about.
func explained(lang words.Lang, message portal.ErrorMessage, field string) string {
	say := func(key string) string {
		return engineWords.Say(lang, key, map[string]any{"code": message.Code, "words": message.Reason.Text(string(lang), cmp.Or(field, "…"))})
	}
	switch {
	case message.Known && message.Code == "":
		return message.Reason.Text(string(lang), cmp.Or(field, "…"))
	case message.Known:
		return say("refusal.known")
	case message.Reason != "":
		return say("refusal.by_code")
	case message.Code != "":
		return say("refusal.unknown_code")
	}
	return say("refusal.unknown")
}

// fieldNamed returns the field with a name in requests to the bank.
func (t *Tool) fieldNamed(name string) (Field, bool) {
	at := slices.IndexFunc(t.Fields, func(field Field) bool { return name != "" && strings.EqualFold(field.Name(), name) })
	if at < 0 {
		return Field{}, false
	}
	return t.Fields[at], true
}
