package app_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/app"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/internal/webguard"
)

// listening is a listener that only has an address.
type listening struct {
	net.Listener
	addr net.TCPAddr
}

func (l listening) Addr() net.Addr { return &l.addr }

func TestWhichHostNamesAreAcceptedDependsOnTheListener(t *testing.T) {
	outside := settings.Settings{SlackAPIURL: "https://slack.com/api/", CallbackURL: "https://bot.example", MCPHosts: []string{"mcp.example"}}
	playground := settings.Settings{SlackAPIURL: settings.Simulated}
	tunnelled := settings.Settings{SlackAPIURL: settings.Simulated, CallbackURL: "https://bot.example"}
	for name, c := range map[string]struct {
		ip       string
		settings settings.Settings
		answered map[string]bool // by host and path
	}{
		"behind a proxy on this machine": {"127.0.0.1", outside, map[string]bool{
			"bot.example/slack/events": true, "bot.example/callbacks/token/1": true, "bot.example/healthz": true, "bot.example/readyz": true,
			"mcp.example/mcp": true, "bot.example/mcp": false, "bot.example/metrics": false, "localhost/metrics": true, "bot.example/": false,
		}},
		"where others reach it": {"10.0.0.7", outside, map[string]bool{"bot.internal/metrics": true, "10.0.0.7/healthz": true}},
		"at every address":      {"0.0.0.0", outside, map[string]bool{"bot.internal/metrics": true}},
		"a playground": {"127.0.0.1", playground, map[string]bool{
			"localhost/": true, "127.0.0.1/slack/events": true, "bot.example/slack/events": false, "bot.example/callbacks/token/1": false, "bot.example/healthz": false,
		}},
		"a playground that a bank reaches through a tunnel": {"::1", tunnelled, map[string]bool{
			"bot.example/callbacks/token/1": true, "bot.example/": false, "bot.example/slack/events": false, "[::1]/": true,
		}},
	} {
		guard := app.GuardOf(listening{addr: net.TCPAddr{IP: net.ParseIP(c.ip), Port: 8080}}, c.settings)
		server := webguard.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), guard, slog.New(slog.DiscardHandler))
		for address, answered := range c.answered {
			host, path, _ := strings.Cut(address, "/")
			r, w := httptest.NewRequest(http.MethodPost, "/"+path, nil), httptest.NewRecorder()
			r.Host = host
			server.Handler.ServeHTTP(w, r)
			if (w.Code == http.StatusOK) != answered {
				t.Errorf("%s: %s is answered with %d", name, address, w.Code)
			}
		}
	}
}

func TestIdleConnectionsDoNotDelayTheEndAndRequestsFinish(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	working, release := make(chan struct{}), make(chan struct{})
	server := webguard.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(working)
		<-release
	}), app.GuardOf(listener, settings.Settings{}), slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- app.Serve(ctx, server, listener, time.Minute) }()
	dial := func(says string) net.Conn {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err == nil {
			t.Cleanup(func() { _ = conn.Close() })
			_ = conn.SetDeadline(time.Now().Add(time.Minute))
			_, err = io.WriteString(conn, says)
		}
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	silent, half := dial(""), dial("GET / HTTP/1.1\r\nHost: 127.0.")
	under := dial("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") // accepted after the two others
	<-working
	began := time.Now()
	stop()
	for _, conn := range []net.Conn{silent, half} {
		if _, err := io.ReadAll(conn); err != nil || time.Since(began) > waittest.Deadline/2 {
			t.Errorf("it is closed after %s, %v", time.Since(began), err)
		}
	}
	close(release)
	if answer, err := http.ReadResponse(bufio.NewReader(under), nil); err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("the running request ended with %v", err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A server made elsewhere would have no guard against pages of other sites.
func TestServersAreMadeByNewServerOnly(t *testing.T) {
	err := filepath.WalkDir("../..", func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "internal/webguard/server.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, constructor := range []string{"http.Server{", "http.ListenAndServe", "http.Serve("} {
			if strings.Contains(string(source), constructor) {
				t.Errorf("%s makes a server", path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
