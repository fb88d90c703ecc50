package slacksim

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"time"
)

//go:embed page
var pageFiles embed.FS

// Limits of the page's own calls.
const (
	maxPageCall    = 1 << 20
	maxStreams     = 32
	heartbeat      = 15 * time.Second
	pageMessages   = 300                   // of each channel, and what began their threads
	streamDebounce = 20 * time.Millisecond // changes that come together are shown together
)

// inhabitants is the order in which people are listed.
var pageUsers = []string{Ana, Tom, Guest, Stranger}

func (s *Sim) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", s.serveAPI)
	mux.HandleFunc("POST /response/{id}", s.serveResponseURL)
	mux.HandleFunc("POST /files/upload/{id}/{ticket}", s.serveUpload)
	mux.HandleFunc("GET /files/{id}/{name}", s.servePrivateFile)
	mux.HandleFunc("GET /socket", s.serveSocket)
	mux.Handle("GET /page/", local(func(w http.ResponseWriter, r *http.Request) { servePage(w, r, r.URL.Path) }))
	mux.Handle("GET /{$}", local(func(w http.ResponseWriter, r *http.Request) { servePage(w, r, "page/index.html") }))
	mux.Handle("GET /sim/workspace", local(s.serveWorkspace))
	mux.Handle("GET /sim/stream", local(s.serveStream))
	mux.Handle("GET /sim/options", local(s.serveOptions))
	mux.Handle("GET /sim/files/{id}", local(s.serveFile))
	for name, do := range map[string]func(*http.Request, pageCall) (any, error){
		"command": s.pageCommand, "message": s.pageMessage, "submit": s.pageSubmit, "action": s.pageAction,
		"close": s.pageClose, "home": s.pageHome,
	} {
		mux.Handle("POST /sim/"+name, local(pageHandler(do)))
	}
	return mux
}

// local lets only this machine's browser in, and only when it asked for this machine by name: other sites can then
// neither read the workspace nor act in it.
func local(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, _, _ := net.SplitHostPort(r.RemoteAddr)
		if !loopback(from) || !loopback((&url.URL{Host: r.Host}).Hostname()) {
			http.Error(w, "the page is for this machine alone", http.StatusForbidden)
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
	people, rooms, commands := []any{}, []any{}, []any{}
	s.mu.Lock()
	for _, id := range pageUsers {
		u := s.users[id]
		people = append(people, map[string]any{"id": u.id, "name": u.handle, "real_name": u.realName, "locale": u.locale})
	}
	for _, id := range []string{TeamChannel, GeneralChannel, SharedChannel} {
		rooms = append(rooms, map[string]any{"id": id, "name": s.channels[id].name})
	}
	s.mu.Unlock()
	for _, c := range s.manifest.Features.SlashCommands {
		commands = append(commands, c)
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"team": map[string]any{"id": TeamID, "name": TeamName}, "users": people, "channels": rooms,
		"commands": commands, "app": map[string]any{"name": s.manifest.name()},
	})
}

// pageCall is what the page posts; each call uses what it needs.
type pageCall struct {
	User    string         `json:"user"`
	Channel string         `json:"channel"`
	Text    string         `json:"text"`
	ViewID  string         `json:"view_id"`
	TS      string         `json:"ts"`
	Values  State          `json:"values"`
	Action  map[string]any `json:"action"`
}

// pageHandler reads a call, lets do do it, and tells the page how it went.
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

// snapshot is all that one person sees.
type snapshot struct {
	Version  int                      `json:"version"`
	Channels []map[string]any         `json:"channels"`
	Messages map[string][]pageMessage `json:"messages"`
	Views    []pageView               `json:"views"`
	Home     *pageView                `json:"home"`
	Notice   *notice                  `json:"notice"`
}

type pageMessage struct {
	TS        string          `json:"ts"`
	User      string          `json:"user"`
	Username  string          `json:"username"`
	Text      string          `json:"text"`
	Blocks    json.RawMessage `json:"blocks,omitempty"`
	Files     []File          `json:"files"`
	Ephemeral bool            `json:"ephemeral"`
	ThreadTS  string          `json:"thread_ts,omitempty"`
	Edited    bool            `json:"edited"`
	App       bool            `json:"app"`
}

// pageView is a view for the page: there, a button that is missing is null.
type pageView struct {
	View
	Submit *string `json:"submit"`
	Close  *string `json:"close"`
}

func forPage(v *view) pageView {
	p := pageView{View: v.forUser()}
	if v.submit != nil {
		p.Submit = &p.View.Submit
	}
	if v.close != nil {
		p.Close = &p.View.Close
	}
	return p
}

func (s *Sim) snapshot(userID string) (snap snapshot, version int, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[userID]
	s.dm(userID)
	snap = snapshot{Messages: map[string][]pageMessage{}, Views: []pageView{}, Notice: u.notice}
	for _, c := range s.visibleChannels(userID) {
		name := c.name
		if c.im != "" {
			name = s.manifest.name()
		}
		snap.Channels = append(snap.Channels, map[string]any{"id": c.id, "name": name, "im": c.im != ""})
		snap.Messages[c.id] = []pageMessage{}
		for _, m := range c.newest(pageMessages) {
			if m.visibleTo(userID) {
				snap.Messages[c.id] = append(snap.Messages[c.id], s.messageForPage(c, m))
			}
		}
	}
	for _, v := range u.stack {
		snap.Views = append(snap.Views, forPage(v))
	}
	if u.home != nil {
		home := forPage(u.home)
		snap.Home = &home
	}
	return snap, s.version, s.changed
}

// newest are the last messages of a channel, and those before them that began their threads.
func (c *channel) newest(count int) []*message {
	from := max(0, len(c.messages)-count)
	last := c.messages[from:]
	roots := map[string]bool{}
	for _, m := range last {
		roots[m.thread] = true
	}
	var newest []*message
	for _, m := range c.messages[:from] {
		if roots[m.ts] {
			newest = append(newest, m)
		}
	}
	return append(newest, last...)
}

func (s *Sim) messageForPage(c *channel, m *message) pageMessage {
	seen := m.forUser(c.id)
	p := pageMessage{
		TS: seen.TS, User: seen.User, Username: s.manifest.name(), Text: seen.Text, Blocks: seen.Blocks, Files: seen.Files,
		Ephemeral: seen.Ephemeral, ThreadTS: seen.ThreadTS, Edited: seen.Edited, App: m.user == BotUserID,
	}
	if u := s.users[m.user]; u != nil {
		p.Username = u.realName
	}
	if p.Files == nil {
		p.Files = []File{}
	}
	return p
}

// serveStream sends a person's snapshot whenever it changes.
func (s *Sim) serveStream(w http.ResponseWriter, r *http.Request) {
	userID := r.URL.Query().Get("user")
	s.mu.Lock()
	ok, free := s.users[userID] != nil, s.streams < maxStreams
	if ok && free {
		s.streams++
	}
	s.mu.Unlock()
	switch {
	case !ok:
		http.Error(w, "no such person", http.StatusNotFound)
		return
	case !free:
		http.Error(w, "too many streams", http.StatusServiceUnavailable)
		return
	}
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.streams--
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	controller := http.NewResponseController(w)
	var last string
	for {
		snap, version, changed := s.snapshot(userID)
		if now := string(encode(snap)); now != last {
			last, snap.Version = now, version
			_ = controller.SetWriteDeadline(time.Now().Add(writeTimeout))
			if _, err := fmt.Fprintf(w, "data: %s\n\n", encode(snap)); err != nil || controller.Flush() != nil {
				return
			}
		}
		if !s.waitForChange(r, w, controller, changed) {
			return
		}
	}
}

// await waits for a change and lets it settle, with a sign of life now and then; false when the stream is over.
func (s *Sim) waitForChange(r *http.Request, w io.Writer, controller *http.ResponseController, changed <-chan struct{}) bool {
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	var settled <-chan time.Time
	for {
		select {
		case <-changed:
			changed, settled = nil, time.After(streamDebounce)
		case <-settled:
			return true
		case <-ticker.C:
			_ = controller.SetWriteDeadline(time.Now().Add(writeTimeout))
			if _, err := io.WriteString(w, ": here\n\n"); err != nil || controller.Flush() != nil {
				return false
			}
		case <-r.Context().Done():
			return false
		case <-s.ctx.Done():
			return false
		}
	}
}
