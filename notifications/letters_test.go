package notifications

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/internal/logtest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestPoisonIsPutAsideWithAReasonAndCanBeReplayed(t *testing.T) {
	everywhere(t, func(t *testing.T, town *town) {
		var log logtest.Log
		s := town.replica(t, func(c *Config) { c.MaxTries = 3; c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		walk(t, s)
		ctx := t.Context()
		town.move(t, a1042)
		poison := true
		s.engine.desk = deskOf(func(ctx context.Context, u Update) error {
			if poison {
				panic("Maria Exemplo")
			}
			return town.told.put(ctx, u)
		})
		hint(t, s, a1042)
		// Somebody else's handwriting.
		err := s.config.Store.Client().XAdd(ctx, &redis.XAddArgs{Stream: hintsKey, Values: []any{"what", "is this"}}).Err()
		if err != nil {
			t.Fatal(err)
		}
		hint(t, s, a1043)
		work(t, s)
		idle(t, s)
		letters, err := s.DeadLetters(ctx)
		if err != nil || len(letters) != 2 {
			t.Fatalf("letters: %+v, %v", letters, err)
		}
		if letters[0].Hint.Process != a1042 {
			letters[0], letters[1] = letters[1], letters[0]
		}
		for _, letter := range letters {
			want := map[bool]string{true: Panicked, false: Undecodable}[letter.Hint.Process == a1042]
			if letter.Reason != want || letter.ID == "" || letter.At.Before(letter.Since) || letter.Since.IsZero() {
				t.Errorf("a letter: %+v", letter)
			}
		}
		if strings.Contains(log.String(), "Maria") {
			t.Error("the log tells what the panic said")
		}
		town.wantNone(t, a1042)
		poison = false
		if n, err := s.Replay(ctx, letters[0].ID); n != 1 || err != nil {
			t.Errorf("replayed %d, %v", n, err)
		}
		if n, err := s.Replay(ctx, letters[0].ID); n != 0 || err != nil {
			t.Errorf("replayed %d that are not there any more, %v", n, err)
		}
		if n, err := s.Replay(ctx, ""); n != 1 || err != nil {
			t.Errorf("replayed %d, %v", n, err)
		}
		idle(t, s)
		town.wantOnce(t, s, a1042, 1)
		if letters, err = s.DeadLetters(ctx); err != nil || len(letters) != 1 || letters[0].Reason != Undecodable {
			t.Errorf("letters after a replay: %+v, %v", letters, err)
		}
	})
}

func (w *town) wantNone(t *testing.T, of [16]byte) {
	t.Helper()
	if told := w.told.of(of); len(told) != 0 {
		t.Errorf("told were %+v", told)
	}
}

func TestWhatIsNotUnderstoodOfTheBankIsPutAsideAndWhatIsDownIsNot(t *testing.T) {
	town := open(t, "memory")
	s := town.replica(t, func(c *Config) { c.MaxTries = 2 })
	walk(t, s)
	town.bank.Inject(sandbox.Fault{Operation: portal.ProcessDetail, Path: a1042.String(), Body: sandbox.Garbage})
	down := town.bank.Inject(sandbox.Fault{Operation: portal.ProcessDetail, Path: a1043.String(), Status: 500})
	hint(t, s, a1042)
	hint(t, s, a1043)
	work(t, s)
	calls := town.bank.Calls(portal.ProcessDetail)
	eventually(t, "the bank was asked often", func() bool { return town.bank.Calls(portal.ProcessDetail) > calls+6 })
	letters, err := s.DeadLetters(t.Context())
	if err != nil || len(letters) != 1 || letters[0].Reason != Garbled || letters[0].Hint.Process != a1042 {
		t.Errorf("letters: %+v, %v", letters, err)
	}
	down()
	idle(t, s)
}

func TestAHintOverWhichReplicasDieIsPutAsideByTheNext(t *testing.T) {
	town := open(t, "memory")
	s := town.replica(t, func(c *Config) { c.MaxTries = 2 })
	walk(t, s)
	hint(t, s, a1042)
	id, err := s.engine.stream.last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // they count their try, and are never heard of again
		if _, err := s.engine.stream.try(t.Context(), 1, []string{id}); err != nil {
			t.Fatal(err)
		}
	}
	work(t, s)
	idle(t, s)
	if letters, err := s.DeadLetters(t.Context()); err != nil || len(letters) != 1 || letters[0].Reason != Crashed {
		t.Errorf("letters: %+v, %v", letters, err)
	}
}

func TestAFailureOfTheDayIsNobodysFault(t *testing.T) {
	for _, err := range []error{
		&portal.Error{Kind: portal.Unavailable}, &portal.Error{Kind: portal.TooMany}, &portal.Error{Kind: portal.Unauthorized},
		stored("doing", errors.New("closed")), context.Canceled,
	} {
		if !blameless(err) {
			t.Errorf("%v is somebody's fault", err)
		}
	}
	for _, err := range []error{&portal.Error{Kind: portal.Garbled}, errPanicked, errMoved} {
		if blameless(err) {
			t.Errorf("%v is nobody's fault", err)
		}
	}
}
