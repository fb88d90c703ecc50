package mcpapp

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// The list of tools is part of every request to a model. It has the core of the catalogue, and four tools of this package that
// reach all operations: an assistant finds the name of one, has it described, and calls it through one of two, so that the
// hints of a call that only reads are honest. Two more follow a call that waits for a person.
const (
	findOperation     = "find_operation"
	describeOperation = "describe_operation"
	readOperation     = "read_operation"
	writeOperation    = "write_operation"
	awaitApproval     = "await_approval"
	withdrawApproval  = "withdraw_approval"
)

// Their arguments.
const (
	argText      = "text"
	argOperation = "operation"
	argArguments = "arguments"
	argApproval  = "approval"
	argSeconds   = "seconds"
)

// ownTool is a tool of this package.
type ownTool struct {
	args     []string
	required []string
	effect   tools.Effect
	output   string // JSON Schema
	handle   func(context.Context, http.Header, map[string]json.RawMessage) *mcp.CallToolResult
	follows  bool // it follows calls that wait for a person, and is for callers who may change something
}

// ownTools returns the tools of this package, by name.
func (a *App) ownTools() map[string]ownTool {
	return map[string]ownTool{
		findOperation: {
			args: []string{argText}, effect: tools.Reads, handle: a.findOperation,
			output: `{"type":"object","properties":{"operations":{"type":"array","items":{"type":"object"}}}}`,
		},
		describeOperation: {
			args: []string{argOperation}, required: []string{argOperation}, effect: tools.Reads, handle: a.describeOperation,
			output: `{"type":"object","properties":{"operation":{"type":"string"}}}`,
		},
		readOperation: {
			args: []string{argOperation, argArguments}, required: []string{argOperation}, effect: tools.Reads, handle: a.readOperation,
			output: `{"type":"object","properties":{}}`,
		},
		writeOperation: {
			args: []string{argOperation, argArguments, argConfirmation, argKey}, required: []string{argOperation, argArguments}, effect: tools.Updates,
			handle: a.writeOperation, output: `{"type":"object","properties":{}}`,
		},
		awaitApproval: {
			args: []string{argApproval, argSeconds}, required: []string{argApproval}, effect: tools.Reads, follows: true, handle: a.awaitApproval,
			output: `{"type":"object","properties":{"approval":{"type":"object"},"result":{"type":"object"}}}`,
		},
		withdrawApproval: {
			args: []string{argApproval}, required: []string{argApproval}, effect: tools.Remembers, follows: true, handle: a.withdrawApproval,
			output: `{"type":"object","properties":{"approval":{"type":"object"}}}`,
		},
	}
}

// addOwn offers a tool of this package.
func (a *App) addOwn(name string, own ownTool) {
	properties := map[string]any{}
	for _, arg := range own.args {
		kind := "string"
		switch arg {
		case argArguments:
			kind = "object"
		case argSeconds:
			kind = "integer"
		}
		properties[arg] = map[string]any{"type": kind, "description": book.Say(words.English, "arg."+arg, nil)}
	}
	input := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if own.required != nil {
		input["required"] = own.required
	}
	data, err := json.Marshal(input)
	if err != nil {
		panic(err) // texts marshal
	}
	a.own[name] = own
	a.server.AddTool(mcp.Tool{
		Name: name, Title: book.Say(words.English, name+".title", nil), Description: book.Say(words.English, name+".help", nil),
		RawInputSchema: data, RawOutputSchema: json.RawMessage(own.output), Annotations: annotations(own.effect),
	}, a.ownHandler(name, own))
}

// ownHandler returns the handler of a tool of this package. It never returns an error, as [App.handler].
func (a *App) ownHandler(name string, own ownTool) server.ToolHandlerFunc {
	return func(ctx context.Context, request mcp.CallToolRequest) (answer *mcp.CallToolResult, _ error) {
		started, id := time.Now(), uuid.NewString()
		defer func() {
			if recovered := recover(); recovered != nil {
				a.reportPanic(ctx, id, recovered)
				answer = a.errorResult(ctx, &tools.Error{Kind: tools.Internal, ID: id})
			}
			a.config.Log.InfoContext(ctx, "operation tool called", "tool", name, "failed", answer.IsError, "took", time.Since(started))
		}()
		if !a.offersOwn(ctx, own) {
			return a.errorResult(ctx, &tools.Error{Kind: tools.Forbidden, ID: id}), nil
		}
		given := map[string]json.RawMessage{}
		if len(request.Params.RawArguments) > 0 && json.Unmarshal(request.Params.RawArguments, &given) != nil {
			return a.invalid(ctx, "", "arguments", nil), nil
		}
		for arg := range given {
			if slices.Contains(own.args, arg) {
				continue
			}
			if slices.Contains(own.args, argArguments) {
				return a.invalid(ctx, argArguments, "outside", nil), nil
			}
			return a.invalid(ctx, "", "unknown", map[string]any{"known": strings.Join(own.args, ", ")}), nil
		}
		if meta := request.Params.Meta; meta != nil {
			ctx = context.WithValue(ctx, progressKey{}, meta.ProgressToken)
		}
		return own.handle(withRoundTrip(ctx, request.Params.MultiRoundTripParams), request.Header, given), nil
	}
}

// offersOwn reports whether the caller may use one of the operations that a tool of this package reaches.
func (a *App) offersOwn(ctx context.Context, own ownTool) bool {
	for name, tool := range a.tools {
		if (own.effect == tools.Reads && !own.follows || tool.Effect.Writes()) && a.permits(ctx, name) {
			return true
		}
	}
	return false
}

// invalid returns the result of a call with a problem of its arguments.
func (a *App) invalid(ctx context.Context, path, problem string, args map[string]any) *mcp.CallToolResult {
	text := book.Say(callerOf(ctx).Lang, "problem.operation."+problem, args)
	return a.errorResult(ctx, &tools.Error{Kind: tools.Invalid, ID: uuid.NewString(), Problems: []tools.Problem{
		{Path: path, Code: "operation." + problem, Severity: tools.Blocks, Text: text},
	}})
}

// readOperation makes a call that changes nothing.
func (a *App) readOperation(ctx context.Context, header http.Header, given map[string]json.RawMessage) *mcp.CallToolResult {
	tool, wrong := a.operationIn(ctx, given)
	switch {
	case wrong != nil:
		return wrong
	case tool.Effect.Writes() && tool.ForAssistants():
		return a.invalid(ctx, argOperation, "writes", map[string]any{"tool": a.nameOfCall(tool)})
	}
	args, ok := argumentsIn(given)
	if !ok {
		return a.invalid(ctx, argArguments, "arguments", nil)
	}
	return a.call(ctx, header, tool, args)
}

// writeOperation makes a call that changes or sends something.
func (a *App) writeOperation(ctx context.Context, header http.Header, given map[string]json.RawMessage) *mcp.CallToolResult {
	tool, wrong := a.operationIn(ctx, given)
	switch {
	case wrong != nil:
		return wrong
	case !tool.Effect.Writes() && tool.ForAssistants():
		return a.invalid(ctx, argOperation, "reads", map[string]any{"tool": a.nameOfCall(tool)})
	}
	args, ok := argumentsIn(given)
	if !ok {
		return a.invalid(ctx, argArguments, "arguments", nil)
	}
	for _, ofCall := range []string{argConfirmation, argKey} {
		if value, has := given[ofCall]; has {
			args[ofCall] = value
		}
	}
	return a.call(ctx, header, tool, args)
}

// call calls an operation as its own tool does.
func (a *App) call(ctx context.Context, header http.Header, tool *tools.Tool, args map[string]json.RawMessage) *mcp.CallToolResult {
	data, err := json.Marshal(args)
	if err != nil {
		panic(err) // it was parsed from JSON
	}
	return a.answer(ctx, header, tool, data)
}

// operationIn returns the tool that the arguments name, or the result that says what is wrong with the name. It does not
// repeat the name.
func (a *App) operationIn(ctx context.Context, given map[string]json.RawMessage) (*tools.Tool, *mcp.CallToolResult) {
	var name string
	if json.Unmarshal(given[argOperation], &name) != nil || strings.TrimSpace(name) == "" {
		return nil, a.invalid(ctx, argOperation, "missing", nil)
	}
	if tool, ok := a.tools[strings.TrimSpace(name)]; ok {
		return tool, nil
	}
	if _, own := a.own[name]; own {
		return nil, a.invalid(ctx, argOperation, "own", nil)
	}
	var nearest []string
	for _, tool := range a.config.Runner.Catalogue.NearestName(name) {
		if a.permits(ctx, tool.Name) {
			nearest = append(nearest, tool.Name)
		}
	}
	return nil, a.invalid(ctx, argOperation, "none", map[string]any{"nearest": strings.Join(nearest, ", ")})
}

// argumentsIn returns the arguments for the operation. Some clients send an object as text.
func argumentsIn(given map[string]json.RawMessage) (args map[string]json.RawMessage, ok bool) {
	data := given[argArguments]
	var text string
	if json.Unmarshal(data, &text) == nil {
		data = json.RawMessage(text)
	}
	if len(strings.TrimSpace(string(data))) == 0 {
		return map[string]json.RawMessage{}, true
	}
	if json.Unmarshal(data, &args) != nil {
		return nil, false
	}
	if args == nil {
		args = map[string]json.RawMessage{}
	}
	return args, true
}

// nameOfCall returns the tool by which an assistant calls an operation: its own if that is listed, or else one of the two.
func (a *App) nameOfCall(tool *tools.Tool) string {
	switch {
	case a.listed[tool.Name]:
		return tool.Name
	case tool.Effect.Writes():
		return writeOperation
	}
	return readOperation
}

// callOf returns how an assistant makes a call: the name of a tool and its arguments.
func (a *App) callOf(tool *tools.Tool, args any) (name string, arguments any) {
	name = a.nameOfCall(tool)
	if name == tool.Name {
		return name, args
	}
	return name, callThrough{tool.Name, args}
}

// callThrough has the arguments of a call through readOperation or writeOperation, in the order in which they are read.
type callThrough struct {
	Operation string `json:"operation"`
	Arguments any    `json:"arguments"`
}
