package mcpapp

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/balcao/balcao/tools"
)

// Where the policy trusts a client, see [tools.Elicit], the client asks its person to accept or decline, with a form that has no
// fields. It could answer by itself. What it asks about waits as an approval all the same: a client that does not ask, or a person
// who does not answer, leaves it to be decided in Slack or on the page.

// trusts reports whether the client may ask its person by a form, and can.
func (a *App) trusts(ctx context.Context, tool *tools.Tool) bool {
	if a.config.Runner.Policy.Of(tool) != tools.Elicit {
		return false
	}
	declared := clientCapabilities(ctx).Elicitation
	return declared != nil && (declared.Form != nil || declared.URL == nil) // without a mode, forms are meant
}

// askByForm has the client ask its person. It returns nil if that is not possible.
func (a *App) askByForm(ctx context.Context, tool *tools.Tool, args json.RawMessage, approval tools.Approval) *mcp.CallToolResult {
	lang := callerOf(ctx).Lang
	review, err := a.config.Runner.Review(ctx, tools.Actor{ID: approval.Owner, Lang: lang}, approval.ID)
	if err != nil || review.Seen == "" {
		return nil
	}
	state := requestState{Approval: approval.ID, Until: time.Now().Add(elicitationMax), Owner: approval.Owner, Seen: review.Seen}
	request := mcp.ElicitationParams{
		Mode: mcp.ElicitationModeForm, Message: formMessage(ctx, tool, review), RequestedSchema: map[string]any{"type": "object", "properties": map[string]any{}},
	}
	if server.IsModernRequest(ctx) {
		sealed, err := a.sealState(ctx, tool, args, state)
		if err != nil {
			return nil
		}
		return server.NewInputRequestBuilder(sealed).Elicit(elicited, request).ToolResult()
	}
	if _, onStdio := ctx.Value(stdioKey{}).(context.Context); !onStdio {
		return nil
	}
	waiting, cancel := context.WithTimeout(ctx, longestWait)
	defer cancel()
	answer, err := a.server.RequestElicitation(waiting, mcp.ElicitationRequest{Params: request})
	if err != nil {
		return nil
	}
	return a.decided(ctx, state, answer)
}

// formMessage says what is asked, without personal data: the client may keep it.
func formMessage(ctx context.Context, tool *tools.Tool, review tools.Review) string {
	lang := callerOf(ctx).Lang
	lines := []string{book.Say(lang, "elicit.form", map[string]any{"what": tool.Title(lang), "about": sanitize(review.About)})}
	for _, p := range review.Problems {
		if p.Severity == tools.Warns {
			lines = append(lines, "- "+sanitize(p.Text))
		}
	}
	return strings.Join(lines, "\n")
}

// decided does what a person decided in her client, and answers the call. An answer that comes twice does nothing the second time.
func (a *App) decided(ctx context.Context, state requestState, answer *mcp.ElicitationResult) *mcp.CallToolResult {
	owner := tools.Actor{ID: state.Owner, Lang: callerOf(ctx).Lang}
	var err error
	switch {
	case answer == nil: // the client did not ask
	case answer.Action == mcp.ElicitationResponseActionAccept:
		var result tools.Result
		result, err = a.config.Runner.Approve(ctx, owner, state.Approval, tools.Approved{Seen: state.Seen})
		result.Close()
	case answer.Action == mcp.ElicitationResponseActionDecline:
		err = a.config.Runner.Reject(ctx, owner, state.Approval, "")
	}
	if err != nil { // it stays as it is, which the assistant is told
		a.config.Log.InfoContext(ctx, "what a client answered for its person was not done", "approval", state.Approval, "kind", tools.AsError(err).Kind)
	}
	a.remind(ctx, state.Approval) // it may be open still
	return a.outcome(ctx, state.Approval)
}
