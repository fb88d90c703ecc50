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
	triggerLifetime = 3 * time.Second
	maxTriggers     = 1000
)

// newTrigger makes the trigger_id of what a person does. Call it with s.mu held.
func (s *Sim) newTrigger(user string, modal bool) string {
	n, _ := rand.Int(rand.Reader, big.NewInt(1e12))
	id := fmt.Sprintf("%d.%d.%s", n, s.now().UnixMilli(), randomHex(16))
	s.triggers[id] = &trigger{user: user, modal: modal, at: s.now()}
	evictOldest(s.triggers, maxTriggers, func(t *trigger) time.Time { return t.at })
	return id
}

// valid finds a trigger that can still be used. Call it with s.mu held.
func (s *Sim) validTrigger(id string) (*trigger, *refusal) {
	t := s.triggers[id]
	switch {
	case id == "":
		return nil, refuse("invalid_arguments", "[ERROR] missing required field: trigger_id")
	case t == nil:
		return nil, refuse("invalid_trigger_id")
	case t.used:
		return nil, refuse("exchanged_trigger_id")
	case s.now().Sub(t.at) > triggerLifetime:
		return nil, refuse("expired_trigger_id")
	}
	return t, nil
}

// exchange uses a trigger up. Call it with s.mu held.
func (s *Sim) useTrigger(id string) (*trigger, *refusal) {
	t, refused := s.validTrigger(id)
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
	responseUses        = 5
	responseURLLifetime = 30 * time.Minute
	maxResponseURLs     = 1000
)

// newResponseURL makes the address to answer at. Call it with s.mu held.
func (s *Sim) newResponseURL(user, channel, source string) string {
	id := randomHex(12)
	s.responseURLs[id] = &responseURL{user: user, channel: channel, source: source, at: s.now()}
	evictOldest(s.responseURLs, maxResponseURLs, func(r *responseURL) time.Time { return r.at })
	return s.baseURL + "/response/" + id
}

func (s *Sim) serveResponseURL(w http.ResponseWriter, r *http.Request) {
	s.withFailures(w, r, "response_url", func(w http.ResponseWriter) {
		status, refused := s.respond(r)
		s.mu.Lock()
		if refused != nil {
			s.recordCall("response_url", refused.code, fmt.Sprint(refused.messages))
		} else {
			s.recordCall("response_url", "", "")
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
	reply := s.responseURLs[r.PathValue("id")]
	switch {
	case reply == nil:
		return http.StatusNotFound, refuse("no_such_url")
	case s.now().Sub(reply.at) > responseURLLifetime:
		return http.StatusNotFound, refuse("expired_url")
	case reply.uses >= responseUses:
		return http.StatusNotFound, refuse("used_url")
	}
	if refused := s.applyResponse(reply, a); refused != nil {
		return http.StatusBadRequest, refused
	}
	reply.uses++
	return 0, nil
}

// place does what an answer asks for: it adds a message, or replaces or deletes the one that was clicked. After a command
// there is no message to replace, and a new one comes. Call it with s.mu held.
func (s *Sim) applyResponse(reply *responseURL, a args) *refusal {
	c := s.channels[reply.channel]
	source := c.message(reply.source)
	if a.isTrue("delete_original") {
		if source != nil {
			c.remove(source)
			s.notifyChange()
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
	if a.isTrue("replace_original") && source != nil {
		source.replaceContent(m, true)
		s.notifyChange()
		return nil
	}
	switch kind := a["response_type"]; kind {
	case "in_channel":
	case "", "ephemeral":
		m.ephemeralTo = reply.user
	default:
		return refuse("invalid_arguments", pointerProblem("/response_type", "must be in_channel or ephemeral"))
	}
	m.thread = a["thread_ts"]
	s.add(c, m)
	return nil
}
