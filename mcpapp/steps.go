package mcpapp

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/balcao/balcao/tools"
)

// nextSteps returns a line for each step that the caller may take: a call that works as it stands, or what such a call lacks.
// A step that is there to open a form is for people, and no answer leads an assistant to delete.
func (a *App) nextSteps(ctx context.Context, steps []tools.Step) string {
	var lines []string
	for _, step := range steps {
		tool, known := a.tools[step.Tool]
		if !known || step.Form || tool.Effect == tools.Deletes || !a.permits(ctx, step.Tool) {
			continue
		}
		given := step.Args
		if given == nil {
			given = map[string]any{}
		}
		name, call := a.callOf(tool, given)
		key, lacking := "next", tool.Lacks(given)
		if len(lacking) > 0 {
			key = "needs"
		}
		args, err := json.Marshal(call)
		if err != nil {
			continue // steps are optional
		}
		lines = append(lines, book.Say(callerOf(ctx).Lang, key, map[string]any{
			"label": escapeMarkdown(step.Label), "tool": name, "args": string(args), "needs": strings.Join(lacking, ", "),
		}))
	}
	return strings.Join(lines, "\n")
}
