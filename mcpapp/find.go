package mcpapp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/tools"
)

// maxFound is the most operations that a search names.
const maxFound = 12

// foundOperation is one line of a search.
type foundOperation struct {
	Operation string `json:"operation"`
	Title     string `json:"title"`
	Does      string `json:"does"`              // reads, writes, or people
	Command   string `json:"command,omitempty"` // in Slack, of an operation for people
}

// findOperation names the operations that a text is about; without text all, by toolset.
func (a *App) findOperation(ctx context.Context, _ http.Header, given map[string]json.RawMessage) *mcp.CallToolResult {
	var text string
	if value, ok := given[argText]; ok && json.Unmarshal(value, &text) != nil {
		return a.invalid(ctx, argText, "text", nil)
	}
	lang, all := callerOf(ctx).Lang, a.config.Runner.Catalogue
	found := slices.DeleteFunc(all.Search(text), func(t *tools.Tool) bool { return !a.knows(ctx, t) })
	note := ""
	if len(found) == 0 {
		note = book.Say(lang, "find.none", nil)
		found = slices.DeleteFunc(all.Tools(), func(t *tools.Tool) bool { return !a.knows(ctx, t) })
	} else if strings.TrimSpace(text) != "" {
		found = found[:min(len(found), maxFound)]
	}
	rows, lines := []foundOperation{}, []string{}
	toolset := ""
	for _, tool := range found {
		row := a.foundOperation(ctx, tool)
		if note != "" || strings.TrimSpace(text) == "" {
			if tool.Toolset != toolset {
				toolset = tool.Toolset
				lines = append(lines, "### "+escapeMarkdown(toolset))
			}
		}
		rows, lines = append(rows, row), append(lines, "- "+row.line(ctx))
	}
	lines = append(lines, "", book.Say(lang, "find.next", nil))
	if note != "" {
		lines = append([]string{note}, lines...)
	}
	data, err := json.Marshal(map[string]any{"operations": rows})
	if err != nil {
		panic(err) // texts marshal
	}
	return &mcp.CallToolResult{StructuredContent: json.RawMessage(data), Content: contents(truncated(strings.Join(lines, "\n"), lang))}
}

// knows reports whether the caller is told of an operation: one that it may use, or one that is for its person.
func (a *App) knows(ctx context.Context, tool *tools.Tool) bool {
	if tool.ForAssistants() {
		return a.permits(ctx, tool.Name)
	}
	return a.config.Runner.Allows(ctx, callerOf(ctx).Actor, tool)
}

func (a *App) foundOperation(ctx context.Context, tool *tools.Tool) foundOperation {
	lang := callerOf(ctx).Lang
	row := foundOperation{Operation: tool.Name, Title: tool.Title(lang), Does: "reads"}
	switch {
	case !tool.ForAssistants():
		row.Does, row.Command = "people", "/"+tool.Command(lang)
	case tool.Effect.Writes():
		row.Does = "writes"
	}
	return row
}

// line returns the operation on one line.
func (f foundOperation) line(ctx context.Context) string {
	does := book.Say(callerOf(ctx).Lang, "does."+f.Does, map[string]any{"command": f.Command})
	return fmt.Sprintf("%s: %s (%s)", f.Operation, escapeMarkdown(f.Title), does)
}
