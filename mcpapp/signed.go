package mcpapp

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/balcao/balcao/tools"
)

// Signed identifies callers through a platform that signs their messages, such as Slack. They send no token.
type Signed struct {
	// Header is that of the signature. A request with it, and without a token, is a message of the platform.
	Header string
	// Sender returns the actor who sends a message, by the header and the whole body; ok is false if the signature or the sender is
	// not right. An actor without an ID is the platform itself: it gets lists, and may call nothing. Sender returns an error if it
	// cannot find out.
	Sender func(ctx context.Context, header http.Header, body []byte) (actor tools.Actor, ok bool, err error)
}

// acceptSigned identifies the caller of a signed message. It leaves every other request to authenticate.
func (a *App) acceptSigned(next http.Handler) http.Handler {
	signed := a.readBody(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil { // it is in memory
			a.refuse(w, r, http.StatusBadRequest, "http.incomplete")
			return
		}
		ctx, refused := a.senderOf(r, body)
		if refused != nil {
			a.answerRefusal(w, r, *refused)
			return
		}
		r = r.WithContext(ctx)
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case a.config.Signed == nil || r.Method != http.MethodPost || r.Header.Get(a.config.Signed.Header) == "" || len(r.Header.Values("Authorization")) > 0:
			next.ServeHTTP(w, r)
		default:
			signed.ServeHTTP(w, r)
		}
	})
}

// senderOf returns the context of a signed message with its caller, or why the message is refused.
func (a *App) senderOf(r *http.Request, body []byte) (context.Context, *refusal) {
	if wait := a.attempts.wait(r.RemoteAddr); wait > 0 {
		return nil, &refusal{status: http.StatusTooManyRequests, reason: "http.attempts", wait: wait}
	}
	actor, ok, err := a.config.Signed.Sender(r.Context(), r.Header, body)
	switch {
	case err != nil:
		a.config.Log.WarnContext(r.Context(), "the sender of a signed message cannot be found", "error", err)
		return nil, &refusal{status: http.StatusServiceUnavailable, reason: "http.sender", wait: time.Second}
	case !ok:
		a.attempts.count(r.RemoteAddr)
		return nil, &refusal{status: http.StatusUnauthorized, reason: "http.signature"}
	}
	a.attempts.trust(r.RemoteAddr)
	if _, works := counted[messageOf(r).Method]; works && actor.ID == "" {
		return nil, &refusal{status: http.StatusForbidden, reason: "http.nobody"}
	}
	return a.withCaller(r.Context(), r, caller{Actor: actor, transport: "http", person: actor.ID != "", signed: true}), nil
}

// isPlatform reports whether the caller is a platform that asks for lists, before it knows for whom.
func (c caller) isPlatform() bool { return c.signed && c.ID == "" }
