package mcpapp

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/words"
)

// incomingMessage holds the parts of an incoming message that this package needs, parsed as the library parses them.
type incomingMessage struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      any             `json:"id"`
	Method  mcp.MCPMethod   `json:"method"`
	Result  json.RawMessage `json:"result"`
	Params  messageParams   `json:"params"`
	params  json.RawMessage // as they came
	wrong   bool            // the parameters are not those of a call
}

// messageParams are the parameters that this package needs.
type messageParams struct {
	Cancelled any             `json:"requestId"`
	Name      string          `json:"name"` // of a tool or prompt
	Arguments json.RawMessage `json:"arguments"`
	Meta      *mcp.Meta       `json:"_meta"`

	// A request with one of these is not answered directly.
	Cursor         json.RawMessage `json:"cursor"`
	Task           json.RawMessage `json:"task"`
	InputResponses json.RawMessage `json:"inputResponses"`
	RequestState   json.RawMessage `json:"requestState"`
}

// parseMessage parses a message. It returns the zero value if data is not a message.
func parseMessage(data []byte) incomingMessage {
	var envelope struct {
		incomingMessage
		Params json.RawMessage `json:"params"` // params of any type must not make the other fields fail
	}
	if json.Unmarshal(data, &envelope) != nil {
		return incomingMessage{}
	}
	envelope.params = envelope.Params
	if envelope.Params != nil {
		envelope.wrong = json.Unmarshal(envelope.Params, &envelope.incomingMessage.Params) != nil
	}
	if envelope.wrong { // one parameter of another type must not make the others unknown
		var params struct {
			Cancelled any    `json:"requestId"`
			Name      string `json:"name"`
		}
		_ = json.Unmarshal(envelope.Params, &params)
		envelope.incomingMessage.Params = messageParams{Cancelled: params.Cancelled, Name: params.Name}
	}
	return envelope.incomingMessage
}

// requestKey identifies a request by its id: the ids 1 and "1" differ.
func requestKey(id any) string { return fmt.Sprintf("%T %v", id, id) }

// isRequest reports whether the library answers the message. One with a result is a response, whatever else it has.
func (m incomingMessage) isRequest() bool {
	return m.Method != "" && m.ID != nil && (m.Result == nil || string(m.Result) == "null")
}

// isListen reports whether the message asks for notifications of changes. Tools and resources never change while the
// program runs. The library would serve the request, and loses its acknowledgement one time in three.
func (m incomingMessage) isListen() bool { return m.Method == mcp.MethodSubscriptionsListen }

// listenRefusal returns the response to subscriptions/listen.
func listenRefusal(id any) []byte {
	refusal, err := json.Marshal(mcp.NewJSONRPCError(mcp.NewRequestId(id), mcp.METHOD_NOT_FOUND, book.Say(words.English, "protocol.listen", nil), nil))
	if err != nil {
		panic(err) // the id was parsed from JSON
	}
	return append(refusal, '\n')
}

// refuseListen refuses subscriptions/listen, with the status that the caller's revision has for an unknown method.
func (a *App) refuseListen(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch message := messageOf(r); {
		case !message.isListen():
			next.ServeHTTP(w, r)
		case message.ID == nil:
			w.WriteHeader(http.StatusAccepted)
		default:
			w.Header().Set("Content-Type", "application/json")
			if mcp.IsModernProtocol(r.Header.Get(mcp.HeaderProtocolVersion)) {
				w.WriteHeader(http.StatusNotFound)
			}
			_, _ = w.Write(listenRefusal(message.ID)) // the caller is gone if this fails
		}
	})
}
