package mcpapp

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// handler returns the handler of one tool. It never returns an error, because the library would show it to the assistant
// unchanged.
func (a *App) handler(tool *tools.Tool) server.ToolHandlerFunc {
	return func(ctx context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return a.answer(withRoundTrip(ctx, request.Params.MultiRoundTripParams), request.Header, tool, request.Params.RawArguments), nil
	}
}

// answer makes a call and returns its result, also of one that failed.
func (a *App) answer(ctx context.Context, header http.Header, tool *tools.Tool, args json.RawMessage) *mcp.CallToolResult {
	if trip, again := ctx.Value(roundTripKey{}).(roundTrip); again && tool.Effect.Writes() {
		return a.resumed(ctx, tool, args, trip)
	}
	actor := callerOf(ctx).Actor
	if actor.Client == "" && tool.Effect.Writes() { // else it is known, and not only said
		actor.Client = clientName(ctx, header)
	}
	call, problems := requestOf(tool, actor, args)
	call.Page = a.config.Announce != nil || a.trusts(ctx, tool)
	started := time.Now()
	result, failure := a.run(ctx, header, call, problems)
	switch {
	case failure != nil:
		return a.errorResult(ctx, failure)
	case result.Pending != nil:
		return a.pending(ctx, tool, args, result, result.Pending.Asked.Before(started))
	}
	return a.resultOf(ctx, result)
}

// maxClientName is the most characters of a client's name that are kept.
const maxClientName = 60

// clientName returns what the program of the caller calls itself, "" if it does not say: the client's info, or the first word of
// the header User-Agent.
func clientName(ctx context.Context, header http.Header) string {
	info := mcp.Implementation{}
	if request := server.RequestProtocolInfoFromContext(ctx); request != nil && request.ClientInfo != nil {
		info = *request.ClientInfo
	} else if session, ok := server.ClientSessionFromContext(ctx).(server.SessionWithClientInfo); ok {
		info = session.GetClientInfo()
	}
	name := strings.TrimSpace(cmp.Or(info.Title, info.Name) + " " + info.Version)
	if name == "" {
		name, _, _ = strings.Cut(header.Get("User-Agent"), " ")
	}
	text := []rune(tools.Clean(name))
	return string(text[:min(len(text), maxClientName)])
}

// requestOf returns the runner's request for the arguments that an assistant sent. It removes the arguments of the call
// itself, and leaves the tool's own fields for the runner to check.
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
		panic(err) // it was parsed from JSON
	}
	call.Args = rest
	return call, problems
}

func problem(lang words.Lang, arg string) tools.Problem {
	return tools.Problem{Path: arg, Code: "arg." + arg, Severity: tools.Blocks, Text: book.Say(lang, "problem."+arg, nil)}
}

// run runs a call, unless problems were found already. It recovers panics, and returns a result or an error that may be
// shown to the caller. header is that of the HTTP request, nil on stdio.
func (a *App) run(ctx context.Context, header http.Header, call tools.Request, problems []tools.Problem) (result tools.Result, failure *tools.Error) {
	ctx, cancel := context.WithTimeout(ctx, a.config.CallTimeout)
	defer cancel()
	defer func() {
		if recovered := recover(); recovered != nil {
			failure = &tools.Error{Kind: tools.Internal, Tool: call.Tool, ID: uuid.NewString()}
			a.reportPanic(ctx, failure.ID, recovered)
		}
	}()
	call.Via = callerOf(ctx).transport + " " + protocol(ctx, header)
	if problems != nil {
		failure = &tools.Error{Kind: tools.Invalid, Tool: call.Tool, ID: uuid.NewString(), Problems: problems}
		a.config.Log.WarnContext(ctx, "call", "call", failure.ID, "tool", call.Tool.Name, "outcome", failure.Kind, "via", call.Via)
		return tools.Result{}, failure
	}
	result, err := a.config.Runner.Run(ctx, call)
	if err != nil {
		return tools.Result{}, tools.AsError(err)
	}
	return result, nil
}

// reportPanic logs the stack and the type of the recovered value. The value itself may hold personal data.
func (a *App) reportPanic(ctx context.Context, id string, recovered any) {
	a.config.Log.ErrorContext(ctx, "panic", "call", id, "type", fmt.Sprintf("%T", recovered), "stack", string(debug.Stack()))
}

// protocol returns the caller's protocol revision for the log, "unknown" if it is not a known one.
func protocol(ctx context.Context, header http.Header) string {
	for _, version := range []string{server.RequestProtocolVersion(ctx), header.Get(mcp.HeaderProtocolVersion)} {
		if mcp.IsValidProtocolVersion(version) {
			return version
		}
	}
	return "unknown"
}
