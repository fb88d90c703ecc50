package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/balcao/balcao/internal/waittest"
)

// goClient is a session of the official client for Go, which checks every output against the schema of its tool.
type goClient struct {
	*mcp.ClientSession
	outputs  map[string]*jsonschema.Resolved
	progress atomic.Int32 // notifications
	stdio    bool
	opened   atomic.Int32 // addresses that the client opens for its person
}

func TestTheGoClientWorks(t *testing.T) {
	t.Parallel()
	for transport, server := range transports(t, "") {
		for _, revision := range []string{Legacy, Modern} {
			t.Run(transport+" "+revision, func(t *testing.T) {
				t.Parallel()
				c := connectGo(t, server, revision)
				for _, step := range []struct {
					name string
					run  func(*testing.T)
				}{{"list", c.lists}, {"read", c.reads}, {"write that waits", c.writes}, {"errors", c.errors}} {
					step.run(t)
					t.Log(outcome(t), "go-sdk", revision, transport+":", step.name)
				}
			})
		}
	}
}

// outcome returns «ok», or «FAIL» for a test that has failed.
func outcome(t *testing.T) string {
	if t.Failed() {
		return "FAIL"
	}
	return "ok"
}

// connectGo connects to an address, or to a program that it starts.
func connectGo(t *testing.T, server []string, revision string) *goClient {
	t.Helper()
	c := &goClient{outputs: map[string]*jsonschema.Resolved{}}
	var transport mcp.Transport = &mcp.StreamableClientTransport{Endpoint: server[0]}
	if len(server) > 1 {
		command := exec.Command(server[0], server[1:]...)
		command.Env = os.Environ()
		transport, c.stdio = &mcp.CommandTransport{Command: command}, true
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "conformance", Version: "1"}, &mcp.ClientOptions{
		Capabilities:                &mcp.ClientCapabilities{Elicitation: &mcp.ElicitationCapabilities{URL: &mcp.URLElicitationCapabilities{}}},
		ProgressNotificationHandler: func(context.Context, *mcp.ProgressNotificationClientRequest) { c.progress.Add(1) },
		ElicitationHandler: func(_ context.Context, asked *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			if asked.Params.Mode == "url" && strings.HasPrefix(asked.Params.URL, "http://127.0.0.1:") && asked.Params.Message != "" {
				c.opened.Add(1)
			}
			return &mcp.ElicitResult{Action: "accept"}, nil
		},
	})
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), runTimeout)
	session, err := client.Connect(ctx, transport, &mcp.ClientSessionOptions{ProtocolVersion: revision})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := session.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
		cancel()
	})
	if hello := session.InitializeResult(); hello.ProtocolVersion != revision || hello.ServerInfo.Name != "balcao" || hello.Instructions == "" {
		t.Errorf("got %+v", hello)
	}
	c.ClientSession = session
	return c
}

// lists reads all lists, and compiles the schemas.
func (c *goClient) lists(t *testing.T) {
	t.Helper()
	for tool, err := range c.Tools(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		for kind, schema := range map[string]any{"input": tool.InputSchema, "output": tool.OutputSchema} {
			data, err := json.Marshal(schema)
			if err != nil {
				t.Fatal(err)
			}
			var parsed jsonschema.Schema
			if err := json.Unmarshal(data, &parsed); err != nil {
				t.Fatalf("%s, %s: %v", tool.Name, kind, err)
			}
			resolved, err := parsed.Resolve(&jsonschema.ResolveOptions{ValidateDefaults: true})
			if err != nil {
				t.Fatalf("%s, %s: %v", tool.Name, kind, err)
			}
			if kind == "output" {
				c.outputs[tool.Name] = resolved
			}
		}
	}
	prompts, templates := 0, 0
	for _, err := range c.Prompts(t.Context(), nil) {
		if prompts++; err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range c.ResourceTemplates(t.Context(), nil) {
		if templates++; err != nil {
			t.Fatal(err)
		}
	}
	if len(c.outputs) < 10 || prompts == 0 || templates == 0 {
		t.Errorf("%d tools, %d prompts, %d templates", len(c.outputs), prompts, templates)
	}
}

// call calls a tool. A protocol error fails the test.
func (c *goClient) call(t *testing.T, tool, args string) *mcp.CallToolResult {
	t.Helper()
	params := &mcp.CallToolParams{Name: tool, Arguments: json.RawMessage(args)}
	params.SetProgressToken(tool)
	result, err := c.CallTool(t.Context(), params)
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	if len(result.Content) == 0 {
		t.Errorf("%s: no text", tool)
	}
	return result
}

// output makes a call that has to succeed, checks its output against the schema, and stores it in value.
func (c *goClient) output(t *testing.T, tool, args string, value any) {
	t.Helper()
	result := c.call(t, tool, args)
	if result.IsError {
		t.Fatalf("%s fails: %s", tool, textOf(result))
	}
	if err := c.outputs[tool].Validate(result.StructuredContent); err != nil {
		t.Errorf("%s breaks its output schema: %v", tool, err)
	}
	data, err := json.Marshal(result.StructuredContent)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, value); err != nil {
		t.Fatalf("%s: %v in %s", tool, err, data)
	}
}

func textOf(result *mcp.CallToolResult) string {
	var all []string
	for _, content := range result.Content {
		if text, ok := content.(*mcp.TextContent); ok {
			all = append(all, text.Text)
		}
	}
	return strings.Join(all, "\n")
}

// reads makes calls that change nothing, and reads a resource, a prompt and a completion.
func (c *goClient) reads(t *testing.T) {
	t.Helper()
	var found struct{ Processes []any }
	if c.output(t, "find_processes", `{}`, &found); len(found.Processes) == 0 {
		t.Error("no processes are found")
	}
	var process struct{ Number int }
	for tool, args := range map[string]string{
		"get_process":    `{"process":"1043"}`,
		"read_operation": `{"operation":"get_process","arguments":{"process":"1043"}}`,
	} {
		if c.output(t, tool, args, &process); process.Number != 1043 {
			t.Errorf("%s: got %+v", tool, process)
		}
	}
	read, err := c.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "balcao://processes/1043/esis"})
	if err != nil || len(read.Contents) != 1 || !strings.HasPrefix(string(read.Contents[0].Blob), "%PDF") {
		t.Errorf("reading a document: %v, %v", read, err)
	}
	prompt, err := c.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "explain_esis", Arguments: map[string]string{"process": "1043"}})
	if err != nil || len(prompt.Messages) == 0 {
		t.Errorf("getting a prompt: %v, %v", prompt, err)
	}
	completed, err := c.Complete(t.Context(), &mcp.CompleteParams{
		Ref:      &mcp.CompleteReference{Type: "ref/prompt", Name: "explain_esis"},
		Argument: mcp.CompleteParamsArgument{Name: "process", Value: "104"},
	})
	if err != nil || !slices.Contains(completed.Completion.Values, "1043") {
		t.Errorf("completing a process: %v, %v", completed, err)
	}
}

// writes asks for a change, which waits for a person, waits for it, and withdraws it.
func (c *goClient) writes(t *testing.T) {
	t.Helper()
	// The same call asked for by two sessions would be one approval, and its address is shown once.
	draftBorrower := fmt.Sprintf(`{"process":"1043","borrowerTypeId":2,"personal":{"email":"rui.%s@example.com"}}`, c.InitializeResult().ProtocolVersion)
	borrower := fmt.Sprintf(`{"process":"1042","borrowerTypeId":2,"keyBorrowerRelationId":1,"personal":{
		"name":"Rui Amostra","birthDate":"1990-04-12","taxId":"299999998","mobile":"912345678","email":"rui.%s@example.com","genderId":2}}`,
		c.InitializeResult().ProtocolVersion)
	type answer struct {
		Approval struct{ ID, Status string }
	}
	var draft struct {
		Approval struct {
			Status  string
			Missing []string
		}
	}
	c.output(t, "create_borrower", draftBorrower, &draft)
	if draft.Approval.Status != "draft" || !slices.Contains(draft.Approval.Missing, "personal.taxId") {
		t.Errorf("of a borrower with parts missing: %+v", draft)
	}
	var asked, waited, withdrawn answer
	c.output(t, "create_borrower", borrower, &asked)
	if c.InitializeResult().ProtocolVersion == Modern || c.stdio { // else the server would ask in a session, which HTTP has not
		waittest.Eventually(t, "the client opens two addresses", func() bool { return c.opened.Load() == 2 })
	}
	id := `"approval":"` + asked.Approval.ID + `"`
	started := time.Now()
	c.output(t, "await_approval", `{`+id+`,"seconds":1}`, &waited)
	if asked.Approval.Status != "waiting" || waited != asked || time.Since(started) < time.Second {
		t.Errorf("asked %+v, and after %v %+v", asked, time.Since(started), waited)
	}
	if c.progress.Load() == 0 {
		t.Error("no progress is notified")
	}
	c.output(t, "withdraw_approval", `{`+id+`}`, &withdrawn)
	if withdrawn.Approval.ID != asked.Approval.ID || withdrawn.Approval.Status == "waiting" {
		t.Errorf("withdrawn: %+v", withdrawn)
	}
}

// errors makes calls that fail, as results where a model can mend them, and else as protocol errors.
func (c *goClient) errors(t *testing.T) {
	t.Helper()
	for _, call := range [][2]string{
		{"get_process", `{"process":"9999"}`},
		{"create_borrower", `{"process":"1042","borrowerType":1}`},
		{"await_approval", `{"approval":"none"}`},
		{"read_operation", `{"operation":"cancel_process","arguments":{"process":"1043"}}`},
	} {
		result := c.call(t, call[0], call[1])
		if !result.IsError || textOf(result) == "" || result.StructuredContent != nil {
			t.Errorf("%s %s: %s, %v", call[0], call[1], textOf(result), result.StructuredContent)
		}
	}
	wantCode := func(what string, err error, codes ...int64) {
		t.Helper()
		if refused, ok := errors.AsType[*jsonrpc.Error](err); !ok || !slices.Contains(codes, refused.Code) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	_, err := c.CallTool(t.Context(), &mcp.CallToolParams{Name: "no_such_tool"})
	wantCode("an unknown tool", err, -32602)
	_, err = c.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "balcao://processes/9999"})
	wantCode("an unknown resource", err, -32002, -32602)
	_, err = c.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "no_such_prompt"})
	wantCode("an unknown prompt", err, -32602)
}
