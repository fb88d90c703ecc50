package main_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/browsertest"
	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/portal/sandbox"
)

// programDir is where buildOnce puts the program; TestMain removes it.
var programDir string

// buildOnce builds the program once for all tests.
var buildOnce = sync.OnceValues(func() (path string, err error) {
	path = filepath.Join(programDir, "mcpserver")
	if out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building: %w\n%s", err, out)
	}
	return path, nil
})

// build returns the path of the program.
func build(t *testing.T) string {
	t.Helper()
	path, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "mcpserver")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	programDir = dir
	browsertest.Main(m, func() { _ = os.RemoveAll(dir) })
}

func TestAnAssistantWorksOnEveryTransport(t *testing.T) {
	t.Parallel()
	program := build(t)
	for _, transport := range []struct {
		name, revision string
		connect        func(t *testing.T, program string) *client.Client
	}{
		{"stdio", "2026-07-28", overStdio},
		{"HTTP", "2025-11-25", func(t *testing.T, program string) *client.Client {
			return overHTTP(t, program, client.WithProtocolVersion("2025-11-25"))
		}},
		{"HTTP", "2026-07-28", func(t *testing.T, program string) *client.Client { return overHTTP(t, program) }},
	} {
		t.Run(transport.name+" "+transport.revision, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			c := transport.connect(t, program)
			t.Cleanup(func() { _ = c.Close() })
			if err := c.Start(ctx); err != nil {
				t.Fatal(err)
			}
			if hello, err := c.Initialize(ctx, mcp.InitializeRequest{}); err != nil || hello.ProtocolVersion != transport.revision || hello.ServerInfo.Version == "" {
				t.Fatalf("got %+v, %v", hello, err)
			}
			created := call(t, ctx, c, "create_borrower", `{"process":"1042","borrowerTypeId":2,"keyBorrowerRelationId":1,"personal":{
				"name":"Rui Amostra","birthDate":"1990-04-12","taxId":"299999998","mobile":"912345678","email":"rui@example.com","genderId":2}}`)
			if !strings.Contains(created, "Rui A.") || strings.Contains(created, "299999998") {
				t.Errorf("created: %s", created)
			}
			if listed := call(t, ctx, c, "list_borrowers", `{"process":"1042"}`); !strings.Contains(listed, "••••••998") {
				t.Errorf("listed: %s", listed)
			}
			var borrower struct {
				StructuredContent struct{ Borrower string }
			}
			if err := json.Unmarshal([]byte(created), &borrower); err != nil {
				t.Fatal(err)
			}
			about := `"process":"1042","borrower":"` + borrower.StructuredContent.Borrower + `"`
			callWithConfirmation(t, ctx, c, "update_borrower", about+`,"personal":{"mobile":"913456789"}`)
			if read := call(t, ctx, c, "get_borrower", `{`+about+`}`); !strings.Contains(read, "••• 789") || strings.Contains(read, "913456789") {
				t.Errorf("read: %s", read)
			}
			callWithConfirmation(t, ctx, c, "send_esis", `"process":"1043","borrower":"`+sandbox.SampleBorrower(sandbox.SampleCouple, 1).String()+`"`)
		})
	}
}

// callWithConfirmation makes a call, and repeats it with the confirmation that the first response asks for.
func callWithConfirmation(t *testing.T, ctx context.Context, c *client.Client, name, args string) {
	t.Helper()
	request := mcp.CallToolRequest{}
	request.Params.Name, request.Params.Arguments = name, json.RawMessage("{"+args+"}")
	asked, err := c.CallTool(ctx, request)
	if err != nil || !asked.IsError {
		t.Fatalf("%s asks nothing: %+v, %v", name, asked, err)
	}
	confirmation := asked.Meta.AdditionalFields["balcao/error"].(map[string]any)["confirmation"].(string)
	call(t, ctx, c, name, "{"+args+`,"confirmation":"`+confirmation+`"}`)
}

func call(t *testing.T, ctx context.Context, c *client.Client, name, args string) string {
	t.Helper()
	request := mcp.CallToolRequest{}
	request.Params.Name, request.Params.Arguments = name, json.RawMessage(args)
	result, err := c.CallTool(ctx, request)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(result)
	if err != nil || result.IsError {
		t.Fatalf("%s: %s, %v", name, text, err)
	}
	return string(text)
}

func overStdio(t *testing.T, program string) *client.Client {
	t.Helper()
	c, err := client.NewStdioMCPClient(program, []string{"ASSISTANT_POLICY=allow"}, "-playground")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func overHTTP(t *testing.T, program string, options ...client.ClientOption) *client.Client {
	t.Helper()
	c, err := client.NewStreamableHttpClient(serveHTTP(t, program))
	if err != nil {
		t.Fatal(err)
	}
	for _, option := range options {
		option(c)
	}
	return c
}

// serveHTTP runs the program until the test ends, and returns its address.
func serveHTTP(t *testing.T, program string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	server := exec.CommandContext(ctx, program, "-playground", "-http", "127.0.0.1:0")
	server.Env = append(os.Environ(), "ASSISTANT_POLICY=allow")
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = server.Wait() })
	return endpoint(t, out)
}

// endpoint reads the screen of a start up to the address for assistants.
func endpoint(t *testing.T, out io.Reader) string {
	t.Helper()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, url, found := strings.Cut(lines.Text(), "http://"); found && strings.HasSuffix(url, "/mcp") {
			return "http://" + url
		}
	}
	t.Fatal("no address for assistants is printed")
	return ""
}

func TestAStartWithoutSettingsListsThemAllAndExitsWith2(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	program := exec.Command(build(t))
	program.Env, program.Stderr = []string{"LANG=en"}, &stderr
	err := program.Run()
	if program.ProcessState.ExitCode() != 2 {
		t.Fatalf("got %v", err)
	}
	for _, name := range []string{"PORTAL_URL", "PORTAL_CLIENT_ID", "PORTAL_CLIENT_SECRET", "PORTAL_BROKER_UID", "PORTAL_USERNAME", "REDIS_URL", "STATE_KEY"} {
		if !strings.Contains(stderr.String(), name+" is missing") {
			t.Errorf("%s is not listed:\n%s", name, stderr.String())
		}
	}
}

func TestUnknownArgumentsAreRefused(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	program := exec.Command(build(t), "stdio", "-playground")
	program.Env, program.Stderr = []string{"LANG=en"}, &stderr
	if err := program.Run(); program.ProcessState.ExitCode() != 2 || !strings.Contains(stderr.String(), "-help") {
		t.Errorf("got %v and\n%s", err, stderr.String())
	}
}

func TestAToolsetThatDoesNotExistIsASettingToCorrect(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	program := exec.Command(build(t), "-playground", "-tools", "nope")
	program.Env, program.Stderr = []string{"LANG=en"}, &stderr
	if err := program.Run(); program.ProcessState.ExitCode() != 2 || !strings.Contains(stderr.String(), "MCP_TOOLS is not valid") {
		t.Errorf("got %v and\n%s", err, stderr.String())
	}
}

func TestPagesOfOtherSitesReachNoPathOfTheProgram(t *testing.T) {
	t.Parallel()
	base := strings.TrimSuffix(serveHTTP(t, build(t)), "/mcp")
	_, port, _ := strings.Cut(strings.TrimPrefix(base, "http://"), ":")
	for _, path := range []string{"/mcp", "/metrics", "/healthz", "/readyz", "/", "/nobody/registers/this"} {
		for who, change := range map[string]func(*http.Request){
			"":                                func(*http.Request) {},
			"a name that points here":         func(r *http.Request) { r.Host = "evil.example:" + port },
			"a page of another site":          func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
			"a page of another port":          func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:1") },
			"an image of another site's page": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			change(request)
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if refused := response.StatusCode == http.StatusForbidden; refused != (who != "") {
				t.Errorf("%s is answered with %d to %q", path, response.StatusCode, who)
			}
		}
	}
}

func TestAStartOnARedisInUseWithAnotherStateKeySaysWhatToDo(t *testing.T) {
	t.Parallel()
	url, program := redistest.Start(t), build(t)
	newKey := func() string {
		key, err := keys.Generate()
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	start := func(key string) (code int, stderr string) {
		var said bytes.Buffer
		server := exec.Command(program, "-playground") // stdin is empty, so that it ends at once
		server.Env = []string{"LANG=en", "REDIS_URL=" + url, "STATE_KEY=" + key}
		server.Stderr = &said
		_ = server.Run()
		return server.ProcessState.ExitCode(), said.String()
	}
	first := newKey()
	if code, stderr := start(first); code != 0 {
		t.Fatalf("the first exits with %d:\n%s", code, stderr)
	}
	if code, stderr := start(newKey()); code != 1 || !strings.Contains(stderr, "in use with another STATE_KEY") {
		t.Errorf("with another key it exits with %d:\n%s", code, stderr)
	}
	if code, stderr := start(first); code != 0 {
		t.Errorf("the first again exits with %d:\n%s", code, stderr)
	}
}

func TestAStartSaysThatTheBankDoesNotAnswerAndServesAllTheSame(t *testing.T) {
	t.Parallel()
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bank := "http://" + deaf.Addr().String()
	deaf.Close()
	key, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	path := build(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	program := exec.CommandContext(ctx, path, "-http", "127.0.0.1:0")
	program.Env = []string{"LANG=en", "PORTAL_URL=" + bank, "PORTAL_CLIENT_ID=id", "PORTAL_CLIENT_SECRET=d1f4b06a93c85e27f0a4c6e81b39572d",
		"PORTAL_BROKER_UID=3f2b8a52-6f0e-4f0c-9a1b-0a0b0c0d0e0f", "PORTAL_USERNAME=ana@mediadora.example", "REDIS_URL=memory", "STATE_KEY=" + key}
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	log, err := program.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = program.Wait() })
	serving := endpoint(t, out)
	said := false
	for lines := bufio.NewScanner(log); !said && lines.Scan(); {
		said = strings.Contains(lines.Text(), "the bank does not answer")
	}
	if !said {
		t.Error("the log does not say it")
	}

	_, addr, _ := strings.Cut(serving, "http://")
	addr = strings.TrimSuffix(addr, "/mcp")
	var stderr bytes.Buffer
	second := exec.CommandContext(ctx, path, "-playground", "-http", addr)
	second.Env, second.Stderr = []string{"LANG=en"}, &stderr
	_ = second.Run()
	if taken := stderr.String(); second.ProcessState.ExitCode() != 1 || strings.Count(taken, "\n") != 1 || !strings.Contains(taken, "-http") || !strings.Contains(taken, addr) {
		t.Errorf("a taken port: exits with %d and says\n%s", second.ProcessState.ExitCode(), taken)
	}
}
