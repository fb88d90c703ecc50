package slackapp

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/slack-go/slack"
)

// Handler serves POST /slack/events: the one address for commands, interactivity, options and events.
func (a *App) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /slack/events", a.receive)
	return mux
}

func (a *App) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		status := http.StatusBadRequest
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			status = http.StatusRequestEntityTooLarge
		}
		a.refuse(w, r, status, "the body could not be read")
		return
	}
	form := url.Values{}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		if form, err = url.ParseQuery(string(body)); err != nil {
			a.refuse(w, r, http.StatusBadRequest, "the form is malformed")
			return
		}
	}
	if form.Get("ssl_check") == "1" { // unsigned: whatever else it carries is not looked at
		w.WriteHeader(http.StatusOK)
		return
	}
	if err := a.verify(r.Header, body); err != nil {
		a.refuse(w, r, http.StatusUnauthorized, unsigned(err))
		return
	}
	if challenge, ok := challengeIn(body); ok {
		respond(w, encode(map[string]string{"challenge": challenge}))
		return
	}
	answer, err := a.dispatch(r.Context(), deliveryIn(form, body))
	switch {
	case errors.Is(err, errMalformed):
		a.refuse(w, r, http.StatusBadRequest, err.Error())
	case err != nil: // Slack delivers again
		a.refuse(w, r, http.StatusServiceUnavailable, err.Error())
	default:
		respond(w, answer)
	}
}

// verify checks that Slack signed the body as it came, within five minutes, in constant time.
func (a *App) verify(header http.Header, body []byte) error {
	verifier, err := slack.NewSecretsVerifier(header, a.secret)
	if err != nil {
		return err
	}
	if _, err := verifier.Write(body); err != nil {
		return err
	}
	return verifier.Ensure()
}

// unsigned is why a request does not count as Slack's, in words of ours: errors of slack-go repeat headers, which are
// as long and as personal as their sender likes.
func unsigned(err error) string {
	switch {
	case errors.Is(err, slack.ErrMissingHeaders):
		return "it is not signed"
	case errors.Is(err, slack.ErrExpiredTimestamp):
		return "it was signed more than five minutes ago or ahead; compare the clocks"
	}
	return "the signature is wrong"
}

// refuse logs why a delivery is not taken, and nothing of what it says.
func (a *App) refuse(w http.ResponseWriter, r *http.Request, status int, why string) {
	attempt, err := strconv.ParseUint(r.Header.Get("X-Slack-Retry-Num"), 10, 8)
	if err != nil {
		attempt = 0 // of the first delivery, which has none, and of what is no number
	}
	a.log.WarnContext(r.Context(), "a delivery was refused", "status", status, "why", why, "retry", attempt)
	w.WriteHeader(status)
}

func respond(w http.ResponseWriter, answer json.RawMessage) {
	if answer != nil {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(answer) // Slack delivers again when it has left
}

func challengeIn(body []byte) (string, bool) {
	var asked struct {
		Type      string `json:"type"`
		Challenge string `json:"challenge"`
	}
	return asked.Challenge, json.Unmarshal(body, &asked) == nil && asked.Type == "url_verification"
}

// deliveryIn brings what HTTP carries into the one form that both ways share, which is Socket Mode's.
func deliveryIn(form url.Values, body []byte) delivery {
	switch {
	case form.Has("payload"):
		return delivery{anAction, json.RawMessage(form.Get("payload"))}
	case form.Has("command"):
		flat := map[string]string{}
		for name := range form {
			flat[name] = form.Get(name)
		}
		return delivery{aCommand, encode(flat)}
	}
	return delivery{anEvent, body}
}
