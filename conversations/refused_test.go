package conversations

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/waittest"
)

func TestARefusalOfRedisIsDistinguishedFromALostReply(t *testing.T) {
	t.Parallel()
	server := redistest.StartServer(t)
	s := open(t, server.URL(), newKeys(t))
	writes := map[string]func(ctx context.Context) error{
		"ready":  s.Ready,
		"put":    func(ctx context.Context) error { return s.Put(ctx, "cached", "id", []byte("value"), time.Minute) },
		"append": func(ctx context.Context) error { return s.Append(ctx, []byte("entry"), "") },
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
			refused, ok := errors.AsType[*RefusedError](err)
			if !errors.Is(err, ErrUnavailable) || !ok || refused.Refusal != want || !refused.NotWritten() {
				t.Errorf("%s at a Redis that refuses with %s: %v", name, want, err)
			}
		}
		if record, _, _, err := s.Look(t.Context(), "call"); err != nil || record != nil {
			t.Errorf("the journal has %q after a refusal with %s, %v", record, want, err)
		}
		refuse.end()
		waittest.Eventually(t, "Redis takes writes again", func() bool { return s.Ready(t.Context()) == nil })
	}
	server.Stop()
	for name, write := range writes {
		err := write(t.Context())
		if _, ok := errors.AsType[*RefusedError](err); ok || !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s without Redis: %v", name, err)
		}
	}
}
