package bank

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
)

// clientValues returns the values of people in the replies of a sandbox bank: names, numbers, addresses, amounts and ids.
func clientValues(t *testing.T) (values []string) {
	t.Helper()
	server := httptest.NewServer(sandbox.New(sandbox.Config{}))
	defer server.Close()
	client, err := portal.New(portal.Config{BaseURL: server.URL, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret, MaxPerSecond: 2000})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	user := client.As(portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[0]}, portuguese)
	page, err := user.ListProcesses(t.Context(), portal.ProcessQuery{})
	if err != nil || len(page.Processes) < 5 {
		t.Fatal(page, err)
	}
	add := func(reply any) {
		data, err := pii.MarshalClear(reply)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, leaves("", tree(data))...)
	}
	for _, process := range page.Processes {
		detail, err := user.Process(t.Context(), process.ProcessUniqueID)
		if err != nil {
			t.Fatal(err)
		}
		add(detail)
		borrowers, err := user.ListBorrowers(t.Context(), process.ProcessUniqueID)
		if err != nil {
			t.Fatal(err)
		}
		for _, borrower := range borrowers {
			whole, err := user.Borrower(t.Context(), process.ProcessUniqueID, borrower.BorrowerUniqueID)
			if err != nil {
				t.Fatal(err)
			}
			add(whole)
		}
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// leaves returns the texts and numbers in a value that are long enough to be somebody's, without descriptions of ids.
func leaves(name string, value any) (found []string) {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			found = append(found, leaves(name, inner)...)
		}
	case string, json.Number:
		if text := textOf(value); len(text) >= 4 && !strings.HasSuffix(name, "Description") {
			found = append(found, text)
		}
	}
	return found
}

func TestNothingOfAClientIsInWhatIsFound(t *testing.T) {
	values := clientValues(t)
	if len(values) < 100 || !slices.Contains(values, "Maria Exemplo") {
		t.Fatalf("only %d values: %q", len(values), values)
	}
	secrets := append(values, sandbox.SampleClientSecret, sandbox.BrokerA.Users[0])
	for _, name := range []string{"", "names of a process", "names of a borrower", "detail nested", "everything in data", "errors of other names", "value and label", "no text filter"} {
		found := examine(t, open(t, banks[name]), sandbox.BrokerA.UID.String(), nil)
		data, err := json.Marshal(found)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range secrets {
			if strings.Contains(string(data), secret) {
				t.Errorf("%s: it holds %q", name, secret)
			}
		}
		if !strings.Contains(string(data), "processUniqueID") && !strings.Contains(string(data), "array[") {
			t.Errorf("%s: it holds no shape: %s", name, data)
		}
	}
}

func TestOnlyReadsAreSent(t *testing.T) {
	bank := sandbox.New(sandbox.Config{})
	var mu sync.Mutex
	var sent []string
	count := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		count++
		if r.Method != http.MethodGet && !strings.HasSuffix(r.URL.Path, "/authentication") || strings.Contains(r.URL.Path, "email") {
			sent = append(sent, r.Method+" "+r.URL.Path)
		}
		bank.ServeHTTP(w, r)
	}))
	defer server.Close()
	examineOne := func(lines ...string) { examine(t, server.URL, sandbox.BrokerA.UID.String(), lines) }
	examineOne()
	examineOne(`operations.processDetail.method = "POST"`, `operations.processList.path = "/no-such-path"`)
	if len(sent) > 0 || count < 50 {
		t.Errorf("of %d requests, sent were %q", count, sent)
	}
}

// serve answers with a sandbox bank whose replies are changed.
func serve(t *testing.T, change func(r *http.Request, status int, body []byte) (int, []byte)) string {
	t.Helper()
	bank := sandbox.New(sandbox.Config{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder := httptest.NewRecorder()
		bank.ServeHTTP(recorder, r)
		status, body := change(r, recorder.Code, recorder.Body.Bytes())
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestBanksThatNoProfileOfTheSandboxShows(t *testing.T) {
	for name, c := range map[string]struct {
		change func(r *http.Request, status int, body []byte) (int, []byte)
		want   string // a line
	}{
		"a process that does not exist is a 404": {func(r *http.Request, status int, body []byte) (int, []byte) {
			if status == http.StatusBadRequest && strings.HasPrefix(r.URL.Path, "/v1/processes/") {
				return http.StatusNotFound, []byte(`{"title":"Not Found"}`)
			}
			return status, body
		}, `operations.processDetail.missing = [404]`},
		"another array beside the processes": {func(r *http.Request, status int, body []byte) (int, []byte) {
			if r.URL.Path == "/v1/processes" {
				body = []byte(strings.Replace(string(body), `"processList":`, `"columns":[{"id":"x","label":"y"},{"id":"z","label":"w"}],"rows":`, 1))
			}
			return status, body
		}, `operations.processList.reply.list = ["rows", "processList", "", "*"]`},
		"states that mean nothing": {func(r *http.Request, status int, body []byte) (int, []byte) {
			if strings.HasSuffix(r.URL.Path, "workflow-states-proposal") {
				body = []byte(`{"totalCount":2,"taxonomyList":[{"id":71,"description":"Xpto \"zz\""},{"id":1,"description":"Em criação"}]}`)
			}
			return status, body
		}, `states.ids.71 = "" # Xpto "zz"`},
		"a type of notification that means nothing": {func(r *http.Request, status int, body []byte) (int, []byte) {
			if strings.HasSuffix(r.URL.Path, "notification-types") {
				body = []byte(`{"totalCount":2,"taxonomyList":[{"id":31,"description":"Xpto"},{"id":1,"description":"Nova mensagem"}]}`)
			}
			return status, body
		}, `notifications.ids.31 = "" # Xpto`},
	} {
		t.Run(name, func(t *testing.T) {
			url := serve(t, c.change)
			found := examine(t, url, sandbox.BrokerA.UID.String(), nil)
			if !slices.Contains(linesOf(found), c.want) {
				t.Errorf("%q is not among\n%s", c.want, show(found))
			}
			second := examine(t, url, sandbox.BrokerA.UID.String(), linesOf(found))
			if bad := wrong(second); len(bad) > 0 {
				t.Errorf("with the lines it finds\n%s", show(bad))
			}
		})
	}
}

func TestWhatNoProfileCuresIsSaid(t *testing.T) {
	broken := func(status int, body string) func(*http.Request, int, []byte) (int, []byte) {
		return func(*http.Request, int, []byte) (int, []byte) { return status, []byte(body) }
	}
	uid := sandbox.BrokerA.UID.String()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for name, c := range map[string]struct{ url, broker, code string }{
		"nothing listens":               {closed.URL, uid, "bank.unreachable"},
		"a number, and nothing listens": {closed.URL, "12345", "bank.unreachable"},
		"another broker":                {open(t, ""), "7a1f0c52-6d0e-4b8e-9c3a-0d5b2f4eFFFF", "bank.login.broker"},
		"a broker that is no uuid":      {open(t, ""), "12345", "bank.login.broker"},
		"a page of a proxy":             {serve(t, broken(200, "<html>")), uid, "bank.login.no_token"},
		"nothing anywhere":              {serve(t, broken(404, "")), uid, "bank.login.no_path"},
		"a bank that fails":             {serve(t, broken(500, "")), uid, "bank.login.failing"},
		"a refusal of nothing":          {serve(t, broken(403, "")), uid, "bank.login.refused"},
	} {
		found := examine(t, c.url, strings.ToLower(c.broker), nil)
		if found[0].Code != c.code {
			t.Errorf("%s: found\n%s", name, show(found[:1]))
		}
		if len(linesOf(found)) > 0 {
			t.Errorf("%s: it proposes %q", name, linesOf(found))
		}
		for _, f := range found[1:] {
			if f.Code != "bank.after.login" {
				t.Errorf("%s: after the login it finds\n%s", name, show(found))
				break
			}
		}
	}
}

func TestABrokerWithANumberIsTriedAsOne(t *testing.T) {
	p, err := profile.Read("p.toml", []byte(`forms.ids.broker = "integer"`))
	if err != nil {
		t.Fatal(err)
	}
	bank := sandbox.New(sandbox.Config{Profile: p})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("xBrokerUID") == "12345" { // the sandbox has no broker with this number
			_, _ = io.WriteString(w, `"a-token-that-is-long-enough"`)
			return
		}
		bank.ServeHTTP(w, r)
	}))
	defer server.Close()
	found := examine(t, server.URL, "12345", nil)
	if want := `forms.ids.broker = "integer"`; len(found[0].Lines) != 1 || found[0].Lines[0] != want {
		t.Errorf("found\n%s", show(found[:2]))
	}
}

func TestAnExaminationEndsWithItsContextAndAfterItsRequests(t *testing.T) {
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { requests++; http.Error(w, "{}", http.StatusNotFound) }))
	defer server.Close()
	x := Examine(Config{
		BaseURL: server.URL, ClientID: "a", ClientSecret: "b", Broker: sandbox.BrokerA.UID.String(), Username: "u",
		Profile: profile.Builtin(), MaxPerSecond: 2000,
	})
	defer x.Close()
	x.checkLogin(t.Context())
	if requests < 10 || requests > maxRepairs+3 {
		t.Errorf("%d requests were sent", requests)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	requests = 0
	began := time.Now()
	x.checkLogin(ctx)
	if requests > 0 || time.Since(began) > waittest.Deadline/4 {
		t.Errorf("after its end %d requests were sent", requests)
	}
}
