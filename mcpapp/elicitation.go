package mcpapp

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/balcao/balcao/tools"
)

// A client that declares it opens the address of the page for its person: the address goes to the client and not to its model. In
// the revision 2026-07-28 the call's result asks for it, and the client makes the call again; before it, the server asks by a
// request of its own, which only a session on stdio can answer. What the client says about it approves nothing.

const (
	elicited       = "approval"       // the name of the request for input
	elicitationMax = 10 * time.Minute // how long a client has to answer
)

// roundTrip is what a client that makes a call again returns with it.
type roundTrip struct {
	state     string
	responses mcp.InputResponses
}

type roundTripKey struct{}

// withRoundTrip returns ctx with what a client returned.
func withRoundTrip(ctx context.Context, given mcp.MultiRoundTripParams) context.Context {
	if given.RequestState == "" {
		return ctx
	}
	return context.WithValue(ctx, roundTripKey{}, roundTrip{given.RequestState, given.InputResponses})
}

// requestState is what a client returns, sealed, when it makes a call again: for which approval it was asked.
type requestState struct {
	Approval string    `json:"approval"`
	Until    time.Time `json:"until"`
	// Of a client that asks by a form: the owner, and what it asked about.
	Owner string `json:"owner,omitempty"`
	Seen  string `json:"seen,omitempty"`
}

// boundTo returns what a state is sealed with: it is of one caller and one call.
func boundTo(ctx context.Context, tool *tools.Tool, args json.RawMessage) []byte {
	sum := sha256.Sum256(args)
	data, err := json.Marshal([]string{"elicitation", callerOf(ctx).ID, tool.Name, hex.EncodeToString(sum[:])})
	if err != nil {
		panic(err) // texts marshal
	}
	return data
}

func (a *App) sealState(ctx context.Context, tool *tools.Tool, args json.RawMessage, state requestState) (string, error) {
	data, err := json.Marshal(state)
	if err != nil {
		return "", err
	}
	if a.config.Runner.Sealer == nil {
		return "", errors.New("nothing can be sealed")
	}
	sealed, err := a.config.Runner.Sealer.Seal(data, boundTo(ctx, tool, args))
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

// openState returns the state that came back with a call; ok is false for one that was not given for this call of this caller, or is over.
func (a *App) openState(ctx context.Context, tool *tools.Tool, args json.RawMessage, text string) (state requestState, ok bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(text) > 4096 || a.config.Runner.Sealer == nil {
		return state, false
	}
	data, err := a.config.Runner.Sealer.Open(sealed, boundTo(ctx, tool, args))
	return state, err == nil && json.Unmarshal(data, &state) == nil && time.Now().Before(state.Until)
}

// pending answers a call that waits for a person. One who has no Slack is shown the address of the page; for a call that was asked
// for before, only if she has none.
func (a *App) pending(ctx context.Context, tool *tools.Tool, args json.RawMessage, result tools.Result, repeated bool) *mcp.CallToolResult {
	approval := *result.Pending
	waits := approvalResult(approval, nil, markdown(result.Card, callerOf(ctx).Lang))
	if approval.Status == tools.ApprovalWaits && a.trusts(ctx, tool) {
		if answer := a.askByForm(ctx, tool, args, approval); answer != nil {
			return answer
		}
	}
	if a.config.Announce == nil || approval.Owner != callerOf(ctx).ID || repeated && a.access.waits(approval.Owner) {
		return waits
	}
	if !opensAddresses(ctx) {
		a.announce(ctx, approval.Owner, approval.Expires)
		return waits
	}
	address, err := a.approvalAddress(ctx, approval.Owner, approval.Expires)
	if err != nil {
		a.config.Log.ErrorContext(ctx, "the page for decisions cannot be served", "error", err)
		return waits
	}
	a.config.Announce(address, true)
	request := mcp.ElicitationParams{
		Mode: mcp.ElicitationModeURL, Message: book.Say(callerOf(ctx).Lang, "approvals.elicit", nil), ElicitationID: approval.ID, URL: address,
	}
	if !server.IsModernRequest(ctx) {
		a.handOver(ctx, request)
		return waits
	}
	state, err := a.sealState(ctx, tool, args, requestState{Approval: approval.ID, Until: time.Now().Add(elicitationMax)})
	if err != nil {
		return waits
	}
	return server.NewInputRequestBuilder(state).Elicit(elicited, request).ToolResult()
}

// opensAddresses reports whether a client has declared that it opens addresses for its person.
func opensAddresses(ctx context.Context) bool {
	declared := clientCapabilities(ctx).Elicitation
	return declared != nil && declared.URL != nil
}

// clientCapabilities returns what a client has declared: with each request, or in the handshake of a session.
func clientCapabilities(ctx context.Context) mcp.ClientCapabilities {
	if info := server.RequestProtocolInfoFromContext(ctx); info != nil && info.Modern && info.ClientCapabilities != nil {
		return *info.ClientCapabilities
	}
	if session, has := server.ClientSessionFromContext(ctx).(server.SessionWithClientInfo); has {
		return session.GetClientCapabilities()
	}
	return mcp.ClientCapabilities{}
}

// handOver asks a client on stdio to open an address, without waiting for its answer, which says nothing of the decision. Once she
// has decided, the client is told that it is over.
func (a *App) handOver(ctx context.Context, request mcp.ElicitationParams) {
	ends, onStdio := ctx.Value(stdioKey{}).(context.Context)
	if !onStdio {
		return
	}
	actor, session := callerOf(ctx).Actor, server.ClientSessionFromContext(ctx)
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), elicitationMax)
	stop := context.AfterFunc(ends, cancel)
	go func() {
		defer cancel()
		defer stop()
		answer, err := a.server.RequestURLElicitation(asking, session, request.ElicitationID, request.URL, request.Message)
		if err != nil || answer.Action != mcp.ElicitationResponseActionAccept {
			return // the address is printed too
		}
		until, _ := asking.Deadline()
		approval, _, err := a.config.Runner.AwaitApproval(asking, actor, request.ElicitationID, time.Until(until))
		if err == nil && approval.Status.Decided() {
			_ = a.server.SendElicitationComplete(asking, session, request.ElicitationID) // clients may do without
		}
	}()
}

// stdioKey is the key of the context that ends with a connection on stdio.
type stdioKey struct{}

// resumed answers a call that a client makes again after it was asked to open the page. The approval was asked for already.
func (a *App) resumed(ctx context.Context, tool *tools.Tool, args json.RawMessage, trip roundTrip) *mcp.CallToolResult {
	state, ok := a.openState(ctx, tool, args, trip.state)
	if !ok {
		return a.invalid(ctx, "", "state", nil)
	}
	if state.Seen != "" && a.config.Runner.Policy.Of(tool) == tools.Elicit {
		return a.decided(ctx, state, server.ElicitationResponse(trip.responses, elicited))
	}
	return a.outcome(ctx, state.Approval)
}

// outcome tells an assistant how far an approval is.
func (a *App) outcome(ctx context.Context, id string) *mcp.CallToolResult {
	approval, result, err := a.config.Runner.AwaitApproval(ctx, callerOf(ctx).Actor, id, 0)
	if err != nil {
		return a.errorResult(ctx, tools.AsError(err))
	}
	return a.approvalAnswer(ctx, approval, result)
}
