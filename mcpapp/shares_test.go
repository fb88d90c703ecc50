package mcpapp_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balcao/balcao/internal/waittest"
)

func withPeople(s *options) { s.app.People = people() }

func TestACallerAboveHerShareIsToldWhenToComeBack(t *testing.T) {
	t.Parallel()
	e := start(t, withPeople, func(s *options) { s.app.CallsPerMinute = 6 })
	synctest.Test(t, func(t *testing.T) {
		handler := e.app.Handler()
		send := func(token, revision, method, params string) *httptest.ResponseRecorder {
			t.Helper()
			if revision == modern {
				params = strings.TrimSuffix(params, "}") + map[bool]string{true: ","}[params != "{}"] +
					`"_meta":{"io.modelcontextprotocol/protocolVersion":"` + modern + `","io.modelcontextprotocol/clientCapabilities":{},` +
					`"io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"}}}`
			}
			r := httptest.NewRequest(http.MethodPost, "http://localhost/mcp", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":`+params+`}`))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Accept", "application/json, text/event-stream")
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Mcp-Protocol-Version", revision)
			if revision == modern {
				r.Header.Set("Mcp-Method", method)
				var named struct{ Name, URI string }
				must(t, json.Unmarshal([]byte(params), &named))
				if name := named.Name + named.URI; name != "" {
					r.Header.Set("Mcp-Name", name)
				}
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			return w
		}
		const find = `{"name":"find_operation","arguments":{}}`
		call := func(what, token, revision string, wait int) {
			t.Helper()
			w := send(token, revision, "tools/call", find)
			var message struct {
				Result struct {
					IsError bool
					Content []struct{ Text string }
					Meta    map[string]struct {
						Kind              string
						RetryAfterSeconds int
					} `json:"_meta"`
				}
			}
			must(t, json.Unmarshal(w.Body.Bytes(), &message))
			if w.Code != http.StatusOK || message.Result.IsError != (wait > 0) {
				t.Fatalf("%s: got %d %s", what, w.Code, w.Body)
			}
			if wait == 0 {
				return
			}
			contains(t, message.Result.Content[0].Text, "all 6 calls", map[bool]string{true: "Wait a second", false: fmt.Sprintf("Wait %d seconds", wait)}[wait == 1], "Reference: ")
			if about := message.Result.Meta["balcao/error"]; about.RetryAfterSeconds != wait || about.Kind != "busy" || w.Header().Get("Retry-After") != strconv.Itoa(wait) {
				t.Errorf("%s: got %+v, Retry-After %s", what, about, w.Header().Get("Retry-After"))
			}
		}
		for i := range 6 {
			call(fmt.Sprint("call ", i), anasToken, []string{legacy, modern}[i%2], 0)
		}
		for _, revision := range []string{legacy, modern} {
			call("one too many, "+revision, anasToken, revision, 10)
			if w := send(anasToken, revision, "resources/read", `{"uri":"balcao://processes/1042/esis"}`); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "10" {
				t.Errorf("a document: got %d %v", w.Code, w.Header())
			}
			for range 50 {
				for method, params := range map[string]string{"tools/list": "{}", "resources/templates/list": "{}", "prompts/list": "{}"} {
					if w := send(anasToken, revision, method, params); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"result"`) {
						t.Fatalf("%s: got %d %s", method, w.Code, w.Body)
					}
				}
			}
		}
		for _, c := range []struct{ revision, method, params string }{
			{legacy, "ping", "{}"}, {modern, "server/discover", "{}"},
			{legacy, "completion/complete", `{"ref":{"type":"ref/resource","uri":"balcao://lists/{taxonomy}"},"argument":{"name":"taxonomy","value":"marital"}}`},
			{legacy, "initialize", `{"protocolVersion":"` + legacy + `","capabilities":{},"clientInfo":{"name":"test","version":"1"}}`},
		} {
			if w := send(anasToken, c.revision, c.method, c.params); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"result"`) {
				t.Errorf("%s: got %d %s", c.method, w.Code, w.Body)
			}
		}
		call("another person", ritasToken, modern, 0)
		time.Sleep(9 * time.Second)
		call("too soon", anasToken, modern, 1)
		time.Sleep(time.Second)
		call("when she was told", anasToken, modern, 0)
		call("once more", anasToken, modern, 10)
		time.Sleep(time.Hour)
		for range 6 {
			call("after an hour", anasToken, modern, 0)
		}
		call("after an hour, one too many", anasToken, modern, 10)
	})
	lacks(t, e.log.String(), anasToken, ritasToken)
}

func TestCallersDoNotSlowEachOther(t *testing.T) {
	t.Parallel()
	e := start(t, withPeople, func(s *options) { s.app.MaxConcurrent, s.app.MaxPerPerson = 4, 2 })
	with := func(token string) rawClient {
		return rawClient{url: e.serve(t), headers: map[string]string{"Authorization": "Bearer " + token}}
	}
	ana, bruno := with(anasToken), with("balcao_synthetic_token_of_bruno")
	arrived, release := e.gate.block("/esis")
	defer release()
	done := make(chan reply, 2)
	for i := range 2 {
		go func() { done <- ana.call(t, modern, i+1, "get_esis", map[string]any{"process": 1042}) }()
		waittest.Receive(t, "a call reaches the bank", arrived)
	}
	for range 20 {
		if text, isError := ana.call(t, modern, 9, "list_borrowers", map[string]any{"process": 1042}).answer(t); !isError || !strings.Contains(text, "too many requests under way") {
			t.Errorf("a third call: %s", text)
		}
		if text, isError := bruno.call(t, modern, 9, "list_borrowers", map[string]any{"process": 1042}).answer(t); isError {
			t.Errorf("another person's call: %s", text)
		}
	}
	release()
	for range 2 {
		if text, isError := (<-done).answer(t); isError {
			t.Errorf("failed: %s", text)
		}
	}
}

func TestCallersWithoutAPersonHaveNoShare(t *testing.T) {
	t.Parallel()
	e := start(t, withPeople, func(s *options) { s.app.Token, s.app.CallsPerMinute = validToken, 1 })
	w := rawClient{url: e.serve(t), headers: map[string]string{"Authorization": "Bearer " + validToken}}
	for range 5 {
		if text, isError := w.call(t, modern, 1, "find_operation", map[string]any{}).answer(t); isError {
			t.Error(text)
		}
	}
}
