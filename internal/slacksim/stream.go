package slacksim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// snapshot is the workspace as one person sees it.
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

// pageView is a view for the page, where a missing button is null.
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

// newest returns the last messages of a channel, and before them the first messages of their threads.
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

// serveStream sends a person's snapshot as a server-sent event whenever it changes.
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

// waitForChange waits for a change, then for streamDebounce, and sends heartbeats meanwhile. It returns false once the
// stream has ended.
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
			if _, err := io.WriteString(w, ": heartbeat\n\n"); err != nil || controller.Flush() != nil {
				return false
			}
		case <-r.Context().Done():
			return false
		case <-s.ctx.Done():
			return false
		}
	}
}
