package mcpapp_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestTwoAssistantsWithoutKeysWhoAskForTheSameBorrowerGetOne(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, Latency: 500 * time.Millisecond})
	results := make([]*mcp.CallToolResult, 2)
	var group sync.WaitGroup
	for i, variant := range variants[2:] {
		a := variant.start(t, e)
		group.Go(func() { results[i] = a.call(t, "create_borrower", validBorrower()) })
	}
	group.Wait()
	again := 0
	for _, result := range results {
		again += strings.Count(text(succeeded(t, result)), "You already made this request at ")
	}
	if calls := e.bank.Calls(portal.BorrowerCreate); calls != 1 || again != 1 {
		t.Errorf("%d calls of the bank, %d callers were given the other one's result", calls, again)
	}
}
