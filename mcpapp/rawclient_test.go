package mcpapp_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/waittest"
)

// rawClient sends requests that a well-behaved client does not send.
type rawClient struct {
	url     string
	headers map[string]string
}

type reply struct {
	status int
	header http.Header
	body   string
}

const (
	legacy = "2025-11-25"
	modern = "2026-07-28"
)

// request sends one request with the headers and metadata that its revision requires.
func (w rawClient) request(t *testing.T, revision string, id int, method string, params map[string]any) reply {
	t.Helper()
	headers := map[string]string{"Mcp-Protocol-Version": revision}
	params = maps.Clone(params)
	if params == nil {
		params = map[string]any{}
	}
	if revision == modern {
		headers["Mcp-Method"] = method
		for _, name := range []string{"name", "uri"} {
			if value, ok := params[name].(string); ok {
				headers["Mcp-Name"] = value
			}
		}
		meta := map[string]any{
			"io.modelcontextprotocol/protocolVersion": modern, "io.modelcontextprotocol/clientCapabilities": map[string]any{},
			"io.modelcontextprotocol/clientInfo": map[string]any{"name": "test", "version": "1"},
		}
		if given, ok := params["_meta"].(map[string]any); ok {
			maps.Copy(meta, given)
		}
		params["_meta"] = meta
	} else if method == "initialize" {
		params["protocolVersion"], params["capabilities"] = legacy, map[string]any{}
		params["clientInfo"] = map[string]any{"name": "test", "version": "1"}
	}
	message := map[string]any{"jsonrpc": "2.0", "method": method, "params": params}
	if id != 0 {
		message["id"] = id
	}
	body, err := json.Marshal(message)
	if err != nil {
		t.Error(err)
	}
	return w.send(t, http.MethodPost, string(body), headers)
}

// call calls a tool.
func (w rawClient) call(t *testing.T, revision string, id int, tool string, args any) reply {
	t.Helper()
	return w.request(t, revision, id, "tools/call", map[string]any{"name": tool, "arguments": args})
}

// send sends an HTTP request. It may be called from any goroutine: on failure it marks the test as failed and returns an
// empty reply.
func (w rawClient) send(t *testing.T, method, body string, headers ...map[string]string) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, w.url, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return reply{}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	for _, set := range append([]map[string]string{w.headers}, headers...) {
		for name, value := range set {
			if name == "Host" {
				request.Host = value
			} else {
				request.Header.Set(name, value)
			}
		}
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: waittest.Deadline}
	response, err := client.Do(request)
	if err != nil {
		t.Error(err)
		return reply{}
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return reply{response.StatusCode, response.Header, string(data)}
}

// result returns the JSON-RPC result of a reply. The test fails if there is none.
func (r reply) result(t *testing.T) json.RawMessage {
	t.Helper()
	var message struct{ Result, Error json.RawMessage }
	must(t, json.Unmarshal([]byte(r.body), &message))
	if message.Result == nil {
		t.Fatalf("no result but %d: %s", r.status, r.body)
	}
	return message.Result
}

// answer returns the text of a tool's result, and whether it is an error.
func (r reply) answer(t *testing.T) (text string, isError bool) {
	t.Helper()
	var result struct {
		Content []struct{ Text string }
		IsError bool
	}
	must(t, json.Unmarshal(r.result(t), &result))
	return result.Content[0].Text, result.IsError
}
