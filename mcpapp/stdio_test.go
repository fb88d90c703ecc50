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

	"github.com/balcao/balcao/mcpapp"
	"github.com/balcao/balcao/tools"
)

const hello = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`

func TestInputThatEndsAtOnceIsStillAnswered(t *testing.T) {
	h := open(t)
	in := strings.NewReader(hello + "\n" +
		`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"find_processes","arguments":{"text":"1042"}}}` + "\n" +
		`{"jsonrpc":"2.0","id":3,"method":"resources/read","params":{"uri":"balcao://processes/1042/esis"}}`) // no end of line
	var out bytes.Buffer
	must(t, h.app.ServeStdio(t.Context(), in, &out))
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

func TestALineThatIsTooLongIsRefusedAndTheNextOneServed(t *testing.T) {
	h := open(t, func(s *settings) { s.app.MaxBody = 8 << 10 })
	for _, length := range []int{8<<10 + 1, 64 << 10, 1 << 20} {
		var out bytes.Buffer
		in := `{"jsonrpc":"2.0","id":9,"method":"` + strings.Repeat("x", length) + "\"}\n" + hello + "\n"
		must(t, h.app.ServeStdio(t.Context(), strings.NewReader(in), &out))
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 2 {
			t.Fatalf("%d answers: %s", len(lines), out.String())
		}
		contains(t, out.String(), "-32700", "2025-11-25")
	}
}

func TestAnAnswerToNothingIsNotWaitedFor(t *testing.T) {
	h := open(t, func(s *settings) { s.app.MaxConcurrent = 1 })
	in := strings.Repeat(`{"jsonrpc":"2.0","id":9,"method":"ping","result":{}}`+"\n", 3) + hello
	started := time.Now()
	var out bytes.Buffer
	must(t, h.app.ServeStdio(t.Context(), strings.NewReader(in), &out))
	contains(t, out.String(), "2025-11-25")
	if took := time.Since(started); took > patience {
		t.Errorf("it took %v", took)
	}
}

func TestStdioServesNoMoreAtOnceThanItMay(t *testing.T) {
	h := open(t, func(s *settings) { s.app.MaxConcurrent = 3 })
	arrived, release := h.gate.hold("/esis")
	var in strings.Builder
	for id := range 10 {
		fmt.Fprintf(&in, `{"jsonrpc":"2.0","id":%d,"method":"resources/read","params":{"uri":"balcao://processes/1042/esis"}}`+"\n", id)
	}
	var out bytes.Buffer
	ended := make(chan error, 1)
	go func() { ended <- h.app.ServeStdio(t.Context(), strings.NewReader(in.String()), &out) }()
	for range 3 {
		await(t, "a call at the bank", arrived)
	}
	if len(arrived) != 0 {
		t.Errorf("%d calls too many", len(arrived))
	}
	release()
	must(t, <-ended)
	if answered := strings.Count(out.String(), `"blob"`); answered != 10 {
		t.Errorf("%d of 10 answered", answered)
	}
}

func TestStdioEndsWithItsContext(t *testing.T) {
	h := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	in, keepOpen := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- h.app.ServeStdio(ctx, in, io.Discard) }()
	cancel()
	must(t, <-ended)
	must(t, keepOpen.Close())
}

func TestNobodyIsServedOnStdioWhomNobodyKnows(t *testing.T) {
	h := open(t, func(s *settings) { s.app.Actor = nobody })
	if err := h.app.ServeStdio(t.Context(), strings.NewReader(hello), io.Discard); err == nil {
		t.Error("served")
	}
}

var nobody mcpapp.Identify = func(context.Context, *http.Request) (tools.Actor, bool) { return tools.Actor{}, false }
