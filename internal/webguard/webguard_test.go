package webguard_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/webguard"
)

func TestOnlyOwnPagesAndClientsWithoutABrowserAreServed(t *testing.T) {
	own := webguard.Guard{Hosts: []string{"bot.example"}, AnyHost: []string{"/slack/events", "/callbacks/"}, Log: slog.New(slog.DiscardHandler)}
	open := webguard.Guard{Log: own.Log}
	for name, c := range map[string]struct {
		guard  webguard.Guard
		host   string
		path   string
		header http.Header
		in     bool
	}{
		"curl":                              {own, "127.0.0.1:8080", "/", nil, true},
		"by this machine's name":            {own, "LocalHost:8080", "/", nil, true},
		"by its IPv6 address":               {own, "[::1]:8080", "/", nil, true},
		"without a port":                    {own, "[::1]", "/", nil, true},
		"by another of its addresses":       {own, "127.8.8.8", "/", nil, true},
		"by a name that is set":             {own, "Bot.Example", "/", nil, true},
		"by a name that points here":        {own, "evil.example:8080", "/", nil, false},
		"by a name that looks like ours":    {own, "localhost.evil.example", "/", nil, false},
		"by a name with a dot":              {own, "localhost.", "/", nil, false},
		"by no name":                        {own, "", "/", nil, false},
		"by the address that is none":       {own, "0.0.0.0:8080", "/", nil, false},
		"where each request is signed":      {own, "evil.example", "/slack/events", nil, true},
		"below where each is signed":        {own, "evil.example", "/slack/events/x", nil, false},
		"below where each has a token":      {own, "evil.example", "/callbacks/token/1", nil, true},
		"a path that begins alike":          {own, "evil.example", "/callbacksx", nil, false},
		"any name where any is answered":    {open, "bot.internal:8080", "/", nil, true},
		"its own page":                      {own, "localhost:8080", "/sim/command", http.Header{"Origin": {"http://localhost:8080"}, "Sec-Fetch-Site": {"same-origin"}}, true},
		"its own page, behind a proxy":      {open, "bot.example", "/", http.Header{"Origin": {"https://bot.example"}}, true},
		"an address that somebody typed":    {own, "localhost:8080", "/", http.Header{"Sec-Fetch-Site": {"none"}}, true},
		"another site's page":               {own, "localhost:8080", "/", http.Header{"Origin": {"https://evil.example"}}, false},
		"another port's page":               {own, "localhost:8080", "/", http.Header{"Origin": {"http://localhost:8081"}}, false},
		"its page by another name":          {own, "localhost:8080", "/", http.Header{"Origin": {"http://127.0.0.1:8080"}}, false},
		"a page without an origin":          {own, "localhost:8080", "/", http.Header{"Origin": {"null"}}, false},
		"an empty origin":                   {own, "localhost:8080", "/", http.Header{"Origin": {""}}, false},
		"an origin that is none":            {own, "localhost:8080", "/", http.Header{"Origin": {"::"}}, false},
		"two origins":                       {own, "localhost:8080", "/", http.Header{"Origin": {"http://localhost:8080", "http://evil.example"}}, false},
		"an image of another site's page":   {own, "localhost:8080", "/", http.Header{"Sec-Fetch-Site": {"cross-site"}}, false},
		"one of a page of the same site":    {own, "localhost:8080", "/", http.Header{"Sec-Fetch-Site": {"same-site"}}, false},
		"another site's page, where signed": {own, "bot.example", "/slack/events", http.Header{"Origin": {"https://evil.example"}}, false},
		"another site's page, open to all":  {open, "bot.internal", "/", http.Header{"Origin": {"https://evil.example"}}, false},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions} {
			in := false
			handler := c.guard.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { in = true }))
			r := httptest.NewRequest(method, c.path, nil)
			r.Host, r.Header = c.host, c.header
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if in != c.in || in == (w.Code == http.StatusForbidden) {
				t.Errorf("%s: %s served: %v, status %d", name, method, in, w.Code)
			}
			if !in && !strings.Contains(w.Body.String(), "Recusado") {
				t.Errorf("%s: reads %q", name, w.Body)
			}
		}
	}
}

func TestALinkOfAnotherSiteIsFollowedWhereItMay(t *testing.T) {
	guard := webguard.Guard{Hosts: []string{}, Linked: []string{"/mcp/upload/"}, Log: slog.New(slog.DiscardHandler)}
	link := http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}}
	with := func(name, value string) http.Header {
		header := link.Clone()
		header.Set(name, value)
		return header
	}
	for name, c := range map[string]struct {
		method, host, path string
		header             http.Header
		in                 bool
	}{
		"a link":                   {http.MethodGet, "localhost", "/mcp/upload/x", link, true},
		"a link to another path":   {http.MethodGet, "localhost", "/sim/stream", link, false},
		"a link by another name":   {http.MethodGet, "evil.example", "/mcp/upload/x", link, false},
		"a form of another site":   {http.MethodPost, "localhost", "/mcp/upload/x", with("Origin", "https://evil.example"), false},
		"a frame of another site":  {http.MethodGet, "localhost", "/mcp/upload/x", with("Sec-Fetch-Dest", "iframe"), false},
		"another site's program":   {http.MethodGet, "localhost", "/mcp/upload/x", with("Sec-Fetch-Mode", "no-cors"), false},
		"one that says its origin": {http.MethodGet, "localhost", "/mcp/upload/x", with("Origin", "https://evil.example"), false},
	} {
		in := false
		r := httptest.NewRequest(c.method, c.path, nil)
		r.Host, r.Header = c.host, c.header
		guard.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { in = true })).ServeHTTP(httptest.NewRecorder(), r)
		if in != c.in {
			t.Errorf("%s: served: %v", name, in)
		}
	}
}

func TestAnImageIsShownByAnotherSiteWhereItMay(t *testing.T) {
	guard := webguard.Guard{Hosts: []string{}, Images: []string{"/mcp/icon.png"}, Log: slog.New(slog.DiscardHandler)}
	image := http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"no-cors"}, "Sec-Fetch-Dest": {"image"}}
	with := func(name, value string) http.Header {
		header := image.Clone()
		header.Set(name, value)
		return header
	}
	for name, c := range map[string]struct {
		method, path string
		header       http.Header
		in           bool
	}{
		"the image":             {http.MethodGet, "/mcp/icon.png", image, true},
		"another path":          {http.MethodGet, "/metrics", image, false},
		"read by a program":     {http.MethodGet, "/mcp/icon.png", with("Sec-Fetch-Dest", "empty"), false},
		"with another method":   {http.MethodPost, "/mcp/icon.png", image, false},
		"with the site's name":  {http.MethodGet, "/mcp/icon.png", with("Origin", "https://evil.example"), false},
		"opened in a window":    {http.MethodGet, "/mcp/icon.png", with("Sec-Fetch-Mode", "navigate"), false},
		"an image as a request": {http.MethodGet, "/mcp/icon.png", with("Sec-Fetch-Mode", "cors"), false},
	} {
		in := false
		r := httptest.NewRequest(c.method, c.path, nil)
		r.Host, r.Header = "localhost", c.header
		guard.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { in = true })).ServeHTTP(httptest.NewRecorder(), r)
		if in != c.in {
			t.Errorf("%s: served: %v", name, in)
		}
	}
}

func TestAPageOfAnAllowedOriginUsesSharedPathsOnly(t *testing.T) {
	const assistant = "https://assistant.example"
	guard := webguard.Guard{Hosts: []string{}, Shared: []string{"/mcp", "/.well-known/oauth-protected-resource/"}, Origins: []string{assistant}, Log: slog.New(slog.DiscardHandler)}
	for name, c := range map[string]struct {
		method, path string
		origins      []string
		in           bool
	}{
		"a call":                   {http.MethodPost, "/mcp", []string{assistant}, true},
		"a preflight":              {http.MethodOptions, "/mcp", []string{assistant}, true},
		"the metadata":             {http.MethodGet, "/.well-known/oauth-protected-resource/mcp", []string{assistant}, true},
		"a file":                   {http.MethodPut, "/mcp/upload/1/2/3", []string{assistant}, false},
		"another path":             {http.MethodGet, "/metrics", []string{assistant}, false},
		"another origin":           {http.MethodPost, "/mcp", []string{"https://evil.example"}, false},
		"another scheme":           {http.MethodPost, "/mcp", []string{"http://assistant.example"}, false},
		"an origin below it":       {http.MethodPost, "/mcp", []string{"https://evil.assistant.example"}, false},
		"an origin that is longer": {http.MethodPost, "/mcp", []string{assistant + ".evil.example"}, false},
		"no origin":                {http.MethodPost, "/mcp", nil, false},
		"null":                     {http.MethodPost, "/mcp", []string{"null"}, false},
		"two origins":              {http.MethodPost, "/mcp", []string{assistant, "https://evil.example"}, false},
	} {
		in := false
		r := httptest.NewRequest(c.method, c.path, nil)
		r.Host, r.Header = "localhost", http.Header{"Origin": c.origins, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"cors"}}
		guard.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { in = true })).ServeHTTP(httptest.NewRecorder(), r)
		if in != c.in {
			t.Errorf("%s: served: %v", name, in)
		}
	}
}

func TestRefusalsOfAFloodAreLoggedAtALimitedRate(t *testing.T) {
	var out bytes.Buffer
	guard := webguard.Guard{Log: slog.New(slog.NewTextHandler(&out, nil))}
	handler, began := guard.Handler(http.NotFoundHandler()), time.Now()
	for range 1000 {
		r := httptest.NewRequest(http.MethodPost, "/slack/events", nil)
		r.Header.Set("Origin", "https://evil.example")
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	if lines, most := strings.Count(out.String(), "\n"), 20+int(20*time.Since(began).Seconds())+1; lines == 0 || lines > most {
		t.Errorf("%d lines are logged, want at most %d", lines, most)
	}
}
