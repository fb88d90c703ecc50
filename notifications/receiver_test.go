package notifications

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/logtest"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

// newTestReceiver returns a receiver without a Redis, and the triggers that it added.
func newTestReceiver(t *testing.T) (*receiver, *[]Trigger) {
	t.Helper()
	count, err := newInstruments(nil)
	if err != nil {
		t.Fatal(err)
	}
	triggers := &[]Trigger{}
	add := func(_ context.Context, trigger Trigger) error { *triggers = append(*triggers, trigger); return nil }
	known := func(kind int32) bool { return kind >= 1 && kind <= 5 }
	return newReceiver([]string{"new-token", "old-token", ""}, known, readNotification, add, count, func(error) {}), triggers
}

// readNotification reads a notification as the bank of the built-in profile names its fields.
func readNotification(body []byte) (portal.Notification, error) {
	return portal.ReadNotification(profile.Builtin(), body)
}

func post(env http.Handler, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	env.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

func TestOnlyTheSubjectOfANotificationIsUsed(t *testing.T) {
	t.Parallel()
	id := uuid.New()
	process, simulation, is := OfProcess(id), OfSimulation(id), id.String()
	for body, want := range map[string]Subject{
		`{"processUniqueId":"` + is + `","taxId":"299999998"}`:                                      process,
		`{"processUniqueID":"` + strings.ToUpper(is) + `"}`:                                         process,
		`{"PROCESSUNIQUEID":"` + is + `"}`:                                                          process,
		`{"data":{"processUniqueId":"` + is + `"},"x":[1]}`:                                         process,
		`{"simulationUniqueId":"` + uuid.NewString() + `","data":{"processUniqueId":"` + is + `"}}`: process,
		`{}`:                                 {},
		`{"processUniqueId":"1042"}`:         {},
		`{"processUniqueId":["` + is + `"]}`: {},
		`{"a":{"b":{"processUniqueId":"` + is + `"}}}`:             {}, // too deep
		`{"simulationUniqueId":"` + is + `"}`:                      simulation,
		`{"data":{"simulationUniqueId":"` + is + `"},"date":null}`: simulation,
	} {
		r, triggers := newTestReceiver(t)
		if w := post(r, "POST", "/callbacks/new-token/3", body); w.Code != http.StatusAccepted || w.Body.Len() != 0 {
			t.Errorf("%s is answered %d %s", body, w.Code, w.Body)
		}
		if len(*triggers) != 1 || (*triggers)[0] != (Trigger{Subject: want, Source: Callback, Type: 3}) {
			t.Errorf("of %s was taken %+v", body, *triggers)
		}
	}
}

func TestACallerWithoutATokenLearnsNothing(t *testing.T) {
	t.Parallel()
	good := `{"processUniqueId":"` + uuid.NewString() + `"}`
	var first *httptest.ResponseRecorder
	for _, forged := range []struct{ method, path string }{
		{"POST", "/callbacks/wrong-token/3"}, {"POST", "/callbacks/new-token/99"}, {"POST", "/callbacks/new-token/0"},
		{"POST", "/callbacks/new-token/03"}, {"POST", "/callbacks/new-token/+3"}, {"POST", "/callbacks/new-token/-3"},
		{"POST", "/callbacks/new-token/99999999999999999999"}, {"POST", "/callbacks/new-token/three"}, {"POST", "/callbacks//3"},
		{"POST", "/callbacks/new-token"}, {"POST", "/callbacks/new-token/3/"}, {"POST", "/callbacks/new-token/3/4"},
		{"POST", "/callbacks/NEW-TOKEN/3"}, {"POST", "//callbacks/new-token/3"}, {"POST", "/"}, {"POST", "/other/new-token/3"},
		{"GET", "/callbacks/new-token/3"}, {"PUT", "/callbacks/new-token/3"}, {"GET", "/callbacks/wrong-token/3"},
	} {
		r, triggers := newTestReceiver(t)
		w := post(r, forged.method, forged.path, good)
		if first == nil {
			first = w
		}
		if w.Code != http.StatusNotFound || len(*triggers) != 0 || w.Body.String() != first.Body.String() || fmt.Sprint(w.Header()) != fmt.Sprint(first.Header()) {
			t.Errorf("%s %s is answered %d %q %v, and %d triggers were added", forged.method, forged.path, w.Code, w.Body, w.Header(), len(*triggers))
		}
	}
}

func TestEveryConfiguredTokenIsAccepted(t *testing.T) {
	t.Parallel()
	r, triggers := newTestReceiver(t)
	for _, token := range []string{"new-token", "old-token"} {
		if w := post(r, "POST", "/callbacks/"+token+"/1", "{}"); w.Code != http.StatusAccepted {
			t.Errorf("%s is answered %d", token, w.Code)
		}
	}
	if len(*triggers) != 2 {
		t.Errorf("taken were %d", len(*triggers))
	}
}

func TestGarbageIsRefused(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "nonsense", "[]", "7", "null", `"text"`, `{"a":`, "\xff\xfe", strings.Repeat("[", 60_000)} {
		r, triggers := newTestReceiver(t)
		if w := post(r, "POST", "/callbacks/new-token/1", body); w.Code != http.StatusBadRequest || len(*triggers) != 0 {
			t.Errorf("%.20q is answered %d, and %d triggers were added", body, w.Code, len(*triggers))
		}
	}
}

// countingBody is a body that counts the bytes that are read.
type countingBody struct{ left, read int }

func (s *countingBody) Read(p []byte) (int, error) {
	n := min(len(p), s.left)
	if n == 0 {
		return 0, io.EOF
	}
	s.left, s.read = s.left-n, s.read+n
	copy(p, bytes.Repeat([]byte(" "), n))
	return n, nil
}

func TestALargeBodyIsNotRead(t *testing.T) {
	t.Parallel()
	for _, declared := range []int64{10 << 20, -1} {
		for path, most := range map[string]int{"/callbacks/wrong-token/1": 0, "/callbacks/new-token/1": maxBody + 1} {
			r, triggers := newTestReceiver(t)
			body := &countingBody{left: 10 << 20}
			req := httptest.NewRequest("POST", path, body)
			req.ContentLength = declared
			w := httptest.NewRecorder()
			r.ServeHTTP(w, req)
			want := http.StatusRequestEntityTooLarge
			if declared > 0 {
				most = 0
			}
			if strings.Contains(path, "wrong") {
				want = http.StatusNotFound
			}
			if w.Code != want || body.read > most || len(*triggers) != 0 || w.Header().Get("Connection") != "close" {
				t.Errorf("%s is answered %d after %d bytes", path, w.Code, body.read)
			}
		}
	}
}

func TestACallbackIsAcceptedOnlyOnceItIsStored(t *testing.T) {
	t.Parallel()
	server := redistest.StartServer(t)
	env := newBankEnv(t, server.URL())
	var log logtest.Log
	s := env.replica(t, func(c *Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	web := httptest.NewServer(s.Handler())
	t.Cleanup(web.Close)
	post := func() int {
		response, err := http.Post(web.URL+"/callbacks/new-token/1", "application/json", strings.NewReader(`{"processUniqueId":"`+a1042.String()+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	if got := post(); got != http.StatusAccepted {
		t.Fatalf("answered %d", got)
	}
	server.Stop()
	if got := post(); got != http.StatusServiceUnavailable {
		t.Errorf("answered %d while Redis is gone", got)
	}
	if err := s.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "stream of triggers") {
		t.Errorf("it is ready while Redis is gone: %v", err)
	}
	server.Start()
	if triggers, _, err := s.engine.stream.backlog(t.Context(), time.Now()); err != nil || triggers != 1 {
		t.Errorf("%d triggers are stored after a power cut, %v", triggers, err)
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if text := log.String(); strings.Contains(text, "new-token") || !strings.Contains(text, "storing a callback failed") {
		t.Errorf("the log says %s", text)
	}
}

func TestACallbackThatCannotBeStoredIsToBeRepeated(t *testing.T) {
	t.Parallel()
	r, _ := newTestReceiver(t)
	r.add = func(context.Context, Trigger) error { return errors.New("full") }
	if w := post(r, "POST", "/callbacks/new-token/1", "{}"); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("answered %d", w.Code)
	}
}
