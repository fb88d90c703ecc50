package mcpapp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/balcao/balcao/internal/bodies"
	"github.com/balcao/balcao/internal/words"
)

// endpointPath is the path of the protocol.
const endpointPath = "/mcp"

// Handler serves both revisions of the protocol as Streamable HTTP at /mcp, without sessions or streams, and files below
// [FilePaths]. It sets the deadlines of bodies and responses; the http.Server needs a ReadHeaderTimeout and an IdleTimeout.
func (a *App) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST "+endpointPath, server.NewStreamableHTTPServer(a.server,
		server.WithStateLess(true),
		server.WithDisableStreaming(true),
		server.WithDisableLocalhostProtection(true),                    // checkHost is stricter, and allows a proxy on this machine
		server.WithStreamableHTTPLogger(slog.New(slog.DiscardHandler)), // it logs what callers sent
	))
	outside := []func(http.Handler) http.Handler{a.recoverPanics, a.setSecurityHeaders, a.limitBody, a.checkHost, a.shareWithOrigins}
	inside := []func(http.Handler) http.Handler{
		a.acceptSigned, a.authenticate, a.readBody, a.dropCancellations, a.refuseListen, a.stepUp, a.limitCalls, a.answerDirectly, a.rewriteErrors,
	}
	all := http.NewServeMux()
	all.Handle("/", within(mux, slices.Concat(outside, inside)))
	if a.config.Issuer != nil {
		metadata := http.NewServeMux()
		metadata.HandleFunc("GET /", a.serveMetadata)
		all.Handle(resourceMetadata, within(metadata, outside))
		all.Handle(resourceMetadata+"/", within(metadata, outside))
	}
	all.HandleFunc("GET "+IconPath, serveIcon)
	for _, path := range FilePaths() {
		all.Handle(path, a.fileHandler(a.config.AllowedHosts))
	}
	for _, path := range ApprovalPaths() {
		all.Handle(path, a.approvalHandler())
	}
	return all
}

// within returns a handler within layers, the outermost first.
func within(handler http.Handler, layers []func(http.Handler) http.Handler) http.Handler {
	for _, layer := range slices.Backward(layers) {
		handler = layer(handler)
	}
	return handler
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
		deadlines := http.NewResponseController(w)
		now := time.Now()
		// Only writers without a connection, such as httptest's recorder, fail here.
		_ = deadlines.SetReadDeadline(now.Add(a.config.BodyTimeout))
		_ = deadlines.SetWriteDeadline(now.Add(2*a.config.BodyTimeout + a.config.CallTimeout))
		if r.ContentLength > a.config.MaxBody {
			if r.ContentLength <= 4*a.config.MaxBody { // a connection that is closed before its body is read may lose the answer
				_, _ = io.Copy(io.Discard, r.Body)
			}
			a.refuse(w, r, http.StatusRequestEntityTooLarge, "http.too_long")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, a.config.MaxBody)
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

// readBody reads the whole message before limitCalls counts the request, so that slow senders do not use up the
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
