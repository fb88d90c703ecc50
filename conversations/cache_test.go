package conversations

import (
	"fmt"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/waittest"
)

func TestAPutValueIsReturnedUntilItExpires(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		one, other := p.replica(t), p.replica(t)
		ctx := t.Context()
		get := func(id string) string {
			value, ok, err := other.Get(ctx, "taxonomy", id)
			return fmt.Sprint(string(value), " ", ok, " ", err)
		}
		for _, value := range []string{"old", "new"} {
			if err := one.Put(ctx, "taxonomy", "countries", []byte(value), time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		if got := get("countries"); got != "new true <nil>" {
			t.Errorf("got %s", got)
		}
		if got := get("banks"); got != " false <nil>" {
			t.Errorf("of an id that was never put, got %s", got)
		}
		if err := one.Put(ctx, "taxonomy", "countries", []byte("brief"), time.Millisecond); err != nil {
			t.Fatal(err)
		}
		waittest.Eventually(t, "the value has expired", func() bool { return get("countries") == " false <nil>" })
		wantError(t, one.Put(ctx, "taxonomy", "all", make([]byte, maxCached+1), time.Minute), ErrLimit)
	})
}
