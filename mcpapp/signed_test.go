package mcpapp_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/mcpapp"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/catalogue"
)

const signatureHeader = "X-Platform-Signature"

// signature is what the platform of these tests signs a message with.
func signature(body string) string {
	mac := hmac.New(sha256.New, []byte("synthetic-secret"))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

// sender reads who sends a message, after checking its signature.
func sender(_ context.Context, header http.Header, body []byte) (tools.Actor, bool, error) {
	if !hmac.Equal([]byte(header.Get(signatureHeader)), []byte(signature(string(body)))) {
		return tools.Actor{}, false, nil
	}
	var message struct {
		Params struct {
			Meta struct {
				Platform struct{ User string } `json:"platform"`
			} `json:"_meta"`
		} `json:"params"`
	}
	if err := json.Unmarshal(body, &message); err != nil {
		return tools.Actor{}, false, nil
	}
	switch user := message.Params.Meta.Platform.User; user {
	case "unknown":
		return tools.Actor{}, false, errors.New("the platform does not answer")
	case "guest":
		return tools.Actor{ID: "ana", Guest: true}, true, nil
	default:
		return tools.Actor{ID: user, Lang: words.Portuguese, Client: "Platform"}, true, nil
	}
}

func signed(s *options) {
	s.app.Signed = &mcpapp.Signed{Header: signatureHeader, Sender: sender}
	s.app.AllowedHosts = []string{"mcp.example.com"}
	s.app.Actor = func(context.Context, *http.Request) (tools.Actor, bool) { panic("nobody is the usual caller") }
}

// message returns a message of a person, "" for the platform itself.
func message(method, params, user string) string {
	meta := "{}"
	if user != "" {
		meta = fmt.Sprintf(`{"platform":{"user":%q}}`, user)
	}
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":{%s"_meta":%s}}`, method, params, meta)
}

const findCall = `"name":"find_processes","arguments":{"text":"1042"},`

func (w rawClient) sendSigned(t *testing.T, body string, change ...map[string]string) reply {
	t.Helper()
	headers := []map[string]string{{"Host": "mcp.example.com", "Mcp-Protocol-Version": legacy, signatureHeader: signature(body)}}
	return w.send(t, http.MethodPost, body, append(headers, change...)...)
}

func TestASignedMessageIsFromItsSender(t *testing.T) {
	t.Parallel()
	e := start(t, signed)
	w := rawClient{url: e.serve(t)}
	got, isError := w.sendSigned(t, message("tools/call", findCall, "ana")).answer(t)
	if isError {
		t.Fatal(got)
	}
	contains(t, got, "1042", "Processos") // in her language
	contains(t, e.log.String(), `"actor":"ana"`)
	for _, user := range []string{"nobody", "guest"} {
		if got, isError := w.sendSigned(t, message("tools/call", findCall, user)).answer(t); !isError {
			t.Errorf("%s: %s", user, got)
		}
		var list struct{ Tools []json.RawMessage }
		must(t, json.Unmarshal(w.sendSigned(t, message("tools/list", "", user)).result(t), &list))
		if len(list.Tools) > 0 {
			t.Errorf("%s is offered %d tools", user, len(list.Tools))
		}
	}
}

// Who approves a call is told which assistant asked: the platform that signed, whatever the message calls itself.
func TestACallThatWaitsNamesThePlatform(t *testing.T) {
	t.Parallel()
	e := start(t, signed, withPolicy(t, "approve"), func(s *options) {
		ana := tools.Person{Login: testenv.Login(sandbox.BrokerA), Account: "slack:T0/U0"}
		s.people = tools.Team{"ana": ana, ana.Account: ana}
	})
	args, err := json.Marshal(validBorrower())
	must(t, err)
	got := rawClient{url: e.serve(t)}.sendSigned(t, message("tools/call", `"name":"create_borrower","arguments":`+string(args)+`,`, "ana"), map[string]string{"User-Agent": "Another/1"})
	if got.status != http.StatusOK || strings.Contains(got.body, `"isError":true`) {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	waiting, err := e.runner.OpenApprovals(t.Context(), tools.Actor{ID: "slack:T0/U0"})
	must(t, err)
	if len(waiting) != 1 || waiting[0].Client != "Platform" {
		t.Errorf("got %+v", waiting)
	}
}

// Slack asks for the lists before it knows for whom.
func TestThePlatformItselfGetsListsAndCallsNothing(t *testing.T) {
	t.Parallel()
	w := rawClient{url: start(t, signed, withTools(tools.AllToolsets)).serve(t)}
	var list struct{ Tools []struct{ Name string } }
	must(t, json.Unmarshal(w.sendSigned(t, message("tools/list", "", "")).result(t), &list))
	listed := map[string]bool{}
	for _, tool := range list.Tools {
		listed[tool.Name] = true
	}
	for _, tool := range catalogue.New().Tools() {
		if listed[tool.Name] != tool.ForAssistants() {
			t.Errorf("%s is listed: %v", tool.Name, listed[tool.Name])
		}
	}
	hello := fmt.Sprintf(`"protocolVersion":%q,"capabilities":{},"clientInfo":{"name":"Slackbot","version":"1"},`, legacy)
	for method, params := range map[string]string{"initialize": hello, "prompts/list": "", "resources/templates/list": "", "ping": ""} {
		w.sendSigned(t, message(method, params, "")).result(t)
	}
	for method, params := range map[string]string{
		"tools/call": findCall, "resources/read": `"uri":"balcao://processes/1042",`, "prompts/get": `"name":"morning_round",`,
		"completion/complete": `"ref":{"type":"ref/prompt","name":"explain_esis"},"argument":{"name":"process","value":"1"},`,
	} {
		if got := w.sendSigned(t, message(method, params, "")); got.status != http.StatusForbidden || strings.Contains(got.body, "result") {
			t.Errorf("%s: %d %s", method, got.status, got.body)
		}
	}
}

func TestOnlyARightSignatureStandsForAToken(t *testing.T) {
	t.Parallel()
	e := start(t, signed)
	w := rawClient{url: e.serve(t)}
	body := message("tools/call", findCall, "ana")
	for name, c := range map[string]struct {
		body   string
		header map[string]string
		status int
	}{
		"signed":                {body, nil, http.StatusOK},
		"unsigned":              {body, map[string]string{signatureHeader: ""}, http.StatusUnauthorized},
		"with another's":        {body, map[string]string{signatureHeader: signature("another message")}, http.StatusUnauthorized},
		"changed":               {strings.Replace(body, "1042", "1043", 1), map[string]string{signatureHeader: signature(body)}, http.StatusUnauthorized},
		"with a token, too":     {body, map[string]string{"Authorization": "Bearer guessed"}, http.StatusUnauthorized},
		"at another host":       {body, map[string]string{"Host": "evil.example.com"}, http.StatusForbidden},
		"of a page":             {body, map[string]string{"Origin": "https://evil.example.com"}, http.StatusForbidden},
		"of a form":             {body, map[string]string{"Content-Type": "text/plain"}, http.StatusUnsupportedMediaType},
		"too long":              {message("tools/call", `"name":"`+strings.Repeat("x", 300<<10)+`",`, "ana"), nil, http.StatusRequestEntityTooLarge},
		"of who is not known":   {message("tools/call", findCall, "unknown"), nil, http.StatusServiceUnavailable},
		"of nobody":             {message("tools/call", findCall, ""), nil, http.StatusForbidden},
		"that is no message":    {`[]`, nil, http.StatusUnauthorized},
		"asking for tools only": {message("tools/list", "", ""), nil, http.StatusOK},
	} {
		got := w.sendSigned(t, c.body, c.header)
		if got.status != c.status {
			t.Errorf("%s: got %d, want %d: %s", name, got.status, c.status, got.body)
		}
		if c.status == http.StatusServiceUnavailable && got.header.Get("Retry-After") == "" {
			t.Errorf("%s: it is not said when to come back", name)
		}
	}
	lacks(t, e.log.String(), "another message", "synthetic-secret", signature(body))
}

func TestWhoTriesSignaturesIsHeldBack(t *testing.T) {
	t.Parallel()
	w := rawClient{url: start(t, signed).serve(t)}
	body := message("tools/call", findCall, "ana")
	for range 100 {
		if got := w.sendSigned(t, body, map[string]string{signatureHeader: "guessed"}); got.status == http.StatusTooManyRequests {
			return
		}
	}
	t.Error("a hundred wrong signatures were checked")
}

// On this machine callers need no signature either.
func TestALocalCallerNeedsNoSignature(t *testing.T) {
	t.Parallel()
	w := rawClient{url: start(t, func(s *options) { s.app.Signed = &mcpapp.Signed{Header: signatureHeader, Sender: sender} }).serve(t)}
	if got, isError := w.call(t, legacy, 1, "find_processes", map[string]any{"text": "1042"}).answer(t); isError {
		t.Error(got)
	}
}
