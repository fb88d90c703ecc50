package mcpapp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/mcpapp"
	"github.com/balcao/balcao/tools"
)

const initRequest = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`

func TestInputThatEndsAtOnceIsAnswered(t *testing.T) {
	t.Parallel()
	e := start(t)
	in := strings.NewReader(initRequest + "\n" +
		`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"find_processes","arguments":{"text":"1042"}}}` + "\n" +
		`{"jsonrpc":"2.0","id":3,"method":"resources/read","params":{"uri":"balcao://processes/1042/esis"}}`) // no end of line
	var out bytes.Buffer
	must(t, e.serveStdio(t.Context(), in, &out))
	answers := map[float64]string{}
	for line := range strings.Lines(out.String()) {
		var message map[string]any
		must(t, json.Unmarshal([]byte(line), &message))
		answers[message["id"].(float64)] = line
	}
	for id, want := range map[float64]string{1: "2025-11-25", 2: "Maria E.", 3: `"blob":"JVBERi0`} {
		contains(t, answers[id], want)
	}
}

func TestATooLongLineIsRefusedAndTheNextServed(t *testing.T) {
	t.Parallel()
	e := start(t, func(s *options) { s.app.MaxBody = 8 << 10 })
	for _, length := range []int{8<<10 + 1, 64 << 10, 1 << 20} {
		var out bytes.Buffer
		in := `{"jsonrpc":"2.0","id":9,"method":"` + strings.Repeat("x", length) + "\"}\n" + initRequest + "\n"
		must(t, e.serveStdio(t.Context(), strings.NewReader(in), &out))
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 2 {
			t.Fatalf("%d answers: %s", len(lines), out.String())
		}
		contains(t, out.String(), "-32700", "2025-11-25")
	}
}

func TestAMessageThatIsAResponseIsNotAwaited(t *testing.T) {
	t.Parallel()
	e := start(t, func(s *options) { s.app.MaxConcurrent = 1 })
	in := strings.Repeat(`{"jsonrpc":"2.0","id":9,"method":"ping","result":{}}`+"\n", 3) + initRequest
	started := time.Now()
	var out bytes.Buffer
	must(t, e.serveStdio(t.Context(), strings.NewReader(in), &out))
	contains(t, out.String(), "2025-11-25")
	if took := time.Since(started); took > waittest.Deadline {
		t.Errorf("it took %v", took)
	}
}

func TestStdioLimitsConcurrency(t *testing.T) {
	t.Parallel()
	e := start(t, func(s *options) { s.app.MaxConcurrent = 3 })
	arrived, release := e.gate.block("/esis")
	var in strings.Builder
	for id := range 10 {
		fmt.Fprintf(&in, `{"jsonrpc":"2.0","id":%d,"method":"resources/read","params":{"uri":"balcao://processes/1042/esis"}}`+"\n", id)
	}
	var out bytes.Buffer
	ended := make(chan error, 1)
	go func() { ended <- e.serveStdio(t.Context(), strings.NewReader(in.String()), &out) }()
	for range 3 {
		waittest.Receive(t, "a call reaches the bank", arrived)
	}
	if len(arrived) != 0 {
		t.Errorf("%d calls too many", len(arrived))
	}
	release()
	must(t, waittest.Receive(t, "ServeStdio returns", ended))
	if answered := strings.Count(out.String(), `"blob"`); answered != 10 {
		t.Errorf("%d of 10 answered", answered)
	}
}

func TestStdioEndsWithItsContext(t *testing.T) {
	t.Parallel()
	e := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	in, toServer := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- e.serveStdio(ctx, in, io.Discard) }()
	cancel()
	must(t, waittest.Receive(t, "ServeStdio returns", ended))
	must(t, toServer.Close())
}

func TestStdioRefusesAnUnknownCaller(t *testing.T) {
	t.Parallel()
	e := start(t, func(s *options) { s.app.Actor = unknownActor })
	if err := e.serveStdio(t.Context(), strings.NewReader(initRequest), io.Discard); err == nil {
		t.Error("served")
	}
}

var unknownActor mcpapp.Identify = func(context.Context, *http.Request) (tools.Actor, bool) { return tools.Actor{}, false }
