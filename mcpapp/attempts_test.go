package mcpapp_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balcao/balcao/internal/issuertest"
)

const validToken = "5c1e9d7a40b8f2e63d0a97c41fb6e825"

func TestWrongTokensAreSlowedDownAddressByAddress(t *testing.T) {
	t.Parallel()
	e := start(t, func(s *options) { s.app.Token = validToken })
	synctest.Test(t, func(t *testing.T) {
		handler := e.app.Handler()
		show := func(remote, token string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(http.MethodPost, "http://localhost/mcp", strings.NewReader(listRequest))
			r.RemoteAddr = remote
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("X-Forwarded-For", "198.51.100."+strconv.Itoa(int(time.Now().UnixNano()%250))) // ignored
			if token != "" {
				r.Header.Set("Authorization", "Bearer "+token)
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			return w
		}
		expect := func(what string, want int, got *httptest.ResponseRecorder) {
			t.Helper()
			if got.Code != want {
				t.Errorf("%s: got %d, want %d: %s", what, got.Code, want, got.Body)
			}
		}
		const guesser, other, proxy = "203.0.113.7:4000", "203.0.113.8:4000", "10.0.0.1:4000"
		expect("the right one", http.StatusOK, show(proxy, validToken))
		for i := range 10 {
			expect("a wrong one", http.StatusUnauthorized, show("203.0.113.7:"+strconv.Itoa(5000+i), "wrong"+strconv.Itoa(i)))
		}
		refused := show(guesser, "wrong")
		expect("one attempt too many", http.StatusTooManyRequests, refused)
		if after, err := strconv.Atoi(refused.Header().Get("Retry-After")); err != nil || after < 1 || after > 6 {
			t.Errorf("Retry-After is %q", refused.Header().Get("Retry-After"))
		}
		expect("the right one, out of attempts", http.StatusTooManyRequests, show(guesser, validToken))
		expect("no token", http.StatusUnauthorized, show(guesser, ""))
		expect("another address", http.StatusOK, show(other, validToken))
		for range 50 {
			expect("a wrong one through a proxy", http.StatusUnauthorized, show(proxy, "wrong"))
		}
		expect("the right one through the proxy", http.StatusOK, show(proxy, validToken))

		time.Sleep(6 * time.Second)
		expect("one more after the interval", http.StatusUnauthorized, show(guesser, "wrong"))
		expect("a second one after the interval", http.StatusTooManyRequests, show(guesser, "wrong"))
		time.Sleep(time.Minute)
		expect("the right one after a minute", http.StatusOK, show(guesser, validToken))
		for i := range 11 {
			remote := "[2001:db8::" + strconv.Itoa(i+1) + "]:4000"
			want := http.StatusUnauthorized
			if i == 10 { // the network has no attempts left
				want = http.StatusTooManyRequests
			}
			expect(remote, want, show(remote, "wrong"))
		}
	})
}

func TestAFloodOfRequestsWithoutATokenLogsLittle(t *testing.T) {
	t.Parallel()
	e := start(t, func(s *options) { s.app.Token = validToken })
	handler, began := e.app.Handler(), time.Now()
	for i := range 1000 {
		r := httptest.NewRequest(http.MethodPost, "http://localhost/mcp", strings.NewReader(listRequest))
		if i%2 == 0 {
			r.Header.Set("Authorization", "Bearer wrong")
		}
		w := httptest.NewRecorder()
		if handler.ServeHTTP(w, r); w.Code != http.StatusUnauthorized && w.Code != http.StatusTooManyRequests {
			t.Fatalf("got status %d", w.Code)
		}
	}
	lines, most := strings.Count(e.log.String(), "request refused"), 20+int(20*time.Since(began).Seconds())+1
	if lines == 0 || lines > most {
		t.Errorf("%d lines are logged, want at most %d", lines, most)
	}
}

// An access token that has expired is no guess: its client has to learn that it needs another one.
func TestExpiredTokensAreNotSlowedDown(t *testing.T) {
	t.Parallel()
	p := startProtected(t)
	expired := p.with(p.token("exp", time.Now().Add(-2*time.Minute).Unix()))
	for range 15 {
		if reply := expired.send(t, "POST", listRequest); reply.status != http.StatusUnauthorized {
			t.Fatalf("got %d", reply.status)
		}
	}
	forged := p.with(issuertest.NewKey(t, "1", issuertest.ES256).Sign(nil, p.issuer.Claims(resource)))
	for range 10 {
		forged.send(t, "POST", listRequest)
	}
	if reply := forged.send(t, "POST", listRequest); reply.status != http.StatusTooManyRequests || reply.header.Get("Retry-After") == "" {
		t.Errorf("a forged one: got %d", reply.status)
	}
}
