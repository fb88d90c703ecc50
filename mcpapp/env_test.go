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

	"github.com/balcao/balcao/tools/catalogue"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	compiler "github.com/santhosh-tekuri/jsonschema/v6"
	"go.uber.org/goleak"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/logtest"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/mcpapp"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/validation"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var stdioSession sync.Mutex

// env is an App with a real runner, checks, journal, and a sandbox bank over HTTP.
type env struct {
	app     *mcpapp.App
	bank    *sandbox.Bank
	bankAPI *portal.User // for reads and changes behind the assistant's back
	runner  *tools.Runner
	store   *conversations.Store
	log     *logtest.Log
	gate    *gate
	shared  *testenv.Env
	config  mcpapp.Config
}

// options are what a test may change.
type options struct {
	app     mcpapp.Config
	people  tools.People
	redis   string
	updates staticUpdates
	checks  func(*validation.Options)
	tools   *tools.Catalogue
	lists   testenv.OtherLists // of the bank
	policy  tools.Policy       // that of testenv if nil
	proxy   func(bank http.Handler) http.Handler
}

// noDestinations is a store of destinations that is never called.
type noDestinations struct{ tools.Destinations }

// staticUpdates is a changelog, the oldest change first.
type staticUpdates []tools.ProcessChange

func (r staticUpdates) Horizon(context.Context) (tools.Horizon, error) {
	return tools.Horizon{From: time.Unix(0, 0)}, nil
}

func (r staticUpdates) Since(context.Context, time.Time, int, words.Lang, map[int32]string) ([]tools.ProcessChange, error) {
	return r, nil
}

func start(t testing.TB, change ...func(*options)) *env {
	t.Helper()
	s := options{tools: catalogue.New(), people: testenv.Team()}
	log, bankGate := &logtest.Log{}, &gate{}
	s.app = mcpapp.Config{
		Actor: mcpapp.Always(tools.Actor{ID: "ana", Lang: words.English}), Version: "test", Log: slog.New(slog.NewJSONHandler(log, nil)),
	}
	for _, c := range change {
		c(&s)
	}
	proxy := bankGate.before
	if s.proxy != nil {
		proxy = func(bank http.Handler) http.Handler { return bankGate.before(s.proxy(bank)) }
	}
	shared := testenv.Start(t, testenv.Options{Proxy: proxy, Redis: s.redis, Checks: s.checks, Profile: s.lists.Taken, Sandbox: sandbox.Config{Profile: s.lists.Bank}, Runner: func(c *tools.Config) {
		testenv.AuditInStore(c)
		if s.policy != nil {
			c.Policy = s.policy
		}
		c.Catalogue, c.People, c.Destinations, c.Updates, c.Log = s.tools, s.people, noDestinations{}, s.updates, s.app.Log
	}})
	s.app.Runner, s.app.Files = shared.Runner, shared.Store
	app, err := mcpapp.New(s.app)
	must(t, err)
	return &env{app: app, bank: shared.Bank, bankAPI: shared.User(), runner: shared.Runner, store: shared.Store, log: log, gate: bankGate, shared: shared, config: s.app}
}

// replica starts another App with its own runner on the same Redis.
func (e *env) replica(t testing.TB) *env {
	t.Helper()
	shared, other := e.shared.Replica(t), *e
	other.config.Runner, other.config.Files = shared.Runner, shared.Store
	app, err := mcpapp.New(other.config)
	must(t, err)
	other.app, other.runner, other.store, other.shared = app, shared.Runner, shared.Store, shared
	return &other
}

func asActor(actor string) func(*options) {
	return func(s *options) { s.app.Actor = mcpapp.Always(tools.Actor{ID: actor}) }
}

// serveStdio is ServeStdio for tests that run in parallel: the library has one stdio session in a process.
func (e *env) serveStdio(ctx context.Context, in io.Reader, out io.Writer) error {
	stdioSession.Lock()
	defer stdioSession.Unlock()
	return e.app.ServeStdio(ctx, in, out)
}

// serve serves the App over HTTP and returns its address.
func (e *env) serve(t testing.TB) string {
	t.Helper()
	server := httptest.NewServer(e.app.Handler())
	t.Cleanup(server.Close)
	return server.URL + "/mcp"
}

// assistant is a real client that checks every result against the tool's output schema.
type assistant struct {
	*client.Client
	info       *mcp.InitializeResult
	outputs    map[string]*compiler.Schema
	transcript strings.Builder // every result as JSON
}

// variant is a transport and a protocol revision.
type variant struct {
	name, protocol string
	connect        func(*testing.T, *env) *client.Client
}

var variants = []variant{
	{"stdio 2025-11-25", legacy, func(t *testing.T, e *env) *client.Client {
		return overStdio(t, e, client.WithProtocolVersion(legacy))
	}},
	{"stdio 2026-07-28", modern, func(t *testing.T, e *env) *client.Client { return overStdio(t, e) }},
	{"HTTP 2025-11-25", legacy, func(t *testing.T, e *env) *client.Client { return overHTTP(t, e, client.WithProtocolVersion(legacy)) }},
	{"HTTP 2026-07-28", modern, func(t *testing.T, e *env) *client.Client { return overHTTP(t, e) }},
}

func overStdio(t *testing.T, e *env, options ...client.ClientOption) *client.Client {
	t.Helper()
	fromClient, toServer := io.Pipe()
	fromServer, toClient := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- e.serveStdio(context.WithoutCancel(t.Context()), fromClient, toClient)
		_ = toClient.Close()
	}()
	c := client.NewClient(transport.NewIO(fromServer, toServer, io.NopCloser(strings.NewReader(""))), options...)
	t.Cleanup(func() {
		must(t, c.Close())
		must(t, waittest.Receive(t, "ServeStdio returns after its input ended", ended))
	})
	return c
}

// wireTo returns a transport with connections of its own: a test server that ends closes the idle ones that tests share.
func wireTo(t *testing.T, url string) *transport.StreamableHTTP {
	t.Helper()
	connections := &http.Transport{}
	t.Cleanup(connections.CloseIdleConnections)
	wire, err := transport.NewStreamableHTTP(url, transport.WithHTTPBasicClient(&http.Client{Transport: connections}))
	must(t, err)
	return wire
}

func overHTTP(t *testing.T, e *env, options ...client.ClientOption) *client.Client {
	t.Helper()
	c := client.NewClient(wireTo(t, e.serve(t)), options...)
	t.Cleanup(func() { must(t, c.Close()) })
	return c
}

func (d variant) start(t *testing.T, e *env) *assistant {
	t.Helper()
	a := &assistant{Client: d.connect(t, e), outputs: map[string]*compiler.Schema{}}
	must(t, a.Start(t.Context()))
	var err error
	a.info, err = a.Initialize(t.Context(), mcp.InitializeRequest{Params: mcp.InitializeParams{
		ClientInfo: mcp.Implementation{Name: "test", Version: "1"},
	}})
	must(t, err)
	if a.info.ProtocolVersion != d.protocol {
		t.Fatalf("negotiated %s, want %s", a.info.ProtocolVersion, d.protocol)
	}
	for _, tool := range e.runner.Catalogue.Tools() {
		a.outputs[tool.Name] = strictSchema(t, tool.OutputSchema())
	}
	for _, tool := range a.tools(t) {
		if _, ofCatalogue := e.runner.Catalogue.Named(tool.Name); ofCatalogue {
			a.outputs[tool.Name] = strictSchema(t, tool.OutputSchema)
		}
	}
	return a
}

func (a *assistant) tools(t *testing.T) []mcp.Tool {
	t.Helper()
	list, err := a.ListTools(t.Context(), mcp.ListToolsRequest{})
	must(t, err)
	return list.Tools
}

// call calls a tool. A protocol error fails the test, because every failure of a call has to be a result.
func (a *assistant) call(t *testing.T, tool string, args any) *mcp.CallToolResult {
	t.Helper()
	request := mcp.CallToolRequest{}
	request.Params.Name, request.Params.Arguments = tool, args
	result, err := a.CallTool(t.Context(), request)
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	if !result.IsError {
		a.validate(t, tool, args, result.StructuredContent)
	} else if result.StructuredContent != nil {
		t.Errorf("%s: an error with structured content", tool)
	}
	whole, err := json.Marshal(result)
	must(t, err)
	a.transcript.Write(whole)
	return result
}

// validate checks an output against the schema of the operation that was called, by its own tool or through another.
func (a *assistant) validate(t *testing.T, tool string, args, output any) {
	t.Helper()
	if tool == "read_operation" || tool == "write_operation" {
		tool = fmt.Sprint(args.(map[string]any)["operation"])
	}
	if schema, ok := a.outputs[tool]; ok {
		if err := schema.Validate(output); err != nil {
			t.Errorf("%s breaks its output schema: %v", tool, err)
		}
	}
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

// failed checks that a call failed whose text has all of these in it.
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
			t.Errorf("%q is missing in:\n%s", w, text)
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

// validBorrower returns the arguments of create_borrower for process 1042.
func validBorrower() map[string]any {
	return map[string]any{
		"process": "1042", "borrowerTypeId": 2, "keyBorrowerRelationId": 1,
		"personal": map[string]any{
			"name": "Rui Amostra", "birthDate": "1990-04-12", "taxId": "299999998", "mobile": "912345678",
			"email": "rui@example.com", "genderId": 2,
		},
		"financial": map[string]any{"incomeWagesPensions": 1850.5},
	}
}

// withArg returns a copy of args with the value at path replaced; nil removes it.
func withArg(args map[string]any, path string, value any) map[string]any {
	args = maps.Clone(args)
	name, rest, nested := strings.Cut(path, ".")
	switch {
	case nested:
		args[name] = withArg(args[name].(map[string]any), rest, value)
	case value == nil:
		delete(args, name)
	default:
		args[name] = value
	}
	return args
}

// strictSchema compiles schema with additional properties forbidden in every object.
func strictSchema(t *testing.T, schema any) *compiler.Schema {
	t.Helper()
	data, err := json.Marshal(schema)
	must(t, err)
	document, err := compiler.UnmarshalJSON(bytes.NewReader(data))
	must(t, err)
	forbidAdditional(document)
	c := compiler.NewCompiler()
	must(t, c.AddResource("schema.json", document))
	compiled, err := c.Compile("schema.json")
	must(t, err)
	return compiled
}

// forbidAdditional sets additionalProperties to false in every object of schema.
func forbidAdditional(schema any) {
	object, _ := schema.(map[string]any)
	properties, named := object["properties"].(map[string]any)
	if named {
		object["additionalProperties"] = false
	}
	for _, property := range properties {
		forbidAdditional(property)
	}
	if items := object["items"]; items != nil {
		forbidAdditional(items)
	}
}

// gate blocks calls of the bank until they are released.
type gate struct {
	mu      sync.Mutex
	path    string
	arrived chan struct{}
	open    chan struct{}
}

// block blocks calls whose lower-case method and path end with path. Each blocked call sends on arrived; release lets all of
// them continue.
func (g *gate) block(path string) (arrived <-chan struct{}, release func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.path, g.arrived, g.open = path, make(chan struct{}, 100), make(chan struct{})
	return g.arrived, sync.OnceFunc(func() { close(g.open) })
}

func (g *gate) before(bank http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		blocked, arrived, open := g.path != "" && strings.HasSuffix(strings.ToLower(r.Method+" "+r.URL.Path), g.path), g.arrived, g.open
		g.mu.Unlock()
		if blocked {
			arrived <- struct{}{}
			select {
			case <-open:
			case <-time.After(waittest.Deadline):
			}
		}
		bank.ServeHTTP(w, r)
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Fatal(fmt.Errorf("unexpected: %w", err))
	}
}
