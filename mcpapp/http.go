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

// Handler serves both revisions of the protocol as Streamable HTTP at /mcp, without sessions or streams, and files below
// [FilePaths]. It sets the deadlines of bodies and responses; the http.Server needs a ReadHeaderTimeout and an IdleTimeout.
func (a *App) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /mcp", server.NewStreamableHTTPServer(a.server,
		server.WithStateLess(true),
		server.WithDisableStreaming(true),
		server.WithDisableLocalhostProtection(true),                    // checkHost is stricter, and allows a proxy on this machine
		server.WithStreamableHTTPLogger(slog.New(slog.DiscardHandler)), // it logs what callers sent
	))
	var handler http.Handler = mux
	for _, layer := range slices.Backward([]func(http.Handler) http.Handler{
		a.recoverPanics, a.setSecurityHeaders, a.limitBody, a.checkHost, a.authenticate, a.readBody,
		a.dropCancellations, a.refuseListen, a.limitConcurrency, a.rewriteErrors,
	}) {
		handler = layer(handler)
	}
	all := http.NewServeMux()
	all.Handle("/", handler)
	all.HandleFunc("GET "+IconPath, serveIcon)
	for _, path := range FilePaths() {
		all.Handle(path, a.fileHandler(a.config.AllowedHosts))
	}
	return all
}

// recoverPanics answers a panic with an error that does not show the recovered value.
func (a *App) recoverPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recovered := recover(); recovered != nil {
				id := uuid.NewString()
				a.reportPanic(r.Context(), id, recovered)
				writeError(w, http.StatusInternalServerError, mcp.INTERNAL_ERROR, "http.panic", map[string]any{"id": id})
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// setSecurityHeaders forbids caching, content sniffing and framing.
func (a *App) setSecurityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		header.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

// limitBody limits the size of the body, and sets the deadlines for reading it and for writing the response.
func (a *App) limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > a.config.MaxBody {
			a.refuse(w, r, http.StatusRequestEntityTooLarge, "http.too_long")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, a.config.MaxBody)
		deadlines := http.NewResponseController(w)
		now := time.Now()
		// Only writers without a connection, such as httptest's recorder, fail here.
		_ = deadlines.SetReadDeadline(now.Add(a.config.BodyTimeout))
		_ = deadlines.SetWriteDeadline(now.Add(2*a.config.BodyTimeout + a.config.CallTimeout))
		next.ServeHTTP(w, r)
	})
}

// loopback lists the loopback names.
var loopback = []string{"localhost", "127.0.0.1", "::1"}

func isLoopback(host string) bool { return slices.Contains(loopback, strings.ToLower(host)) }

// checkHost refuses requests with an unknown Host or Origin. A web page can make a browser send requests to a server in
// the local network (DNS rebinding); these headers show it.
func (a *App) checkHost(next http.Handler) http.Handler {
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

// authenticate checks the bearer token and identifies the caller. It removes the Authorization header.
func (a *App) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A request without a token is no attempt: clients send one first to learn that a token is required.
		if wait := a.attemptWait(r); wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
			a.refuse(w, r, http.StatusTooManyRequests, "http.attempts")
			return
		}
		ctx, ok := r.Context(), a.hasToken(r)
		if ok {
			ctx, ok = a.identify(ctx, r, "http")
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

// attemptWait counts an attempt if the request has a token. It returns how long the sender has to wait, 0 if not at all.
func (a *App) attemptWait(r *http.Request) time.Duration {
	if a.config.Token == "" || r.Header.Get("Authorization") == "" {
		return 0
	}
	return a.attempts.allow(r.RemoteAddr)
}

// hasToken reports whether the request has the right token. It compares hashes, so that the time it takes does not
// depend on the token or its length.
func (a *App) hasToken(r *http.Request) bool {
	if a.config.Token == "" {
		return true
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	got, want := sha256.Sum256([]byte(strings.TrimSpace(token))), sha256.Sum256([]byte(a.config.Token))
	ok := subtle.ConstantTimeCompare(got[:], want[:]) == 1 && strings.EqualFold(scheme, "Bearer")
	if ok {
		a.attempts.trust(r.RemoteAddr)
	}
	return ok
}

// readBody reads the whole message before limitConcurrency counts the request, so that slow senders do not use up the
// limit.
func (a *App) readBody(next http.Handler) http.Handler {
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
			a.refuse(w, r, http.StatusBadRequest, "http.incomplete")
		default:
			body := read.Bytes()
			read.Free()
			_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // as in limitBody
			r.Body = io.NopCloser(bytes.NewReader(body))
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), messageKey{}, parseMessage(body))))
		}
	})
}

type messageKey struct{}

// messageOf returns the message that readBody read.
func messageOf(r *http.Request) incomingMessage {
	message, _ := r.Context().Value(messageKey{}).(incomingMessage)
	return message
}

// dropCancellations ignores notifications/cancelled. Without sessions the library knows requests only by the ids that
// clients choose (1, 2, 3…), so one caller's notification would cancel another's call. HTTP callers cancel by closing the
// connection.
func (a *App) dropCancellations(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if messageOf(r).Method == mcp.MethodNotificationCancelled {
			w.WriteHeader(http.StatusAccepted)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// limitConcurrency limits the requests in flight, in total and for each actor.
func (a *App) limitConcurrency(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor := callerOf(r.Context()).ID
		switch a.limits.acquire(actor) {
		case actorFull:
			w.Header().Set("Retry-After", "1")
			a.refuse(w, r, http.StatusTooManyRequests, "http.actor_full")
		case serverFull:
			w.Header().Set("Retry-After", "1")
			a.refuse(w, r, http.StatusServiceUnavailable, "http.server_full")
		default:
			defer a.limits.release(actor)
			next.ServeHTTP(w, r)
		}
	})
}

// refuse answers a request that does not reach the protocol. The caller's language is not known, so the text is English.
func (a *App) refuse(w http.ResponseWriter, r *http.Request, status int, reason string) {
	a.refusals.Warn(r.Context(), "request refused", "reason", reason, "status", status)
	bodies.Leave(w)
	writeError(w, status, mcp.INVALID_REQUEST, reason, nil)
}

func writeError(w http.ResponseWriter, status, code int, key string, args map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(mcp.NewJSONRPCError(mcp.RequestId{}, code, book.Say(words.English, key, args), nil)) // the caller is gone if this fails
}
