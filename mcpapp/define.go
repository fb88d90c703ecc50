package mcpapp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/mark3labs/mcp-go/mcp"
	compiler "github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// The arguments that concern a call and no field: tools that change something take them beside their own.
const (
	argConfirmation = "confirmation"   // what came with the question, once a person has agreed
	argKey          = "idempotencyKey" // the same key gives the same answer
)

const maxKey = 128 // characters of an idempotency key

// define derives what assistants are told of a tool. It fails on a schema that the library would serve without ever
// checking anything by it.
func define(tool *tools.Tool) (mcp.Tool, error) {
	in := tool.InputSchema()
	if tool.Effect.Writes() {
		for name, schema := range map[string]*jsonschema.Schema{
			argConfirmation: {Type: "string"},
			argKey:          {Type: "string"},
		} {
			if in.Properties[name] != nil {
				return mcp.Tool{}, fmt.Errorf("the field %s has the name of an argument of the call", name)
			}
			schema.Description = book.Say(words.English, "arg."+name, nil)
			in.Properties[name] = schema
		}
		in.PropertyOrder = append(in.PropertyOrder, argConfirmation, argKey)
	}
	input, err := compiled(in)
	if err != nil {
		return mcp.Tool{}, fmt.Errorf("its input: %w", err)
	}
	output, err := compiled(tool.OutputSchema())
	if err != nil {
		return mcp.Tool{}, fmt.Errorf("its output: %w", err)
	}
	return mcp.Tool{
		Name:            tool.Name,
		Title:           tool.Title(words.English),
		Description:     tool.Help(words.English),
		RawInputSchema:  input,
		RawOutputSchema: output,
		Annotations:     hints(tool.Effect),
	}, nil
}

// hints says what a tool does to the world. What is not known to read or to add is taken to destroy, and every tool
// reaches out to the bank.
func hints(effect tools.Effect) mcp.ToolAnnotation {
	return mcp.ToolAnnotation{
		ReadOnlyHint:    mcp.ToBoolPtr(!effect.Writes()),
		DestructiveHint: mcp.ToBoolPtr(effect.Writes() && effect != tools.Creates),
		IdempotentHint:  mcp.ToBoolPtr(!effect.Writes()),
		OpenWorldHint:   mcp.ToBoolPtr(true),
	}
}

// compiled gives the schema of an object as JSON, once it is sure to compile.
func compiled(schema *jsonschema.Schema) (json.RawMessage, error) {
	if schema.Type != "object" || schema.Properties == nil {
		return nil, errors.New("the schema describes no object")
	}
	data, err := json.Marshal(schema)
	if err != nil {
		return nil, fmt.Errorf("writing the schema: %w", err)
	}
	if _, err := compile(data); err != nil {
		return nil, err
	}
	return data, nil
}

func compile(data []byte) (*compiler.Schema, error) {
	document, err := compiler.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	c := compiler.NewCompiler()
	if err := c.AddResource("schema.json", document); err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	schema, err := c.Compile("schema.json")
	if err != nil {
		return nil, fmt.Errorf("compiling the schema: %w", err)
	}
	return schema, nil
}

// hideTools leaves out of a list what the caller may not use. Calls of what is hidden still reach the runner, which
// refuses and audits them.
func (a *App) hideTools(ctx context.Context, _ any, _ *mcp.ListToolsRequest, list *mcp.ListToolsResult) {
	list.Tools = slices.DeleteFunc(list.Tools, func(t mcp.Tool) bool { return !a.permits(ctx, t.Name) })
}

// hideDocuments does the same for resource templates, which are named after their tools.
func (a *App) hideDocuments(ctx context.Context, _ any, _ *mcp.ListResourceTemplatesRequest, list *mcp.ListResourceTemplatesResult) {
	list.ResourceTemplates = slices.DeleteFunc(list.ResourceTemplates, func(t mcp.ResourceTemplate) bool { return !a.permits(ctx, t.Name) })
}

func (a *App) permits(ctx context.Context, name string) (permitted bool) {
	defer func() {
		if caught := recover(); caught != nil {
			a.reportPanic(ctx, "", caught)
			permitted = false
		}
	}()
	tool, ok := a.tools[name]
	return ok && a.config.Runner.Permits(ctx, callerOf(ctx).Actor, tool)
}
