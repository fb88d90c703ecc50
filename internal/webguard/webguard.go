// Package webguard keeps pages of other sites from using a browser to reach a listener of ours: on this machine, in this
// network, or under a name that they make point here. Who is no browser, such as curl, Slack or the bank, sends neither
// Origin nor Sec-Fetch-Site, and only has to ask for the right host.
package webguard

import (
	"embed"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/balcao/balcao/internal/bodies"
	"github.com/balcao/balcao/internal/refusals"
	"github.com/balcao/balcao/internal/words"
)

//go:embed words
var wordFiles embed.FS

var book = words.Sub(wordFiles, "words")

// Guard says how a listener is reached.
type Guard struct {
	// Hosts are the names in the Host header that are answered, without port, beside those of this machine. nil answers
	// to any, for a listener that others reach under names that only they know.
	Hosts []string
	// AnyHost are paths that are answered under any name, because each request to them carries a proof of its own and
	// comes through a proxy: one path, or all below it where it ends in a slash.
	AnyHost []string
	Log     *slog.Logger
}

// Handler refuses with 403 what another site's page had a browser send, whatever the path and the method.
//
// [http.CrossOriginProtection] lets what it takes for safe methods pass. Here those are refused too: some of our paths
// cost a call to the bank, and none is meant for other sites.
func (g Guard) Handler(next http.Handler) http.Handler {
	refused := refusals.New(g.Log)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reason := ""
		switch {
		case !g.knows(r):
			reason = "host"
		case foreign(r):
			reason = "origin"
		default:
			next.ServeHTTP(w, r)
			return
		}
		refused.Warn(r.Context(), "a request of another site's page was refused", "reason", reason)
		bodies.Leave(w)
		http.Error(w, book.Say(words.Match(r.Header.Get("Accept-Language")), reason, nil), http.StatusForbidden)
	})
}

func (g Guard) knows(r *http.Request) bool {
	if g.Hosts == nil || slices.ContainsFunc(g.AnyHost, func(path string) bool {
		return r.URL.Path == path || strings.HasSuffix(path, "/") && strings.HasPrefix(r.URL.Path, path)
	}) {
		return true
	}
	host := Hostname(r.Host)
	return Loopback(host) || slices.ContainsFunc(g.Hosts, func(known string) bool { return strings.EqualFold(known, host) })
}

// foreign tells whether a browser sent a request for a page of another origin. Of one that says no origin it is enough
// that the person opened the address herself.
func foreign(r *http.Request) bool {
	for _, origin := range r.Header.Values("Origin") {
		if address, err := url.Parse(origin); err != nil || !strings.EqualFold(address.Host, r.Host) {
			return true
		}
	}
	for _, site := range r.Header.Values("Sec-Fetch-Site") {
		if site != "same-origin" && site != "none" {
			return true
		}
	}
	return false
}

// Hostname is a host without its port, and an IPv6 address without its brackets.
func Hostname(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

// Loopback tells whether a name is one of this machine for itself, which nobody can make point elsewhere.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
