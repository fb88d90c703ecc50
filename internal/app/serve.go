package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/net/netutil"

	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/webguard"
)

// maxConnections is the number of open connections; further ones wait in the queue of the system. An idle one takes about
// 20 kB.
const maxConnections = 2000

// GuardOf returns the guard of a listener. A listener that is not on loopback accepts any host name. One on loopback accepts
// the names of this machine and those of the settings. A proxy in front of it forwards requests of Slack and of the bank,
// which are authenticated, and health checks under a public name that the settings do not contain, so their paths accept any
// name; the simulated Slack and the sandbox need no proxy.
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

// firstRequestTimeout is how long, during a shutdown, the first request of a connection may take to arrive.
const firstRequestTimeout = time.Second

// newConnections are the connections without a complete request. [http.Server.Shutdown] waits five seconds for them.
type newConnections struct{ conns sync.Map }

func (n *newConnections) track(conn net.Conn, state http.ConnState) {
	if state == http.StateNew {
		n.conns.Store(conn, nil)
	} else {
		n.conns.Delete(conn)
	}
}

func (n *newConnections) close() {
	n.conns.Range(func(conn, _ any) bool {
		_ = conn.(net.Conn).Close() // its server removes it
		return true
	})
}

// Serve serves until ctx ends, and then waits up to timeout for running requests. Connections without a request have less
// time: browsers open some in advance.
func Serve(ctx context.Context, server *http.Server, listener net.Listener, timeout time.Duration) error {
	var waiting newConnections
	server.ConnState = waiting.track
	ended := make(chan error, 1)
	go func() {
		<-ctx.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
		defer cancel()
		closing := time.AfterFunc(firstRequestTimeout, waiting.close)
		defer closing.Stop()
		if err := server.Shutdown(ctx); err != nil {
			err = server.Close() // streams that do not end
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
