package mcpapp

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/words"
)

// incoming is what the door has to know of a message that comes in, read as the library reads it.
type incoming struct {
	ID     any           `json:"id"`
	Method mcp.MCPMethod `json:"method"`
	Result any           `json:"result"`
	Params struct {
		Cancelled any `json:"requestId"`
	} `json:"params"`
}

// readMessage reads a message; what is none is the zero value.
func readMessage(message []byte) (is incoming) {
	var envelope struct {
		incoming
		Params json.RawMessage `json:"params"` // of any form, as far as the other fields go
	}
	if json.Unmarshal(message, &envelope) != nil {
		return incoming{}
	}
	_ = json.Unmarshal(envelope.Params, &envelope.incoming.Params)
	return envelope.incoming
}

// key names a request, so that its answer and its cancellation are known for it.
func key(id any) string { return fmt.Sprintf("%T %v", id, id) }

// isRequest tells what is answered: with a result in it, whatever else there is, a message is an answer.
func (i incoming) isRequest() bool { return i.Method != "" && i.ID != nil && i.Result == nil }

// listens tells a request to be told of changes. There are none here: tools and documents are the same for as long as the
// program runs. The library would serve it, and lose its acknowledgement one time in three.
func (i incoming) listens() bool { return i.Method == mcp.MethodSubscriptionsListen }

// nothingChanges answers who would listen for changes.
func nothingChanges(id any) []byte {
	refusal, err := json.Marshal(mcp.NewJSONRPCError(mcp.NewRequestId(id), mcp.METHOD_NOT_FOUND, book.Say(words.English, "protocol.listen", nil), nil))
	if err != nil {
		panic(err) // the id was JSON a moment ago
	}
	return append(refusal, '\n')
}

// withoutListening refuses to listen, with the status that the caller's revision has for a method that is not there.
func (a *App) withoutListening(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch message := messageOf(r); {
		case !message.listens():
			next.ServeHTTP(w, r)
		case message.ID == nil:
			w.WriteHeader(http.StatusAccepted)
		default:
			w.Header().Set("Content-Type", "application/json")
			if mcp.IsModernProtocol(r.Header.Get(mcp.HeaderProtocolVersion)) {
				w.WriteHeader(http.StatusNotFound)
			}
			_, _ = w.Write(nothingChanges(message.ID)) // an answer that cannot be written has nobody to tell
		}
	})
}
