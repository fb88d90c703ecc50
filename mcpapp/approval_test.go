package mcpapp_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/mcpapp"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// A person who decides in Slack what her assistant asks for.
const account = "slack:T0TEAM/U0ANA"

// withApprovals has a person approve what the assistant «mcp:ana» asks for.
func withApprovals(o *options) {
	team := testenv.Team()
	person := team["ana"]
	team[account] = person
	person.Account = account
	team["mcp:ana"] = person
	o.people, o.policy = team, tools.Policy{}
	o.app.Actor = mcpapp.Always(tools.Actor{ID: "mcp:ana", Lang: words.English})
}

// approvalIn returns the member approval of a result.
func approvalIn(t *testing.T, result *mcp.CallToolResult) (approval struct {
	ID, Status, Reason, Failure string
	Missing, Changed            []string
}) {
	t.Helper()
	data, err := json.Marshal(succeeded(t, result).StructuredContent)
	must(t, err)
	var content struct{ Approval json.RawMessage }
	must(t, json.Unmarshal(data, &content))
	must(t, json.Unmarshal(content.Approval, &approval))
	return approval
}

func newBorrower(t *testing.T, change map[string]string) map[string]any {
	t.Helper()
	var args map[string]any
	must(t, json.Unmarshal([]byte(testenv.NewBorrower(change)), &args))
	return args
}

func TestAnAssistantLearnsWhatThePersonDecided(t *testing.T) {
	t.Parallel()
	person := tools.Actor{ID: account, Lang: words.English}
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			e := start(t, withApprovals)
			a := variant.start(t, e)
			asked := a.call(t, "create_borrower", newBorrower(t, nil))
			approval := approvalIn(t, asked)
			if approval.Status != "waiting" || e.bank.Calls(portal.BorrowerCreate) != 0 {
				t.Fatalf("got %+v", approval)
			}
			contains(t, text(asked), "Tell her that it waits", approval.ID)
			about := map[string]any{"approval": approval.ID, "seconds": 0}
			if told := approvalIn(t, a.call(t, "await_approval", about)); told.Status != "waiting" {
				t.Errorf("got %+v", told)
			}
			review, err := e.runner.Review(t.Context(), person, approval.ID)
			must(t, err)
			if !strings.HasPrefix(review.Client, "test") && !strings.HasPrefix(review.Client, "Go-http-client") {
				t.Errorf("the person is told that %q asks", review.Client)
			}
			_, err = e.runner.Approve(t.Context(), person, approval.ID, tools.Approved{Args: json.RawMessage(testenv.NewBorrower(map[string]string{"mobile": `"913333333"`}))})
			must(t, err)
			result := a.call(t, "await_approval", map[string]any{"approval": approval.ID, "seconds": 50})
			if told := approvalIn(t, result); told.Status != "done" || fmt.Sprint(told.Changed) != "[personal.mobile]" {
				t.Errorf("got %+v", told)
			}
			contains(t, text(result), "She changed before: personal.mobile.")
			contains(t, fmt.Sprint(result.StructuredContent), "borrower")
			lacks(t, a.transcript.String(), "299999998", "913333333", "912345678")

			rejected := approvalIn(t, a.call(t, "create_borrower", newBorrower(t, map[string]string{"name": `"Eva Amostra"`})))
			must(t, e.runner.Reject(t.Context(), person, rejected.ID, "Not yet."))
			result = a.call(t, "await_approval", map[string]any{"approval": rejected.ID})
			if told := approvalIn(t, result); told.Status != "rejected" || told.Reason != "Not yet." {
				t.Errorf("got %+v", told)
			}
			contains(t, text(result), "She says: Not yet.")

			draft := approvalIn(t, a.call(t, "create_borrower", newBorrower(t, map[string]string{"taxId": `"299999999"`})))
			if draft.Status != "draft" || fmt.Sprint(draft.Missing) != "[personal.taxId]" {
				t.Errorf("got %+v", draft)
			}
			if told := approvalIn(t, a.call(t, "withdraw_approval", map[string]any{"approval": draft.ID})); told.Status != "retracted" {
				t.Errorf("got %+v", told)
			}
			if n := e.bank.Calls(portal.BorrowerCreate); n != 1 {
				t.Errorf("the bank was called %d times", n)
			}
		})
	}
}

func TestNoCallOfAnAssistantApproves(t *testing.T) {
	t.Parallel()
	e := start(t, withApprovals, func(o *options) { o.app.Tools = []string{tools.CoreTools} })
	a := variants[3].start(t, e)
	approval := approvalIn(t, a.call(t, "create_borrower", newBorrower(t, nil)))
	review, err := e.runner.Review(t.Context(), tools.Actor{ID: account, Lang: words.English}, approval.ID)
	must(t, err)
	for _, tool := range a.tools(t) {
		for _, args := range []map[string]any{
			{"approval": approval.ID}, {"approval": approval.ID, "status": "approved"}, {"approval": approval.ID, "seen": review.Seen},
			{"id": approval.ID, "approve": true}, {"operation": "approve", "arguments": map[string]any{"approval": approval.ID, "seen": review.Seen}},
			withArg(newBorrower(t, nil), "confirmation", review.Seen), withArg(newBorrower(t, nil), "approval", approval.ID),
			withArg(newBorrower(t, nil), "idempotencyKey", "approval "+approval.ID),
		} {
			if tool.Name != "withdraw_approval" && (tool.Name != "await_approval" || len(args) > 1) {
				_ = a.call(t, tool.Name, args)
			}
		}
	}
	if n := e.bank.Calls(portal.BorrowerCreate); n != 0 {
		t.Errorf("the bank was called %d times", n)
	}
	if told := approvalIn(t, a.call(t, "await_approval", map[string]any{"approval": approval.ID, "seconds": 0})); told.Status != "waiting" {
		t.Errorf("got %+v", told)
	}
	for _, seconds := range []any{-1, "ten", []int{1}} {
		failed(t, a.call(t, "await_approval", map[string]any{"approval": approval.ID, "seconds": seconds}), "Give a number of seconds.")
	}
	failed(t, a.call(t, "await_approval", map[string]any{"approval": strings.Repeat("x", 10_000)}), "not there any more")
}

func TestAnAssistantIsToldOfTheProgressOfAWait(t *testing.T) {
	t.Parallel()
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			e := start(t, withApprovals)
			a := variant.start(t, e)
			approval := approvalIn(t, a.call(t, "create_borrower", newBorrower(t, nil)))
			var told atomic.Int32
			a.OnNotification(func(n mcp.JSONRPCNotification) {
				if n.Method == "notifications/progress" && n.Params.AdditionalFields["progressToken"] == "wait" {
					told.Add(1)
				}
			})
			request := mcp.CallToolRequest{}
			request.Params.Name, request.Params.Arguments = "await_approval", map[string]any{"approval": approval.ID, "seconds": 3}
			request.Params.Meta = &mcp.Meta{ProgressToken: "wait"}
			answer, err := a.CallTool(t.Context(), request)
			must(t, err)
			if status := approvalIn(t, answer).Status; status != "waiting" || told.Load() == 0 {
				t.Errorf("got %s after %d notifications", status, told.Load())
			}
		})
	}
}
