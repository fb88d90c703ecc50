package mcpapp

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/balcao/balcao/internal/bodies"
	"github.com/balcao/balcao/internal/webguard"
	"github.com/balcao/balcao/internal/words"
)

// Files do not pass through a model's context: an assistant gets an address, and it, another program or its person gives the
// file there, or fetches it from there. The address has 256 random bits, which are all that is asked for, and is used up by
// one file.

const (
	uploadPath   = "/mcp/upload/"   // an upload's id and secret, and perhaps the name of the file
	downloadPath = "/mcp/download/" // a secret and the name of the file

	fileTimeout   = 5 * time.Minute // to receive or send a file
	pageTimeout   = 30 * time.Second
	maxTransfers  = 16 // files on their way at once
	maxOfTheActor = 4  // of one actor
)

// FilePaths are the paths below which [App.Handler] serves files. People follow links to them from pages of other sites.
func FilePaths() []string { return []string{uploadPath, downloadPath} }

// fileHandler serves the addresses of files to callers that use one of these host names, or a loopback one.
func (a *App) fileHandler(hosts []string) http.Handler {
	mux := http.NewServeMux()
	if a.config.Files != nil {
		mux.HandleFunc("GET "+uploadPath+"{id}/{secret}/{name...}", a.uploadPage)
		mux.HandleFunc("PUT "+uploadPath+"{id}/{secret}/{name...}", a.receiveFile)
		mux.HandleFunc("POST "+uploadPath+"{id}/{secret}/{name...}", a.receiveFile)
		mux.HandleFunc("GET "+uploadPath+"style.css", serveStyle)
		mux.HandleFunc("GET "+downloadPath+"{secret}/{name}", a.sendFile)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { a.answerGone(w, r) })
	guard := webguard.Guard{Hosts: append([]string{}, hosts...), Linked: FilePaths(), Log: a.config.Log}
	return a.recoverFilePanics(setFileHeaders(guard.Handler(mux)))
}

// recoverFilePanics ends the connection after a panic, without showing the recovered value.
func (a *App) recoverFilePanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recovered := recover(); recovered != nil {
				a.reportPanic(r.Context(), "", recovered)
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// setFileHeaders forbids scripts, foreign content, caching, sniffing and framing, and sends the address to no other site.
func setFileHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		header.Set("Referrer-Policy", "same-origin") // with no-referrer the form would be sent without an origin
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// withDeadline returns the request with a time-out, which holds for its connection too.
func withDeadline(w http.ResponseWriter, r *http.Request, limit time.Duration) (*http.Request, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(r.Context(), limit)
	connection := http.NewResponseController(w)
	// Only writers without a connection, such as httptest's recorder, fail here.
	_ = connection.SetReadDeadline(time.Now().Add(limit))
	_ = connection.SetWriteDeadline(time.Now().Add(limit + pageTimeout))
	return r.WithContext(ctx), cancel
}

// admitFile counts a file on its way for an actor. If it returns false, the request is answered; else the caller calls release.
func (a *App) admitFile(w http.ResponseWriter, r *http.Request, actor string) (release func(), ok bool) {
	if a.transfers.acquire(actor, maxOfTheActor) != admitted {
		w.Header().Set("Retry-After", "10")
		a.answerFile(w, r, http.StatusServiceUnavailable, "files.busy", nil)
		return nil, false
	}
	return func() { a.transfers.release(actor) }, true
}

// langOf returns the language of who opens an address.
func langOf(r *http.Request) words.Lang { return words.Match(r.Header.Get("Accept-Language")) }

// wantsPage reports whether a person's browser made the request, and no program.
func wantsPage(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

// baseOf returns the address at which the caller of a request reaches this server.
func (a *App) baseOf(r *http.Request) string {
	if a.config.URL != "" {
		return strings.TrimSuffix(a.config.URL, "/")
	}
	base := url.URL{Scheme: "http", Host: r.Host}
	if r.TLS != nil || slices.Contains(r.Header.Values("X-Forwarded-Proto"), "https") {
		base.Scheme = "https"
	}
	return base.String()
}

// base returns the address at which the caller reaches its files. On stdio a listener on this machine is started for them.
func (a *App) base(ctx context.Context) (string, error) {
	if caller := callerOf(ctx); caller.base != "" {
		return caller.base, nil
	}
	return a.local.address(a)
}

// localFiles serves the addresses of files and the page for decisions on this machine, for an assistant on stdio. It starts when it
// is needed first.
type localFiles struct {
	mu     sync.Mutex
	server *http.Server
	base   string
	closed bool
}

var errClosed = errors.New("the program ends")

// address returns the address of the listener, and starts it.
func (l *localFiles) address(a *App) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return "", errClosed
	case l.server != nil:
		return l.base, nil
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	l.base = "http://" + listener.Addr().String()
	all := http.NewServeMux()
	all.Handle("/", a.fileHandler(nil))
	all.Handle(approvalPath, a.approvalHandler())
	l.server = webguard.NewServer(all, webguard.Guard{Hosts: []string{}, Linked: LinkedPaths()}, a.config.Log)
	go func() { _ = l.server.Serve(listener) }() // it ends with close
	return l.base, nil
}

// close ends the listener and the connections to it.
func (l *localFiles) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.server != nil {
		_ = l.server.Close()
	}
}

// answerFile answers a request for a file: a browser with a page, a program with a line of text.
func (a *App) answerFile(w http.ResponseWriter, r *http.Request, status int, key string, args map[string]any) {
	lang := langOf(r)
	if status >= http.StatusBadRequest {
		a.refusals.Warn(r.Context(), "a file was refused", "reason", key, "status", status)
		bodies.Leave(w)
	}
	text := book.Say(lang, key, args)
	if wantsPage(r) {
		writePage(w, status, page{Lang: string(lang), Title: book.Say(lang, "files.title", nil), Text: []string{text}})
		return
	}
	writeLine(w, status, text)
}

func (a *App) answerGone(w http.ResponseWriter, r *http.Request) {
	a.answerFile(w, r, http.StatusNotFound, "files.gone", nil)
}

func writeLine(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // the caller is gone if this fails
}
