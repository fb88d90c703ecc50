package mcpapp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// handler answers calls of one tool. It never gives the library an error, which would tell it to the assistant as it is.
func (a *App) handler(tool *tools.Tool) server.ToolHandlerFunc {
	return func(ctx context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		call, problems := requestOf(tool, callerOf(ctx).Actor, request.Params.RawArguments)
		result, failure := a.run(ctx, request.Header, call, problems)
		if failure != nil {
			return a.failed(ctx, failure), nil
		}
		return a.succeeded(ctx, result), nil
	}
}

// requestOf makes a call of the arguments that an assistant sent: those that concern the call are taken out, the tool's own
// are left for the runner to judge.
func requestOf(tool *tools.Tool, actor tools.Actor, args json.RawMessage) (tools.Request, []tools.Problem) {
	call := tools.Request{Tool: tool, Actor: actor, Args: args}
	var given map[string]json.RawMessage
	if !tool.Effect.Writes() || json.Unmarshal(args, &given) != nil {
		return call, nil
	}
	var problems []tools.Problem
	take := func(name string, into any, fits func() bool) {
		value, ok := given[name]
		if !ok {
			return
		}
		delete(given, name)
		if json.Unmarshal(value, into) != nil || !fits() {
			problems = append(problems, problem(actor.Lang, name))
		}
	}
	take(argConfirmation, &call.Confirmation, func() bool { return true })
	take(argKey, &call.Key, func() bool { return utf8.RuneCountInString(call.Key) <= maxKey })
	rest, err := json.Marshal(given)
	if err != nil {
		panic(err) // it was JSON a moment ago
	}
	call.Args = rest
	return call, problems
}

func problem(lang words.Lang, arg string) tools.Problem {
	return tools.Problem{Path: arg, Code: "arg." + arg, Severity: tools.Blocks, Text: book.Say(lang, "problem."+arg, nil)}
}

// run makes a call, unless problems were found already, and lets nothing out but a result or a failure that may be
// told. Header is that of the HTTP request, if there is one.
func (a *App) run(ctx context.Context, header http.Header, call tools.Request, problems []tools.Problem) (result tools.Result, failure *tools.Error) {
	ctx, cancel := context.WithTimeout(ctx, a.config.CallTimeout)
	defer cancel()
	started := time.Now()
	defer func() {
		if caught := recover(); caught != nil {
			failure = &tools.Error{Kind: tools.Internal, Tool: call.Tool.Name, ID: uuid.NewString()}
			a.reportPanic(ctx, failure.ID, caught)
		}
		id, outcome := result.ID, "done"
		if failure != nil {
			id, outcome = failure.ID, string(failure.Kind)
		}
		a.config.Log.InfoContext(ctx, "an assistant's call", "call", id, "tool", call.Tool.Name, "outcome", outcome,
			"took", time.Since(started), "protocol", protocol(ctx, header), "transport", callerOf(ctx).transport)
	}()
	if problems != nil {
		return tools.Result{}, &tools.Error{Kind: tools.Invalid, Tool: call.Tool.Name, ID: uuid.NewString(), Problems: problems}
	}
	result, err := a.config.Runner.Run(ctx, call)
	if err != nil {
		return tools.Result{}, tools.AsError(err)
	}
	return result, nil
}

// reportPanic logs where it happened. What was panicked with may hold anything, so its type has to do.
func (a *App) reportPanic(ctx context.Context, id string, caught any) {
	a.config.Log.ErrorContext(ctx, "panic", "call", id, "type", fmt.Sprintf("%T", caught), "stack", string(debug.Stack()))
}

// protocol is the revision that the caller speaks, for the log. What a caller merely claims is not repeated.
func protocol(ctx context.Context, header http.Header) string {
	for _, version := range []string{server.RequestProtocolVersion(ctx), header.Get(mcp.HeaderProtocolVersion)} {
		if mcp.IsValidProtocolVersion(version) {
			return version
		}
	}
	return "unknown"
}
