package conversations

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/redistest"
)

func TestARefusalOfRedisIsToldFromAnAnswerThatNeverCame(t *testing.T) {
	server := redistest.StartServer(t)
	s := open(t, server.URL(), newKeys(t))
	writes := map[string]func(ctx context.Context) error{
		"ready":    s.Ready,
		"remember": func(ctx context.Context) error { return s.Put(ctx, "memo", "id", []byte("value"), time.Minute) },
		"append":   func(ctx context.Context) error { return s.Append(ctx, []byte("entry"), "") },
		"begin": func(ctx context.Context) error {
			_, _, err := s.Begin(ctx, "call", []byte("intent"), time.Minute)
			return err
		},
	}
	for want, refuse := range map[Refusal]struct{ begin, end func() }{
		Full:     {server.Fill, server.Drain},
		ReadOnly: {server.Demote, server.Promote},
	} {
		refuse.begin()
		for name, write := range writes {
			err := write(t.Context())
			refused, is := errors.AsType[*RefusedError](err)
			if !errors.Is(err, ErrUnavailable) || !is || refused.Refusal != want || !refused.NotWritten() {
				t.Errorf("%s at a Redis that is %s: %v", name, want, err)
			}
		}
		if record, _, _, err := s.Look(t.Context(), "call"); err != nil || record != nil {
			t.Errorf("the journal holds %q of what was refused as %s, %v", record, want, err)
		}
		refuse.end()
		eventually(t, "Redis takes writes again", func() bool { return s.Ready(t.Context()) == nil })
	}
	server.Stop()
	for name, write := range writes {
		err := write(t.Context())
		if _, is := errors.AsType[*RefusedError](err); is || !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s without Redis: %v", name, err)
		}
	}
}
