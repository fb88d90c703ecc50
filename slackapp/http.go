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
	bodyTimeout = 3 * time.Second // to read a body; Slack waits no longer for the answer
	maxSSLCheck = 512             // bytes of a certificate check
)

// Handler serves POST /slack/events, the one address for commands, interactivity, options and events.
func (a *App) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /slack/events", a.receive)
	return mux
}

// receive handles a request. An unsigned one is refused before its body is read, and one with a wrong signature before
// its body is parsed.
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
			a.refuse(w, r, http.StatusBadRequest, "malformed form")
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
	case err != nil: // so that Slack delivers it again
		a.refuse(w, r, http.StatusServiceUnavailable, err.Error())
	default:
		writeReply(w, answer)
	}
}

// checksSSL reports whether a request is Slack's certificate check: a small form, the only request that is not signed.
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

// signatureProblem says why a signature is not accepted. Errors of slack-go are not logged, since they contain
// headers.
func signatureProblem(err error) string {
	switch {
	case errors.Is(err, slack.ErrMissingHeaders):
		return "not signed"
	case errors.Is(err, slack.ErrExpiredTimestamp):
		return "signed more than five minutes ago or ahead; compare the clocks"
	}
	return "wrong signature"
}

// refuse rejects a request and logs why, and nothing of its content. Many refusals are logged as a few with a count.
func (a *App) refuse(w http.ResponseWriter, r *http.Request, status int, why string) {
	attempt, err := strconv.ParseUint(r.Header.Get("X-Slack-Retry-Num"), 10, 8)
	if err != nil {
		attempt = 0 // the first delivery has none
	}
	a.refusals.Warn(r.Context(), "request refused", "status", status, "cause", why, "retry", attempt)
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
	_, _ = w.Write(answer) // after an error Slack delivers again
}

func parseChallenge(body []byte) (string, bool) {
	var asked struct {
		Type      string `json:"type"`
		Challenge string `json:"challenge"`
	}
	return asked.Challenge, json.Unmarshal(body, &asked) == nil && asked.Type == "url_verification"
}

// parseDelivery converts what HTTP carries to the form of Socket Mode, which both transports share.
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
