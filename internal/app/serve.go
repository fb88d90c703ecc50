package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/net/netutil"

	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/webguard"
)

// maxConnections are open at once; the next ones wait in the system's queue. An idle one takes about 20 kB.
const maxConnections = 2000

// NewServer makes an HTTP server in which every wait has an end, and which pages of other sites do not reach. What
// streams extends its own deadline.
func NewServer(handler http.Handler, guard webguard.Guard, log *slog.Logger) *http.Server {
	guard.Log = log
	return &http.Server{
		Handler:           guard.Handler(handler),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      90 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// GuardOf says how a listener is reached. One that others reach takes any name: which are right is the operator's
// business. One on this machine alone takes this machine's names and those that are set. Behind a proxy Slack and the bank
// come to it under a public name that we are not told, each time with a proof, and so may who asks whether it is well; the
// simulated Slack and the sandbox need no proxy.
func GuardOf(listener net.Listener, s settings.Settings) webguard.Guard {
	addr, ok := listener.Addr().(*net.TCPAddr)
	if !ok || !addr.IP.IsLoopback() {
		return webguard.Guard{}
	}
	guard := webguard.Guard{Hosts: append([]string{}, s.MCPHosts...)}
	if s.SlackAPIURL != settings.Simulated {
		guard.AnyHost = []string{"/slack/events", "/callbacks/", "/healthz", "/readyz"}
	} else if public, err := url.Parse(s.CallbackURL); err == nil && public.Host != "" && !webguard.Loopback(public.Hostname()) {
		guard.AnyHost = []string{"/callbacks/"}
	}
	return guard
}

// SaveMemory has garbage collected twice as often as Go does by itself, unless GOGC says how often. Little of our time goes
// there, and a flood of connections leaves much of it at once.
func SaveMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}

// lastRequest is how long, once the end has begun, a first request may take to arrive.
const lastRequest = time.Second

// newConnections are those on which no request has arrived whole. [http.Server.Shutdown] waits five seconds for them.
type newConnections struct{ conns sync.Map }

func (n *newConnections) note(conn net.Conn, state http.ConnState) {
	if state == http.StateNew {
		n.conns.Store(conn, nil)
	} else {
		n.conns.Delete(conn)
	}
}

func (n *newConnections) close() {
	n.conns.Range(func(conn, _ any) bool {
		_ = conn.(net.Conn).Close() // its server notices
		return true
	})
}

// Serve serves until ctx ends, and then lets requests under way finish for as long as patience lasts. Connections on
// which no request has come have less time: browsers open some ahead.
func Serve(ctx context.Context, server *http.Server, listener net.Listener, patience time.Duration) error {
	var waiting newConnections
	server.ConnState = waiting.note
	ended := make(chan error, 1)
	go func() {
		<-ctx.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		closing := time.AfterFunc(lastRequest, waiting.close)
		defer closing.Stop()
		if err := server.Shutdown(ctx); err != nil {
			err = server.Close() // streams that nobody ends
			ended <- err
			return
		}
		ended <- nil
	}()
	if err := server.Serve(netutil.LimitListener(listener, maxConnections)); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-ended
}
