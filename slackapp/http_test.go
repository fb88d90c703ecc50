package slackapp_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/slacksim"
)

// borrowersCommand is a command as Slack posts it, with a trigger of its own choosing.
func borrowersCommand(trigger string) []byte {
	return []byte(url.Values{
		"command": {"/borrowers"}, "text": {"1042"}, "user_id": {slacksim.Ana}, "team_id": {slacksim.TeamID},
		"channel_id": {slacksim.TeamChannel}, "trigger_id": {trigger},
	}.Encode())
}

func TestOnlyWhatSlackSignedIsTaken(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	body := borrowersCommand("1.2.3")
	now := time.Now()
	signed := http.Header{
		"X-Slack-Request-Timestamp": {"1"}, "X-Slack-Signature": {slacksim.Sign("another-secret", now, body)},
	}
	for name, c := range map[string]struct {
		delivery slacksim.Delivery
		status   int
	}{
		"without a signature":             {slacksim.Delivery{Body: body}, 401},
		"with the signature of another":   {slacksim.Delivery{Body: body, Sign: true, Header: http.Header{"X-Slack-Signature": signed["X-Slack-Signature"]}}, 401},
		"with a signature of another day": {slacksim.Delivery{Body: body, Sign: true, Timestamp: now.Add(-6 * time.Minute)}, 401},
		"signed in the future":            {slacksim.Delivery{Body: body, Sign: true, Timestamp: now.Add(6 * time.Minute)}, 401},
		"with another time than signed":   {slacksim.Delivery{Body: body, Sign: true, Header: http.Header{"X-Slack-Request-Timestamp": {"1"}}}, 401},
		"with a time that is none":        {slacksim.Delivery{Body: body, Sign: true, Header: http.Header{"X-Slack-Request-Timestamp": {"now"}}}, 401},
		"with more than a MiB":            {slacksim.Delivery{Body: make([]byte, 1<<20+1), Sign: true}, 413},
		"as a form that is none":          {slacksim.Delivery{Body: []byte("payload=%zz"), Sign: true}, 400},
		"as a payload that is no JSON":    {slacksim.Delivery{Body: []byte("payload=nothing"), Sign: true}, 400},
		"as an event that is no JSON":     {slacksim.Delivery{Body: []byte("nothing"), Type: "application/json", Sign: true}, 400},
		"of a kind that nobody knows yet": {slacksim.Delivery{Body: []byte(`payload={"type":"novelty","user":{"id":"U0ANA"}}`), Sign: true}, 200},
		"as an event nobody asked for":    {slacksim.Delivery{Body: []byte(`{"type":"event_callback","event":{"type":"novelty"}}`), Type: "application/json", Sign: true}, 200},
		"signed, as it should be":         {slacksim.Delivery{Body: body, Sign: true}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			done, err := h.sim.Deliver(h.ctx(), c.delivery)
			must(t, err)
			if done.Status != c.status {
				t.Errorf("got status %d, want %d", done.Status, c.status)
			}
		})
	}
	if log := h.log.String(); strings.Contains(log, "borrowers 1042") || strings.Contains(log, "text=1042") {
		t.Error("the log repeats what was refused")
	}
}

// The headers of an unsigned request hold whatever its sender likes: 60 kB of it, a tax number, a line that looks like ours.
func TestNothingOfAnUnsignedRequestIsLogged(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	body, now := borrowersCommand("1.2.3"), strconv.FormatInt(time.Now().Unix(), 10)
	long := strings.Repeat("planted", 60<<10/len("planted"))
	for name, header := range map[string]http.Header{
		"a time that is none":                 {"X-Slack-Request-Timestamp": {long}, "X-Slack-Signature": {"v0=" + strings.Repeat("00", 32)}},
		"a time beyond numbers":               {"X-Slack-Request-Timestamp": {strings.Repeat("9", 60<<10)}, "X-Slack-Signature": {"v0=" + strings.Repeat("00", 32)}},
		"a signature that is none":            {"X-Slack-Request-Timestamp": {now}, "X-Slack-Signature": {"v0=" + long}},
		"a signature of nobody":               {"X-Slack-Request-Timestamp": {now}, "X-Slack-Signature": {long}},
		"a count of attempts that is none":    {"X-Slack-Request-Timestamp": {now}, "X-Slack-Signature": {"v0=00"}, "X-Slack-Retry-Num": {long}},
		"a reason for attempts that is none":  {"X-Slack-Retry-Num": {"1"}, "X-Slack-Retry-Reason": {long}},
		"a type of its body that nobody asks": {"Content-Type": {"application/x-www-form-urlencoded; planted=" + long}},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(h.log.String())
			done, err := h.sim.Deliver(h.ctx(), slacksim.Delivery{Body: body, Header: header})
			must(t, err)
			logged := h.log.String()[before:]
			if done.Status != 401 || !strings.Contains(logged, "request refused") {
				t.Errorf("got status %d, and the log says %.500q", done.Status, logged)
			}
			if len(logged) > 500 || strings.Contains(logged, "planted") || strings.Contains(logged, "9999") {
				t.Errorf("%d bytes are logged: %.500q", len(logged), logged)
			}
		})
	}
}

func TestTheEndpointAcceptsOnlyPost(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	for method, status := range map[string]int{http.MethodGet: 405, http.MethodPut: 405, http.MethodPost: 401} {
		request, err := http.NewRequestWithContext(h.ctx(), method, h.address, nil)
		must(t, err)
		response, err := http.DefaultClient.Do(request)
		must(t, err)
		must(t, response.Body.Close())
		if response.StatusCode != status {
			t.Errorf("%s is answered with %d, want %d", method, response.StatusCode, status)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestSlacksOwnChecksAreAnswered(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	must(t, h.sim.VerifyURL(h.ctx()))
	must(t, h.sim.CheckSSL(h.ctx()))
	smuggled := append([]byte("ssl_check=1&"), borrowersCommand("4.5.6")...)
	done, err := h.sim.Deliver(h.ctx(), slacksim.Delivery{Body: smuggled})
	must(t, err)
	if done.Status != 200 || len(done.Body) > 0 || h.sim.Calls("users.info") > 0 {
		t.Errorf("an unsigned ssl_check with a command in it is answered with %d %q", done.Status, done.Body)
	}
}

func TestAFloodOfUnsignedRequestsFillsNoLog(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	app, began := h.replica.app.Handler(), time.Now()
	refuse := func() {
		w := httptest.NewRecorder()
		app.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/slack/events", bytes.NewReader(borrowersCommand("1.2.3"))))
		if w.Code != 401 {
			t.Fatalf("got status %d", w.Code)
		}
	}
	for range 1000 {
		refuse()
	}
	h.wait("the log to count the lines that it left out", func() bool {
		refuse()
		return regexp.MustCompile(`"unlogged":[1-9]`).MatchString(h.log.String())
	})
	lines, most := strings.Count(h.log.String(), "request refused"), 20+int(20*time.Since(began).Seconds())+1
	if lines > most {
		t.Errorf("%d lines are logged, want at most %d", lines, most)
	}
}

// untouched is a body that nobody may read.
type untouched struct{ *testing.T }

func (u untouched) Read([]byte) (int, error) {
	u.Error("the body is read")
	return 0, errors.New("the body is read")
}

func TestWhatIsNotSignedIsRefusedBeforeItIsRead(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	now := time.Now()
	stamp := func(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }
	right := "v0=" + strings.Repeat("0a", 32)
	for name, header := range map[string]http.Header{
		"no signature at all":        {},
		"a signature without a time": {"X-Slack-Signature": {right}},
		"a time without a signature": {"X-Slack-Request-Timestamp": {stamp(now)}},
		"six minutes old":            {"X-Slack-Signature": {right}, "X-Slack-Request-Timestamp": {stamp(now.Add(-6 * time.Minute))}},
		"six minutes ahead":          {"X-Slack-Signature": {right}, "X-Slack-Request-Timestamp": {stamp(now.Add(6 * time.Minute))}},
		"a time that is none":        {"X-Slack-Signature": {right}, "X-Slack-Request-Timestamp": {"now"}},
		"a signature that is short":  {"X-Slack-Signature": {"v0=0a"}, "X-Slack-Request-Timestamp": {stamp(now)}},
		"a signature of no version":  {"X-Slack-Signature": {strings.Repeat("0a", 32)}, "X-Slack-Request-Timestamp": {stamp(now)}},
		"a signature that is no hex": {"X-Slack-Signature": {"v0=" + strings.Repeat("zz", 32)}, "X-Slack-Request-Timestamp": {stamp(now)}},
	} {
		r, w := httptest.NewRequest(http.MethodPost, "/slack/events", untouched{t}), httptest.NewRecorder()
		r.Header = header
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.ContentLength = 1 << 20
		if h.replica.app.Handler().ServeHTTP(w, r); w.Code != 401 {
			t.Errorf("%s: got status %d", name, w.Code)
		}
	}
}
