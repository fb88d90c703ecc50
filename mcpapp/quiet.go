package mcpapp

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/words"
)

// outgoing is what the door has to know of a message that leaves.
type outgoing struct {
	JSONRPC string                   `json:"jsonrpc"`
	ID      json.RawMessage          `json:"id"`
	Method  string                   `json:"method,omitempty"`
	Error   *mcp.JSONRPCErrorDetails `json:"error,omitempty"`
}

// answers tells whether a request is answered by it.
func (o outgoing) answers() bool { return o.Method == "" && o.id() != nil }

func (o outgoing) id() (id any) {
	_ = json.Unmarshal(o.ID, &id) // where there is none it stays nil
	return id
}

// inOurWords gives a message that leaves. Where the library refuses a request, it repeats parts of it and names types of
// Go; that is told in our words instead, under the same code. Internal errors are ours already: all others of them
// would be panics, and none gets as far as the library.
func inOurWords(message []byte) (_ []byte, is outgoing) {
	if json.Unmarshal(message, &is) != nil { // what the library writes before it knows the message is plain text
		return []byte(book.Say(words.English, "protocol", nil)), is
	}
	if is.Error == nil || is.Error.Code == mcp.INTERNAL_ERROR {
		return message, is
	}
	is.Error.Message = book.Say(words.English, refusalKey(is.Error.Code), nil)
	rewritten, err := json.Marshal(is)
	if err != nil {
		panic(err) // it was JSON a moment ago
	}
	return append(rewritten, '\n'), is
}

func refusalKey(code int) string {
	switch code {
	case mcp.PARSE_ERROR, mcp.INVALID_REQUEST, mcp.METHOD_NOT_FOUND, mcp.INVALID_PARAMS, mcp.RESOURCE_NOT_FOUND,
		mcp.HEADER_MISMATCH, mcp.UNSUPPORTED_PROTOCOL_VERSION:
		return fmt.Sprintf("protocol.%d", code)
	}
	return "protocol"
}

// quiet lets no text of the library's out.
func (a *App) quiet(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(quietWriter{w}, r) })
}

// quietWriter relies on the library writing a message at a time. It cannot be flushed, so that nothing is streamed.
type quietWriter struct{ http.ResponseWriter }

// Write implements io.Writer.
func (w quietWriter) Write(message []byte) (int, error) {
	told, _ := inOurWords(message)
	if _, err := w.ResponseWriter.Write(told); err != nil {
		return 0, err
	}
	return len(message), nil
}
