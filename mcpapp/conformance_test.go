package mcpapp_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/server"

	"github.com/balcao/balcao/mcpapp"
	"github.com/balcao/balcao/test/conformance"
)

// What the fixtures do not pass, and why. All else has to pass.
var fixturesKnown = map[string]conformance.Known{
	legacy: {
		"a client answers a request of the server by the id of a session, and the front has none": {
			"tools-call-sampling", "tools-call-elicitation", "elicitation-sep1034-defaults", "elicitation-sep1330-enums",
		},
		"the front has no sessions, so that the suite has none to stream in": {
			"server-sse-polling:server-sse-polling-session", "server-sse-multiple-streams:server-sse-multiple-streams-session",
		},
	},
	modern: {
		"the library has no way for a tool to say that the client lacks a capability": {
			"server-stateless:sep-2575-server-rejects-undeclared-capability", "server-stateless:sep-2575-missing-capability-http-400",
		},
		"the library does not name the resource in the data of the error, which a server should": {
			"sep-2164-resource-not-found:sep-2164-data-uri",
		},
		"the extension for tasks is off, because the library mixes those of several callers": {
			"tasks-lifecycle", "tasks-capability-negotiation", "tasks-wire-fields", "tasks-request-state-removal", "tasks-mrtr-input",
			"tasks-request-headers", "tasks-dispatch-and-envelope", "tasks-required-task-error", "tasks-mrtr-composition",
		},
	},
}

// serveFixtures serves the fixtures through the front and middleware of an App, and returns the address.
func serveFixtures(t *testing.T, options ...server.ServerOption) (url string) {
	t.Helper()
	app, err := mcpapp.NewWithFixtures(start(t).config, addFixtures, append(options, server.WithLogging())...)
	must(t, err)
	front := httptest.NewServer(app.Handler())
	t.Cleanup(front.Close)
	return front.URL + "/mcp"
}

func TestTheFrontPassesTheConformanceSuiteInNode(t *testing.T) {
	t.Parallel()
	// The front refuses subscriptions/listen, which the revision 2026-07-28 has in place of resources/subscribe.
	conformance.Run(t, serveFixtures(t, server.WithResourceCapabilities(true, false)), legacy, fixturesKnown[legacy])
	conformance.Run(t, serveFixtures(t), modern, fixturesKnown[modern])
}

func TestTheProgressOfACallIsStreamed(t *testing.T) {
	t.Parallel()
	w := rawClient{url: serveFixtures(t)}
	for _, revision := range []string{legacy, modern} {
		for name, c := range map[string]struct {
			token    any
			streamed bool
		}{
			"a client that asks for progress": {"p-1", true},
			"a client that does not":          {nil, false},
		} {
			t.Run(revision+" "+name, func(t *testing.T) {
				params := map[string]any{"name": "test_tool_with_progress", "arguments": map[string]any{}}
				if c.token != nil {
					params["_meta"] = map[string]any{"progressToken": c.token}
				}
				answer := w.request(t, revision, 1, "tools/call", params)
				streamed := answer.header.Get("Content-Type") == "text/event-stream"
				if streamed != c.streamed {
					t.Fatalf("got %s: %s", answer.header.Get("Content-Type"), answer.body)
				}
				if got := answer.header.Get("Cache-Control"); got != "no-store" {
					t.Errorf("Cache-Control: %s", got)
				}
				if !streamed {
					answer.result(t)
					return
				}
				if answer.header.Get("X-Accel-Buffering") != "no" {
					t.Error("a proxy may hold the stream back")
				}
				events := strings.Split(strings.TrimSuffix(answer.body, "\n\n"), "\n\n")
				if len(events) < 2 {
					t.Fatalf("no progress: %s", answer.body)
				}
				for i, event := range events {
					data, ok := strings.CutPrefix(event, "event: message\ndata: ")
					var message struct {
						Method string
						Params struct{ ProgressToken any }
						Result json.RawMessage
					}
					if err := json.Unmarshal([]byte(data), &message); err != nil || !ok {
						t.Fatalf("event %d is %q: %v", i, event, err)
					}
					last := i == len(events)-1
					if last != (message.Result != nil) || !last && (message.Method != "notifications/progress" || message.Params.ProgressToken != c.token) {
						t.Errorf("event %d is %s", i, data)
					}
				}
			})
		}
	}
}
