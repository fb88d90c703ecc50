// Package webguard refuses requests that a page of another site makes through a browser to a listener on this machine or in
// this network, DNS rebinding included. Clients that are not browsers, such as curl, Slack or the bank, send neither Origin
// nor Sec-Fetch-Site, and only need the right host.
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

var texts = words.Sub(wordFiles, "words")

// Guard describes which requests a listener accepts.
type Guard struct {
	// Hosts are the accepted names in the Host header, without port, beside those of this machine. nil accepts any name, for
	// a listener whose public names are not known.
	Hosts []string
	// AnyHost are paths for which any name is accepted, because each request to them is authenticated and comes through a
	// proxy. A path that ends in a slash includes all paths below it.
	AnyHost []string
	// Linked are paths to which people follow links from pages of other sites, also in this form. What is there must not
	// depend on who asks.
	Linked []string
	// Shared are paths, also in this form, for pages of Origins. What is there authenticates each request.
	Shared  []string
	Origins []string // such as https://assistant.example
	// Images are the paths of images that pages of other sites may show.
	Images []string
	Log    *slog.Logger
}

// Handler refuses requests from pages of other sites with 403, for every path and method.
//
// [http.CrossOriginProtection] allows safe methods. Here they are refused too: some paths cause a call to the bank, and none
// is meant for other sites.
func (g Guard) Handler(next http.Handler) http.Handler {
	refused := refusals.New(g.Log)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reason := ""
		switch {
		case !g.knows(r):
			reason = "host"
		case foreign(r) && !g.invites(r):
			reason = "origin"
		default:
			next.ServeHTTP(w, r)
			return
		}
		refused.Warn(r.Context(), "a request of another site's page was refused", "reason", reason)
		bodies.Leave(w)
		http.Error(w, texts.Say(words.Match(r.Header.Get("Accept-Language")), reason, nil), http.StatusForbidden)
	})
}

func (g Guard) knows(r *http.Request) bool {
	if g.Hosts == nil || below(r.URL.Path, g.AnyHost) {
		return true
	}
	host := Hostname(r.Host)
	return Loopback(host) || slices.ContainsFunc(g.Hosts, func(known string) bool { return strings.EqualFold(known, host) })
}

// invites reports whether a request of another site's page is for a path that is meant for it.
func (g Guard) invites(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	return followsLink(r) && below(r.URL.Path, g.Linked) || showsImage(r) && below(r.URL.Path, g.Images) ||
		len(origins) == 1 && slices.Contains(g.Origins, origins[0]) && below(r.URL.Path, g.Shared)
}

// below reports whether a path is one of paths, or below one that ends in a slash.
func below(path string, paths []string) bool {
	return slices.ContainsFunc(paths, func(each string) bool {
		return path == each || strings.HasSuffix(each, "/") && strings.HasPrefix(path, each)
	})
}

// followsLink reports whether a browser opens the address in a window, and does not read it for another page.
func followsLink(r *http.Request) bool {
	return r.Method == http.MethodGet && len(r.Header.Values("Origin")) == 0 &&
		r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

// showsImage reports whether a browser shows an image on another page, which cannot read it.
func showsImage(r *http.Request) bool {
	return r.Method == http.MethodGet && len(r.Header.Values("Origin")) == 0 &&
		r.Header.Get("Sec-Fetch-Mode") == "no-cors" && r.Header.Get("Sec-Fetch-Dest") == "image"
}

// foreign reports whether a browser sent the request for a page of another origin. A request without Origin is allowed if
// the person opened the address directly.
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

// Hostname returns a host without its port, and an IPv6 address without brackets.
func Hostname(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

// Loopback reports whether name is a loopback address or localhost.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
