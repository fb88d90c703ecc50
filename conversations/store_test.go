package conversations

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/waittest"
)

// TestMain runs many tests at once: most of their time they wait for a redis-server.
func TestMain(m *testing.M) {
	waittest.Parallel(16)
	goleak.VerifyTestMain(m)
}

// testRedis is a Redis on which a test can open any number of stores.
type testRedis struct {
	url   string
	keys  *keys.Keys
	first *Store
}

// kind is a kind of Redis.
type kind struct {
	name  string
	start func(t testing.TB) (url string)
}

var (
	embeddedRedis = kind{"embedded", func(testing.TB) string { return "memory" }}
	oneNode       = kind{"one node", redistest.Start}
	aCluster      = kind{"cluster", func(t testing.TB) string { return redistest.StartCluster(t).URL() }}
	aSentinel     = kind{"sentinel", func(t testing.TB) string {
		return redistest.StartSentinel(t, redistest.StartServer(t))
	}}
)

// onEach runs a test on the embedded Redis and on a real one.
func onEach(t *testing.T, test func(t *testing.T, p *testRedis)) {
	on(t, test, embeddedRedis, oneNode)
}

// on runs a test on each of the given kinds of Redis.
func on(t *testing.T, test func(t *testing.T, p *testRedis), kinds ...kind) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			test(t, &testRedis{url: kind.start(t), keys: newKeys(t)})
		})
	}
}

func newKeys(t testing.TB) *keys.Keys {
	t.Helper()
	k, err := keys.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// replica opens another store on the same Redis. Stores on the embedded Redis share the connection of the first one. The
// time-out of a call is long, because a busy machine is slow; other tests check how soon a call gives up.
func (p *testRedis) replica(t testing.TB, options ...Option) *Store {
	t.Helper()
	options = append([]Option{WithLives(Lives{Call: time.Minute})}, options...)
	if p.url == "memory" && p.first != nil {
		s := &Store{redis: p.first.redis, keys: p.keys, lives: defaults, now: time.Now, guard: p.first.guard, log: p.first.log}
		for _, option := range options {
			option(s)
		}
		return s
	}
	s := open(t, p.url, p.keys, options...)
	if p.first == nil {
		p.first = s
	}
	return s
}

func open(t testing.TB, url string, k Keys, options ...Option) *Store {
	t.Helper()
	s, err := Open(t.Context(), url, k, options...)
	if err != nil {
		t.Fatalf("opening the store: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
	return s
}

// must returns v, and fails the test if err is not nil.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantError(t testing.TB, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("got error %v, want %v", got, want)
	}
}

func TestAnInvalidAddressIsReportedWithoutItsPassword(t *testing.T) {
	for _, address := range []string{
		"", "localhost:6379", "http://:hunter2@localhost", "redis://:hunter2@", "redis://:hunter2@local host:6379",
		"redis://:hunter2@localhost:6379/zero", "redis://:hunter2@localhost:6379?hunter2=1",
		"redis://:hunter2@localhost:6379?cluster=true&hunter2=1", "redis://:hunter2@localhost:6379?master_name=m&addr=hunter2",
	} {
		t.Run(address, func(t *testing.T) {
			_, err := Open(t.Context(), address, newKeys(t))
			if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "address of Redis") {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func TestAWrongPasswordIsUnavailableAndNotRepeatedInTheError(t *testing.T) {
	t.Parallel()
	url := strings.Replace(redistest.Start(t), "redis://", "redis://nobody:hunter2@", 1)
	_, err := Open(t.Context(), url, newKeys(t))
	wantError(t, err, ErrUnavailable)
	if strings.Contains(err.Error(), "hunter2") {
		t.Fatalf("the error contains the password: %v", err)
	}
}

func TestCallsFailSoonWhileRedisIsStoppedAndWorkOnceItIsBack(t *testing.T) {
	server := redistest.StartServer(t)
	s := open(t, server.URL(), newKeys(t), WithLives(Lives{Call: time.Second}))
	d := must(s.StartDraft(t.Context(), "u1", "borrower", ""))(t)
	server.Stop()
	t.Run("stopped", func(t *testing.T) {
		for name, call := range calls(s, d) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				began := time.Now()
				wantError(t, call(t.Context()), ErrUnavailable)
				if took := time.Since(began); took > waittest.Deadline/4 {
					t.Errorf("it failed after %s", took)
				}
			})
		}
	})
	server.Start()
	waittest.Eventually(t, "Redis serves again", func() bool { return s.Ready(t.Context()) == nil })
	if again := must(s.Draft(t.Context(), "u1", d.ID))(t); again.Version != 1 {
		t.Errorf("the draft came back as version %d", again.Version)
	}
}

func TestOpenFailsSoonIfRedisNeverAnswers(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // the system accepts connections; nothing reads them
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	for _, parameters := range []string{"", "?cluster=true", "?master_name=balcao"} {
		t.Run(parameters, func(t *testing.T) {
			began := time.Now()
			_, err := Open(context.Background(), "redis://"+silent.Addr().String()+parameters, newKeys(t),
				WithLives(Lives{Call: 100 * time.Millisecond}))
			wantError(t, err, ErrUnavailable)
			if took := time.Since(began); took > waittest.Deadline/4 {
				t.Errorf("it failed after %s", took)
			}
		})
	}
}

func TestACallEndsWithItsContext(t *testing.T) {
	s := open(t, "memory", newKeys(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range calls(s, Draft{ID: "none", Owner: "u1"}) {
		t.Run(name, func(t *testing.T) { wantError(t, call(ctx), context.Canceled) })
	}
}

// calls returns every method that reaches Redis, each as a call.
func calls(s *Store, d Draft) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"start":   func(ctx context.Context) error { _, err := s.StartDraft(ctx, "u1", "a", "b"); return err },
		"find":    func(ctx context.Context) error { _, _, err := s.FindDraft(ctx, "u1", "a", "b"); return err },
		"list":    func(ctx context.Context) error { _, err := s.Drafts(ctx, "u1"); return err },
		"save":    func(ctx context.Context) error { _, err := s.SaveDraft(ctx, d); return err },
		"end":     func(ctx context.Context) error { _, err := s.EndDraft(ctx, d); return err },
		"mark":    func(ctx context.Context) error { _, err := s.MarkSeen(ctx, "a", "b", time.Minute); return err },
		"claimed": func(ctx context.Context) error { _, err := s.Claimed(ctx, "a", "b"); return err },
		"claim":   func(ctx context.Context) error { _, err := s.Claim(ctx, "a", "b", "c", time.Minute); return err },
		"forget":  func(ctx context.Context) error { return s.Forget(ctx, "a", "b") },
		"begin": func(ctx context.Context) error {
			_, _, err := s.Begin(ctx, "a", nil, time.Minute)
			return err
		},
		"finish":    func(ctx context.Context) error { return s.Finish(ctx, "a", 1, nil) },
		"amend":     func(ctx context.Context) error { return s.Amend(ctx, "a", 1, nil) },
		"look":      func(ctx context.Context) error { _, _, _, err := s.Look(ctx, "a"); return err },
		"take over": func(ctx context.Context) error { _, _, err := s.TakeOver(ctx, "a", 1, time.Minute); return err },
		"acquire":   func(ctx context.Context) error { _, _, _, err := s.Acquire(ctx, "a", "b", time.Minute); return err },
		"hold":      func(ctx context.Context) error { _, err := s.Hold(ctx, "a", 1, time.Minute); return err },
		"release":   func(ctx context.Context) error { return s.Release(ctx, "a", 1) },
		"epoch":     func(ctx context.Context) error { _, _, err := s.Epoch(ctx, time.Minute); return err },
		"orphaned":  func(ctx context.Context) error { _, err := s.Orphaned(ctx, 1); return err },
		"append":    func(ctx context.Context) error { return s.Append(ctx, []byte("a"), "") },
		"verify":    func(ctx context.Context) error { _, err := s.Verify(ctx); return err },
		"text":      func(ctx context.Context) error { _, err := s.Text(ctx, AuditEntry{Text: "a"}); return err },
		"erase":     func(ctx context.Context) error { return s.EraseText(ctx, "1-1", nil) },
		"ready":     s.Ready,
		"entries": func(ctx context.Context) error {
			for _, err := range s.AuditEntries(ctx, "2026-11") {
				return err
			}
			return nil
		},
		"destinations":       func(ctx context.Context) error { _, err := s.Destinations(ctx); return err },
		"destination":        func(ctx context.Context) error { _, err := s.Destination(ctx, "a"); return err },
		"change destination": func(ctx context.Context) error { _, err := s.ChangeDestination(ctx, "a", subscribeTo("1")); return err },
		"own": func(ctx context.Context) error {
			_, _, err := s.ChangeOwner(ctx, uuid.New(), "a", "b", anybody)
			return err
		},
		"owner": func(ctx context.Context) error { _, err := s.Owner(ctx, uuid.New()); return err },
		"put":   func(ctx context.Context) error { return s.Put(ctx, "a", "b", nil, time.Minute) },
		"get":   func(ctx context.Context) error { _, _, err := s.Get(ctx, "a", "b"); return err },
	}
}

func TestADraftPrintsWithoutItsAnswers(t *testing.T) {
	d := Draft{Owner: "maria", Subject: "borrower", Answers: map[string]string{"taxId": "299999998"}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		if text := fmt.Sprintf(verb, d) + fmt.Sprintf(verb, &d); strings.Contains(text, "299999998") || strings.Contains(text, "maria") {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}
