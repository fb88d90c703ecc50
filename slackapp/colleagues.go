package slackapp

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// mention is a person in the text of a command, as Slack writes it: <@U0ANA|ana.exemplo>.
var mention = regexp.MustCompile(`^<@([UW][A-Z0-9]+)(?:\|[^>]*)?>$`)

// unescapes undoes what Slack escapes in the text of a command.
var unescapes = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// unescaped is the text of a command as it was typed, but for the people whom it names.
func unescaped(text string) string { return unescapes.Replace(text) }

// mentioned is a person in an answer to a field that asks for one, as a select gives it.
func mentioned(text string) string {
	if found := mention.FindStringSubmatch(text); found != nil {
		return found[1]
	}
	return text
}

// arguments puts answers into the arguments of a call. Colleagues become actors: of our team, and no guests.
func (a *App) arguments(ctx context.Context, lang words.Lang, tool *tools.Tool, answers map[string]string) (json.RawMessage, []tools.Problem, error) {
	resolved := answers
	for _, field := range tool.Fields {
		text := answers[field.Path]
		if field.Kind != tools.Somebody || text == "" {
			continue
		}
		actor, err := a.colleague(ctx, text)
		if err != nil {
			return nil, nil, err
		}
		if actor == "" {
			return nil, []tools.Problem{{
				Path: field.Path, Code: "person.outside", Severity: tools.Blocks, Text: say(lang, "field.outsider"),
			}}, nil
		}
		resolved = withAnswer(resolved, field.Path, actor)
	}
	args, problems := tool.Args(resolved, lang)
	return args, problems, nil
}

// colleague finds the actor of whom a select or a mention names, "" for nobody of the team.
func (a *App) colleague(ctx context.Context, named string) (actor string, err error) {
	id := mentioned(named)
	if of, is := person(named); is {
		id = of
	}
	if _, is := person("slack:" + id); !is {
		return "", nil
	}
	found, err := a.known(ctx, id)
	if missing, is := errors.AsType[*slackError](err); is && (missing.code == "user_not_found" || missing.code == "user_not_visible") {
		return "", nil
	}
	if err != nil || found.Guest {
		return "", err
	}
	return found.ID, nil
}

func withAnswer(answers map[string]string, path, text string) map[string]string {
	changed := map[string]string{path: text}
	for other, given := range answers {
		if other != path {
			changed[other] = given
		}
	}
	return changed
}
