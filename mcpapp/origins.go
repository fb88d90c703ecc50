package mcpapp

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// preflightLife is how long a browser may keep the answer to a preflight.
const preflightLife = 10 * time.Minute

// What a page of an allowed origin may send and read, beside what every page may.
var (
	allowedHeaders = strings.Join([]string{
		"Authorization", "Content-Type", "Accept", mcp.HeaderProtocolVersion, mcp.HeaderMethod, mcp.HeaderName, "Mcp-Session-Id", "Last-Event-ID",
		"traceparent", "tracestate",
	}, ", ")
	exposedHeaders = strings.Join([]string{"WWW-Authenticate", "Retry-After", mcp.HeaderProtocolVersion}, ", ")
)

// shareWithOrigins lets pages of the allowed origins read responses (CORS), and answers the question with which a browser begins.
// checkHost has refused all other origins. Without a list, only pages of this machine may call; those that read the response
// have the origin of the server.
func (a *App) shareWithOrigins(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(a.config.AllowedOrigins) == 0 {
			next.ServeHTTP(w, r)
			return
		}
		header, origin := w.Header(), r.Header.Get("Origin")
		header.Add("Vary", "Origin")
		if !slices.Contains(a.config.AllowedOrigins, origin) {
			next.ServeHTTP(w, r)
			return
		}
		header.Set("Access-Control-Allow-Origin", origin)
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			header.Set("Access-Control-Allow-Methods", "GET, POST")
			header.Set("Access-Control-Allow-Headers", allowedHeaders)
			header.Set("Access-Control-Max-Age", strconv.Itoa(int(preflightLife.Seconds())))
			w.WriteHeader(http.StatusNoContent)
			return
		}
		header.Set("Access-Control-Expose-Headers", exposedHeaders)
		next.ServeHTTP(w, r)
	})
}
