package mcpapp_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/balcao/balcao/mcpapp"
)

// differs matches what differs between two calls of the same tool.
var differs = regexp.MustCompile(`[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}`)

// answerOf serves a request, and returns the status, the headers and the body of the answer.
func answerOf(t *testing.T, handler http.Handler, body string, headers map[string]string) string {
	t.Helper()
	request := httptest.NewRequest(http.MethodPost, "http://localhost/mcp", strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	return fmt.Sprintf("%d %q %s", answer.Code, answer.Header(), differs.ReplaceAllString(answer.Body.String(), "ID"))
}

func TestWhatIsAnsweredDirectlyIsWhatTheLibraryAnswers(t *testing.T) {
	e := start(t)
	direct, library := e.app.Handler(), mcpapp.ThroughTheLibrary(e.app)
	meta := map[string]any{
		"io.modelcontextprotocol/protocolVersion": modern, "io.modelcontextprotocol/clientCapabilities": map[string]any{},
		"io.modelcontextprotocol/clientInfo": map[string]any{"name": "test", "version": "1"},
	}
	without := func(name string) map[string]any {
		less := maps.Clone(meta)
		delete(less, name)
		return less
	}
	call := func(tool string, args any) map[string]any { return map[string]any{"name": tool, "arguments": args} }
	search := call("search_taxonomy", map[string]any{"taxonomy": "genders"})
	with := func(params map[string]any, name string, value any) map[string]any {
		more := maps.Clone(params)
		more[name] = value
		return more
	}
	ofModern := func(method, name string) map[string]string {
		headers := map[string]string{"Mcp-Protocol-Version": modern, "Mcp-Method": method}
		if name != "" {
			headers["Mcp-Name"] = name
		}
		return headers
	}
	for name, c := range map[string]struct {
		method  string
		params  any
		id      any
		headers map[string]string
	}{
		"a call":                              {"tools/call", search, 1, nil},
		"a call with the revision":            {"tools/call", search, 1, map[string]string{"Mcp-Protocol-Version": legacy}},
		"an id that is a text":                {"tools/call", search, "<é&>", nil},
		"a large id":                          {"tools/call", search, 12345678901234567, nil},
		"a broken id":                         {"tools/call", search, 1.5, nil},
		"an id that is an object":             {"tools/call", search, map[string]any{}, nil},
		"a call without arguments":            {"tools/call", map[string]any{"name": "find_processes"}, 1, nil},
		"arguments that are null":             {"tools/call", call("find_processes", nil), 1, nil},
		"arguments that are a text":           {"tools/call", call("find_processes", "x"), 1, nil},
		"a wrong argument":                    {"tools/call", call("search_taxonomy", map[string]any{"taxonomy": "nothing", "limt": 1}), 1, nil},
		"a tool of ours":                      {"tools/call", call("find_operation", map[string]any{"query": "document"}), 1, nil},
		"an unknown tool":                     {"tools/call", call("nothing", map[string]any{}), 1, nil},
		"a name that is a number":             {"tools/call", map[string]any{"name": 1}, 1, nil},
		"no parameters":                       {"tools/call", nil, 1, nil},
		"parameters that are a list":          {"tools/call", []any{1}, 1, nil},
		"a task":                              {"tools/call", with(search, "task", map[string]any{}), 1, nil},
		"a token for progress":                {"tools/call", with(search, "_meta", map[string]any{"progressToken": 7}), 1, nil},
		"metadata that is a text":             {"tools/call", with(search, "_meta", "x"), 1, nil},
		"an unknown revision":                 {"tools/call", search, 1, map[string]string{"Mcp-Protocol-Version": "2020-01-01"}},
		"a modern call":                       {"tools/call", with(search, "_meta", meta), 1, ofModern("tools/call", "search_taxonomy")},
		"a modern call of ours":               {"tools/call", with(call("find_operation", map[string]any{"query": "document"}), "_meta", meta), 1, ofModern("tools/call", "find_operation")},
		"a modern call that fails":            {"tools/call", with(call("get_process", map[string]any{"process": "no"}), "_meta", meta), 1, ofModern("tools/call", "get_process")},
		"another name in the header":          {"tools/call", with(search, "_meta", meta), 1, ofModern("tools/call", "find_processes")},
		"another method in the header":        {"tools/call", with(search, "_meta", meta), 1, ofModern("tools/list", "search_taxonomy")},
		"no name in the header":               {"tools/call", with(search, "_meta", meta), 1, ofModern("tools/call", "")},
		"the modern revision in headers only": {"tools/call", search, 1, ofModern("tools/call", "search_taxonomy")},
		"the modern revision in _meta only":   {"tools/call", with(search, "_meta", meta), 1, nil},
		"no capabilities":                     {"tools/call", with(search, "_meta", without("io.modelcontextprotocol/clientCapabilities")), 1, ofModern("tools/call", "search_taxonomy")},
		"no client":                           {"tools/call", with(search, "_meta", without("io.modelcontextprotocol/clientInfo")), 1, ofModern("tools/call", "search_taxonomy")},
		"Last-Event-ID":                       {"tools/call", with(search, "_meta", meta), 1, map[string]string{"Mcp-Protocol-Version": modern, "Mcp-Method": "tools/call", "Mcp-Name": "search_taxonomy", "Last-Event-Id": "1"}},
		"a list":                              {"tools/list", nil, 1, nil},
		"a list with an empty object":         {"tools/list", map[string]any{}, "a", nil},
		"a list with a cursor":                {"tools/list", map[string]any{"cursor": "x"}, 1, nil},
		"a modern list":                       {"tools/list", map[string]any{"_meta": meta}, 2, ofModern("tools/list", "")},
		"a modern list with a wrong header":   {"tools/list", map[string]any{"_meta": meta}, 2, ofModern("tools/call", "")},
		"another method":                      {"prompts/list", nil, 1, nil},
	} {
		message := map[string]any{"jsonrpc": "2.0", "method": c.method, "id": c.id}
		if c.params != nil {
			message["params"] = c.params
		}
		body, err := json.Marshal(message)
		must(t, err)
		want := answerOf(t, library, string(body), c.headers)
		for range 2 { // a list is answered from prepared bytes the second time
			if got := answerOf(t, direct, string(body), c.headers); got != want {
				t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
			}
		}
	}
	reached := 0
	direct = mcpapp.BeforeTheLibrary(e.app, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ }))
	for _, params := range []any{search, with(search, "_meta", meta)} {
		body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "method": "tools/call", "id": 1, "params": params})
		must(t, err)
		headers := map[string]string{}
		if strings.Contains(string(body), "_meta") {
			headers = ofModern("tools/call", "search_taxonomy")
		}
		if got := answerOf(t, direct, string(body), headers); reached > 0 || !strings.Contains(got, "structuredContent") {
			t.Errorf("%s is not answered directly: %s", body, got)
		}
	}
	direct = e.app.Handler()
	for _, body := range []string{`{"jsonrpc":"1.0","id":1,"method":"tools/list"}`, `{"id":1,"method":"tools/list"}`, `{"jsonrpc":"2.0","id":1,"method":"tools/list","result":{}}`, `[]`, `{`} {
		if got, want := answerOf(t, direct, body, nil), answerOf(t, library, body, nil); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", body, got, want)
		}
	}
}
