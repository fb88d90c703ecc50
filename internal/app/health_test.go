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

func TestReadyNamesFailingChecksAndNothingElse(t *testing.T) {
	passes := func(context.Context) error { return nil }
	fails := func(context.Context) error { return errors.New("redis://:secret@10.0.0.1 is gone") }
	for name, c := range map[string]struct {
		checks []app.Check
		status int
		body   string
	}{
		"all pass":                    {[]app.Check{{"store", true, passes}, {"callbacks", false, passes}}, 200, `{"ready":true}`},
		"one that is not vital fails": {[]app.Check{{"store", true, passes}, {"callbacks", false, fails}}, 200, `{"ready":true,"failing":["callbacks"]}`},
		"one fails with a problem":    {[]app.Check{{"bank", false, func(context.Context) error { return app.Problem("no_echo") }}}, 200, `{"ready":true,"failing":["bank: no_echo"]}`},
		"a vital one fails":           {[]app.Check{{"store", true, fails}, {"callbacks", false, passes}}, 503, `{"ready":false,"failing":["store"]}`},
		"both fail":                   {[]app.Check{{"store", true, fails}, {"callbacks", false, fails}}, 503, `{"ready":false,"failing":["callbacks","store"]}`},
	} {
		if status, body := ask(t.Context(), app.Ready(c.checks...)); status != c.status || body != c.body {
			t.Errorf("%s: got %d %s", name, status, body)
		}
	}
}

func TestACheckThatHangsTimesOutAndHidesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		fails := func(context.Context) error { return errors.New("no") }
		status, body := ask(t.Context(), app.Ready(app.Check{"store", true, hang}, app.Check{"slack", false, fails}))
		if status != http.StatusServiceUnavailable || body != `{"ready":false,"failing":["slack","store"]}` {
			t.Errorf("got %d %s", status, body)
		}
	})
}

func TestACachedCheckRunsOncePerLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs, failure := 0, errors.New("no")
		check := app.Cached(func(ctx context.Context) error { runs++; return errors.Join(failure, ctx.Err()) }, time.Minute)
		gone, leave := context.WithCancel(t.Context())
		leave()
		if err := check(gone); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		for range 10 {
			if err := check(t.Context()); !errors.Is(err, failure) || errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		}
		if runs != 2 {
			t.Errorf("it ran %d times", runs)
		}
		time.Sleep(time.Minute)
		failure = nil
		if err := check(t.Context()); err != nil || runs != 3 {
			t.Errorf("a minute later: %v, it ran %d times", err, runs)
		}
	})
}
