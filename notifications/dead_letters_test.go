package notifications

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/internal/logtest"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestATriggerThatAlwaysFailsBecomesADeadLetterAndCanBeReplayed(t *testing.T) {
	t.Parallel()
	onEveryRedis(t, func(t *testing.T, env *bankEnv) {
		var log logtest.Log
		s := env.replica(t, func(c *Config) { c.MaxTries = 3; c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		reconcile(t, s)
		ctx := t.Context()
		env.advance(t, a1042)
		poison := true
		s.engine.dispatcher = dispatcherFunc(func(ctx context.Context, u Update) error {
			if poison {
				panic("Maria Exemplo")
			}
			return env.dispatched.enqueue(ctx, u)
		})
		trigger(t, s, a1042)
		// An entry that another program wrote.
		err := s.config.Store.Client().XAdd(ctx, &redis.XAddArgs{Stream: triggersKey, Values: []any{"what", "is this"}}).Err()
		if err != nil {
			t.Fatal(err)
		}
		trigger(t, s, a1043)
		runEngine(t, s)
		waitUntilIdle(t, s)
		deadLetters, err := s.DeadLetters(ctx)
		if err != nil || len(deadLetters) != 2 {
			t.Fatalf("dead letters: %+v, %v", deadLetters, err)
		}
		if deadLetters[0].Trigger.Process != a1042 {
			deadLetters[0], deadLetters[1] = deadLetters[1], deadLetters[0]
		}
		for _, deadLetter := range deadLetters {
			want := map[bool]string{true: Panicked, false: Undecodable}[deadLetter.Trigger.Process == a1042]
			if deadLetter.Reason != want || deadLetter.ID == "" || deadLetter.At.Before(deadLetter.Received) || deadLetter.Received.IsZero() {
				t.Errorf("a dead letter: %+v", deadLetter)
			}
		}
		if strings.Contains(log.String(), "Maria") {
			t.Error("the log holds the value of the panic")
		}
		env.wantNone(t, a1042)
		poison = false
		if n, err := s.Replay(ctx, deadLetters[0].ID); n != 1 || err != nil {
			t.Errorf("replayed %d, %v", n, err)
		}
		if n, err := s.Replay(ctx, deadLetters[0].ID); n != 0 || err != nil {
			t.Errorf("replayed %d that are not there any more, %v", n, err)
		}
		if n, err := s.Replay(ctx, ""); n != 1 || err != nil {
			t.Errorf("replayed %d, %v", n, err)
		}
		waitUntilIdle(t, s)
		env.wantOnce(t, s, a1042, 1)
		if deadLetters, err = s.DeadLetters(ctx); err != nil || len(deadLetters) != 1 || deadLetters[0].Reason != Undecodable {
			t.Errorf("dead letters after a replay: %+v, %v", deadLetters, err)
		}
	})
}

func (env *bankEnv) wantNone(t *testing.T, of [16]byte) {
	t.Helper()
	if delivered := env.dispatched.of(of); len(delivered) != 0 {
		t.Errorf("dispatched were %+v", delivered)
	}
}

func TestAGarbledAnswerBecomesADeadLetterAndAnOutageDoesNot(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, "memory")
	s := env.replica(t, withShortLease, func(c *Config) { c.MaxTries = 2 })
	reconcile(t, s)
	env.bank.Inject(sandbox.Fault{Operation: portal.ProcessDetail, Path: a1042.String(), Body: sandbox.Garbage})
	down := env.bank.Inject(sandbox.Fault{Operation: portal.ProcessDetail, Path: a1043.String(), Status: 500})
	trigger(t, s, a1042)
	trigger(t, s, a1043)
	runEngine(t, s)
	calls := env.bank.Calls(portal.ProcessDetail)
	waittest.Eventually(t, "the bank was asked often", func() bool { return env.bank.Calls(portal.ProcessDetail) > calls+6 })
	deadLetters, err := s.DeadLetters(t.Context())
	if err != nil || len(deadLetters) != 1 || deadLetters[0].Reason != Garbled || deadLetters[0].Trigger.Process != a1042 {
		t.Errorf("dead letters: %+v, %v", deadLetters, err)
	}
	down()
	waitUntilIdle(t, s)
}

func TestATriggerThatCrashesReplicasBecomesADeadLetter(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, "memory")
	s := env.replica(t, func(c *Config) { c.MaxTries = 2 })
	reconcile(t, s)
	trigger(t, s, a1042)
	id, err := s.engine.stream.newestID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // replicas that count their attempt and crash
		if _, err := s.engine.stream.countAttempts(t.Context(), 1, []string{id}); err != nil {
			t.Fatal(err)
		}
	}
	runEngine(t, s)
	waitUntilIdle(t, s)
	if deadLetters, err := s.DeadLetters(t.Context()); err != nil || len(deadLetters) != 1 || deadLetters[0].Reason != Crashed {
		t.Errorf("dead letters: %+v, %v", deadLetters, err)
	}
}

func TestOutagesAreTransientFailures(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		&portal.Error{Kind: portal.Unavailable}, &portal.Error{Kind: portal.TooMany}, &portal.Error{Kind: portal.Unauthorized},
		&portal.Error{Kind: portal.LoginRefused}, &portal.Error{Kind: portal.WrongPath}, &portal.Error{Kind: portal.Mismatch},
		&portal.Error{Kind: portal.Garbled, Operation: portal.Authenticate},
		redisError("doing", errors.New("closed")), context.Canceled,
	} {
		if !transient(err) {
			t.Errorf("%v is somebody's fault", err)
		}
	}
	for _, err := range []error{&portal.Error{Kind: portal.Garbled, Operation: portal.ProcessDetail}, &portal.Error{Kind: portal.Refused}, errPanic, errMoved} {
		if transient(err) {
			t.Errorf("%v is nobody's fault", err)
		}
	}
}
