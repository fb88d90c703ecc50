package portal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/balcao/balcao/portal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	maria   = portal.Login{BrokerUID: uuid.MustParse("0f7a1f5e-1c3f-4a52-9d5e-3c1f2a4b5c6d"), Username: "maria@example.com"}
	process = uuid.MustParse("6d1f0a52-8a3e-4d0f-9f53-0f6f7c1b2a3d")
)

// fakeBank is an HTTP server that opens sessions by itself and passes every other call to answer.
type fakeBank struct {
	answer http.HandlerFunc
	stop   func()

	mu     sync.Mutex
	logins []http.Header
	calls  []*http.Request
	bodies []string
	valid  map[string]bool
}

func (b *fakeBank) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	b.mu.Lock()
	if strings.HasSuffix(r.URL.Path, "/authentication") {
		b.logins = append(b.logins, r.Header)
		token := fmt.Sprintf("session-%d", len(b.logins))
		b.valid[token] = true
		b.mu.Unlock()
		reply(w, 200, map[string]string{"sessionToken": token})
		return
	}
	b.calls, b.bodies = append(b.calls, r), append(b.bodies, string(body))
	valid := b.valid[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	b.mu.Unlock()
	if !valid {
		w.WriteHeader(401)
		return
	}
	b.answer(w, r)
}

// expire ends every session.
func (b *fakeBank) expire() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.valid)
}

func (b *fakeBank) seen() (logins, calls int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.logins), len(b.calls)
}

func (b *fakeBank) wantSeen(t *testing.T, logins, calls int) {
	t.Helper()
	if l, c := b.seen(); l != logins || c != calls {
		t.Errorf("the bank saw %d logins and %d calls, want %d and %d", l, c, logins, calls)
	}
}

// overTCP serves the bank on a free port and returns how to reach it.
func overTCP(t *testing.T, answer http.HandlerFunc) (*fakeBank, portal.Config) {
	b := &fakeBank{answer: answer, valid: map[string]bool{}}
	server := httptest.NewServer(b)
	b.stop = server.Close
	t.Cleanup(server.Close)
	return b, settings(server.URL, &http.Transport{})
}

// overPipe serves the bank within the process, for the tests that let synctest's clock run.
func overPipe(t *testing.T, answer http.HandlerFunc) (*fakeBank, portal.Config) {
	b := &fakeBank{answer: answer, valid: map[string]bool{}}
	return b, inside(t, b)
}

// inside serves handler alone within the process, logins included.
func inside(t *testing.T, handler http.Handler) portal.Config {
	listener := &pipes{accept: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: handler}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return settings("http://bank.example", &http.Transport{DialContext: listener.dial})
}

func settings(url string, transport *http.Transport) portal.Config {
	return portal.Config{BaseURL: url, ClientID: "id", ClientSecret: "secret-value", Transport: transport}
}

// as opens a client for one user; the test closes it.
func as(t *testing.T, config portal.Config, login portal.Login) *portal.User {
	t.Helper()
	client, err := portal.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client.As(login, "pt-PT")
}

type pipes struct {
	accept chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.accept <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.accept:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "bank", Net: "pipe"} }

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

func text(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// cut ends the connection without an answer.
func cut(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		conn.Close()
	}
}

// inTurn answers each call with the next of answers, and every further one with the last.
func inTurn(answers ...http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		answer := answers[0]
		answers = answers[min(1, len(answers)-1):]
		mu.Unlock()
		answer(w, r)
	}
}

const nobody = `{"borrowerList": []}`

func list(user *portal.User) error {
	_, err := user.ListBorrowers(context.Background(), process)
	return err
}

func create(user *portal.User) error {
	_, err := user.CreateBorrower(context.Background(), process, portal.BorrowerRequest{BorrowerTypeID: 2})
	return err
}

func wantKind(t *testing.T, err error, kind portal.Kind) {
	t.Helper()
	if portal.KindOf(err) != kind {
		t.Errorf("got kind %q (%v), want %q", portal.KindOf(err), err, kind)
	}
}

func logTo(out io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// plain serves handler alone, logins included.
func plain(t *testing.T, handler http.Handler) portal.Config {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return settings(server.URL, &http.Transport{})
}
