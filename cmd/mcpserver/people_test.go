package main_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/issuertest"
	"github.com/balcao/balcao/internal/logtest"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal/sandbox"
)

// servePeople runs the program for the people of an issuer and of personal tokens, and returns its address and its log.
func servePeople(t *testing.T, environ ...string) (url string, log *logtest.Log) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	server := exec.CommandContext(ctx, build(t), "-playground", "-v", "-http", "127.0.0.1:0")
	log = &logtest.Log{}
	server.Env, server.Stderr = append(os.Environ(), environ...), log
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = server.Wait() })
	return endpoint(t, out), log
}

func TestEachPersonsAssistantsActAsShe(t *testing.T) {
	t.Parallel()
	key := issuertest.NewKey(t, "1", issuertest.RS256)
	from := issuertest.Start(t, "", key)
	token, entry, ok := settings.NewPersonalToken("mcp:sub:subject-of-rui", time.Time{})
	if !ok {
		t.Fatal("there is no token")
	}
	const audience, page = "https://mcp.example/mcp", "https://assistant.example"
	url, log := servePeople(t, "MCP_ISSUER="+from.URL, "MCP_URL=https://mcp.example", "MCP_HOSTS=mcp.example", "MCP_TOKENS="+entry, "MCP_ORIGINS="+page,
		"PORTAL_USERS=T0123/U0456=mcp:ana@mediadora.example=lang:pt-PT="+sandbox.BrokerA.Users[0]+",mcp:sub:subject-of-rui="+sandbox.BrokerA.Users[1])
	ana := key.Sign(nil, from.Claims(audience))
	listing := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_borrowers","arguments":{"process":"9999"}}}`
	creating := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_borrower","arguments":{"process":"1042"}}}`
	for name, c := range map[string]struct {
		token, body, origin string
		status              int
		want                string // in the body or the challenge
	}{
		"no token":                  {"", listing, "", 401, `resource_metadata="https://mcp.example/.well-known/oauth-protected-resource/mcp"`},
		"a person at the issuer":    {ana, listing, "", 200, "Referência: "},
		"a person with a token":     {token, listing, "", 200, "Reference: "},
		"a token for another":       {key.Sign(nil, from.Claims("https://other.example")), listing, "", 401, "wrong_audience"},
		"a stranger":                {key.Sign(nil, from.Claims(audience, "email", "eve@evil.example", "sub", "eve")), listing, "", 403, "PORTAL_USERS"},
		"an address not verified":   {key.Sign(nil, from.Claims(audience, "email_verified", false)), listing, "", 403, "PORTAL_USERS"},
		"a token for reading":       {key.Sign(nil, from.Claims(audience, "scope", "balcao.read")), creating, "", 403, `scope="balcao.read balcao.write"`},
		"a page of an origin":       {ana, listing, page, 200, "Referência: "},
		"a page of another origin":  {ana, listing, "https://evil.example", 403, ""},
		"a page of the same server": {ana, listing, "https://mcp.example", 403, ""},
	} {
		status, header, body := send(t, http.MethodPost, url, c.token, c.body, c.origin)
		if status != c.status || !strings.Contains(body+header.Get("WWW-Authenticate"), c.want) {
			t.Errorf("%s: got %d %q %s", name, status, header.Get("WWW-Authenticate"), body)
		}
		if shared := header.Get("Access-Control-Allow-Origin"); (shared == page) != (c.origin == page) {
			t.Errorf("%s: shared with %q", name, shared)
		}
	}
	_, _, metadata := send(t, http.MethodGet, strings.TrimSuffix(url, "/mcp")+"/.well-known/oauth-protected-resource/mcp", "", "", "")
	var published struct {
		Resource string
		Servers  []string `json:"authorization_servers"`
	}
	if err := json.Unmarshal([]byte(metadata), &published); err != nil || published.Resource != audience || len(published.Servers) != 1 || published.Servers[0] != from.URL {
		t.Errorf("got %+v, %v", published, err)
	}
	waittest.Eventually(t, "the calls are logged by opaque names", func() bool {
		return strings.Contains(log.String(), "actor=mcp:T0123/U0456") && strings.Count(log.String(), "actor=mcp:") >= 3
	})
	for _, secret := range []string{ana, token, "eyJ", "@mediadora.example", "@evil.example", "subject-of"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%q is in the log:\n%s", secret, log)
		}
	}
}

// send sends a request as a page of an origin does, or as a program does if there is none.
func send(t *testing.T, method, url, token, body, origin string) (int, http.Header, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "mcp.example"
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if origin != "" {
		request.Header.Set("Origin", origin)
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		request.Header.Set("Sec-Fetch-Mode", "cors")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(answer)
}
