package mcpapp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/words"
)

// outgoingMessage holds the parts of an outgoing message that this package needs.
type outgoingMessage struct {
	JSONRPC string                   `json:"jsonrpc"`
	ID      json.RawMessage          `json:"id"`
	Method  string                   `json:"method,omitempty"`
	Error   *mcp.JSONRPCErrorDetails `json:"error,omitempty"`
}

// isResponse reports whether the message answers a request.
func (m outgoingMessage) isResponse() bool { return m.Method == "" && m.id() != nil }

// id returns the message's id, nil if it has none.
func (m outgoingMessage) id() (id any) {
	_ = json.Unmarshal(m.ID, &id) // nil if there is none
	return id
}

// rewriteError returns the message to send in place of data, and its parsed form. The library's protocol errors repeat
// parts of the request and name Go types; their text is replaced by ours, the code stays. Internal errors stay as they
// are, because their text is already ours.
func rewriteError(data []byte) ([]byte, outgoingMessage) {
	message, isResult := resultHead(data)
	if isResult {
		return data, message
	}
	if json.Unmarshal(data, &message) != nil { // the library answers in plain text if it cannot parse a request
		return []byte(book.Say(words.English, "protocol", nil)), message
	}
	if message.Error == nil || message.Error.Code == mcp.INTERNAL_ERROR {
		return data, message
	}
	message.Error.Message = book.Say(words.English, protocolErrorKey(message.Error.Code), nil)
	rewritten, err := json.Marshal(message)
	if err != nil {
		panic(err) // it was parsed from JSON
	}
	return append(rewritten, '\n'), message
}

// resultHead returns what comes before the result of a response, and false if data is anything else. The library writes the
// result last, so that it is not parsed once more.
func resultHead(data []byte) (message outgoingMessage, isResult bool) {
	decoder := jsontext.NewDecoder(bytes.NewReader(data))
	if token, err := decoder.ReadToken(); err != nil || token.Kind() != '{' {
		return message, false
	}
	for {
		name, err := decoder.ReadToken()
		if err != nil || name.Kind() != '"' {
			return outgoingMessage{}, false
		}
		switch name.String() {
		case "result":
			return message, message.ID != nil
		case "jsonrpc":
			err = decoder.SkipValue()
		case "id":
			var id jsontext.Value
			id, err = decoder.ReadValue()
			message.ID = json.RawMessage(id.Clone())
		default:
			return outgoingMessage{}, false
		}
		if err != nil {
			return outgoingMessage{}, false
		}
	}
}

func protocolErrorKey(code int) string {
	switch code {
	case mcp.PARSE_ERROR, mcp.INVALID_REQUEST, mcp.METHOD_NOT_FOUND, mcp.INVALID_PARAMS, mcp.RESOURCE_NOT_FOUND,
		mcp.HEADER_MISMATCH, mcp.UNSUPPORTED_PROTOCOL_VERSION:
		return fmt.Sprintf("protocol.%d", code)
	}
	return "protocol"
}

// rewriteErrors passes every response through [rewriteError].
func (a *App) rewriteErrors(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(errorRewriter{w}, r) })
}

// errorRewriter relies on the library writing a whole message at a time, alone or as an event: the progress of a call, and the
// response after it, are a stream of events.
type errorRewriter struct{ http.ResponseWriter }

// WriteHeader implements http.ResponseWriter. The library lets clients store a stream, and some proxies hold one back until it
// ends.
func (w errorRewriter) WriteHeader(status int) {
	if header := w.Header(); header.Get("Content-Type") == "text/event-stream" {
		header.Set("Cache-Control", "no-store")
		header.Set("X-Accel-Buffering", "no")
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (w errorRewriter) Write(message []byte) (int, error) {
	data, isEvent := bytes.CutPrefix(message, []byte(eventPrefix))
	rewritten, _ := rewriteError(data)
	if isEvent {
		rewritten = slices.Concat([]byte(eventPrefix), bytes.TrimSpace(rewritten), []byte("\n\n"))
	}
	if _, err := w.ResponseWriter.Write(rewritten); err != nil {
		return 0, err
	}
	return len(message), nil
}

const eventPrefix = "event: message\ndata: "

// Flush implements http.Flusher.
func (w errorRewriter) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() } // the caller is gone if this fails
