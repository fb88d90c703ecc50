package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools/borrowers"
)

// The reply has every field of the bank's reference, and descriptions that are in no list.
func TestBothFrontEndsShowEveryFieldOfABorrowersReply(t *testing.T) {
	t.Parallel()
	ctx, h := testContext(t), newHarness(t)
	h.env = append(h.env, "MCP_TOKEN="+assistantToken)
	h.start(t)
	whole := testenv.ReadWholeBorrower(t, "../../portal/testdata/borrower-get.reply.json")
	h.bank.Inject(sandbox.Fault{Operation: portal.BorrowerGet, Status: http.StatusOK, Reply: whole.JSON(t, nil)})

	request := mcp.CallToolRequest{}
	request.Params.Name = "get_borrower"
	request.Params.Arguments = map[string]any{"process": "1042", "borrower": whole.BorrowerID(t).String()}
	result, err := assistant(t, ctx, h).CallTool(ctx, request)
	if err != nil || result.IsError {
		t.Fatalf("got %+v, %v", result, err)
	}
	read := result.Content[0].(mcp.TextContent).Text
	data, err := json.Marshal(result.StructuredContent)
	if err != nil {
		t.Fatal(err)
	}

	tom := h.slack.User(slacksim.Tom)
	if err := tom.Command(ctx, tom.DM(), "/borrower 1042"); err != nil {
		t.Fatal(err)
	}
	if _, err := tom.WaitView(ctx, func(v slacksim.View) bool { return v.Has("borrower") }); err != nil {
		t.Fatal(err)
	}
	if submitted, err := tom.Submit(ctx, slacksim.Values{"borrower": whole.BorrowerID(t).String()}); err != nil || len(submitted.Errors) > 0 {
		t.Fatalf("got %+v, %v", submitted, err)
	}
	view, err := tom.WaitView(ctx, func(v slacksim.View) bool { return strings.Contains(v.Text(), "Borrower of process 1042") })
	if err != nil {
		t.Fatal(err)
	}
	card := view.Text()

	for _, field := range borrowers.Update.Fields {
		if field.Refers() || field.Hidden() {
			continue
		}
		for where, text := range map[string]string{"Slack": card, "the text for assistants": read} {
			if label := field.Label(words.English); !strings.Contains(text, label) {
				t.Errorf("%s has no %q", where, label)
			}
		}
	}
	for _, field := range whole {
		shown := map[string]string{"Slack": card, "the text for assistants": read, "the data for assistants": string(data)}
		switch want := field.Word; {
		case want != "":
			for where, text := range shown {
				if !strings.Contains(text, want) {
					t.Errorf("%s does not say %q, as %s does", where, want, field.Path)
				}
			}
		case field.ID != "" && !strings.Contains(string(data), fmt.Sprintf(` #%s"`, field.ID)) && !strings.Contains(string(data), fmt.Sprintf(`:"%s"`, field.ID)):
			t.Errorf("the data for assistants does not have the number of %s", field.Path)
		}
	}
	if strings.Contains(card, "lista do Balcão") || strings.Contains(card, "Balcão's list") {
		t.Errorf("a list of ours is shown:\n%s", card)
	}
}
