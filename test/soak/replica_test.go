package soak

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"
)

// replica is a process that is started again whenever it was killed. It first prints its address, and ends when its
// standard input is closed.
type replica struct {
	program string
	args    []string
	environ []string
	log     *os.File

	mu  sync.Mutex
	cmd *exec.Cmd
	url string
}

func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "mcpserver")
	if out, err := exec.Command("go", "build", "-o", program, "github.com/balcao/balcao/cmd/mcpserver").CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	return program
}

// maxScreen is more lines than a program prints when it starts.
const maxScreen = 60

// endpoint matches the address that assistants connect to, or a line with an address only.
var endpoint = regexp.MustCompile(`http://\S+/mcp|^http://\S+`)

func (r *replica) start() error {
	cmd := exec.Command(r.program, r.args...)
	cmd.Env, cmd.Stderr = r.environ, r.log
	out, err := cmd.StdoutPipe()
	if err == nil {
		_, err = cmd.StdinPipe()
	}
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	screen, address := bufio.NewReader(out), ""
	for said := 0; err == nil && address == "" && said < maxScreen; said++ { // its other lines say what answers
		var line string
		line, err = screen.ReadString('\n')
		address = endpoint.FindString(line)
	}
	if address == "" {
		_ = cmd.Process.Kill()
		return fmt.Errorf("the replica names no address: %v, %w", err, cmd.Wait())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cmd, r.url = cmd, address
	return nil
}

// kill ends the process with SIGKILL, whatever it is doing.
func (r *replica) kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
}

func (r *replica) address() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.url
}

// toolAnswer is what a caller of a tool got.
type toolAnswer struct {
	Data         json.RawMessage // of a success
	Kind         string          // of a failure; "connection" if nobody answered
	Codes        []string        // of its problems
	Confirmation string          // that it asks for
	RetryAfter   time.Duration
	Text         string
}

// callTool calls a tool of a replica, as an assistant does.
func callTool(ctx context.Context, client *http.Client, url, tool string, args json.RawMessage) toolAnswer {
	nobody := func(text string) toolAnswer { return toolAnswer{Kind: "connection", Text: text} }
	body := fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, tool, args)
	request, err := http.NewRequestWithContext(ctx, "POST", url, bytes.NewReader(body))
	if err != nil {
		return nobody(err.Error())
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	response, err := client.Do(request)
	if err != nil {
		return nobody(err.Error())
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	var reply struct {
		Result struct {
			IsError           bool
			StructuredContent json.RawMessage
			Meta              map[string]struct {
				Kind              string
				RetryAfterSeconds int
				Problems          []struct{ Code string }
				Confirmation      string
			} `json:"_meta"`
		}
	}
	if err == nil {
		err = json.Unmarshal(text, &reply)
	}
	if err != nil {
		return nobody(fmt.Sprintf("%d, %v: %.200s", response.StatusCode, err, text))
	}
	failure := reply.Result.Meta["balcao/error"]
	said := toolAnswer{
		Kind: failure.Kind, RetryAfter: time.Duration(failure.RetryAfterSeconds) * time.Second, Text: string(text), Confirmation: failure.Confirmation,
	}
	for _, problem := range failure.Problems {
		said.Codes = append(said.Codes, problem.Code)
	}
	if !reply.Result.IsError {
		said.Data = reply.Result.StructuredContent
	}
	return said
}

// answer is what a caller who creates a borrower got.
type answer struct {
	Borrower   string // of a success
	Kind       string // of a failure; "there" if the bank has the borrower already
	RetryAfter time.Duration
	Text       string
}

// create asks a replica to create a borrower.
func create(ctx context.Context, client *http.Client, url string, args json.RawMessage) answer {
	said := callTool(ctx, client, url, "create_borrower", args)
	var created struct{ Borrower string }
	if said.Data != nil && json.Unmarshal(said.Data, &created) == nil && created.Borrower != "" {
		return answer{Borrower: created.Borrower}
	}
	if said.Kind == "invalid" && slices.Equal(said.Codes, []string{"borrower.duplicate"}) {
		said.Kind = "there"
	}
	return answer{Kind: said.Kind, RetryAfter: said.RetryAfter, Text: said.Text}
}
