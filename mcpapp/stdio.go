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

// ServeStdio serves one assistant, one message a line, until in ends and every request is answered, or ctx is done. It
// writes nothing but messages to out. Only one call may run at a time in a process, because the library has one stdio
// session.
func (a *App) ServeStdio(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, ok := a.identify(ctx, nil, "stdio")
	if !ok {
		return errors.New("serving on stdio: the caller is not known")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ctx = context.WithValue(ctx, stdioKey{}, ctx)
	defer a.local.close()
	a.AnnounceWaiting(ctx, callerOf(ctx).ID)
	stdio := server.NewStdioServer(a.server)
	server.WithWorkerPoolSize(a.config.MaxPerActor)(stdio)
	stdio.SetErrorLogger(log.New(io.Discard, "", 0)) // may log what an assistant sent; Listen returns the errors that matter
	requests := newInFlight()
	responses := &responseWriter{out: out, requests: requests}
	reader := &requestReader{ctx: ctx, lines: bufio.NewReader(in), requests: requests, app: a, responses: responses}
	if err := stdio.Listen(ctx, reader, responses); err != nil && ctx.Err() == nil {
		return fmt.Errorf("serving on stdio: %w", err)
	}
	return nil
}

// requestReader is the library's input. By itself the library would read lines of any length, serve any number of
// requests at once, lose a last line without a line end, and drop unanswered requests when the input ends.
type requestReader struct {
	ctx      context.Context
	lines    *bufio.Reader
	requests *inFlight
	app      *App
	unread   []byte // the rest of the current line

	responses *responseWriter // for requests that the library does not see
}

// tooLong replaces a line that is too long: an incomplete message, which the library answers with a parse error.
const tooLong = "{\n"

// Read implements io.Reader.
func (r *requestReader) Read(p []byte) (int, error) {
	for len(r.unread) == 0 {
		r.requests.waitAtMost(r.ctx, r.app.config.MaxConcurrent-1, r.app.config.CallTimeout)
		line, err := r.nextLine()
		if len(line) == 0 && err != nil {
			r.requests.waitAtMost(r.ctx, 0, r.app.config.CallTimeout)
			return 0, err
		}
		switch message := parseMessage(line); {
		case message.isListen() && message.isRequest():
			_ = r.responses.send(listenRefusal(message.ID)) // the library will get the same error
			continue
		case message.Method == mcp.MethodNotificationCancelled:
			r.requests.cancel(message.Params.Cancelled)
		case message.isRequest():
			r.requests.add(message.ID)
		}
		r.unread = line
	}
	n := copy(p, r.unread)
	r.unread = r.unread[n:]
	return n, nil
}

func (r *requestReader) nextLine() ([]byte, error) {
	var line []byte
	for {
		part, err := r.lines.ReadSlice('\n')
		if int64(len(line)+len(part)) <= r.app.config.MaxBody {
			line = append(line, part...)
		} else {
			line = append(line[:0], tooLong...)
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = r.lines.ReadSlice('\n')
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

// responseWriter is the library's output. It counts responses, rewrites the library's errors, and drops the response to
// a cancelled request, which the protocol forbids.
type responseWriter struct {
	requests *inFlight

	mu  sync.Mutex
	out io.Writer
}

// Write implements io.Writer; the library writes a whole message at a time.
func (w *responseWriter) Write(data []byte) (int, error) {
	rewritten, message := rewriteError(data)
	var err error
	switch {
	case !message.isResponse():
		err = w.send(rewritten)
	case w.requests.isCancelled(message.id()):
		w.requests.remove(message.id())
	default:
		err = w.send(rewritten)
		w.requests.remove(message.id())
	}
	return len(data), err
}

func (w *responseWriter) send(message []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := w.out.Write(message)
	return err
}

// inFlight is the set of requests without a response. Only one goroutine may wait for it.
type inFlight struct {
	changed chan struct{}

	mu        sync.Mutex
	count     int
	cancelled map[string]bool // by request, whether its caller cancelled it
}

func newInFlight() *inFlight {
	return &inFlight{changed: make(chan struct{}, 1), cancelled: map[string]bool{}}
}

func (f *inFlight) add(id any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count++
	f.cancelled[requestKey(id)] = false
}

// cancel marks a request as cancelled, if it is in flight.
func (f *inFlight) cancel(id any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.cancelled[requestKey(id)]; ok {
		f.cancelled[requestKey(id)] = true
	}
}

func (f *inFlight) isCancelled(id any) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cancelled[requestKey(id)]
}

func (f *inFlight) remove(id any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count--
	delete(f.cancelled, requestKey(id))
	select {
	case f.changed <- struct{}{}:
	default: // a change is pending already
	}
}

func (f *inFlight) exceeds(n int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count > n
}

// reset forgets all requests. It is called when none was answered within the time that a call may take.
func (f *inFlight) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count = 0
	clear(f.cancelled)
}

// waitAtMost waits until at most n requests are in flight, or ctx is done. If none is answered within idleTimeout, it
// gives up on all of them.
func (f *inFlight) waitAtMost(ctx context.Context, n int, idleTimeout time.Duration) {
	for f.exceeds(n) {
		timer := time.NewTimer(idleTimeout)
		select {
		case <-f.changed:
		case <-timer.C:
			f.reset()
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}
