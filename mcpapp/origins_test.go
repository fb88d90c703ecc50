package mcpapp_test

import (
	"maps"
	"strings"
	"testing"
)

func TestPagesOfAllowedOriginsMayCallAndRead(t *testing.T) {
	t.Parallel()
	const page, other = "https://assistant.example.com", "https://other.example.com:8443"
	p := startProtected(t, func(s *options) { s.app.AllowedOrigins = []string{page, other} })
	preflight := map[string]string{"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type,mcp-protocol-version,mcp-method,mcp-name"}
	token := map[string]string{"Authorization": "Bearer " + p.token()}
	metadata := "/.well-known/oauth-protected-resource/mcp"
	for name, c := range map[string]struct {
		method, path, origin string
		headers              map[string]string
		status               int
		shared               bool
	}{
		"a preflight":                   {"OPTIONS", "/mcp", page, preflight, 204, true},
		"a preflight of another page":   {"OPTIONS", "/mcp", other, preflight, 204, true},
		"a preflight for the metadata":  {"OPTIONS", metadata, page, preflight, 204, true},
		"a call":                        {"POST", "/mcp", page, token, 200, true},
		"a call without a token":        {"POST", "/mcp", page, nil, 401, true},
		"the metadata":                  {"GET", metadata, page, nil, 200, true},
		"no preflight":                  {"OPTIONS", "/mcp", page, token, 405, true},
		"a preflight of a stranger":     {"OPTIONS", "/mcp", "https://evil.example", preflight, 403, false},
		"a call of a stranger":          {"POST", "/mcp", "https://evil.example", token, 403, false},
		"the metadata for a stranger":   {"GET", metadata, "https://evil.example", nil, 403, false},
		"a page of this machine":        {"POST", "/mcp", "http://localhost:6274", token, 403, false},
		"without encryption":            {"POST", "/mcp", "http://assistant.example.com", token, 403, false},
		"with a port":                   {"POST", "/mcp", page + ":8443", token, 403, false},
		"with more at its end":          {"POST", "/mcp", page + ".evil.example", token, 403, false},
		"null":                          {"POST", "/mcp", "null", token, 403, false},
		"a program, which has no page":  {"POST", "/mcp", "", token, 200, false},
		"a preflight for a file's page": {"OPTIONS", "/mcp/upload/1/2/3", page, preflight, 403, false},
	} {
		headers := maps.Clone(c.headers)
		if headers == nil {
			headers = map[string]string{}
		}
		if c.origin != "" {
			headers["Origin"] = c.origin
		}
		w, body := p.rawClient, ""
		w.url = strings.TrimSuffix(w.url, "/mcp") + c.path
		if c.method == "POST" {
			body = listRequest
		}
		reply := w.send(t, c.method, body, headers)
		want := ""
		if c.shared {
			want = c.origin
		}
		if got := reply.header.Get("Access-Control-Allow-Origin"); reply.status != c.status || got != want {
			t.Errorf("%s: got %d, shared with %q", name, reply.status, got)
		}
		if reply.header.Get("Access-Control-Allow-Credentials") != "" || c.shared && !strings.Contains(reply.header.Get("Vary"), "Origin") {
			t.Errorf("%s: the headers are %v", name, reply.header)
		}
		if c.status == 204 {
			contains(t, reply.header.Get("Access-Control-Allow-Headers"), "Authorization", "Content-Type", "Mcp-Protocol-Version", "Mcp-Method", "Mcp-Name")
			contains(t, reply.header.Get("Access-Control-Allow-Methods"), "POST")
		}
		if c.status == 401 {
			contains(t, reply.header.Get("Access-Control-Expose-Headers"), "WWW-Authenticate")
		}
	}
}
