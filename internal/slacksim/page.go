package slacksim

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"time"
)

//go:embed page
var pageFiles embed.FS

// Limits of the page.
const (
	maxPageCall    = 1 << 20
	maxStreams     = 32
	heartbeat      = 15 * time.Second
	pageMessages   = 300                   // of each channel, beside the first messages of their threads
	streamDebounce = 20 * time.Millisecond // changes within it are sent together
)

// inhabitants is the order in which people are listed.
var pageUsers = []string{Ana, Tom, Guest, Stranger}

func (s *Sim) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", s.serveAPI)
	mux.HandleFunc("POST /response/{id}", s.serveResponseURL)
	mux.HandleFunc("POST /files/upload/{id}/{ticket}", s.serveUpload)
	mux.HandleFunc("GET /files-pri/{file}/{name}", s.serveDownload)
	mux.HandleFunc("GET /files-pri/{file}/download/{name}", s.serveDownload)
	mux.HandleFunc("GET /signin", serveSignIn)
	mux.HandleFunc("GET /socket", s.serveSocket)
	mux.Handle("GET /page/", local(func(w http.ResponseWriter, r *http.Request) { servePage(w, r, r.URL.Path) }))
	mux.Handle("GET /{$}", local(func(w http.ResponseWriter, r *http.Request) { servePage(w, r, "page/index.html") }))
	mux.Handle("GET /sim/workspace", local(s.serveWorkspace))
	mux.Handle("GET /sim/stream", local(s.serveStream))
	mux.Handle("GET /sim/options", local(s.serveOptions))
	mux.Handle("GET /sim/files/{id}", local(s.serveFile))
	mux.Handle("POST /sim/upload", local(s.pageUpload))
	for name, do := range map[string]func(*http.Request, pageCall) (any, error){
		"command": s.pageCommand, "message": s.pageMessage, "submit": s.pageSubmit, "action": s.pageAction,
		"close": s.pageClose, "home": s.pageHome,
	} {
		mux.Handle("POST /sim/"+name, local(pageHandler(do)))
	}
	return mux
}

// local allows only requests from loopback addresses with a loopback host name, so that other sites can neither read the
// workspace nor act in it.
func local(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, _, _ := net.SplitHostPort(r.RemoteAddr)
		if !loopback(from) || !loopback((&url.URL{Host: r.Host}).Hostname()) {
			http.Error(w, "the page is served to loopback addresses only", http.StatusForbidden)
			return
		}
		if r.Method == http.MethodPost && r.Header.Get("X-Requested-With") != "slacksim" {
			http.Error(w, "X-Requested-With: slacksim is missing", http.StatusForbidden)
			return
		}
		next(w, r)
	})
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func servePage(w http.ResponseWriter, r *http.Request, path string) {
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data: https:; frame-ancestors 'none'; base-uri 'none'")
	if path == "page/index.html" {
		index, err := fs.ReadFile(pageFiles, path)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(index)
		return
	}
	http.FileServerFS(pageFiles).ServeHTTP(w, r)
}

func (s *Sim) serveWorkspace(w http.ResponseWriter, _ *http.Request) {
	people, channels, commands := []any{}, []any{}, []any{}
	s.mu.Lock()
	for _, id := range pageUsers {
		u := s.users[id]
		people = append(people, map[string]any{"id": u.id, "name": u.handle, "real_name": u.realName, "locale": u.locale})
	}
	for _, id := range []string{TeamChannel, GeneralChannel, SharedChannel} {
		channels = append(channels, map[string]any{"id": id, "name": s.channels[id].name})
	}
	s.mu.Unlock()
	for _, c := range s.manifest.Features.SlashCommands {
		commands = append(commands, c)
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"team": map[string]any{"id": TeamID, "name": TeamName}, "users": people, "channels": channels,
		"commands": commands, "app": map[string]any{"name": s.manifest.name()},
	})
}

// pageCall is the body of a page's call. Each call uses some of the fields.
type pageCall struct {
	User    string         `json:"user"`
	Channel string         `json:"channel"`
	Text    string         `json:"text"`
	ViewID  string         `json:"view_id"`
	TS      string         `json:"ts"`
	Values  State          `json:"values"`
	Action  map[string]any `json:"action"`
}

// pageHandler parses a call, runs do, and writes its result.
func pageHandler(do func(*http.Request, pageCall) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPageCall))
		var call pageCall
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if err != nil || d.Decode(&call) != nil {
			writeJSON(w, http.StatusBadRequest, map[string]any{"ok": false, "error": "malformed_call"})
			return
		}
		result, err := do(r, call)
		if err != nil {
			writeFailure(w, err)
			return
		}
		if result == nil {
			result = map[string]any{"ok": true}
		}
		writeJSON(w, http.StatusOK, result)
	}
}

func writeFailure(w http.ResponseWriter, err error) {
	failed := &AppError{Code: "not_possible", Reason: err.Error()}
	errors.As(err, &failed)
	writeJSON(w, http.StatusOK, map[string]any{"ok": false, "error": failed.Code, "reason": failed.Reason})
}

func (s *Sim) pageCommand(r *http.Request, call pageCall) (any, error) {
	return nil, s.command(r.Context(), call.User, call.Channel, call.Text)
}

func (s *Sim) pageMessage(r *http.Request, call pageCall) (any, error) {
	return nil, s.postAsUser(r.Context(), call.User, call.Channel, call.Text)
}

func (s *Sim) pageSubmit(r *http.Request, call pageCall) (any, error) {
	result, err := s.submit(r.Context(), call.User, call.ViewID, call.Values)
	if err != nil || len(result.Errors) == 0 {
		return nil, err
	}
	return map[string]any{"ok": true, "errors": result.Errors}, nil
}

func (s *Sim) pageAction(r *http.Request, call pageCall) (any, error) {
	return nil, s.act(r.Context(), call.User, container{call.ViewID, call.Channel, call.TS}, call.Action, call.Values)
}

func (s *Sim) pageClose(r *http.Request, call pageCall) (any, error) {
	return nil, s.closeView(r.Context(), call.User, call.ViewID)
}

func (s *Sim) pageHome(_ *http.Request, call pageCall) (any, error) {
	return nil, s.openHome(call.User)
}

func (s *Sim) serveOptions(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	at := container{q.Get("view_id"), q.Get("channel"), q.Get("ts")}
	reply, err := s.suggest(r.Context(), q.Get("user"), at, q.Get("block_id"), q.Get("action_id"), q.Get("value"))
	if err != nil {
		writeFailure(w, err)
		return
	}
	writeJSON(w, http.StatusOK, reply)
}
