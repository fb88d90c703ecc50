package app_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balcao/balcao/internal/app"
)

func ask(ctx context.Context, handler http.Handler) (status int, body string) {
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, http.MethodGet, "/readyz", nil))
	return answer.Code, strings.TrimSpace(answer.Body.String())
}

func TestReadinessNamesWhatIsNotWellAndNothingMore(t *testing.T) {
	well := func(context.Context) error { return nil }
	ill := func(context.Context) error { return errors.New("redis://:secret@10.0.0.1 is gone") }
	for name, c := range map[string]struct {
		parts  []app.Check
		status int
		body   string
	}{
		"all is well":             {[]app.Check{{"store", true, well}, {"callbacks", false, well}}, 200, `{"ready":true}`},
		"something can wait":      {[]app.Check{{"store", true, well}, {"callbacks", false, ill}}, 200, `{"ready":true,"unwell":["callbacks"]}`},
		"it is known what":        {[]app.Check{{"bank", false, func(context.Context) error { return app.Problem("no_echo") }}}, 200, `{"ready":true,"unwell":["bank: no_echo"]}`},
		"nothing can be served":   {[]app.Check{{"store", true, ill}, {"callbacks", false, well}}, 503, `{"ready":false,"unwell":["store"]}`},
		"both, in order of names": {[]app.Check{{"store", true, ill}, {"callbacks", false, ill}}, 503, `{"ready":false,"unwell":["callbacks","store"]}`},
	} {
		if status, body := ask(t.Context(), app.Ready(c.parts...)); status != c.status || body != c.body {
			t.Errorf("%s: got %d %s", name, status, body)
		}
	}
}

func TestAPartThatHangsIsNotWaitedForLongAndHidesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		ill := func(context.Context) error { return errors.New("no") }
		status, body := ask(t.Context(), app.Ready(app.Check{"store", true, hang}, app.Check{"slack", false, ill}))
		if status != http.StatusServiceUnavailable || body != `{"ready":false,"unwell":["slack","store"]}` {
			t.Errorf("got %d %s", status, body)
		}
	})
}

func TestWhoLooksOftenDoesNotWearOutWhoIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, ill := 0, errors.New("no")
		well := app.Cached(func(ctx context.Context) error { asked++; return errors.Join(ill, ctx.Err()) }, time.Minute)
		gone, leave := context.WithCancel(t.Context())
		leave()
		if err := well(gone); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		for range 10 {
			if err := well(t.Context()); !errors.Is(err, ill) || errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		}
		if asked != 2 {
			t.Errorf("asked %d times", asked)
		}
		time.Sleep(time.Minute)
		ill = nil
		if err := well(t.Context()); err != nil || asked != 3 {
			t.Errorf("a minute later: %v, asked %d times", err, asked)
		}
	})
}
