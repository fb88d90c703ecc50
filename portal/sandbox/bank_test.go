package sandbox_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/balcao/balcao/internal/clocktest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// harness is a bank with a logged-in user.
type harness struct {
	*sandbox.Bank
	url   string
	stop  func()
	clock *clocktest.Clock
	token string
	lang  string
}

// newHarness starts a bank on a free port and logs in the first user of broker A.
func newHarness(t *testing.T, config sandbox.Config) *harness {
	t.Helper()
	d := &harness{clock: clocktest.At(time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)), lang: "en"}
	config.Now = d.clock.Now
	d.Bank = sandbox.New(config)
	server := httptest.NewServer(http.StripPrefix("/bank", d.Bank)) // under a prefix, as a proxy may put it
	t.Cleanup(server.Close)
	d.url, d.stop = server.URL+"/bank", server.Close
	return d.as(t, sandbox.BrokerA, 0)
}

// as logs another user in.
func (d *harness) as(t *testing.T, broker sandbox.Broker, user int) *harness {
	t.Helper()
	other := *d
	got := d.send(t, "POST", "/v1/authentication", "", loginHeaders(broker.UID.String(), broker.Users[user]))
	var reply struct{ SessionToken string }
	if err := json.Unmarshal([]byte(got.body), &reply); err != nil || got.status != http.StatusOK {
		t.Fatalf("login: %d %s", got.status, got.body)
	}
	other.token = reply.SessionToken
	return &other
}

func loginHeaders(broker, user string) http.Header {
	h := http.Header{}
	h.Set("xClientID", sandbox.SampleClientID)
	h.Set("xClientSecret", sandbox.SampleClientSecret)
	h.Set("xBrokerUID", broker)
	h.Set("xUsername", user)
	return h
}

type response struct {
	status int
	body   string
	header http.Header
	err    error // of a connection that ended early
}

// send makes one request, without retries and redirects.
func (d *harness) send(t *testing.T, method, path, body string, header http.Header) response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, d.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	transport := &http.Transport{DisableKeepAlives: true} // net/http repeats reads on kept connections that break
	got, err := transport.RoundTrip(r)
	if err != nil {
		return response{err: err}
	}
	defer got.Body.Close()
	data, err := io.ReadAll(got.Body)
	return response{got.StatusCode, string(data), got.Header, err}
}

// call makes a request in the open session.
func (d *harness) call(t *testing.T, method, path, body string) response {
	t.Helper()
	header := http.Header{"Authorization": {"Bearer " + d.token}, "Accept-Language": {d.lang}}
	if body != "" {
		header.Set("Content-Type", "application/json")
	}
	return d.send(t, method, path, body, header)
}

func (d *harness) get(t *testing.T, path string) response {
	t.Helper()
	return d.call(t, "GET", path, "")
}

func processPath(number int) string { return "/v1/processes/" + sandbox.SampleProcess(number).String() }

func borrowersPath(number int) string { return processPath(number) + "/borrower" }

// errorsOf returns the errors of a refusal as «code field» each.
func (r response) errorsOf(t *testing.T) []string {
	t.Helper()
	var envelope struct {
		Errors []struct{ ErrorCode, ErrorMessage, Field string }
	}
	if err := json.Unmarshal([]byte(r.body), &envelope); err != nil || len(envelope.Errors) == 0 {
		t.Fatalf("no errors in %d %s", r.status, r.body)
	}
	var list []string
	for _, e := range envelope.Errors {
		if e.ErrorMessage == "" {
			t.Errorf("error %s says nothing", e.ErrorCode)
		}
		list = append(list, strings.TrimSpace(e.ErrorCode+" "+e.Field))
	}
	return list
}

var placeholder = regexp.MustCompile(`{[^}]+}`)

// pathOf is the path of an operation on a process, with other ids that exist nowhere.
func pathOf(op portal.Operation, process uuid.UUID) string {
	path := strings.Replace(op.Path, "{processUniqueId}", process.String(), 1)
	return placeholder.ReplaceAllString(path, uuid.NewString())
}

func TestEveryOperationOfTheClientsTableIsServed(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	for _, op := range portal.Operations(profile.Builtin()) {
		if got := d.call(t, op.Method, pathOf(op, sandbox.SampleProcess(sandbox.SampleOpen)), ""); got.status >= 500 {
			t.Errorf("%s: %d %s", op.ID, got.status, got.body)
		}
		if d.Calls(op.ID) == 0 {
			t.Errorf("%s has no handler", op.ID)
		}
	}
}

func TestWhatIsNoOperationIsRefusedInTheBanksEnvelope(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	for name, c := range map[string]struct {
		method, path string
		status       int
	}{
		"unknown path":        {"GET", "/v1/nothing", http.StatusNotFound},
		"unknown method":      {"PATCH", borrowersPath(sandbox.SampleOpen), http.StatusMethodNotAllowed},
		"faults are not ours": {"PUT", "/sandbox/faults", http.StatusNotFound},
	} {
		if got := d.call(t, c.method, c.path, ""); got.status != c.status {
			t.Errorf("%s: %d, want %d", name, got.status, c.status)
		} else {
			got.errorsOf(t)
		}
	}
}

func TestABrokerSeesOnlyItsOwnProcesses(t *testing.T) {
	a := newHarness(t, sandbox.Config{})
	b := a.as(t, sandbox.BrokerB, 0)
	queries := map[portal.OperationID]string{portal.ProcessESISEmail: "?sendAddress=maria@example.com"}
	ids := regexp.MustCompile(`[0-9a-f-]{36}`)
	for _, op := range portal.Operations(profile.Builtin()) {
		if !strings.Contains(op.Path, "{processUniqueId}") {
			continue
		}
		body := ""
		if op.Method != http.MethodGet {
			body = newBorrower(nil)
		}
		missing := b.call(t, op.Method, pathOf(op, uuid.New())+queries[op.ID], body)
		op.Path = strings.Replace(op.Path, "{borrowerUniqueId}", sandbox.SampleBorrower(sandbox.SampleOpen, 0).String(), 1)
		foreign := b.call(t, op.Method, pathOf(op, sandbox.SampleProcess(sandbox.SampleOpen))+queries[op.ID], body)
		if foreign.status != http.StatusBadRequest || foreign.body != missing.body || ids.MatchString(foreign.body) {
			t.Errorf("%s: another broker's process answers %d %s, a missing one %s", op.ID, foreign.status, foreign.body, missing.body)
		}
		if got := foreign.errorsOf(t); !slices.Equal(got, []string{"040001"}) {
			t.Errorf("%s: another broker's process is refused with %v", op.ID, got)
		}
	}
	if got := len(a.Borrowers(sandbox.SampleProcess(sandbox.SampleOpen))); got != 1 || len(a.Sent()) != 0 {
		t.Errorf("the process has %d borrowers now, and %d e-mails went out", got, len(a.Sent()))
	}
}

// errorShapes are entries of a profile for each shape of an error.
var errorShapes = map[profile.Shape]string{
	profile.ListShape:   ``,
	profile.BareShape:   `errors = { shape = "bare", code = "code", text = "message" }`,
	profile.ObjectShape: `errors = { shape = "object", at = "operationStatus", code = "operationStatusCode", text = "operationStatusMessage" }`,
	profile.FieldsShape: `errors = { shape = "fields" }`,
	profile.XMLShape:    `errors = { shape = "xml" }`,
}

// withProfile returns the configuration of a bank with entries of a profile.
func withProfile(t *testing.T, file string) sandbox.Config {
	t.Helper()
	p, err := profile.Read("bank.toml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	return sandbox.Config{Profile: p}
}

func TestErrorsHaveTheShapeOfTheProfile(t *testing.T) {
	for shape, want := range map[profile.Shape]string{
		profile.ListShape:   `{"errors":[{"errorCode":"040001","errorMessage":"The process does not exist or does not belong to the broker."}]}`,
		profile.BareShape:   `[{"code":"040001","message":"The process does not exist or does not belong to the broker."}]`,
		profile.ObjectShape: `{"operationStatus":{"operationStatusCode":"040001","operationStatusMessage":"The process does not exist or does not belong to the broker."}}`,
		profile.FieldsShape: `{"errors":{"":["The process does not exist or does not belong to the broker."]},"status":400,"title":"The process does not exist or does not belong to the broker."}`,
		profile.XMLShape:    `<errors><error><errorCode>040001</errorCode><errorMessage>The process does not exist or does not belong to the broker.</errorMessage><field></field></error></errors>`,
	} {
		d := newHarness(t, withProfile(t, errorShapes[shape]))
		if got := d.get(t, "/v1/processes/"+uuid.NewString()); got.body != want {
			t.Errorf("shape %s: %s", shape, got.body)
		}
	}
}

func TestTheLogHasTheCallsAndNoPersonalData(t *testing.T) {
	var out bytes.Buffer
	d := newHarness(t, sandbox.Config{Log: slog.New(slog.NewTextHandler(&out, nil))})
	d.get(t, "/v1/processes?filterByText=Maria")
	d.call(t, "POST", borrowersPath(sandbox.SampleOpen), newBorrower(nil))
	d.call(t, "POST", borrowersPath(sandbox.SampleOpen), newBorrower(nil)) // refused
	d.get(t, processPath(sandbox.SampleOpen)+"/esis")
	d.get(t, processPath(sandbox.SampleOpen)+"/esis/email?sendAddress=vera@example.com")
	if got := strings.Count(out.String(), "operation=borrowerCreate"); got != 2 {
		t.Errorf("%d lines of two creates", got)
	}
	for _, secret := range []string{"Maria", "Vera", "299999998", "912345678", "vera@", d.token, sandbox.SampleClientSecret, sandbox.BrokerA.Users[0]} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

func TestManyAtOnceNeitherLoseNorMixAnything(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			body := newBorrower(func(b borrowerJSON) { b.personal()["taxId"] = validTaxID(i) })
			if got := d.call(t, "POST", borrowersPath(sandbox.SampleOpen), body); got.status != http.StatusOK {
				t.Errorf("create %d: %d %s", i, got.status, got.body)
			}
			d.get(t, processPath(sandbox.SampleOpen)+"/esis")
		})
	}
	wait.Wait()
	if got := len(d.Borrowers(sandbox.SampleProcess(sandbox.SampleOpen))); got != 9 {
		t.Errorf("%d borrowers, want 9", got)
	}
}

// validTaxID makes different valid tax numbers of people.
func validTaxID(i int) string {
	eight := fmt.Sprintf("2777000%d", i)
	sum := 0
	for i, digit := range eight {
		sum += (9 - i) * int(digit-'0')
	}
	return eight + fmt.Sprint((11-sum%11)%11%10)
}
