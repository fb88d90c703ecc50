package pagetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"
)

// object is a JSON object.
type object map[string]any

// snapshot is what the stream sends: the whole workspace as one person sees it.
type snapshot struct {
	Version  int                 `json:"version"`
	Channels []object            `json:"channels"`
	Messages map[string][]object `json:"messages"`
	Views    []object            `json:"views"`
	Home     object              `json:"home"`
	Notice   object              `json:"notice"`
}

// posted is what the page has sent to one of the workspace's endpoints.
type posted struct {
	what string
	body object
}

// stage serves the page with a workspace of the test's own making. The strict simulator refuses much of what these
// tests must show: hostile names, views out of order, a stream that breaks.
type stage struct {
	*httptest.Server
	posts chan posted

	mu      sync.Mutex
	now     snapshot
	changed chan struct{}
	answers map[string]func(object) object
	broken  bool
}

const contentPolicy = "default-src 'self'; img-src 'self' data:"

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{posts: make(chan posted, 64), changed: make(chan struct{}), answers: map[string]func(object) object{}}
	s.now = snapshot{
		Channels: []object{{"id": "C1", "name": "equipa", "im": false}, {"id": "C2", "name": "geral", "im": false}, {"id": "D1", "name": "Balcão", "im": true}},
		Messages: map[string][]object{}, Views: []object{},
	}
	mux := http.NewServeMux()
	pageFiles := os.DirFS("../page")
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", contentPolicy)
		http.ServeFileFS(w, r, pageFiles, "index.html")
	})
	mux.Handle("GET /page/", http.StripPrefix("/page/", http.FileServerFS(pageFiles)))
	mux.HandleFunc("GET /sim/workspace", s.workspace)
	mux.HandleFunc("GET /sim/stream", s.stream)
	mux.HandleFunc("GET /sim/options", func(w http.ResponseWriter, r *http.Request) {
		s.answer(w, "options", object{"value": r.URL.Query().Get("value")})
	})
	mux.HandleFunc("POST /sim/{what}", func(w http.ResponseWriter, r *http.Request) {
		var body object
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.Header.Get("X-Requested-With") != "slacksim" {
			http.Error(w, "refused", http.StatusForbidden)
			return
		}
		s.posts <- posted{r.PathValue("what"), body}
		s.answer(w, r.PathValue("what"), body)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		s.Server.CloseClientConnections()
		s.Close()
	})
	return s
}

func (s *stage) workspace(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	writeJSON(w, object{
		"team": object{"id": "T1", "name": "Balcão Exemplo"},
		"users": []object{
			{"id": "UANA", "name": "ana", "real_name": "Ana Exemplo", "locale": "pt-PT"},
			{"id": "UTOM", "name": "tom", "real_name": "Tom Sample", "locale": "en-GB"},
		},
		"channels": s.now.Channels,
		"commands": []object{
			{"command": "/borrowers", "description": "Listar os titulares de um processo", "usage_hint": "[processo]"},
			{"command": "/borrower-new", "description": "Criar um titular", "usage_hint": "[processo]"},
			{"command": "/esis", "description": "Obter a FINE", "usage_hint": "[processo]"},
		},
		"app": object{"name": "Balcão"},
	})
}

func (s *stage) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for {
		s.mu.Lock()
		data, err := json.Marshal(s.now)
		changed, broken := s.changed, s.broken
		s.mu.Unlock()
		if err != nil || broken {
			return
		}
		fmt.Fprintf(w, "data: %s\n\n", data)
		w.(http.Flusher).Flush()
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}

func (s *stage) answer(w http.ResponseWriter, what string, body object) {
	s.mu.Lock()
	answer := s.answers[what]
	s.mu.Unlock()
	if answer == nil {
		writeJSON(w, object{"ok": true})
		return
	}
	writeJSON(w, answer(body))
}

func writeJSON(w http.ResponseWriter, value object) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(value); err != nil {
		panic(err)
	}
}

// show changes the workspace, and everybody who looks sees it.
func (s *stage) show(change func(*snapshot)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.now)
	s.now.Version++
	s.tell()
}

// breakStream drops every stream and refuses new ones until it is mended.
func (s *stage) breakStream(broken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = broken
	s.tell()
}

func (s *stage) tell() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// on decides how the workspace answers one of the page's requests.
func (s *stage) on(what string, answer func(object) object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[what] = answer
}

// next is the next request of a kind that the page sends.
func (s *stage) next(t *testing.T, what string) object {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case post := <-s.posts:
			if post.what == what {
				return post.body
			}
		case <-deadline:
			t.Fatalf("the page sent no %s", what)
		}
	}
}

// Shapes of Slack's objects that the tests need often.

func plain(text string) object  { return object{"type": "plain_text", "text": text} }
func mrkdwn(text string) object { return object{"type": "mrkdwn", "text": text} }

func option(text, value string) object { return object{"text": plain(text), "value": value} }

func inputBlock(id, label string, element object) object {
	element["action_id"] = "value"
	return object{"type": "input", "block_id": id, "label": plain(label), "element": element}
}

func view(hash, title string, blocks ...object) object {
	return object{"id": "V1", "hash": hash, "type": "modal", "title": title, "submit": "Continuar", "close": "Cancelar", "callback_id": "form", "blocks": blocks, "values": object{}}
}

func message(ts, text string, blocks ...object) object {
	return object{"ts": ts, "user": "U0BALCAO", "username": "Balcão", "text": text, "blocks": blocks, "files": []object{}, "ephemeral": false, "thread_ts": "", "edited": false, "app": true}
}
