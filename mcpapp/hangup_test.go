package mcpapp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
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

func TestAReadThatItsCallerGaveUpIsNotTheBanksFault(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			h := open(t)
			a := door.open(t, h)
			arrived, release := h.gate.hold("/borrower")
			defer release()
			request := mcp.CallToolRequest{}
			request.Params.Name, request.Params.Arguments = "list_borrowers", map[string]any{"process": sandbox.SampleProcess(sandbox.SampleOpen)}
			ctx, hangUp := context.WithCancel(t.Context())
			gaveUp := make(chan struct{})
			go func() {
				_, _ = a.CallTool(ctx, request)
				close(gaveUp)
			}()
			await(t, "the call at the bank", arrived)
			hangUp()
			await(t, "the caller to give up", gaveUp)
			eventually(t, func() bool { return strings.Contains(h.log.String(), `"tool":"list_borrowers","outcome":"cancelled"`) })
			lacks(t, h.log.String(), `"outcome":"unavailable"`, `"outcome":"internal"`)
		})
	}
}

func TestACallThatIsCancelledOverStdioIsNotAnswered(t *testing.T) {
	h := open(t)
	arrived, release := h.gate.hold("/borrower")
	defer release()
	in, toServer := io.Pipe()
	var out bytes.Buffer
	ended := make(chan error, 1)
	go func() { ended <- h.app.ServeStdio(t.Context(), in, &out) }()
	say := func(message string) {
		_, err := io.WriteString(toServer, message+"\n")
		must(t, err)
	}
	const call = `{"jsonrpc":"2.0","id":%s,"method":"tools/call","params":{"name":"list_borrowers","arguments":{"process":"%s"}}}`
	process := sandbox.SampleProcess(sandbox.SampleOpen)
	say(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":8}}`) // of a call that is yet to come
	for _, id := range []string{"7", `"a"`, "8"} {
		say(fmt.Sprintf(call, id, process))
		await(t, "the call at the bank", arrived)
	}
	for _, id := range []string{"7", `"\u0061"`, "9", "null"} {
		say(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":` + id + `}}`)
	}
	eventually(t, func() bool {
		return strings.Count(h.log.String(), `"tool":"list_borrowers","outcome":"cancelled"`) >= 2
	})
	release()
	say(`{"jsonrpc":"2.0","id":7,"method":"ping"}`) // a number may come again once its call is over
	must(t, toServer.Close())
	must(t, <-ended)
	lacks(t, out.String(), `"id":"a"`, "cancelled", "cannot be reached")
	if answers := strings.Count(out.String(), `"result"`); answers != 2 || strings.Count(out.String(), `"id":7`) != 1 {
		t.Errorf("%d answers, want those of the call 8 and of the ping:\n%s", answers, out.String())
	}
}

// eventually waits until it is so.
func eventually(t *testing.T, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
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
