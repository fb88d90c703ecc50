package mcpapp_test

import (
	"bytes"
	"encoding/json"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"github.com/balcao/balcao/mcpapp"
)

// A list may be used for some minutes by the caller that got it; a result is what the bank says now.
func TestListsMayBeCachedByTheirCallerAndResultsMayNot(t *testing.T) {
	t.Parallel()
	w := rawClient{url: start(t).serve(t)}
	for method, c := range map[string]struct {
		params map[string]any
		ttl    int64
	}{
		"server/discover":          {nil, 300_000},
		"tools/list":               {nil, 300_000},
		"prompts/list":             {nil, 300_000},
		"resources/list":           {nil, 300_000},
		"resources/templates/list": {nil, 300_000},
		"resources/read":           {map[string]any{"uri": "balcao://processes/1042"}, 0},
	} {
		var hints struct {
			TTL   *int64 `json:"ttlMs"`
			Scope string `json:"cacheScope"`
		}
		must(t, json.Unmarshal(w.request(t, modern, 1, method, c.params).result(t), &hints))
		if hints.TTL == nil || *hints.TTL != c.ttl || hints.Scope != "private" {
			t.Errorf("%s: got %+v", method, hints)
		}
	}
}

func TestTheServerSaysWhatItIs(t *testing.T) {
	t.Parallel()
	type info struct {
		Name, Title, Version string
		WebsiteURL           string `json:"websiteUrl"`
		Icons                []struct{ Src, MIMEType string }
	}
	for address, want := range map[string]string{
		"":                           "",
		"http://127.0.0.1:8080":      "", // clients take icons from https only
		"https://mcp.example.com":    "https://mcp.example.com/mcp/icon.png",
		"https://mcp.example.com/b/": "https://mcp.example.com/b/mcp/icon.png",
	} {
		w := rawClient{url: start(t, func(s *options) { s.app.URL = address }).serve(t)}
		var old struct{ ServerInfo info }
		must(t, json.Unmarshal(w.request(t, legacy, 1, "initialize", nil).result(t), &old))
		var modernReply struct {
			Meta map[string]info `json:"_meta"`
		}
		must(t, json.Unmarshal(w.request(t, modern, 1, "server/discover", nil).result(t), &modernReply))
		for _, got := range []info{old.ServerInfo, modernReply.Meta["io.modelcontextprotocol/serverInfo"]} {
			if got.Name != "balcao" || got.Title != "Balcão" || got.Version != "test" || !strings.HasPrefix(got.WebsiteURL, "https://") {
				t.Errorf("got %+v", got)
			}
			if want == "" != (len(got.Icons) == 0) || want != "" && got.Icons[0].Src != want {
				t.Errorf("at %q the icons are %v", address, got.Icons)
			}
		}
	}
}

func TestTheIconIsServedToEverybody(t *testing.T) {
	t.Parallel()
	w := rawClient{url: strings.TrimSuffix(start(t, func(s *options) { s.app.Token = "synthetic-token" }).serve(t), "/mcp") + mcpapp.IconPath}
	got := w.send(t, http.MethodGet, "")
	icon, err := png.Decode(bytes.NewReader([]byte(got.body)))
	must(t, err)
	if size := icon.Bounds().Size(); got.status != http.StatusOK || got.header.Get("Content-Type") != "image/png" || size.X != 512 || size.Y != 512 {
		t.Errorf("%d, %s, %v", got.status, got.header, size)
	}
}
