package mcpapp_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

// opener is a client's part that opens addresses for its person.
type opener struct {
	mu     sync.Mutex
	opened []mcp.ElicitationParams
	answer mcp.ElicitationResponseAction
	forms  bool // it asks by forms, and opens no addresses
}

func (o *opener) Elicit(_ context.Context, request mcp.ElicitationRequest) (*mcp.ElicitationResult, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.opened = append(o.opened, request.Params)
	return &mcp.ElicitationResult{ElicitationResponse: mcp.ElicitationResponse{Action: o.answer}}, nil
}

func (o *opener) all() []mcp.ElicitationParams {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]mcp.ElicitationParams(nil), o.opened...)
}

func TestAClientThatOpensAddressesIsHandedThePage(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"stdio", "HTTP"} {
		for _, revision := range []string{legacy, modern} {
			for _, answer := range []mcp.ElicitationResponseAction{mcp.ElicitationResponseActionAccept, mcp.ElicitationResponseActionDecline, mcp.ElicitationResponseActionCancel} {
				t.Run(strings.Join([]string{transport, revision, string(answer)}, " "), func(t *testing.T) {
					t.Parallel()
					p := startWithPage(t, transport == "HTTP")
					client := &opener{answer: answer}
					a := p.connect(t, revision, client)
					result := a.call(t, "create_borrower", newBorrower(t, nil))
					asked := approvalIn(t, result)
					shown := waittest.Receive(t, "the address is shown", p.announced)
					if asked.Status != "waiting" || p.bank.Calls(portal.BorrowerCreate) != 0 {
						t.Fatalf("the client's answer decides: %+v", asked)
					}
					if transport == "HTTP" && revision == legacy { // without a session nothing is known of the client
						if shown.handed || len(client.all()) != 0 {
							t.Errorf("it is handed %v", client.all())
						}
						return
					}
					waittest.Eventually(t, "the client is handed the address", func() bool { return len(client.all()) == 1 })
					handed := client.all()[0]
					if !shown.handed || handed.Mode != mcp.ElicitationModeURL || handed.URL != shown.url || handed.Message == "" {
						t.Errorf("it is handed %+v", handed)
					}
					lacks(t, text(result)+handed.Message, shown.url, "299999998")
					ana := browser(t).opens(handed.URL)
					ana.submit("/approve")
					if told := approvalIn(t, a.call(t, "await_approval", map[string]any{"approval": asked.ID})); told.Status != "done" || p.bank.Calls(portal.BorrowerCreate) != 1 {
						t.Errorf("got %+v", told)
					}
					if transport == "stdio" && revision == legacy && answer == mcp.ElicitationResponseActionAccept {
						waittest.Eventually(t, "the client is told that it is over", func() bool { return strings.Contains(p.wire.String(), "notifications/elicitation/complete") })
					}
				})
			}
		}
	}
}

// inputRequired is a result that asks for input.
type inputRequired struct {
	ResultType    string
	RequestState  string
	InputRequests map[string]struct {
		Params struct{ Mode, URL string }
	}
	StructuredContent json.RawMessage
	IsError           bool
	Content           []struct{ Text string }
}

// asks makes a call as a client with capabilities.
func asks(t *testing.T, to rawClient, capabilities map[string]any, params map[string]any) (answer inputRequired) {
	t.Helper()
	params["_meta"] = map[string]any{
		"io.modelcontextprotocol/protocolVersion": modern, "io.modelcontextprotocol/clientCapabilities": capabilities,
		"io.modelcontextprotocol/clientInfo": map[string]any{"name": "test", "version": "1"},
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
	must(t, err)
	reply := to.send(t, http.MethodPost, string(body), map[string]string{"Mcp-Protocol-Version": modern, "Mcp-Method": "tools/call", "Mcp-Name": params["name"].(string)})
	must(t, json.Unmarshal(reply.result(t), &answer))
	return answer
}

func TestOnlyAClientThatDeclaresItIsHandedAnAddress(t *testing.T) {
	t.Parallel()
	p := startWithPage(t, true)
	to := rawClient{url: p.server.URL + "/mcp"}
	for what, capabilities := range map[string]map[string]any{
		"nothing": {}, "forms": {"elicitation": map[string]any{"form": map[string]any{}}}, "forms by the older word": {"elicitation": map[string]any{}},
	} {
		got := asks(t, to, capabilities, map[string]any{"name": "create_borrower", "arguments": newBorrower(t, nil)})
		if got.ResultType == "input_required" || got.InputRequests != nil || got.IsError {
			t.Errorf("a client that declares %s gets %+v", what, got)
		}
	}
}

func TestTheStateOfARoundTripIsOfOneCall(t *testing.T) {
	t.Parallel()
	p := startWithPage(t, true, func(o *options) {
		always := o.app.Actor
		o.app.Actor = func(ctx context.Context, r *http.Request) (tools.Actor, bool) {
			if r.Header.Get("X-Bruno") != "" {
				return tools.Actor{ID: "mcp:bruno"}, true
			}
			return always(ctx, r)
		}
	})
	to := rawClient{url: p.server.URL + "/mcp"}
	opens := map[string]any{"elicitation": map[string]any{"url": map[string]any{}}}
	args := newBorrower(t, nil)
	first := asks(t, to, opens, map[string]any{"name": "create_borrower", "arguments": args})
	if first.ResultType != "input_required" || first.RequestState == "" || first.InputRequests["approval"].Params.URL == "" || first.StructuredContent != nil {
		t.Fatalf("got %+v", first)
	}
	accepted := map[string]any{"approval": map[string]any{"action": "accept", "content": map[string]any{"approved": true}}}
	again := func(name string, args any, state string) map[string]any {
		return map[string]any{"name": name, "arguments": args, "requestState": state, "inputResponses": accepted}
	}
	got := asks(t, to, opens, again("create_borrower", args, first.RequestState))
	if got.IsError || !strings.Contains(string(got.StructuredContent), `"waiting"`) {
		t.Errorf("the call made again gives %+v", got)
	}
	theirs := to
	theirs.headers = map[string]string{"X-Bruno": "1"}
	for what, c := range map[string]struct {
		from   rawClient
		params map[string]any
	}{
		"with other arguments": {to, again("create_borrower", withArg(args, "personal.mobile", "913333333"), first.RequestState)},
		"of another tool":      {to, again("send_esis", args, first.RequestState)},
		"of another caller":    {theirs, again("create_borrower", args, first.RequestState)},
		"with a forged state":  {to, again("create_borrower", args, "Zm9yZ2Vk")},
		"with a changed state": {to, again("create_borrower", args, first.RequestState[:len(first.RequestState)-2]+"AA")},
		"with a long state":    {to, again("create_borrower", args, strings.Repeat("A", 10_000))},
	} {
		if got := asks(t, c.from, opens, c.params); !got.IsError || !strings.Contains(got.Content[0].Text, "state") {
			t.Errorf("a call %s gives %+v", what, got)
		}
	}
	// Without a state what a client says of it counts for nothing.
	unasked := asks(t, to, opens, map[string]any{"name": "create_borrower", "arguments": args, "inputResponses": accepted})
	if !strings.Contains(string(unasked.StructuredContent), `"waiting"`) || p.bank.Calls(portal.BorrowerCreate) != 0 {
		t.Errorf("got %+v", unasked)
	}
}

func byForm(o *options) { o.policy = tools.Policy{"creates": tools.Elicit} }

func TestATrustedClientAsksItsPerson(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"stdio", "HTTP"} {
		for _, revision := range []string{legacy, modern} {
			for action, want := range map[mcp.ElicitationResponseAction]string{
				mcp.ElicitationResponseActionAccept: "done", mcp.ElicitationResponseActionDecline: "rejected", mcp.ElicitationResponseActionCancel: "waiting",
			} {
				t.Run(strings.Join([]string{transport, revision, string(action)}, " "), func(t *testing.T) {
					t.Parallel()
					p := startWithPage(t, transport == "HTTP", byForm)
					client := &opener{answer: action, forms: true}
					a := p.connect(t, revision, client)
					asked := approvalIn(t, a.call(t, "create_borrower", newBorrower(t, nil)))
					forms := client.all()
					if transport == "HTTP" && revision == legacy { // without a session nothing is known of the client
						if asked.Status != "waiting" || len(forms) != 0 {
							t.Errorf("got %+v", asked)
						}
						return
					}
					if asked.Status != want || len(forms) != 1 || forms[0].Mode != mcp.ElicitationModeForm || (p.bank.Calls(portal.BorrowerCreate) == 1) != (want == "done") {
						t.Fatalf("got %+v after %+v", asked, forms)
					}
					contains(t, forms[0].Message, "New borrower", "1042")
					lacks(t, p.wire.String(), "299999998", "Rui Amostra", "rui@example.com")
					if want == "waiting" { // she decides on the page
						ana := browser(t).opens(p.address(t))
						ana.submit("/approve")
						contains(t, ana.text(), "Borrower created")
					}
					// A draft is completed, and what another effect has is approved: on the page.
					if draft := approvalIn(t, a.call(t, "create_borrower", newBorrower(t, map[string]string{"taxId": `null`}))); draft.Status != "draft" {
						t.Errorf("got %+v", draft)
					}
					sent := approvalIn(t, a.call(t, "update_borrower", map[string]any{
						"process": "1043", "borrower": sandbox.SampleBorrower(1043, 0).String(), "set": map[string]any{"personal.email": "novo@example.com"},
					}))
					if sent.Status != "waiting" || len(client.all()) != 1 {
						t.Errorf("got %+v after %+v", sent, client.all())
					}
				})
			}
		}
	}
}

func TestAnAnswerToAFormIsOfOneCallAndCountsOnce(t *testing.T) {
	t.Parallel()
	p := startWithPage(t, true, byForm)
	to := rawClient{url: p.server.URL + "/mcp"}
	forms := map[string]any{"elicitation": map[string]any{}}
	args := newBorrower(t, nil)
	first := asks(t, to, forms, map[string]any{"name": "create_borrower", "arguments": args})
	answered := func(args any, action string) map[string]any {
		return map[string]any{
			"name": "create_borrower", "arguments": args, "requestState": first.RequestState, "inputResponses": map[string]any{"approval": map[string]any{"action": action}},
		}
	}
	if first.ResultType != "input_required" || first.InputRequests["approval"].Params.Mode != mcp.ElicitationModeForm {
		t.Fatalf("got %+v", first)
	}
	if got := asks(t, to, forms, answered(withArg(args, "personal.mobile", "913333333"), "accept")); !got.IsError {
		t.Errorf("other arguments: %+v", got)
	}
	if got := asks(t, to, forms, answered(args, "cancel")); !strings.Contains(string(got.StructuredContent), `"waiting"`) {
		t.Errorf("a cancelled form: %+v", got)
	}
	for range 3 {
		if got := asks(t, to, forms, answered(args, "accept")); !strings.Contains(string(got.StructuredContent), `"done"`) {
			t.Errorf("an accepted form: %+v", got)
		}
	}
	if got := asks(t, to, forms, answered(args, "decline")); !strings.Contains(string(got.StructuredContent), `"done"`) || p.bank.Calls(portal.BorrowerCreate) != 1 {
		t.Errorf("a form that is declined afterwards: %+v", got)
	}
}

// What a client says under another policy approves nothing, not even with a state that it was given under this one.
func TestAFormCountsOnlyWhereThePolicyTrustsTheClient(t *testing.T) {
	t.Parallel()
	p := startWithPage(t, true, byForm)
	to := rawClient{url: p.server.URL + "/mcp"}
	forms := map[string]any{"elicitation": map[string]any{"form": map[string]any{}}}
	args := newBorrower(t, nil)
	asked := asks(t, to, forms, map[string]any{"name": "create_borrower", "arguments": args})
	p.runner.Policy = tools.Policy{}
	got := asks(t, to, forms, map[string]any{
		"name": "create_borrower", "arguments": args, "requestState": asked.RequestState, "inputResponses": map[string]any{"approval": map[string]any{"action": "accept"}},
	})
	if !strings.Contains(string(got.StructuredContent), `"waiting"`) || p.bank.Calls(portal.BorrowerCreate) != 0 {
		t.Errorf("got %+v", got)
	}
	if got := asks(t, to, forms, map[string]any{"name": "create_borrower", "arguments": newBorrower(t, map[string]string{"name": `"Eva Amostra"`})}); got.ResultType == "input_required" {
		t.Errorf("it is asked for by a form: %+v", got)
	}
}
