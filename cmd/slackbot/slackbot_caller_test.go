package main

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/slacksim"
)

// Slackbot calls the MCP server with what Slack signs, for the person whom the message names. Nobody has a token.
func TestSlackbotCallsForThePersonItTalksWith(t *testing.T) {
	ctx := testContext(t)
	h := newHarness(t)
	h.env = append(h.env, "MCP_HOSTS=balcao.example.com")
	h.start(t)
	send := func(secret, body string) (status int, answer string) {
		t.Helper()
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+h.addr+"/mcp", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Host = "balcao.example.com"
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept", "application/json, text/event-stream")
		if secret != "" {
			now := time.Now()
			request.Header.Set("X-Slack-Request-Timestamp", strconv.FormatInt(now.Unix(), 10))
			request.Header.Set("X-Slack-Signature", slacksim.Sign(secret, now, []byte(body)))
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		data, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(data)
	}
	call := func(user, team string) string {
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"get_process","arguments":{"process":"1042"},"_meta":{"slack":{"user_id":%q,"team_id":%q}}}}`, user, team)
	}
	if status, answer := send(slacksim.DefaultSigningSecret, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`); status != http.StatusOK || !strings.Contains(answer, "get_process") {
		t.Errorf("the list: %d %s", status, answer)
	}
	if status, answer := send(slacksim.DefaultSigningSecret, call(slacksim.Ana, slacksim.TeamID)); status != http.StatusOK || !strings.Contains(answer, "Processo 1042") || strings.Contains(answer, `"isError":true`) {
		t.Errorf("Ana: %d %s", status, answer)
	}
	if status, answer := send(slacksim.DefaultSigningSecret, call(slacksim.Guest, slacksim.TeamID)); status != http.StatusOK || !strings.Contains(answer, `"isError":true`) {
		t.Errorf("a guest: %d %s", status, answer)
	}
	for name, c := range map[string]struct{ secret, body string }{
		"unsigned":               {"", call(slacksim.Ana, slacksim.TeamID)},
		"with another secret":    {"another-secret", call(slacksim.Ana, slacksim.TeamID)},
		"of another workspace":   {slacksim.DefaultSigningSecret, call(slacksim.Ana, "T0OTHER")},
		"of somebody who is not": {slacksim.DefaultSigningSecret, call("U0NOBODY", slacksim.TeamID)},
	} {
		if status, answer := send(c.secret, c.body); status != http.StatusUnauthorized || strings.Contains(answer, "1042") {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
}
