package mcpapp

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/balcao/balcao/tools"
)

// How long a call waits for the decision of a person.
const (
	usualWait    = 30 * time.Second
	longestWait  = 50 * time.Second // shorter than clients wait for a call
	progressStep = 2 * time.Second
)

// shownApproval is what an assistant is told of an approval: no value that the person typed or the bank holds.
type shownApproval struct {
	ID      string               `json:"id"`
	Status  tools.ApprovalStatus `json:"status"`
	Tool    string               `json:"tool"`
	Asked   time.Time            `json:"asked"`
	Expires time.Time            `json:"expires"`
	Missing []string             `json:"missing,omitempty"` // of a draft: the paths of fields
	Changed []string             `json:"changed,omitempty"` // by the person: the paths of fields
	Reason  string               `json:"reason,omitempty"`  // of a rejection
	Failure tools.ErrorKind      `json:"failure,omitempty"`
}

// approvalResult returns the result of a call about an approval. result is that of the call that was approved, or nil.
func approvalResult(a tools.Approval, result json.RawMessage, text string) *mcp.CallToolResult {
	content := map[string]any{argApproval: shownApproval{
		a.ID, a.Status, a.Tool, a.Asked.UTC().Truncate(time.Second), a.Expires.UTC().Truncate(time.Second), a.Missing, a.Changed, sanitize(a.Reason), a.Failure,
	}}
	if result != nil {
		content["result"] = result
	}
	data, err := json.Marshal(content)
	if err != nil {
		panic(err) // texts and raw JSON marshal
	}
	return &mcp.CallToolResult{StructuredContent: json.RawMessage(data), Content: contents(text)}
}

// approvalIn returns the id of an approval in the arguments, "" if there is none.
func approvalIn(given map[string]json.RawMessage) (id string) {
	if json.Unmarshal(given[argApproval], &id) != nil || len(id) > 64 {
		return ""
	}
	return id
}

// awaitApproval waits until a person has decided, and tells what became of the call.
func (a *App) awaitApproval(ctx context.Context, _ http.Header, given map[string]json.RawMessage) *mcp.CallToolResult {
	wait, seconds := usualWait, 0.0
	if value, has := given[argSeconds]; has {
		if json.Unmarshal(value, &seconds) != nil || seconds < 0 {
			return a.invalid(ctx, argSeconds, "seconds", nil)
		}
		wait = min(time.Duration(seconds*float64(time.Second)), longestWait)
	}
	a.remind(ctx, approvalIn(given))
	for waited := time.Duration(0); ; {
		a.progress(ctx, waited, wait) // before a step, because the library may lose what is sent just before the result
		step := min(progressStep, wait-waited)
		approval, result, err := a.config.Runner.AwaitApproval(ctx, callerOf(ctx).Actor, approvalIn(given), step)
		if waited += step; err != nil {
			return a.errorResult(ctx, tools.AsError(err))
		}
		if approval.Status.Decided() || waited >= wait || ctx.Err() != nil {
			return a.approvalAnswer(ctx, approval, result)
		}
	}
}

// remind shows the address of the page again to a person who has none that works, where an assistant waits for her.
func (a *App) remind(ctx context.Context, id string) {
	if a.config.Announce == nil {
		return
	}
	approval, _, err := a.config.Runner.AwaitApproval(ctx, callerOf(ctx).Actor, id, 0)
	if err != nil || !approval.Status.Open() || approval.Owner != callerOf(ctx).ID || a.access.waits(approval.Owner) {
		return
	}
	a.announce(ctx, approval.Owner, approval.Expires)
}

// approvalAnswer tells an assistant how far an approval is, with the result of one that was made.
func (a *App) approvalAnswer(ctx context.Context, approval tools.Approval, result tools.Result) *mcp.CallToolResult {
	lang := callerOf(ctx).Lang
	text := book.Say(lang, "approval."+string(approval.Status), map[string]any{"reason": escapeMarkdown(approval.Reason)})
	if len(approval.Changed) > 0 {
		text += " " + book.Say(lang, "approval.changed", map[string]any{"fields": strings.Join(approval.Changed, ", ")})
	}
	if result.Output == nil {
		return approvalResult(approval, nil, text)
	}
	made := a.resultOf(ctx, result)
	if made.IsError {
		return made
	}
	data, _ := made.StructuredContent.(json.RawMessage)
	answer := approvalResult(approval, data, text)
	answer.Content = append(answer.Content, made.Content...)
	return answer
}

// withdrawApproval ends an approval that the assistant asked for.
func (a *App) withdrawApproval(ctx context.Context, _ http.Header, given map[string]json.RawMessage) *mcp.CallToolResult {
	actor, id := callerOf(ctx).Actor, approvalIn(given)
	if err := a.config.Runner.Withdraw(ctx, actor, id); err != nil {
		return a.errorResult(ctx, tools.AsError(err))
	}
	approval, result, err := a.config.Runner.AwaitApproval(ctx, actor, id, 0)
	if err != nil {
		return a.errorResult(ctx, tools.AsError(err))
	}
	return a.approvalAnswer(ctx, approval, result)
}

// progress tells a client that asked for it that the call still waits. One that is lost is followed by others.
func (a *App) progress(ctx context.Context, waited, wait time.Duration) {
	token, asked := ctx.Value(progressKey{}).(mcp.ProgressToken)
	if !asked || token == nil {
		return
	}
	_ = server.ServerFromContext(ctx).SendNotificationToClient(ctx, "notifications/progress", map[string]any{
		"progressToken": token, "progress": waited.Seconds(), "total": wait.Seconds(),
	})
}

type progressKey struct{}
