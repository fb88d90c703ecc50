package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/issuertest"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestTheBotServesTheAssistantsOfItsPeople(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	key := issuertest.NewKey(t, "1", issuertest.EdDSA)
	from := issuertest.Start(t, "", key)
	const ana = slacksim.TeamID + "/" + slacksim.Ana
	token, entry, ok := settings.NewPersonalToken(ana, time.Now().AddDate(0, 0, 1))
	if !ok {
		t.Fatal("there is no token")
	}
	h.env = append(h.env, "PORTAL_USERS="+ana+"=mcp:ana@mediadora.example="+sandbox.BrokerA.Users[0], "MCP_TOKENS="+entry,
		"MCP_ISSUER="+from.URL, "MCP_URL=http://"+h.addr, "MCP_AUDIENCE=api://balcao")
	h.start(t)
	call := func(method, path, token string) (int, http.Header, string) {
		t.Helper()
		body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_borrowers","arguments":{"process":"1042"}}}`
		request, err := http.NewRequestWithContext(t.Context(), method, "http://"+h.addr+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}}
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		answer, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, response.Header, string(answer)
	}
	metadata := "http://" + h.addr + "/.well-known/oauth-protected-resource/mcp"
	if status, header, _ := call(http.MethodPost, "/mcp", ""); status != http.StatusUnauthorized || !strings.Contains(header.Get("WWW-Authenticate"), metadata) {
		t.Errorf("without a token: %d %v", status, header)
	}
	if status, _, body := call(http.MethodGet, "/.well-known/oauth-protected-resource/mcp", ""); status != http.StatusOK || !strings.Contains(body, `"`+from.URL+`"`) {
		t.Errorf("the metadata: %d %s", status, body)
	}
	for name, token := range map[string]string{"a personal token": token, "an access token": key.Sign(nil, from.Claims("api://balcao"))} {
		if status, _, body := call(http.MethodPost, "/mcp", token); status != http.StatusOK || !strings.Contains(body, `"structuredContent"`) {
			t.Errorf("%s: %d %s", name, status, body)
		}
		if strings.Contains(h.logs.String(), token) {
			t.Errorf("%s is in the log", name)
		}
	}
}
