package mcpapp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	compiler "github.com/santhosh-tekuri/jsonschema/v6"
	"go.uber.org/goleak"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/logtest"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/mcpapp"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/validation"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 10 * time.Second

// house is the door with everything behind it that is real: runner, checks, journal, and a bank over HTTP.
type house struct {
	app   *mcpapp.App
	bank  *sandbox.Bank
	api   *portal.User // a colleague at the bank's own counter
	store *conversations.Store
	log   *logtest.Log
	gate  *gate
}

// settings are what a test may want otherwise.
type settings struct {
	app     mcpapp.Config
	people  tools.People
	redis   string
	updates record
}

// noPlaces are kept somewhere, and nobody here has one.
type noPlaces struct{ tools.Destinations }

// record is what moved, the oldest first.
type record []tools.Moved

func (r record) Since(context.Context, time.Time, int, words.Lang) ([]tools.Moved, error) {
	return r, nil
}

func open(t testing.TB, change ...func(*settings)) *house {
	t.Helper()
	login := portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[0]}
	s := settings{redis: "memory", people: tools.Team{
		"ana": {Login: login}, "bruno": {Login: login}, "reader": {Login: login, ReadOnly: true},
		"rita": {Login: portal.Login{BrokerUID: sandbox.BrokerB.UID, Username: sandbox.BrokerB.Users[0]}},
	}}
	h := &house{log: &logtest.Log{}, gate: &gate{}}
	s.app = mcpapp.Config{
		Actor: mcpapp.Always(tools.Actor{ID: "ana", Lang: words.English}), Version: "test",
		Log: slog.New(slog.NewJSONHandler(h.log, nil)),
	}
	for _, c := range change {
		c(&s)
	}
	h.bank = sandbox.New(sandbox.Config{})
	bank := httptest.NewServer(h.gate.before(h.bank))
	t.Cleanup(bank.Close)
	api, err := portal.New(portal.Config{
		BaseURL: bank.URL, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret,
		AttemptTimeout: patience, TotalTimeout: patience, ReadAttempts: 1,
	})
	must(t, err)
	t.Cleanup(api.Close)
	h.api = api.As(login, "en")
	secrets, err := keys.Ephemeral()
	must(t, err)
	h.store, err = conversations.Open(t.Context(), s.redis, secrets)
	must(t, err)
	t.Cleanup(func() { must(t, h.store.Close()) })
	s.app.Runner = tools.NewRunner(tools.Config{
		Bank: api, People: s.people, Checks: validation.New(validation.Options{}),
		Journal: h.store, AuditLog: h.store, Fingerprint: secrets.Fingerprint, Sealer: secrets, Claims: h.store, Log: s.app.Log,
		Destinations: noPlaces{}, Updates: s.updates,
	})
	h.app, err = mcpapp.New(s.app)
	must(t, err)
	return h
}

func as(actor string) func(*settings) {
	return func(s *settings) { s.app.Actor = mcpapp.Always(tools.Actor{ID: actor}) }
}

// serve serves the door over HTTP and returns its address.
func (h *house) serve(t testing.TB) string {
	t.Helper()
	server := httptest.NewServer(h.app.Handler())
	t.Cleanup(server.Close)
	return server.URL + "/mcp"
}

// assistant is a real client, which holds every result against the schema that it was promised.
type assistant struct {
	*client.Client
	info    *mcp.InitializeResult
	outputs map[string]*compiler.Schema
	told    strings.Builder // every result, whole
}

// door is a way for assistants to come in.
type door struct {
	name, protocol string
	connect        func(*testing.T, *house) *client.Client
}

var doors = []door{
	{"stdio 2025-11-25", legacy, func(t *testing.T, h *house) *client.Client {
		return overPipes(t, h, client.WithProtocolVersion(legacy))
	}},
	{"stdio 2026-07-28", modern, func(t *testing.T, h *house) *client.Client { return overPipes(t, h) }},
	{"HTTP 2025-11-25", legacy, func(t *testing.T, h *house) *client.Client { return overHTTP(t, h, client.WithProtocolVersion(legacy)) }},
	{"HTTP 2026-07-28", modern, func(t *testing.T, h *house) *client.Client { return overHTTP(t, h) }},
}

func overPipes(t *testing.T, h *house, options ...client.ClientOption) *client.Client {
	t.Helper()
	fromClient, toServer := io.Pipe()
	fromServer, toClient := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- h.app.ServeStdio(context.WithoutCancel(t.Context()), fromClient, toClient)
		_ = toClient.Close()
	}()
	c := client.NewClient(transport.NewIO(fromServer, toServer, io.NopCloser(strings.NewReader(""))), options...)
	t.Cleanup(func() {
		must(t, c.Close())
		select {
		case err := <-ended:
			must(t, err)
		case <-time.After(patience):
			t.Error("stdio does not end with its input")
		}
	})
	return c
}

func overHTTP(t *testing.T, h *house, options ...client.ClientOption) *client.Client {
	t.Helper()
	wire, err := transport.NewStreamableHTTP(h.serve(t))
	must(t, err)
	c := client.NewClient(wire, options...)
	t.Cleanup(func() { must(t, c.Close()) })
	return c
}

func (d door) open(t *testing.T, h *house) *assistant {
	t.Helper()
	a := &assistant{Client: d.connect(t, h), outputs: map[string]*compiler.Schema{}}
	must(t, a.Start(t.Context()))
	var err error
	a.info, err = a.Initialize(t.Context(), mcp.InitializeRequest{Params: mcp.InitializeParams{
		ClientInfo: mcp.Implementation{Name: "test", Version: "1"},
	}})
	must(t, err)
	if a.info.ProtocolVersion != d.protocol {
		t.Fatalf("negotiated %s, want %s", a.info.ProtocolVersion, d.protocol)
	}
	for _, tool := range a.tools(t) {
		a.outputs[tool.Name] = strictly(t, tool.OutputSchema)
	}
	return a
}

func (a *assistant) tools(t *testing.T) []mcp.Tool {
	t.Helper()
	list, err := a.ListTools(t.Context(), mcp.ListToolsRequest{})
	must(t, err)
	return list.Tools
}

// call calls a tool. A failure of the protocol ends the test: whatever is wrong with a call is a result.
func (a *assistant) call(t *testing.T, tool string, args any) *mcp.CallToolResult {
	t.Helper()
	request := mcp.CallToolRequest{}
	request.Params.Name, request.Params.Arguments = tool, args
	result, err := a.CallTool(t.Context(), request)
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	if !result.IsError {
		if err := a.outputs[tool].Validate(result.StructuredContent); err != nil {
			t.Errorf("%s breaks its output schema: %v", tool, err)
		}
	} else if result.StructuredContent != nil {
		t.Errorf("%s failed and still has structured content", tool)
	}
	whole, err := json.Marshal(result)
	must(t, err)
	a.told.Write(whole)
	return result
}

func text(result *mcp.CallToolResult) string {
	var all []string
	for _, content := range result.Content {
		if text, ok := content.(mcp.TextContent); ok {
			all = append(all, text.Text)
		}
	}
	return strings.Join(all, "\n")
}

func succeeded(t *testing.T, result *mcp.CallToolResult) *mcp.CallToolResult {
	t.Helper()
	if result.IsError {
		t.Fatalf("failed: %s", text(result))
	}
	return result
}

// failed wants a failure whose text has all of these in it.
func failed(t *testing.T, result *mcp.CallToolResult, want ...string) string {
	t.Helper()
	if !result.IsError {
		t.Fatalf("succeeded: %s", text(result))
	}
	contains(t, text(result), append(want, "Reference: ")...)
	return text(result)
}

func contains(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%q is not in:\n%s", w, text)
		}
	}
}

func lacks(t *testing.T, text string, unwanted ...string) {
	t.Helper()
	for _, u := range unwanted {
		if strings.Contains(text, u) {
			t.Errorf("%q is in:\n%s", u, text)
		}
	}
}

// rui is a borrower without a fault, for process 1042.
func rui() map[string]any {
	return map[string]any{
		"process": "1042", "borrowerTypeId": 2, "keyBorrowerRelationId": 1,
		"personal": map[string]any{
			"name": "Rui Amostra", "birthDate": "1990-04-12", "taxId": "299999998", "mobile": "912345678",
			"email": "rui@example.com", "genderId": 2,
		},
		"financial": map[string]any{"incomeWagesPensions": 1850.5},
	}
}

// with is args with one of them, named by its path, otherwise; nil leaves it out.
func with(args map[string]any, path string, value any) map[string]any {
	args = maps.Clone(args)
	name, rest, nested := strings.Cut(path, ".")
	switch {
	case nested:
		args[name] = with(args[name].(map[string]any), rest, value)
	case value == nil:
		delete(args, name)
	default:
		args[name] = value
	}
	return args
}

// strictly is a schema that allows an object what it names, and no more.
func strictly(t *testing.T, schema any) *compiler.Schema {
	t.Helper()
	data, err := json.Marshal(schema)
	must(t, err)
	document, err := compiler.UnmarshalJSON(bytes.NewReader(data))
	must(t, err)
	shut(document)
	c := compiler.NewCompiler()
	must(t, c.AddResource("schema.json", document))
	compiled, err := c.Compile("schema.json")
	must(t, err)
	return compiled
}

// shut allows no property in a schema but those that it names.
func shut(schema any) {
	object, _ := schema.(map[string]any)
	properties, named := object["properties"].(map[string]any)
	if named {
		object["additionalProperties"] = false
	}
	for _, property := range properties {
		shut(property)
	}
	if items := object["items"]; items != nil {
		shut(items)
	}
}

// gate stands before the bank and holds back calls of a method and path until it is opened.
type gate struct {
	mu      sync.Mutex
	path    string
	arrived chan struct{}
	open    chan struct{}
}

// hold holds calls whose method and path, in small letters, end so. Each that comes is told on arrived; release lets them go on.
func (g *gate) hold(path string) (arrived <-chan struct{}, release func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.path, g.arrived, g.open = path, make(chan struct{}, 100), make(chan struct{})
	return g.arrived, sync.OnceFunc(func() { close(g.open) })
}

func (g *gate) before(bank http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		held, arrived, open := g.path != "" && strings.HasSuffix(strings.ToLower(r.Method+" "+r.URL.Path), g.path), g.arrived, g.open
		g.mu.Unlock()
		if held {
			arrived <- struct{}{}
			select {
			case <-open:
			case <-time.After(patience):
			}
		}
		bank.ServeHTTP(w, r)
	})
}

func await(t *testing.T, what string, happened <-chan struct{}) {
	t.Helper()
	select {
	case <-happened:
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Fatal(fmt.Errorf("unexpected: %w", err))
	}
}
