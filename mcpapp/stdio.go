package mcpapp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
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
	calls := newUnderWay()
	outbox := &outbox{out: out, calls: calls}
	inbox := &inbox{ctx: ctx, lines: bufio.NewReader(in), calls: calls, app: a, outbox: outbox}
	if err := stdio.Listen(ctx, inbox, outbox); err != nil && ctx.Err() == nil {
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

	outbox *outbox // for what the library is not asked
}

// tooLong is what an overlong line becomes: the beginning of a message, which is answered as what it is.
const tooLong = "{\n"

// Read implements io.Reader.
func (i *inbox) Read(p []byte) (int, error) {
	for len(i.rest) == 0 {
		i.calls.atMost(i.ctx, i.app.config.MaxConcurrent-1, i.app.config.CallTimeout)
		line, err := i.line()
		if len(line) == 0 && err != nil {
			i.calls.atMost(i.ctx, 0, i.app.config.CallTimeout)
			return 0, err
		}
		switch message := readMessage(line); {
		case message.listens() && message.isRequest():
			_ = i.outbox.send(nothingChanges(message.ID)) // the library meets the same failure
			continue
		case message.Method == mcp.MethodNotificationCancelled:
			i.calls.cancel(message.Params.Cancelled)
		case message.isRequest():
			i.calls.begin(message.ID)
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

// outbox counts the answers that leave, and lets out no text of the library's, nor an answer to a request that was
// cancelled: the protocol wants none.
type outbox struct {
	calls *underWay

	mu  sync.Mutex
	out io.Writer
}

// Write implements io.Writer; the library writes a message at a time.
func (o *outbox) Write(message []byte) (int, error) {
	told, is := inOurWords(message)
	var err error
	switch {
	case !is.answers():
		err = o.send(told)
	case o.calls.cancelled(is.id()):
		o.calls.end(is.id())
	default:
		err = o.send(told)
		o.calls.end(is.id())
	}
	return len(message), err
}

func (o *outbox) send(message []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, err := o.out.Write(message)
	return err
}

// underWay knows the requests that are not answered yet. One goroutine waits for it.
type underWay struct {
	changed chan struct{}

	mu    sync.Mutex
	count int
	gone  map[string]bool // by request, whether its caller has cancelled it
}

func newUnderWay() *underWay {
	return &underWay{changed: make(chan struct{}, 1), gone: map[string]bool{}}
}

func (u *underWay) begin(id any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.count++
	u.gone[key(id)] = false
}

// cancel notes that a request was cancelled, if it is under way.
func (u *underWay) cancel(id any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, known := u.gone[key(id)]; known {
		u.gone[key(id)] = true
	}
}

func (u *underWay) cancelled(id any) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.gone[key(id)]
}

func (u *underWay) end(id any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.count--
	delete(u.gone, key(id))
	select {
	case u.changed <- struct{}{}:
	default: // somebody is told already
	}
}

func (u *underWay) over(n int) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.count > n
}

// giveUp forgets all requests: what was not answered by now never is.
func (u *underWay) giveUp() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.count = 0
	clear(u.gone)
}

// atMost waits until no more than n requests are under way, ctx is done, or nothing was answered for as long as a call
// may take.
func (u *underWay) atMost(ctx context.Context, n int, patience time.Duration) {
	for u.over(n) {
		timer := time.NewTimer(patience)
		select {
		case <-u.changed:
		case <-timer.C:
			u.giveUp()
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}
