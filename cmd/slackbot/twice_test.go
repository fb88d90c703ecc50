package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestAPersonInSlackAndAnAssistantWhoAskForTheSameBorrowerGetOne(t *testing.T) {
	t.Parallel()
	ctx, h := testContext(t), newHarness(t)
	h.env = append(h.env, "MCP_TOKEN="+assistantToken)
	h.start(t)
	helper := assistant(t, ctx, h)
	if err := h.ana.Command(ctx, slacksim.TeamChannel, "/borrower new 1042"); err != nil {
		t.Fatal(err)
	}
	view, err := h.ana.WaitView(ctx, isPage)
	for err == nil && isPage(view) {
		view = fill(t, ctx, h.ana, rui)
	}
	if err != nil {
		t.Fatal(err)
	}
	h.bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, Latency: 3 * time.Second})
	if _, err := h.ana.Submit(ctx, nil); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "the person's call reaches the bank", func() bool { return h.bank.Calls(portal.BorrowerCreate) == 1 })
	request := mcp.CallToolRequest{}
	request.Params.Name = "create_borrower"
	request.Params.Arguments = map[string]any{
		"process": "1042", "borrowerTypeId": 2, "keyBorrowerRelationId": 1, "personal": map[string]any{
			"name": "Rui Amostra", "birthDate": "1985-04-12", "taxId": "299999998", "mobile": "912345678",
			"email": "rui.amostra@example.com", "genderId": 2,
		},
	}
	result, err := helper.CallTool(ctx, request)
	if err != nil || result.IsError || !strings.Contains(fmt.Sprint(result.Content), "Somebody else on your team already made this request at ") {
		t.Errorf("the assistant gets %+v, %v", result, err)
	}
	if _, err := h.ana.WaitView(ctx, func(v slacksim.View) bool { return strings.Contains(v.Text(), "Rui A.") }); err != nil {
		t.Error(err)
	}
	if calls := h.bank.Calls(portal.BorrowerCreate); calls != 1 {
		t.Errorf("sent %d times", calls)
	}
}
