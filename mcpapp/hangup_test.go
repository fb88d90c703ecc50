package mcpapp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/portal/sandbox"
)

func TestAnActThatItsCallerGaveUpIsStillDoneAndOnlyOnce(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			h := open(t)
			a := door.open(t, h)
			process := sandbox.SampleProcess(sandbox.SampleOpen)
			before := len(h.bank.Borrowers(process))
			arrived, release := h.gate.hold("post /v1/processes/" + process.String() + "/borrower")
			defer release()
			request := mcp.CallToolRequest{}
			request.Params.Name, request.Params.Arguments = "create_borrower", with(rui(), "idempotencyKey", "k-1")

			ctx, hangUp := context.WithCancel(t.Context())
			gaveUp := make(chan struct{})
			go func() {
				_, _ = a.CallTool(ctx, request) // what it says depends on who noticed first
				close(gaveUp)
			}()
			await(t, "the call at the bank", arrived)
			hangUp()
			await(t, "the caller to give up", gaveUp)
			failed(t, a.call(t, "create_borrower", request.Params.Arguments), "under way")

			release()
			contains(t, text(succeeded(t, a.eventually(t, "create_borrower", request.Params.Arguments))), "Rui A.")
			if made := len(h.bank.Borrowers(process)) - before; made != 1 || h.bank.Calls("borrowerCreate") != 1 {
				t.Errorf("made %d borrowers in %d calls", made, h.bank.Calls("borrowerCreate"))
			}
		})
	}
}

func TestStdioAnswersAnActUnderWayBeforeItEnds(t *testing.T) {
	h := open(t)
	arrived, release := h.gate.hold("post /v1/processes/" + sandbox.SampleProcess(sandbox.SampleOpen).String() + "/borrower")
	defer release()
	call, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 7, "method": "tools/call",
		"params": map[string]any{"name": "create_borrower", "arguments": rui()}})
	must(t, err)
	ctx, end := context.WithCancel(t.Context())
	in, keepOpen := io.Pipe()
	var out bytes.Buffer
	ended := make(chan error, 1)
	go func() { ended <- h.app.ServeStdio(ctx, in, &out) }()
	_, err = keepOpen.Write(append(call, '\n'))
	must(t, err)
	await(t, "the call at the bank", arrived)
	end()
	release()
	must(t, <-ended)
	must(t, keepOpen.Close())
	contains(t, out.String(), `"id":7`, "Rui A.")
}

// eventually calls until it succeeds, or the test has waited long enough.
func (a *assistant) eventually(t *testing.T, tool string, args any) *mcp.CallToolResult {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		result := a.call(t, tool, args)
		if !result.IsError || time.Now().After(deadline) {
			return result
		}
	}
}
