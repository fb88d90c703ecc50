package slackapp

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/internal/bodies"
)

const (
	bodyTimeout = 3 * time.Second // for a delivery to arrive; Slack waits no longer for the answer
	maxSSLCheck = 512             // bytes of the one request that is not signed
)

// Handler serves POST /slack/events: the one address for commands, interactivity, options and events.
func (a *App) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /slack/events", a.receive)
	return mux
}

// receive refuses what is not signed before anything of it is read, and what is, once the signature is wrong.
func (a *App) receive(w http.ResponseWriter, r *http.Request) {
	if a.checksSSL(w, r) {
		w.WriteHeader(http.StatusOK)
		return
	}
	verifier, err := slack.NewSecretsVerifier(r.Header, a.secret)
	if err != nil {
		a.refuse(w, r, http.StatusUnauthorized, signatureProblem(err))
		return
	}
	read, err := bodies.Read(w, r, maxBody, bodyTimeout)
	if err != nil {
		a.refuse(w, r, bodies.Status(err), err.Error())
		return
	}
	defer read.Free()
	if _, err := read.WriteTo(&verifier); err != nil {
		a.refuse(w, r, http.StatusUnauthorized, signatureProblem(err))
		return
	}
	if err := verifier.Ensure(); err != nil { // in constant time
		a.refuse(w, r, http.StatusUnauthorized, signatureProblem(err))
		return
	}
	body := read.Bytes()
	read.Free()
	form := url.Values{}
	if isForm(r) {
		if form, err = url.ParseQuery(string(body)); err != nil {
			a.refuse(w, r, http.StatusBadRequest, "the form is malformed")
			return
		}
	}
	if challenge, ok := parseChallenge(body); ok {
		writeReply(w, encode(map[string]string{"challenge": challenge}))
		return
	}
	answer, err := a.dispatch(r.Context(), parseDelivery(form, body))
	switch {
	case errors.Is(err, errMalformed):
		a.refuse(w, r, http.StatusBadRequest, err.Error())
	case err != nil: // Slack delivers again
		a.refuse(w, r, http.StatusServiceUnavailable, err.Error())
	default:
		writeReply(w, answer)
	}
}

// checksSSL tells whether a request is the one that Slack sends unsigned, to look at a certificate: a form of a few
// bytes, of which nothing else is looked at.
func (a *App) checksSSL(w http.ResponseWriter, r *http.Request) bool {
	if r.Header.Get("X-Slack-Signature") != "" || !isForm(r) || r.ContentLength <= 0 || r.ContentLength > maxSSLCheck {
		return false
	}
	read, err := bodies.Read(w, r, maxSSLCheck, bodyTimeout)
	if err != nil {
		return false
	}
	defer read.Free()
	form, err := url.ParseQuery(string(read.Bytes()))
	return err == nil && form.Get("ssl_check") == "1"
}

func isForm(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
}

// signatureProblem is why a request does not count as Slack's, in words of ours: errors of slack-go repeat headers, which are
// as long and as personal as their sender likes.
func signatureProblem(err error) string {
	switch {
	case errors.Is(err, slack.ErrMissingHeaders):
		return "it is not signed"
	case errors.Is(err, slack.ErrExpiredTimestamp):
		return "it was signed more than five minutes ago or ahead; compare the clocks"
	}
	return "the signature is wrong"
}

// refuse logs why a delivery is not taken, and nothing of what it says. In a flood it logs some, and how many others.
func (a *App) refuse(w http.ResponseWriter, r *http.Request, status int, why string) {
	attempt, err := strconv.ParseUint(r.Header.Get("X-Slack-Retry-Num"), 10, 8)
	if err != nil {
		attempt = 0 // of the first delivery, which has none, and of what is no number
	}
	a.refusals.Warn(r.Context(), "a delivery was refused", "status", status, "why", why, "retry", attempt)
	bodies.Leave(w)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(status)
}

func writeReply(w http.ResponseWriter, answer json.RawMessage) {
	if answer != nil {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(answer) // Slack delivers again when it has left
}

func parseChallenge(body []byte) (string, bool) {
	var asked struct {
		Type      string `json:"type"`
		Challenge string `json:"challenge"`
	}
	return asked.Challenge, json.Unmarshal(body, &asked) == nil && asked.Type == "url_verification"
}

// parseDelivery brings what HTTP carries into the one form that both ways share, which is Socket Mode's.
func parseDelivery(form url.Values, body []byte) delivery {
	switch {
	case form.Has("payload"):
		return delivery{interactionDelivery, json.RawMessage(form.Get("payload"))}
	case form.Has("command"):
		flat := map[string]string{}
		for name := range form {
			flat[name] = form.Get(name)
		}
		return delivery{commandDelivery, encode(flat)}
	}
	return delivery{eventDelivery, body}
}
