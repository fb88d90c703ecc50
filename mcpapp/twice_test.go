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
	h := open(t)
	h.bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, Latency: 3 * time.Second})
	results := make([]*mcp.CallToolResult, 2)
	var group sync.WaitGroup
	for i, door := range doors[2:] {
		a := door.open(t, h)
		group.Go(func() { results[i] = a.call(t, "create_borrower", rui()) })
	}
	group.Wait()
	again := 0
	for _, result := range results {
		again += strings.Count(text(succeeded(t, result)), "You had already asked for this at ")
	}
	if calls := h.bank.Calls(portal.BorrowerCreate); calls != 1 || again != 1 {
		t.Errorf("sent %d times, and %d were told of the other", calls, again)
	}
}
