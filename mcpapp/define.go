package mcpapp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// Arguments of the call itself, which every tool that changes something takes beside its own fields.
const (
	argConfirmation = "confirmation"   // the text that came with the warnings, once a person has agreed to them
	argKey          = "idempotencyKey" // a repeated key returns the first call's result
)

// argSet is the argument of the tools that edit something which has the changes.
const argSet = "set"

const maxKey = 128 // characters of an idempotency key

// definition returns a tool's MCP definition. A test compiles the schemas: one that did not compile would be served, and the
// library would check nothing by it.
func definition(all *tools.Catalogue, tool *tools.Tool) (mcp.Tool, error) {
	in := tool.InputSchema()
	if tool.Effect.Writes() {
		for name, schema := range map[string]*jsonschema.Schema{
			argConfirmation: {Type: "string"},
			argKey:          {Type: "string"},
		} {
			if in.Properties[name] != nil {
				return mcp.Tool{}, fmt.Errorf("the field name %s is reserved for an argument of the call", name)
			}
			schema.Description = book.Say(words.English, "arg."+name, nil)
			in.Properties[name] = schema
		}
		in.PropertyOrder = append(in.PropertyOrder, argConfirmation, argKey)
	}
	if creator, found := all.CreatorOf(tool); found { // which describes the same fields
		set := in.Properties[argSet]
		set.Properties, set.PropertyOrder, set.AdditionalProperties = map[string]*jsonschema.Schema{}, nil, nil
		set.Description += book.Say(words.English, "about.edit", map[string]any{"tool": creator.Name, "path": nestedPath(tool)})
	}
	for group, other := range tool.Like {
		in.Properties[group] = &jsonschema.Schema{
			Type: "object", Description: book.Say(words.English, "about.like", map[string]any{"group": other}),
			Properties: map[string]*jsonschema.Schema{},
		}
	}
	input, err := objectSchema(in)
	if err != nil {
		return mcp.Tool{}, fmt.Errorf("input schema: %w", err)
	}
	output, err := objectSchema(brief(tool.OutputSchema()))
	if err != nil {
		return mcp.Tool{}, fmt.Errorf("output schema: %w", err)
	}
	return mcp.Tool{
		Name:            tool.Name,
		Title:           tool.Title(words.English),
		Description:     description(tool),
		RawInputSchema:  input,
		RawOutputSchema: output,
		Annotations:     annotations(tool.Effect),
	}, nil
}

// description returns what the tool does, and what of it concerns assistants only.
func description(tool *tools.Tool) string {
	text := tool.Help(words.English)
	if tool.HasFile() {
		text += " " + book.Say(words.English, "about.resource", nil)
	}
	if tool.Effect == tools.Creates || tool.Effect == tools.Updates {
		text += " " + book.Say(words.English, "about.values", nil)
		if slices.ContainsFunc(tool.Fields, func(f tools.Field) bool { return !f.People && f.Taxonomy != "" }) {
			text += " " + book.Say(words.English, "about.choices", nil)
		}
	}
	return text
}

// nestedPath returns the path of a field that an editor changes, as an example: of one within a group, if it has any.
func nestedPath(editor *tools.Tool) (path string) {
	for _, field := range editor.Fields {
		switch {
		case !field.Editable():
		case strings.Contains(field.Path, "."):
			return field.Path
		case path == "":
			path = field.Path
		}
	}
	return path
}

// annotations returns the MCP hints for an effect. A tool that changes something at the bank and does not create counts as
// destructive. Every tool calls the bank, so the world is open.
func annotations(effect tools.Effect) mcp.ToolAnnotation {
	return mcp.ToolAnnotation{
		ReadOnlyHint:    mcp.ToBoolPtr(effect == tools.Reads),
		DestructiveHint: mcp.ToBoolPtr(effect.Writes() && effect != tools.Creates),
		IdempotentHint:  mcp.ToBoolPtr(effect == tools.Reads),
		OpenWorldHint:   mcp.ToBoolPtr(true),
	}
}

// brief removes from the schema of an output what no assistant needs before it has an answer: which members are always there,
// the formats of texts, and what the items of a list or of a map are. A description of the operation has the whole schema.
func brief(schema *jsonschema.Schema) *jsonschema.Schema {
	schema.Required, schema.Format, schema.Items, schema.AdditionalProperties = nil, "", nil, nil
	for _, part := range schema.Properties {
		brief(part)
	}
	return schema
}

// objectSchema returns the schema of an object as JSON.
func objectSchema(schema *jsonschema.Schema) (json.RawMessage, error) {
	if schema.Type != "object" || schema.Properties == nil {
		return nil, errors.New("the schema is not that of an object")
	}
	data, err := json.Marshal(schema)
	if err != nil {
		return nil, fmt.Errorf("marshalling the schema: %w", err)
	}
	return data, nil
}

// filterTools removes from a list the tools that are only found by searching, and those that the caller may not use. A call of
// a hidden tool still reaches the runner, which refuses and audits it.
func (a *App) filterTools(ctx context.Context, _ any, _ *mcp.ListToolsRequest, list *mcp.ListToolsResult) {
	list.Tools = slices.DeleteFunc(list.Tools, func(t mcp.Tool) bool { return !a.inList(ctx, t.Name) })
}

// inList reports whether a tool is in the caller's list.
func (a *App) inList(ctx context.Context, name string) bool {
	if own, is := a.own[name]; is {
		return a.offersOwn(ctx, own)
	}
	return a.listed[name] && a.permits(ctx, name)
}

// filterResources does the same for resource templates, which have the names of their tools.
func (a *App) filterResources(ctx context.Context, _ any, _ *mcp.ListResourceTemplatesRequest, list *mcp.ListResourceTemplatesResult) {
	list.ResourceTemplates = slices.DeleteFunc(list.ResourceTemplates, func(t mcp.ResourceTemplate) bool { return !a.permits(ctx, t.Name) })
}

func (a *App) permits(ctx context.Context, name string) (permitted bool) {
	defer func() {
		if recovered := recover(); recovered != nil {
			a.reportPanic(ctx, "", recovered)
			permitted = false
		}
	}()
	tool, ok := a.tools[name]
	if callerOf(ctx).isPlatform() {
		return ok && tool.ForAssistants()
	}
	return ok && a.config.Runner.Permits(ctx, callerOf(ctx).Actor, tool)
}
