package mcpapp

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/server"
)

// ServeStdio serves one assistant, a message a line, until in ends and all is answered, or ctx is done. Nothing but
// messages is written to out. Only one may be served so in a process at a time: the library has one such session.
func (a *App) ServeStdio(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, ok := a.identified(ctx, nil, "stdio")
	if !ok {
		return errors.New("serving on stdio: nobody to serve")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stdio := server.NewStdioServer(a.server)
	server.WithWorkerPoolSize(a.config.MaxPerActor)(stdio)
	stdio.SetErrorLogger(log.New(io.Discard, "", 0)) // its lines may hold what an assistant sent; what matters is returned
	calls := &underWay{changed: make(chan struct{}, 1)}
	inbox := &inbox{ctx: ctx, lines: bufio.NewReader(in), calls: calls, app: a}
	if err := stdio.Listen(ctx, inbox, outbox{out, calls}); err != nil && ctx.Err() == nil {
		return fmt.Errorf("serving on stdio: %w", err)
	}
	return nil
}

// inbox stands before the library, which would read lines of any length, serve any number of requests at once, lose a
// last line without its end, and at the end of the input drop what it has not answered yet.
type inbox struct {
	ctx   context.Context
	lines *bufio.Reader
	calls *underWay
	app   *App
	rest  []byte // of the line that is being read
}

// tooLong is what an overlong line becomes: the beginning of a message, which is answered as what it is.
const tooLong = "{\n"

// Read implements io.Reader.
func (i *inbox) Read(p []byte) (int, error) {
	if len(i.rest) == 0 {
		i.calls.atMost(i.ctx, i.app.config.MaxConcurrent-1, i.app.config.CallTimeout)
		line, err := i.line()
		if len(line) == 0 && err != nil {
			i.calls.atMost(i.ctx, 0, i.app.config.CallTimeout)
			return 0, err
		}
		if isRequest(line) {
			i.calls.count.Add(1)
		}
		i.rest = line
	}
	n := copy(p, i.rest)
	i.rest = i.rest[n:]
	return n, nil
}

func (i *inbox) line() ([]byte, error) {
	var line []byte
	for {
		part, err := i.lines.ReadSlice('\n')
		if int64(len(line)+len(part)) <= i.app.config.MaxBody {
			line = append(line, part...)
		} else {
			line = append(line[:0], tooLong...)
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = i.lines.ReadSlice('\n')
			}
		}
		switch {
		case err == nil:
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			if len(line) > 0 && line[len(line)-1] != '\n' {
				line = append(line, '\n')
			}
			return line, err
		}
	}
}

// outbox counts the answers that leave, and lets out no text of the library's.
type outbox struct {
	io.Writer
	calls *underWay
}

// Write implements io.Writer; the library writes a message at a time.
func (o outbox) Write(message []byte) (int, error) {
	told, is := inOurWords(message)
	_, err := o.Writer.Write(told)
	if is.answers() {
		o.calls.count.Add(-1)
		select {
		case o.calls.changed <- struct{}{}:
		default: // somebody is told already
		}
	}
	return len(message), err
}

// isRequest tells what the library will answer: with a result in it, whatever else there is, a message is an answer.
func isRequest(line []byte) bool {
	var message struct {
		ID     any    `json:"id"`
		Method string `json:"method"`
		Result any    `json:"result"`
	}
	return json.Unmarshal(line, &message) == nil && message.Method != "" && message.ID != nil && message.Result == nil
}

// underWay counts the requests that are not answered yet. One goroutine waits for it.
type underWay struct {
	count   atomic.Int64
	changed chan struct{}
}

// atMost waits until no more than n requests are under way, ctx is done, or nothing was answered for as long as a call
// may take.
func (u *underWay) atMost(ctx context.Context, n int, patience time.Duration) {
	for u.count.Load() > int64(n) {
		timer := time.NewTimer(patience)
		select {
		case <-u.changed:
		case <-timer.C:
			u.count.Store(0) // what was not answered by now never is
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}
