package slacksim

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

// responseURL is a URL at which the app may respond to an interaction, five times within 30 minutes, even in channels where
// the bot is not a member.
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

// newResponseURL returns a new response_url. s.mu must be held.
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

// applyResponse applies a response to an interaction: it adds a message, or replaces or deletes the one that was clicked.
// After a command there is no message to replace, so one is added. s.mu must be held.
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
		delete(a, "metadata") // clients send an empty object
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
