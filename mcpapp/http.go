package mcpapp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/balcao/balcao/internal/bodies"
	"github.com/balcao/balcao/internal/words"
)

// Handler serves Streamable HTTP at /mcp, both revisions of the protocol, without sessions and without streams. Its
// time-outs are its own; the server around it needs one for headers and one for idle connections.
func (a *App) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /mcp", server.NewStreamableHTTPServer(a.server,
		server.WithStateLess(true),
		server.WithDisableStreaming(true),
		server.WithDisableLocalhostProtection(true),                    // knownHost is stricter, and lets a proxy on this machine through
		server.WithStreamableHTTPLogger(slog.New(slog.DiscardHandler)), // it would log what callers sent
	))
	var handler http.Handler = mux
	for _, layer := range slices.Backward([]func(http.Handler) http.Handler{
		a.recovering, a.hardened, a.bounded, a.knownHost, a.authenticated, a.readWhole, a.withoutCancellation, a.withoutListening, a.limited, a.quiet,
	}) {
		handler = layer(handler)
	}
	return handler
}

// recovering keeps a panic from ending the connection without an answer, and from telling what it panicked with.
func (a *App) recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if caught := recover(); caught != nil {
				id := uuid.NewString()
				a.reportPanic(r.Context(), id, caught)
				answerError(w, http.StatusInternalServerError, mcp.INTERNAL_ERROR, "http.panic", map[string]any{"id": id})
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// hardened tells browsers and proxies to keep, guess and frame nothing.
func (a *App) hardened(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		header.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

// bounded caps the body, and the time for it to arrive and for the answer to leave.
func (a *App) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > a.config.MaxBody {
			a.refuse(w, r, http.StatusRequestEntityTooLarge, "http.too_long")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, a.config.MaxBody)
		deadlines := http.NewResponseController(w)
		now := time.Now()
		// Only a writer without a connection, such as a test's recorder, has no deadlines.
		_ = deadlines.SetReadDeadline(now.Add(a.config.BodyTimeout))
		_ = deadlines.SetWriteDeadline(now.Add(2*a.config.BodyTimeout + a.config.CallTimeout))
		next.ServeHTTP(w, r)
	})
}

// loopback is what this machine calls itself.
var loopback = []string{"localhost", "127.0.0.1", "::1"}

func isLoopback(host string) bool { return slices.Contains(loopback, strings.ToLower(host)) }

// knownHost answers only those who meant to come here: a page on the internet can make a browser call a server on
// this machine or in this network, under a name or from an origin that gives it away.
func (a *App) knownHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		switch {
		case !slices.ContainsFunc(a.config.AllowedHosts, func(host string) bool { return strings.EqualFold(host, hostname(r.Host)) }):
			a.refuse(w, r, http.StatusForbidden, "http.host")
		case len(r.Header.Values("Origin")) > 1 || origin != "" && !a.allowsOrigin(origin):
			a.refuse(w, r, http.StatusForbidden, "http.origin")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func hostname(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

func (a *App) allowsOrigin(origin string) bool {
	if len(a.config.AllowedOrigins) > 0 {
		return slices.ContainsFunc(a.config.AllowedOrigins, func(allowed string) bool { return strings.EqualFold(allowed, origin) })
	}
	address, err := url.Parse(origin)
	return err == nil && (address.Scheme == "http" || address.Scheme == "https") && isLoopback(address.Hostname())
}

// authenticated lets in who shows the token and is somebody, and takes the token away before anything else sees it.
func (a *App) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Clients begin without a token, to hear that one is needed.
		if wait := a.guess(r); wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
			a.refuse(w, r, http.StatusTooManyRequests, "http.guesses")
			return
		}
		ctx, ok := r.Context(), a.showsToken(r)
		if ok {
			ctx, ok = a.identified(ctx, r, "http")
		}
		if !ok {
			challenge := `Bearer realm="balcao"`
			if r.Header.Get("Authorization") != "" {
				challenge += `, error="invalid_token"`
			}
			w.Header().Set("WWW-Authenticate", challenge)
			a.refuse(w, r, http.StatusUnauthorized, "http.token")
			return
		}
		r = r.WithContext(ctx)
		r.Header = r.Header.Clone()
		r.Header.Del("Authorization")
		next.ServeHTTP(w, r)
	})
}

// guess is how long the sender of a request has to wait before a token of theirs is looked at; 0 when it is now.
func (a *App) guess(r *http.Request) time.Duration {
	if a.config.Token == "" || r.Header.Get("Authorization") == "" {
		return 0
	}
	return a.guesses.take(r.RemoteAddr)
}

// showsToken compares digests, so that the time it takes tells nothing of the token, not even its length.
func (a *App) showsToken(r *http.Request) bool {
	if a.config.Token == "" {
		return true
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	shown, wanted := sha256.Sum256([]byte(strings.TrimSpace(token))), sha256.Sum256([]byte(a.config.Token))
	right := subtle.ConstantTimeCompare(shown[:], wanted[:]) == 1 && strings.EqualFold(scheme, "Bearer")
	if right {
		a.guesses.right(r.RemoteAddr)
	}
	return right
}

// readWhole reads the message, so that what follows works on all of it, and nobody waits for a slow sender within one
// of the few places that there are.
func (a *App) readWhole(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			next.ServeHTTP(w, r)
			return
		}
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
			a.refuse(w, r, http.StatusUnsupportedMediaType, "http.type")
			return
		}
		read, err := bodies.Read(w, r, a.config.MaxBody, a.config.BodyTimeout)
		switch {
		case errors.Is(err, bodies.ErrTooLarge):
			a.refuse(w, r, http.StatusRequestEntityTooLarge, "http.too_long")
		case errors.Is(err, bodies.ErrFull):
			w.Header().Set("Retry-After", "1")
			a.refuse(w, r, http.StatusServiceUnavailable, "http.server_full")
		case err != nil:
			a.refuse(w, r, http.StatusBadRequest, "http.broken_off")
		default:
			body := read.Bytes()
			read.Free()
			_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // as in bounded
			r.Body = io.NopCloser(bytes.NewReader(body))
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), messageKey{}, readMessage(body))))
		}
	})
}

type messageKey struct{}

// messageOf is the message that readWhole has read.
func messageOf(r *http.Request) incoming {
	message, _ := r.Context().Value(messageKey{}).(incoming)
	return message
}

// withoutCancellation swallows notices that a request is cancelled. Without sessions the library knows requests by the
// numbers that clients give them, 1, 2, 3…, and one caller's notice would end another's call. Who wants to cancel
// closes the connection.
func (a *App) withoutCancellation(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if messageOf(r).Method == mcp.MethodNotificationCancelled {
			w.WriteHeader(http.StatusAccepted)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// limited bounds how many requests are under way.
func (a *App) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor := callerOf(r.Context()).ID
		switch a.busy.take(actor) {
		case actorFull:
			w.Header().Set("Retry-After", "1")
			a.refuse(w, r, http.StatusTooManyRequests, "http.actor_full")
		case serverFull:
			w.Header().Set("Retry-After", "1")
			a.refuse(w, r, http.StatusServiceUnavailable, "http.server_full")
		default:
			defer a.busy.giveBack(actor)
			next.ServeHTTP(w, r)
		}
	})
}

// refuse answers a request that never becomes a message. Who sent it is not known, so the answer is in English.
func (a *App) refuse(w http.ResponseWriter, r *http.Request, status int, reason string) {
	a.refused.Warn(r.Context(), "a request refused", "reason", reason, "status", status)
	bodies.Leave(w)
	answerError(w, status, mcp.INVALID_REQUEST, reason, nil)
}

func answerError(w http.ResponseWriter, status, code int, key string, args map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// An answer that cannot be written has nobody to tell.
	_ = json.NewEncoder(w).Encode(mcp.NewJSONRPCError(mcp.RequestId{}, code, book.Say(words.English, key, args), nil))
}
