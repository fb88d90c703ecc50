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

// answer is what a caller got.
type answer struct {
	Borrower   string // of a success
	Kind       string // of a failure; "connection" if nobody answered, "there" if the bank has the borrower already
	RetryAfter time.Duration
	Text       string
}

// create asks a replica to create a borrower, as an assistant does.
func create(ctx context.Context, client *http.Client, url string, args json.RawMessage) answer {
	body := fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_borrower","arguments":%s}}`, args)
	request, err := http.NewRequestWithContext(ctx, "POST", url, bytes.NewReader(body))
	if err != nil {
		return answer{Kind: "connection", Text: err.Error()}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	response, err := client.Do(request)
	if err != nil {
		return answer{Kind: "connection", Text: err.Error()}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	var reply struct {
		Result struct {
			IsError           bool
			StructuredContent struct{ Borrower string }
			Meta              map[string]struct {
				Kind              string
				RetryAfterSeconds int
				Problems          []struct{ Code string }
			} `json:"_meta"`
		}
	}
	if err == nil {
		err = json.Unmarshal(text, &reply)
	}
	if err != nil {
		return answer{Kind: "connection", Text: fmt.Sprintf("%d, %v: %.200s", response.StatusCode, err, text)}
	}
	failure := reply.Result.Meta["balcao/error"]
	if failure.Kind == "invalid" && len(failure.Problems) == 1 && failure.Problems[0].Code == "borrower.duplicate" {
		failure.Kind = "there"
	}
	if reply.Result.IsError || reply.Result.StructuredContent.Borrower == "" {
		return answer{Kind: failure.Kind, RetryAfter: time.Duration(failure.RetryAfterSeconds) * time.Second, Text: string(text)}
	}
	return answer{Borrower: reply.Result.StructuredContent.Borrower}
}
