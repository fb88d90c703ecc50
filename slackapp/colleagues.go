package slackapp

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// mentionPattern matches a person in the text of a command, as Slack writes it: <@U0ANA|ana.exemplo>.
var mentionPattern = regexp.MustCompile(`^<@([UW][A-Z0-9]+)(?:\|[^>]*)?>$`)

// unescapes undoes what Slack escapes in the text of a command.
var unescapes = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// unescaped is the text of a command as it was typed. Mentions stay as Slack writes them.
func unescaped(text string) string { return unescapes.Replace(text) }

// mentionedUser returns the user of a mention. Other text it returns unchanged.
func mentionedUser(text string) string {
	if found := mentionPattern.FindStringSubmatch(text); found != nil {
		return found[1]
	}
	return text
}

// arguments converts answers to the arguments of a call. Colleagues must be members of the team, no guests.
func (a *App) arguments(ctx context.Context, lang words.Lang, tool *tools.Tool, answers map[string]string) (json.RawMessage, []tools.Problem, error) {
	resolved := answers
	for _, field := range tool.Fields {
		text := answers[field.Path]
		if field.Kind.Control != tools.ControlPerson || text == "" {
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

func withAnswer(answers map[string]string, path, text string) map[string]string {
	changed := map[string]string{path: text}
	for other, given := range answers {
		if other != path {
			changed[other] = given
		}
	}
	return changed
}
