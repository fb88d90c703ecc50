package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// askTimeout is how long the server may take to start and to say what it offers.
const askTimeout = time.Minute

// askedOf are the messages that ask a server what it offers, one a line.
const askedOf = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"release","version":"1"}}}
{"jsonrpc":"2.0","method":"notifications/initialized"}
{"jsonrpc":"2.0","id":2,"method":"tools/list"}
`

// offered builds the server for this platform and asks it.
func (r release) offered(ctx context.Context) (server offered, err error) {
	dir, err := os.MkdirTemp("", "release")
	if err != nil {
		return server, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program := filepath.Join(dir, thisPlatform.file("mcpserver"))
	if err := r.compile(ctx, thisPlatform, "mcpserver", program); err != nil {
		return server, err
	}
	return ask(ctx, exec.CommandContext(ctx, program, "-playground"))
}

// ask starts a server on stdio and returns what it offers.
func ask(ctx context.Context, command *exec.Cmd) (server offered, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = command.Process.Kill() })
	defer stop()
	var stderr bytes.Buffer
	command.Stdin, command.Stderr = strings.NewReader(askedOf), &stderr
	out, err := command.Output()
	if err != nil {
		return server, fmt.Errorf("%w\n%s", err, stderr.String())
	}
	for line := range bytes.Lines(out) {
		var message struct {
			ID     int             `json:"id"`
			Result json.RawMessage `json:"result"`
		}
		if json.Unmarshal(line, &message) == nil && message.ID == 2 {
			err = json.Unmarshal(message.Result, &server)
			break
		}
	}
	if err == nil && len(server.Tools) == 0 {
		err = fmt.Errorf("it lists no tools: %s", out)
	}
	return server, err
}
