package mcpapp_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

func TestAnUploadGoesToOneReplicaAndIsTakenByAnother(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	one := start(t, withFileTools(t), func(s *options) { s.redis = redis })
	other := one.replica(t)
	got := variants[3].start(t, one).asksForAddress(t)
	at, err := url.Parse(got.Address)
	must(t, err)
	second, err := url.Parse(other.serve(t))
	must(t, err)
	at.Host = second.Host
	if status, answer := give(t, http.MethodPut, at.String(), bytes.NewReader(pdf), nil); status != http.StatusCreated {
		t.Fatalf("the other replica gives %d %s", status, answer)
	}
	var out takenFiles
	structured(t, succeeded(t, variants[3].start(t, other).call(t, "take_files", map[string]any{"files": []string{got.File}})), &out)
	if out.Sizes[0] != int64(len(pdf)) {
		t.Errorf("taken: %+v", out)
	}
}

func TestALargeDocumentIsFetchedOnceAtAnAddress(t *testing.T) {
	t.Parallel()
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			e := start(t, func(s *options) { s.app.MaxFile = 1000 })
			a := variant.start(t, e)
			read, err := a.ReadResource(t.Context(), mcp.ReadResourceRequest{Params: mcp.ReadResourceParams{URI: "balcao://processes/1042/esis"}})
			must(t, err)
			told, ok := read.Contents[0].(mcp.TextResourceContents)
			if !ok {
				t.Fatalf("got %T", read.Contents[0])
			}
			at := told.Text[strings.Index(told.Text, "http://"):]
			at, _, _ = strings.Cut(at, " ")
			if status, _ := give(t, http.MethodHead, at, nil, nil); status != http.StatusOK {
				t.Errorf("a look gives %d", status)
			}
			if status, _ := give(t, http.MethodGet, at, nil, map[string]string{"Host": "evil.example"}); status != http.StatusForbidden {
				t.Errorf("another host gives %d", status)
			}
			response, err := http.Get(at)
			must(t, err)
			defer response.Body.Close()
			content, err := io.ReadAll(response.Body)
			must(t, err)
			if response.StatusCode != http.StatusOK || !bytes.HasPrefix(content, []byte("%PDF-")) || response.ContentLength != int64(len(content)) {
				t.Errorf("got %d, %d bytes", response.StatusCode, len(content))
			}
			for name, want := range map[string]string{"Content-Type": "application/pdf", "Content-Disposition": "attachment; filename=FINE-1042.pdf", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
				if got := response.Header.Get(name); got != want {
					t.Errorf("%s is %q", name, got)
				}
			}
			if status, answer := give(t, http.MethodGet, at, nil, map[string]string{"Accept": "text/html", "Accept-Language": "pt"}); status != http.StatusNotFound || !strings.Contains(answer, "Não há nada neste endereço") {
				t.Errorf("a second time gives %d %s", status, answer)
			}
		})
	}
}

func TestAddressesAreThoseThatTheCallerReaches(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		url, proto, want string
	}{
		"as of the request":  {"", "", "http://mcp.example.com/mcp/upload/"},
		"behind a TLS proxy": {"", "https", "https://mcp.example.com/mcp/upload/"},
		"as it is set":       {"https://balcao.example.pt", "", "https://balcao.example.pt/mcp/upload/"},
	} {
		e := start(t, func(s *options) {
			s.app.Tools = []string{tools.AllToolsets}
			s.app.URL, s.app.AllowedHosts, s.app.Token = c.url, []string{"mcp.example.com"}, "synthetic-token"
		})
		server := httptest.NewServer(e.app.Handler())
		t.Cleanup(server.Close)
		reply := rawClient{url: server.URL + "/mcp", headers: map[string]string{"Authorization": "Bearer synthetic-token", "Host": "mcp.example.com", "X-Forwarded-Proto": c.proto}}.call(t, modern, 1, "request_upload", map[string]any{})
		if !strings.Contains(reply.body, c.want) {
			t.Errorf("%s: got %d %s", name, reply.status, reply.body)
		}
	}
}

func TestAPersonGetsNoAddressForAFile(t *testing.T) {
	t.Parallel()
	e := start(t)
	tool, _ := e.runner.Catalogue.Named("request_upload")
	if _, err := e.runner.Run(t.Context(), tools.Request{Tool: tool, Actor: tools.Actor{ID: "ana", Lang: words.English}}); tools.AsError(err).Kind != tools.Forbidden {
		t.Errorf("got %v", err)
	}
}

func TestTheListenerOfAnAssistantOnStdioEndsWithIt(t *testing.T) {
	t.Parallel()
	e := start(t, withFileTools(t))
	a := variants[1].start(t, e)
	got := a.asksForAddress(t)
	at, err := url.Parse(got.Address)
	must(t, err)
	if again, err := url.Parse(a.asksForAddress(t).Address); err != nil || again.Host != at.Host {
		t.Errorf("a second address is at %v, the first at %s", again, at.Host)
	}
	must(t, a.Close())
	waittest.Eventually(t, "the listener is closed", func() bool {
		connection, err := net.Dial("tcp", at.Host)
		if err == nil {
			_ = connection.Close()
		}
		return err != nil
	})
}
