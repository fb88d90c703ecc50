package mcpapp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestACancelledChangeIsStillMadeOnce(t *testing.T) {
	t.Parallel()
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			e := start(t)
			a := variant.start(t, e)
			process := sandbox.SampleProcess(sandbox.SampleOpen)
			before := len(e.bank.Borrowers(process))
			arrived, release := e.gate.block("post /v1/processes/" + process.String() + "/borrower")
			defer release()
			request := mcp.CallToolRequest{}
			request.Params.Name, request.Params.Arguments = "create_borrower", withArg(validBorrower(), "idempotencyKey", "k-1")

			ctx, cancel := context.WithCancel(t.Context())
			returned := make(chan struct{})
			go func() {
				_, _ = a.CallTool(ctx, request) // what it says depends on who noticed first
				close(returned)
			}()
			waittest.Receive(t, "the call reaches the bank", arrived)
			cancel()
			waittest.Receive(t, "the caller returns", returned)
			failed(t, a.call(t, "create_borrower", request.Params.Arguments), "under way")

			release()
			contains(t, text(succeeded(t, a.callUntilDone(t, "create_borrower", request.Params.Arguments))), "Rui A.")
			if made := len(e.bank.Borrowers(process)) - before; made != 1 || e.bank.Calls("borrowerCreate") != 1 {
				t.Errorf("made %d borrowers in %d calls", made, e.bank.Calls("borrowerCreate"))
			}
		})
	}
}

func TestACancelledReadIsNotLoggedAsAFailureOfTheBank(t *testing.T) {
	t.Parallel()
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			e := start(t)
			a := variant.start(t, e)
			arrived, release := e.gate.block("/borrower")
			defer release()
			request := mcp.CallToolRequest{}
			request.Params.Name, request.Params.Arguments = "list_borrowers", map[string]any{"process": sandbox.SampleProcess(sandbox.SampleOpen)}
			ctx, cancel := context.WithCancel(t.Context())
			returned := make(chan struct{})
			go func() {
				_, _ = a.CallTool(ctx, request)
				close(returned)
			}()
			waittest.Receive(t, "the call reaches the bank", arrived)
			cancel()
			waittest.Receive(t, "the caller returns", returned)
			waittest.Eventually(t, "the cancellation is logged", func() bool {
				return strings.Contains(e.log.String(), `"tool":"list_borrowers","actor":"ana","outcome":"cancelled"`)
			})
			lacks(t, e.log.String(), `"outcome":"unavailable"`, `"outcome":"internal"`)
		})
	}
}

func TestACancelledCallOverStdioGetsNoResponse(t *testing.T) {
	t.Parallel()
	e := start(t)
	arrived, release := e.gate.block("/borrower")
	defer release()
	in, toServer := io.Pipe()
	var out bytes.Buffer
	ended := make(chan error, 1)
	go func() { ended <- e.serveStdio(t.Context(), in, &out) }()
	write := func(message string) {
		_, err := io.WriteString(toServer, message+"\n")
		must(t, err)
	}
	const call = `{"jsonrpc":"2.0","id":%s,"method":"tools/call","params":{"name":"list_borrowers","arguments":{"process":"%s"}}}`
	process := sandbox.SampleProcess(sandbox.SampleOpen)
	write(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":8}}`) // of a call that is yet to come
	for _, id := range []string{"7", `"a"`, "8"} {
		write(fmt.Sprintf(call, id, process))
		waittest.Receive(t, "the call reaches the bank", arrived)
	}
	for _, id := range []string{"7", `"\u0061"`, "9", "null"} {
		write(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":` + id + `}}`)
	}
	waittest.Eventually(t, "the cancellation is logged", func() bool {
		return strings.Count(e.log.String(), `"tool":"list_borrowers","actor":"ana","outcome":"cancelled"`) >= 2
	})
	release()
	write(`{"jsonrpc":"2.0","id":7,"method":"ping"}`) // a number may come again once its call is over
	must(t, toServer.Close())
	must(t, waittest.Receive(t, "ServeStdio returns", ended))
	lacks(t, out.String(), `"id":"a"`, "cancelled", "cannot be reached")
	if answers := strings.Count(out.String(), `"result"`); answers != 2 || strings.Count(out.String(), `"id":7`) != 1 {
		t.Errorf("%d answers, want those of the call 8 and of the ping:\n%s", answers, out.String())
	}
}

func TestStdioAnswersAChangeInFlightBeforeItReturns(t *testing.T) {
	t.Parallel()
	e := start(t)
	arrived, release := e.gate.block("post /v1/processes/" + sandbox.SampleProcess(sandbox.SampleOpen).String() + "/borrower")
	defer release()
	call, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 7, "method": "tools/call",
		"params": map[string]any{"name": "create_borrower", "arguments": validBorrower()}})
	must(t, err)
	ctx, end := context.WithCancel(t.Context())
	in, toServer := io.Pipe()
	var out bytes.Buffer
	ended := make(chan error, 1)
	go func() { ended <- e.serveStdio(ctx, in, &out) }()
	_, err = toServer.Write(append(call, '\n'))
	must(t, err)
	waittest.Receive(t, "the call reaches the bank", arrived)
	end()
	release()
	must(t, waittest.Receive(t, "ServeStdio returns", ended))
	must(t, toServer.Close())
	contains(t, out.String(), `"id":7`, "Rui A.")
}

// callUntilDone calls a tool until it succeeds.
func (a *assistant) callUntilDone(t *testing.T, tool string, args any) (result *mcp.CallToolResult) {
	t.Helper()
	waittest.Eventually(t, tool+" succeeds", func() bool {
		result = a.call(t, tool, args)
		return !result.IsError
	})
	return result
}
