package slacksim

import (
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"time"
)

// A trigger proves that a person just did something. It opens one view, within three seconds.
type trigger struct {
	user  string
	modal bool // from inside a modal, so that a view can be pushed on it
	at    time.Time
	used  bool
}

const (
	triggerLife  = 3 * time.Second
	keptTriggers = 1000
)

// newTrigger makes the trigger_id of what a person does. Call it with s.mu held.
func (s *Sim) newTrigger(user string, modal bool) string {
	n, _ := rand.Int(rand.Reader, big.NewInt(1e12))
	id := fmt.Sprintf("%d.%d.%s", n, s.now().UnixMilli(), randomHex(16))
	s.triggers[id] = &trigger{user: user, modal: modal, at: s.now()}
	sweep(s.triggers, keptTriggers, func(t *trigger) time.Time { return t.at })
	return id
}

// valid finds a trigger that can still be used. Call it with s.mu held.
func (s *Sim) valid(id string) (*trigger, *refusal) {
	t := s.triggers[id]
	switch {
	case id == "":
		return nil, no("invalid_arguments", "[ERROR] missing required field: trigger_id")
	case t == nil:
		return nil, no("invalid_trigger_id")
	case t.used:
		return nil, no("exchanged_trigger_id")
	case s.now().Sub(t.at) > triggerLife:
		return nil, no("expired_trigger_id")
	}
	return t, nil
}

// exchange uses a trigger up. Call it with s.mu held.
func (s *Sim) exchange(id string) (*trigger, *refusal) {
	t, refused := s.valid(id)
	if refused == nil {
		t.used = true
	}
	return t, refused
}

// responseURL lets the app answer what a person did, five times in half an hour, also where its bot is no member.
type responseURL struct {
	user, channel string
	source        string // the message that was clicked, or "" after a command
	uses          int
	at            time.Time
}

const (
	responseUses = 5
	responseLife = 30 * time.Minute
	keptReplies  = 1000
)

// newResponseURL makes the address to answer at. Call it with s.mu held.
func (s *Sim) newResponseURL(user, channel, source string) string {
	id := randomHex(12)
	s.replies[id] = &responseURL{user: user, channel: channel, source: source, at: s.now()}
	sweep(s.replies, keptReplies, func(r *responseURL) time.Time { return r.at })
	return s.baseURL + "/response/" + id
}

func (s *Sim) serveResponseURL(w http.ResponseWriter, r *http.Request) {
	s.failing(w, r, "response_url", func(w http.ResponseWriter) {
		status, refused := s.respond(r)
		s.mu.Lock()
		if refused != nil {
			s.note("response_url", refused.code, fmt.Sprint(refused.messages))
		} else {
			s.note("response_url", "", "")
		}
		s.mu.Unlock()
		if refused != nil {
			writeJSON(w, status, map[string]any{"ok": false, "error": refused.code, "response_metadata": map[string]any{"messages": refused.messages}})
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "ok")
	})
}

func (s *Sim) respond(r *http.Request) (status int, refused *refusal) {
	a, _, _, refused := readArgs(r, false)
	if refused != nil {
		return http.StatusBadRequest, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	reply := s.replies[r.PathValue("id")]
	switch {
	case reply == nil:
		return http.StatusNotFound, no("no_such_url")
	case s.now().Sub(reply.at) > responseLife:
		return http.StatusNotFound, no("expired_url")
	case reply.uses >= responseUses:
		return http.StatusNotFound, no("used_url")
	}
	if refused := s.place(reply, a); refused != nil {
		return http.StatusBadRequest, refused
	}
	reply.uses++
	return 0, nil
}

// place does what an answer asks for: it adds a message, or replaces or deletes the one that was clicked. After a command
// there is no message to replace, and a new one comes. Call it with s.mu held.
func (s *Sim) place(reply *responseURL, a args) *refusal {
	c := s.channels[reply.channel]
	source := c.find(reply.source)
	if a.yes("delete_original") {
		if source != nil {
			c.remove(source)
			s.touch()
		}
		return nil
	}
	if object := decode([]byte(a["metadata"])); object != nil && str(object["event_type"]) == "" {
		delete(a, "metadata") // clients send an empty one
	}
	m, refused := content(a)
	if refused != nil {
		return refused
	}
	if a.yes("replace_original") && source != nil {
		source.change(m, true)
		s.touch()
		return nil
	}
	switch kind := a["response_type"]; kind {
	case "in_channel":
	case "", "ephemeral":
		m.only = reply.user
	default:
		return no("invalid_arguments", pointerProblem("/response_type", "must be in_channel or ephemeral"))
	}
	m.thread = a["thread_ts"]
	s.add(c, m)
	return nil
}
