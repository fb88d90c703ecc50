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

// snapshot is an event of the stream: the workspace as one person sees it.
type snapshot struct {
	Version  int                 `json:"version"`
	Channels []object            `json:"channels"`
	Messages map[string][]object `json:"messages"`
	Views    []object            `json:"views"`
	Home     object              `json:"home"`
	Notice   object              `json:"notice"`
}

// call is a call of the page to one of the workspace's endpoints.
type call struct {
	what string
	body object
}

// server serves the page with a workspace that the test controls. The simulator refuses much of what these tests need:
// hostile names, views out of order, a stream that breaks.
type server struct {
	*httptest.Server
	calls chan call

	mu           sync.Mutex
	current      snapshot
	changed      chan struct{}
	handlers     map[string]func(object) object
	streamBroken bool
}

const contentPolicy = "default-src 'self'; img-src 'self' data:"

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{calls: make(chan call, 64), changed: make(chan struct{}), handlers: map[string]func(object) object{}}
	s.current = snapshot{
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
		s.calls <- call{r.PathValue("what"), body}
		s.answer(w, r.PathValue("what"), body)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		s.Server.CloseClientConnections()
		s.Close()
	})
	return s
}

func (s *server) workspace(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	writeJSON(w, object{
		"team": object{"id": "T1", "name": "Balcão Exemplo"},
		"users": []object{
			{"id": "UANA", "name": "ana", "real_name": "Ana Exemplo", "locale": "pt-PT"},
			{"id": "UTOM", "name": "tom", "real_name": "Tom Sample", "locale": "en-GB"},
		},
		"channels": s.current.Channels,
		"commands": []object{
			{"command": "/borrowers", "description": "Listar os titulares de um processo", "usage_hint": "[processo]"},
			{"command": "/borrower-new", "description": "Criar um titular", "usage_hint": "[processo]"},
			{"command": "/esis", "description": "Obter a FINE", "usage_hint": "[processo]"},
		},
		"app": object{"name": "Balcão"},
	})
}

func (s *server) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for {
		s.mu.Lock()
		data, err := json.Marshal(s.current)
		changed, broken := s.changed, s.streamBroken
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

func (s *server) answer(w http.ResponseWriter, endpoint string, body object) {
	s.mu.Lock()
	answer := s.handlers[endpoint]
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

// update changes the workspace and sends the new snapshot.
func (s *server) update(change func(*snapshot)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.current)
	s.current.Version++
	s.notify()
}

// breakStream ends every stream and refuses new ones, until it is called with false.
func (s *server) breakStream(broken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streamBroken = broken
	s.notify()
}

func (s *server) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// handle sets the handler of an endpoint.
func (s *server) handle(endpoint string, answer func(object) object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers[endpoint] = answer
}

// nextCall returns the page's next call to an endpoint.
func (s *server) nextCall(t *testing.T, endpoint string) object {
	t.Helper()
	deadline := time.After(callTimeout)
	for {
		select {
		case sent := <-s.calls:
			if sent.what == endpoint {
				return sent.body
			}
		case <-deadline:
			t.Fatalf("the page sent no %s", endpoint)
		}
	}
}

// Slack's objects.

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
