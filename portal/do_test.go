package portal_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balcao/balcao/portal"
)

func TestEveryStatusHasItsKindAndOnlyReadsAreTriedAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status      int
		read, write portal.Kind
		tries       int // of the read
	}{
		{302, portal.Garbled, portal.Unclear, 1},
		{400, portal.Refused, portal.Refused, 1},
		{403, portal.Refused, portal.Refused, 1},
		{404, portal.WrongPath, portal.WrongPath, 1},
		{405, portal.WrongPath, portal.WrongPath, 1},
		{406, portal.Mismatch, portal.Mismatch, 1},
		{408, portal.Unavailable, portal.Unavailable, 4},
		{409, portal.Refused, portal.Refused, 1},
		{410, portal.WrongPath, portal.WrongPath, 1},
		{415, portal.Mismatch, portal.Mismatch, 1},
		{422, portal.Refused, portal.Refused, 1},
		{429, portal.TooMany, portal.TooMany, 4},
		{500, portal.Unavailable, portal.Unclear, 4},
		{501, portal.WrongPath, portal.WrongPath, 1},
		{502, portal.Unavailable, portal.Unclear, 4},
		{503, portal.Unavailable, portal.Unclear, 4},
		{504, portal.Unavailable, portal.Unclear, 4},
	} {
		t.Run(fmt.Sprint(c.status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bank, config := overPipe(t, text(c.status, `{"code": "040102", "message": "no"}`))
				user := as(t, config, maria)
				wantKind(t, list(user), c.read)
				bank.wantSeen(t, 1, c.tries)
				wantKind(t, create(user), c.write)
				bank.wantSeen(t, 1, c.tries+1)
			})
		})
	}
}

func TestAReadSurvivesAPassingFailure(t *testing.T) {
	for name, passing := range map[string]http.HandlerFunc{
		"an error of the server":      text(500, "oops"),
		"a page of a proxy":           text(503, "<html>back soon</html>"),
		"a cut connection":            cut,
		"a cut in the midst of reply": halfway,
	} {
		t.Run(name, func(t *testing.T) {
			bank, config := overTCP(t, inTurn(passing, text(200, nobody)))
			if err := list(as(t, config, maria)); err != nil {
				t.Fatal(err)
			}
			bank.wantSeen(t, 1, 2)
		})
	}
}

// halfway announces more than it sends.
func halfway(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", "100")
	io.WriteString(w, `{"borrowerList": [`)
	w.(http.Flusher).Flush()
	cut(w, r)
}

func TestAWriteWithoutAClearAnswerIsUnclearAndSentOnce(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"cut before an answer":   cut,
		"cut within the answer":  halfway,
		"a page of a proxy":      text(200, "<html>hello</html>"),
		"success without the id": text(201, `{"operationStatus": {}}`),
		"success without a body": text(204, ""),
		"a huge reply":           endless,
	} {
		t.Run(name, func(t *testing.T) {
			bank, config := overTCP(t, answer)
			wantKind(t, create(as(t, config, maria)), portal.Unclear)
			bank.wantSeen(t, 1, 1)
		})
	}
}

func TestAWriteIsNeverSentAgainNorOnAKeptConnection(t *testing.T) {
	// net/http sends a GET again when the kept connection that it chose is dead, and a write may be a GET: the one
	// that e-mails an ESIS is.
	for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH"} {
		t.Run(method, func(t *testing.T) {
			bank, config := overTCP(t, func(w http.ResponseWriter, r *http.Request) {
				if reads := r.ContentLength == 0; reads {
					text(200, nobody)(w, r)
					return
				}
				cut(w, r)
			})
			config.Profile = overlay(t, "[operations.borrowerCreate]\npath = \"/processes/{processUniqueId}/borrower/new\"\nmethod = \""+method+"\"")
			user := as(t, config, maria)
			if err := list(user); err != nil { // leaves a connection behind
				t.Fatal(err)
			}
			wantKind(t, create(user), portal.Unclear)
			bank.wantSeen(t, 1, 2)
			if bank.calls[0].RemoteAddr == bank.calls[1].RemoteAddr {
				t.Error("the write went out on a kept connection")
			}
		})
	}
}

func TestOverHTTP2OnlyReadsAreSent(t *testing.T) {
	bank := &fakeBank{valid: map[string]bool{}, answer: text(200, nobody)}
	server := httptest.NewUnstartedServer(bank)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	user := as(t, settings(server.URL, server.Client().Transport.(*http.Transport)), maria)
	if err := list(user); err != nil {
		t.Fatal(err)
	}
	wantKind(t, create(user), portal.Unclear) // since the answer is one to a list
	bank.wantSeen(t, 1, 2)
	if read, write := bank.calls[0].ProtoMajor, bank.calls[1].ProtoMajor; read != 2 || write != 1 {
		t.Errorf("the read went out over HTTP/%d, the write over HTTP/%d", read, write)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestATransportOfAnotherTypeIsGivenNoBodyToSendAgain(t *testing.T) {
	_, config := overTCP(t, cut)
	transport := config.Transport.(*http.Transport)
	t.Cleanup(transport.CloseIdleConnections)
	config.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.ContentLength > 0 && r.GetBody != nil {
			t.Error("the body can be had again")
		}
		return transport.RoundTrip(r)
	})
	wantKind(t, create(as(t, config, maria)), portal.Unclear)
}

func TestAWriteThatFoundNobodyTookNoHold(t *testing.T) {
	bank, config := overTCP(t, text(200, nobody))
	user := as(t, config, maria)
	if err := list(user); err != nil { // opens the session, so that only the write is left to fail
		t.Fatal(err)
	}
	bank.stop()
	wantKind(t, create(user), portal.Unavailable)
}

func TestACallWaitsAsLongAsRetryAfterSays(t *testing.T) {
	in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	for _, c := range []struct {
		name       string
		header     func() string
		kind       portal.Kind // "" when the read succeeds in the end
		from, upTo time.Duration
	}{
		{"seconds", func() string { return "7" }, "", 7 * time.Second, 8 * time.Second},
		{"a date", func() string { return in(5 * time.Second) }, "", 4 * time.Second, 6 * time.Second},
		{"a date gone by", func() string { return in(-time.Hour) }, "", 0, time.Second},
		{"longer than anybody waits", func() string { return "3600" }, portal.TooMany, 0, 0},
		{"longer than a number", func() string { return "99999999999999999999" }, portal.TooMany, 0, 0},
		{"nonsense", func() string { return "soon" }, "", 0, time.Second},
		{"nothing", func() string { return "" }, "", 0, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				busy := func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Retry-After", c.header())
					w.WriteHeader(429)
				}
				_, config := overPipe(t, inTurn(busy, text(200, nobody)))
				started := time.Now()
				wantKind(t, list(as(t, config, maria)), c.kind)
				if took := time.Since(started); took < c.from || took > c.upTo {
					t.Errorf("took %v, want %v to %v", took, c.from, c.upTo)
				}
			})
		})
	}
}

func TestNobodyWaitsForAMomentAfterTheirDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, config := overPipe(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "9")
			w.WriteHeader(429)
		})
		user := as(t, config, maria)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		started := time.Now()
		_, err := user.ListBorrowers(ctx, process)
		wantKind(t, err, portal.TooMany)
		var failure *portal.Error
		if took := time.Since(started); took > time.Second || !errors.As(err, &failure) || failure.RetryAfter != 9*time.Second {
			t.Errorf("took %v: %v", took, err)
		}
	})
}

func TestPausesGrowAndTheTotalTimeEndsThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bank, config := overPipe(t, text(500, ""))
		config.ReadAttempts, config.TotalTimeout, config.TripAfter = 1000, time.Minute, 1000
		started := time.Now()
		wantKind(t, list(as(t, config, maria)), portal.Unavailable)
		if took := time.Since(started); took > time.Minute || took < 30*time.Second {
			t.Errorf("took %v", took)
		}
		if _, calls := bank.seen(); calls < 5 || calls > 25 {
			t.Errorf("%d calls in a minute", calls)
		}
	})
}

// silent answers nobody until the caller is gone.
func silent(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func TestASlowBankIsGivenUpOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bank, config := overPipe(t, silent)
		config.AttemptTimeout, config.TotalTimeout = 2*time.Second, 5*time.Second
		user := as(t, config, maria)
		started := time.Now()
		err := list(user)
		wantKind(t, err, portal.Unavailable)
		if took := time.Since(started); took > 5*time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a read took %v: %v", took, err)
		}
		_, reads := bank.seen()
		started = time.Now()
		wantKind(t, create(user), portal.Unclear)
		if took := time.Since(started); took != 2*time.Second {
			t.Errorf("a write took %v", took)
		}
		bank.wantSeen(t, 1, reads+1)
	})
}

func TestACallerWhoGivesUpIsLetGoAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		call func(context.Context, *portal.User) error
		kind portal.Kind
	}{
		"a read": {func(ctx context.Context, u *portal.User) error { _, err := u.Process(ctx, process); return err }, portal.Unavailable},
		"a write": {func(ctx context.Context, u *portal.User) error {
			_, err := u.CreateBorrower(ctx, process, portal.BorrowerRequest{})
			return err
		}, portal.Unclear},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			bank, config := overTCP(t, func(w http.ResponseWriter, r *http.Request) {
				cancel()
				silent(w, r)
			})
			err := c.call(ctx, as(t, config, maria))
			wantKind(t, err, c.kind)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			bank.wantSeen(t, 1, 1)
		})
	}
}

// endless sends a borrower list that does not end.
func endless(w http.ResponseWriter, r *http.Request) {
	chunk := strings.Repeat(" ", 32<<10)
	io.WriteString(w, `{"borrowerList": [`)
	for r.Context().Err() == nil {
		if _, err := io.WriteString(w, chunk); err != nil {
			return
		}
	}
}

func TestAReplyThatIsNotUnderstoodIsGarbled(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"HTML":                       text(200, "<!doctype html><title>Login</title>"),
		"no body":                    text(204, ""),
		"truncated JSON":             text(200, `{"borrowerList": [{"borrowerUniqueID"`),
		"something else":             text(200, `{"error": "maintenance"}`),
		"another type":               text(200, `{"borrowerList": {"a": 1}}`),
		"two values":                 text(200, nobody+nobody),
		"a reply without end":        endless,
		"a bomb of zeros, zipped up": bomb,
	} {
		t.Run(name, func(t *testing.T) {
			bank, config := overTCP(t, answer)
			wantKind(t, list(as(t, config, maria)), portal.Garbled)
			bank.wantSeen(t, 1, 1)
		})
	}
}

func bomb(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	zipped := gzip.NewWriter(w)
	zeros := make([]byte, 1<<20)
	for range 4 {
		zipped.Write(zeros)
	}
	zipped.Close()
}

func TestARedirectIsNotFollowedWithTheToken(t *testing.T) {
	elsewhere, there := overTCP(t, text(200, nobody))
	_, config := overTCP(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, there.BaseURL, http.StatusTemporaryRedirect)
	})
	wantKind(t, list(as(t, config, maria)), portal.Garbled)
	elsewhere.wantSeen(t, 0, 0)
}

func TestRepliesAreReadTolerantly(t *testing.T) {
	for _, body := range []string{
		"\ufeff" + nobody,
		`{"borrowerList": null, "traceId": "x"}`,
		`{"borrowerlist": []}`,
	} {
		_, config := overTCP(t, text(200, body))
		if err := list(as(t, config, maria)); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
}
