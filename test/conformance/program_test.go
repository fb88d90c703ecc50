package conformance

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// programDir is where buildOnce puts the program; TestMain removes it.
var programDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "conformance")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	programDir = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// buildOnce builds the program once for all tests, as it is shipped.
var buildOnce = sync.OnceValues(func() (path string, err error) {
	path = filepath.Join(programDir, "mcpserver")
	if out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, "github.com/balcao/balcao/cmd/mcpserver").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building: %w\n%s", err, out)
	}
	return path, nil
})

// program returns the path of the program and its arguments for stdio.
func program(t *testing.T) []string {
	t.Helper()
	path, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return []string{path, "-playground", "-open=false"}
}

// endpoint matches the address that assistants connect to.
var endpoint = regexp.MustCompile(`http://\S+/mcp`)

// trusting is the policy under which the client asks its person by a form.
const trusting = "ASSISTANT_POLICY=elicit"

// environ returns the environment of this process with one more setting, or with none for "".
func environ(setting string) []string {
	if setting == "" {
		return os.Environ()
	}
	return append(os.Environ(), setting)
}

// serve runs the program over HTTP until the test ends, and returns its address. setting is one more setting of it, or "".
func serve(t *testing.T, setting string, args ...string) (url string) {
	t.Helper()
	command := append(program(t), append(args, "-http", "127.0.0.1:0")...)
	server := exec.Command(command[0], command[1:]...)
	server.Env = environ(setting)
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(os.Interrupt)
		_ = server.Wait()
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if url := endpoint.FindString(lines.Text()); url != "" {
			return url
		}
	}
	t.Fatal("no address for assistants is printed")
	return ""
}

// runTimeout is for one run of a client.
const runTimeout = time.Minute

// run runs a program of node and returns its output. The test fails if it exits with another code than 0.
func (tools tools) run(t *testing.T, setting string, args ...string) (stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	defer cancel()
	var out, errors bytes.Buffer
	command := exec.CommandContext(ctx, tools.node, args...)
	command.Dir, command.Stdout, command.Stderr, command.Env = tools.dir, &out, &errors, environ(setting)
	if err := command.Run(); err != nil {
		t.Errorf("FAIL %s: %v\n%s%s", strings.Join(args, " "), err, out.String(), errors.String())
	}
	return out.String(), errors.String()
}
