package mcpapp

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// maxChoices is the most items of a list that a description of an operation names; a longer list is searched.
const maxChoices = 12

// described is an operation as describeOperation returns it.
type described struct {
	Operation string              `json:"operation"`
	Does      string              `json:"does"`
	Call      string              `json:"call,omitempty"` // the tool by which it is called
	Arguments *jsonschema.Schema  `json:"arguments,omitempty"`
	Choices   map[string][]choice `json:"choices,omitempty"` // by path, of short lists
	Lists     map[string]string   `json:"lists,omitempty"`   // by path, of all choices
	Example   json.RawMessage     `json:"example,omitempty"`
	Answers   *jsonschema.Schema  `json:"answers,omitempty"`
	fields    []string            // one line each
	tool      *tools.Tool
}

// choice is an item of a list of the bank.
type choice struct {
	ID    string `json:"id"`
	Label string `json:"label"`
}

// describeOperation says what an operation takes and answers, with the choices of its fields as the bank's lists have them
// today.
func (a *App) describeOperation(ctx context.Context, _ http.Header, given map[string]json.RawMessage) *mcp.CallToolResult {
	tool, wrong := a.operationIn(ctx, given)
	if wrong != nil {
		return wrong
	}
	lang := callerOf(ctx).Lang
	row := a.foundOperation(ctx, tool)
	d := described{Operation: tool.Name, Does: row.Does, tool: tool}
	text := []string{"## " + row.line(ctx), "", escapeMarkdown(tool.Help(lang))}
	if tool.ForAssistants() {
		d.Call, d.Arguments, d.Answers, d.Example = a.nameOfCall(tool), tool.InputSchema(), tool.OutputSchema(), json.RawMessage(tool.Example)
		a.describeFields(ctx, &d)
		text = append(text, a.describedCall(lang, &d)...)
	}
	data, err := json.Marshal(d)
	if err != nil {
		panic(err) // texts and schemas marshal
	}
	return &mcp.CallToolResult{StructuredContent: json.RawMessage(data), Content: contents(truncated(strings.Join(text, "\n"), lang))}
}

// describeFields reads the choices of the fields and describes each field on a line.
func (a *App) describeFields(ctx context.Context, d *described) {
	d.Choices, d.Lists = map[string][]choice{}, map[string]string{}
	lang := callerOf(ctx).Lang
	for _, field := range d.tool.Fields {
		if field.People {
			continue
		}
		line := fmt.Sprintf("- %s: %s", a.pathInCall(field), escapeMarkdown(field.Label(lang)))
		line += " (" + field.Form(lang)
		if field.RequiredOfAssistants() {
			line += ", " + book.Say(lang, "describe.required", nil)
		}
		line += ")"
		if help := field.HelpForAssistants(lang); help != "" {
			line += ". " + escapeMarkdown(help)
		}
		d.fields = append(d.fields, line+a.describedChoices(ctx, d, field))
	}
}

// pathInCall returns where a field is in the arguments of a call.
func (a *App) pathInCall(field tools.Field) string {
	if field.Editable() {
		return `set["` + field.Path + `"]`
	}
	return field.Path
}

// describedChoices returns the choices of a field, and notes them in d.
func (a *App) describedChoices(ctx context.Context, d *described, field tools.Field) string {
	if !field.FromList() {
		return ""
	}
	lang := callerOf(ctx).Lang
	if field.Taxonomy != "" {
		d.Lists[field.Path] = string(field.Taxonomy)
	}
	options, err := a.config.Runner.Options(ctx, callerOf(ctx).Actor, field, "", nil)
	if err != nil {
		return ". " + book.Say(lang, "describe.unread", map[string]any{"list": string(field.Taxonomy)})
	}
	if len(options) > maxChoices && field.Taxonomy != "" {
		return ". " + book.Say(lang, "describe.long", map[string]any{"list": string(field.Taxonomy)})
	}
	var labels []string
	for _, option := range options {
		label := sanitize(option.Text)
		if field.Taxonomy != "" {
			labels = append(labels, fmt.Sprintf("%s (%s)", escapeMarkdown(label), option.Value))
		} else {
			labels = append(labels, fmt.Sprintf("%s (%s)", option.Value, escapeMarkdown(label)))
		}
		d.Choices[field.Path] = append(d.Choices[field.Path], choice{option.Value, label})
	}
	return ". " + book.Say(lang, "describe.choices", map[string]any{"choices": strings.Join(labels, ", ")})
}

// describedCall returns how the operation is called, its fields, an example and its answer, as lines.
func (a *App) describedCall(lang words.Lang, d *described) []string {
	name, args := a.callOf(d.tool, json.RawMessage(d.tool.Example))
	example, err := json.Marshal(args)
	if err != nil {
		panic(err) // the example is JSON
	}
	var lines []string
	if d.tool.Effect.Writes() {
		lines = append(lines, "", book.Say(lang, "describe.writes", map[string]any{"tool": name}))
	}
	if len(d.fields) > 0 {
		lines = append(append(lines, "", book.Say(lang, "describe.arguments", nil)), d.fields...)
	}
	if d.tool.Edits {
		lines = append(lines, book.Say(lang, "describe.edits", nil))
	}
	lines = append(lines, "", book.Say(lang, "describe.example", map[string]any{"tool": name, "args": string(example)}))
	if d.tool.HasFile() {
		lines = append(lines, book.Say(lang, "about.resource", nil))
	}
	return append(lines, book.Say(lang, "describe.answers", map[string]any{"answers": outline(d.Answers)}))
}

// outline returns the names of an object's members, and the members of objects in it: «process, borrowers [name, role]».
func outline(schema *jsonschema.Schema) string {
	order := schema.PropertyOrder
	if order == nil {
		order = slices.Sorted(maps.Keys(schema.Properties))
	}
	var members []string
	for _, name := range order {
		member := schema.Properties[name]
		switch {
		case member.Properties != nil:
			name += " {" + outline(member) + "}"
		case member.Items != nil && member.Items.Properties != nil:
			name += " [" + outline(member.Items) + "]"
		}
		members = append(members, name)
	}
	return strings.Join(members, ", ")
}
