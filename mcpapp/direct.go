package mcpapp

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/balcao/balcao/tools"
)

// maxPreparedLists is the most lists of tools that are kept ready: one for each revision and set of tools that a caller may use.
const maxPreparedLists = 64

// isPlain reports whether nothing but a single answer is asked for.
func (p messageParams) isPlain() bool {
	return p.Cursor == nil && p.Task == nil && p.InputResponses == nil && p.RequestState == nil && (p.Meta == nil || p.Meta.ProgressToken == nil)
}

// answerDirectly answers calls of tools that read, and lists of tools, which are nearly all requests, without the library's
// transport: that parses each message seven times, and has a session and a stream ready for each. The answers are the same,
// byte for byte, which a test compares. Whatever is not certainly valid goes to the library.
func (a *App) answerDirectly(next http.Handler) http.Handler {
	if a.readers == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		message := messageOf(r)
		isCall, params := message.Method == mcp.MethodToolsCall, message.Params
		if r.URL.Path != endpointPath || !isCall && message.Method != mcp.MethodToolsList || !message.isRequest() || message.JSONRPC != mcp.JSONRPC_VERSION ||
			message.wrong || isCall && message.params == nil || !params.isPlain() {
			next.ServeHTTP(w, r)
			return
		}
		ctx, info := protocolOf(r, message)
		if info == nil {
			next.ServeHTTP(w, r)
			return
		}
		if !isCall {
			a.answerList(w, r, message.ID, info, next)
			return
		}
		handler, reads := a.readers[params.Name]
		if !reads {
			next.ServeHTTP(w, r)
			return
		}
		call := mcp.CallToolRequest{Header: r.Header}
		call.Params.Name, call.Params.RawArguments, call.Params.Meta = params.Name, params.Arguments, params.Meta
		if params.Arguments != nil && json.Unmarshal(params.Arguments, &call.Params.Arguments) != nil {
			next.ServeHTTP(w, r)
			return
		}
		result, err := handler(ctx, call)
		if err != nil || result == nil {
			panic("a handler of a tool returns a result") // as the comment of each says
		}
		if ctx.Err() != nil { // the caller is gone
			return
		}
		if info.Modern && result.ResultType == "" {
			result.SetResultType(mcp.ResultTypeComplete)
		}
		w.Header().Set("Content-Type", "application/json")
		// The caller is gone if this fails.
		_ = json.NewEncoder(w).Encode(mcp.JSONRPCResponse{JSONRPC: mcp.JSONRPC_VERSION, ID: mcp.NewRequestId(message.ID), Result: *result})
	})
}

// protocolOf returns the revision of a request, with the context that handlers expect; nil if the request does not certainly
// keep to the rules of its revision.
func protocolOf(r *http.Request, message incomingMessage) (context.Context, *server.RequestProtocolInfo) {
	header, version := r.Header.Get(mcp.HeaderProtocolVersion), message.Params.Meta.ProtocolVersion()
	info := &server.RequestProtocolInfo{ProtocolVersion: version}
	switch modern := mcp.IsModernProtocol(header) || mcp.IsModernProtocol(version); {
	case !modern && header != "" && !mcp.IsValidProtocolVersion(header):
		return nil, nil
	case modern:
		if header != version || !mcp.IsValidProtocolVersion(version) || r.Header.Get(mcp.HeaderLastEventID) != "" ||
			mcp.ValidateStandardHeaders(r.Header.Get, version, message.Method, message.params) != nil {
			return nil, nil
		}
		info.Modern, info.ClientInfo, info.LogLevel = true, message.Params.Meta.ClientInfo(), message.Params.Meta.LogLevel()
		if info.ClientCapabilities = message.Params.Meta.ClientCapabilities(); info.ClientCapabilities == nil {
			return nil, nil
		}
	}
	return server.WithRequestProtocolInfo(r.Context(), info), info
}

// toolLayers are around the handler of every tool, the outermost first.
func (a *App) toolLayers() []server.ToolHandlerMiddleware {
	return []server.ToolHandlerMiddleware{a.identifyShortly, a.tellAboveShare}
}

// readersOf returns the handlers of the tools that only read, as the library would call them.
func (a *App) readersOf() map[string]server.ToolHandlerFunc {
	readers := map[string]server.ToolHandlerFunc{}
	for name, tool := range a.server.ListTools() {
		own, isOwn := a.own[name]
		if isOwn && own.effect == tools.Reads || !isOwn && a.tools[name].Effect == tools.Reads {
			handler := tool.Handler
			for _, layer := range slices.Backward(a.toolLayers()) {
				handler = layer(handler)
			}
			readers[name] = handler
		}
	}
	return readers
}

// preparedLists are the answers to tools/list without the part that differs from request to request, its id.
type preparedLists struct {
	mu    sync.Mutex
	lists map[string][]byte // by the revision and what the caller may use
}

func (p *preparedLists) get(key string) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lists[key]
}

func (p *preparedLists) put(key string, list []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lists == nil || len(p.lists) >= maxPreparedLists {
		p.lists = map[string][]byte{}
	}
	p.lists[key] = list
}

// answerList answers tools/list from the bytes of the library's answer to an earlier caller who may use the same tools. Their
// texts are in English for all.
func (a *App) answerList(w http.ResponseWriter, r *http.Request, id any, info *server.RequestProtocolInfo, next http.Handler) {
	var key strings.Builder
	key.WriteString(info.ProtocolVersion)
	for _, name := range a.listedNames {
		if a.inList(r.Context(), name) {
			key.WriteString(" " + name)
		}
	}
	head, err := json.Marshal(mcp.JSONRPCResponse{JSONRPC: mcp.JSONRPC_VERSION, ID: mcp.NewRequestId(id)})
	head, ours := bytes.CutSuffix(head, []byte(`"result":null}`))
	if err != nil || !ours {
		next.ServeHTTP(w, r)
		return
	}
	rest := a.prepared.get(key.String())
	if rest == nil {
		copied := &copiedResponse{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(copied, r)
		if rest, same := bytes.CutPrefix(copied.body.Bytes(), head); same && copied.status == http.StatusOK && bytes.HasPrefix(rest, []byte(`"result":`)) {
			a.prepared.put(key.String(), slices.Clone(rest))
		}
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if _, err := w.Write(head); err == nil {
		_, _ = w.Write(rest) // the caller is gone if this fails
	}
}

// copiedResponse keeps a copy of what is written.
type copiedResponse struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader implements [http.ResponseWriter].
func (c *copiedResponse) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

// Write implements [io.Writer].
func (c *copiedResponse) Write(data []byte) (int, error) {
	c.body.Write(data)
	return c.ResponseWriter.Write(data)
}
