package portal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

var partner = uuid.MustParse("4b1f0a52-8a3e-4d0f-9f53-0f6f7c1b2a3d")

var secretly = portal.NewCallbackURL("https://balcao.example/callbacks/secret-token/1?also=secret-query#secret-fragment")

// asPartner opens a client whose partner is known.
func asPartner(t *testing.T, config portal.Config) *portal.User {
	t.Helper()
	config.PartnerUID = partner
	return as(t, config, maria)
}

func callbackOf(kind int32, address string) portal.Callback {
	return portal.Callback{NotificationTypeID: kind, URL: portal.NewCallbackURL(address)}
}

func TestCallbackOperationsUseTheirAddresses(t *testing.T) {
	bank, config := overTCP(t, text(200, `{"operationStatus": {"operationStatusCode": "080201", "operationStatusMessage": "set"}}`))
	user := asPartner(t, config)
	base := "/v1/partners/" + partner.String() + "/callbacks"
	simulation := uuid.New()
	for i, c := range []struct {
		call         func() (portal.OperationStatus, error)
		method, path string
		body         string
	}{
		{func() (portal.OperationStatus, error) { return user.SetCallback(t.Context(), 12, secretly) },
			"PUT", base + "/12", `{"callbackUrl": "https://balcao.example/callbacks/secret-token/1?also=secret-query#secret-fragment"}`},
		{func() (portal.OperationStatus, error) { return user.DeleteCallback(t.Context(), 12) }, "DELETE", base + "/12", ""},
		{func() (portal.OperationStatus, error) {
			return user.EchoCallback(t.Context(), portal.Echo{NotificationTypeID: 1, ProcessUniqueID: process, RawBody: json.RawMessage(`{"processStatusID": 2}`)})
		}, "POST", base + "/echo", `{"notificationTypeID": 1, "processUniqueId": "` + process.String() + `", "rawBody": {"processStatusID": 2}}`},
		{func() (portal.OperationStatus, error) {
			return user.EchoCallback(t.Context(), portal.Echo{NotificationTypeID: 5, SimulationUniqueID: simulation})
		}, "POST", base + "/echo", `{"notificationTypeID": 5, "simulationUniqueId": "` + simulation.String() + `", "rawBody": {}}`},
	} {
		if got, err := c.call(); err != nil || got.Code != "080201" || got.Message != "set" {
			t.Fatalf("%s: got %+v, %v", c.path, got, err)
		}
		if got := bank.calls[i].Method + " " + bank.calls[i].URL.Path; got != c.method+" "+c.path {
			t.Errorf("got %s, want %s %s", got, c.method, c.path)
		}
		if c.body == "" && bank.bodies[i] != "" {
			t.Errorf("%s: sent %s", c.path, bank.bodies[i])
		} else if c.body != "" {
			wantSameJSON(t, []byte(bank.bodies[i]), []byte(c.body))
		}
	}
}

func TestAWriteOfACallbackIsSentOnceAndItsOutcomeNamed(t *testing.T) {
	for name, call := range map[string]func(*portal.User) error{
		"set": func(u *portal.User) error {
			_, err := u.SetCallback(t.Context(), 1, secretly)
			return err
		},
		"delete": func(u *portal.User) error {
			_, err := u.DeleteCallback(t.Context(), 1)
			return err
		},
		"echo": func(u *portal.User) error {
			_, err := u.EchoCallback(t.Context(), portal.Echo{NotificationTypeID: 1, ProcessUniqueID: process})
			return err
		},
	} {
		absent := portal.WrongPath
		if name == "delete" { // as the bank documents
			absent = portal.NotFound
		}
		for status, kind := range map[int]portal.Kind{204: "", 400: portal.Refused, 404: absent, 405: portal.WrongPath, 429: portal.TooMany, 503: portal.Unclear} {
			bank, config := overTCP(t, text(status, ""))
			wantKind(t, call(asPartner(t, config)), kind)
			if _, calls := bank.seen(); calls != 1 {
				t.Errorf("%s was sent %d times", name, calls)
			}
		}
	}
}

func TestCallbacksAreReadPageByPageUntilNothingNewComes(t *testing.T) {
	item := func(n int) string {
		return fmt.Sprintf(`{"notificationTypeID": %d, "callbackUrl": "https://balcao.example/%d"}`, n, n)
	}
	list := func(items ...string) http.HandlerFunc {
		return text(200, `{"callbackList": [`+strings.Join(items, ",")+`]}`)
	}
	for name, c := range map[string]struct {
		answers []http.HandlerFunc
		want    int
		queries []string
	}{
		"none":                         {[]http.HandlerFunc{list()}, 0, []string{"limit=100&offset=0"}},
		"small pages":                  {[]http.HandlerFunc{list(item(3), item(1)), text(503, ""), list(item(2)), list()}, 3, []string{"limit=100&offset=0", "limit=100&offset=2", "limit=100&offset=2", "limit=100&offset=3"}},
		"a bank that knows no offset":  {[]http.HandlerFunc{list(item(1), item(2), item(3))}, 3, []string{"limit=100&offset=0", "limit=100&offset=3"}},
		"a page that begins too early": {[]http.HandlerFunc{list(item(1), item(2)), list(item(2), item(3)), list()}, 3, []string{"limit=100&offset=0", "limit=100&offset=2", "limit=100&offset=4"}},
	} {
		bank, config := overTCP(t, inTurn(c.answers...))
		got, err := asPartner(t, config).ListCallbacks(t.Context())
		if err != nil || len(got) != c.want {
			t.Fatalf("%s: got %v, %v", name, got, err)
		}
		for i, callback := range got {
			if want := callbackOf(int32(i+1), fmt.Sprint("https://balcao.example/", i+1)); callback != want {
				t.Errorf("%s: got %v, want %v", name, callback, want)
			}
		}
		var queries []string
		for _, call := range bank.calls {
			queries = append(queries, call.URL.RawQuery)
		}
		if diff := cmp.Diff(c.queries, queries); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestAListOfCallbacksThatDoesNotEndIsGivenUp(t *testing.T) {
	n := 0
	bank, config := overTCP(t, func(w http.ResponseWriter, r *http.Request) {
		n++
		fmt.Fprintf(w, `[{"notificationTypeID": %d, "callbackUrl": "https://balcao.example/"}]`, n)
	})
	got, err := asPartner(t, config).ListCallbacks(t.Context())
	wantKind(t, err, portal.Garbled)
	if _, calls := bank.seen(); calls > 20 || got != nil {
		t.Errorf("%d callbacks after %d calls", len(got), calls)
	}
}

func TestACallbackIsReadUnderWhicheverNamesItComes(t *testing.T) {
	want := callbackOf(2, "https://balcao.example/2")
	for _, body := range []string{
		`{"callbackList": [{"notificationTypeID": 2, "notificationTypeDescription": "x", "callbackUrl": "https://balcao.example/2"}]}`,
		`{"totalCount": 1, "items": [{"notificationType": 2, "url": "https://balcao.example/2"}]}`,
		`[{"notificationTypeId": "2", "callbackURL": "https://balcao.example/2", "active": true}]`,
		`[{"id": 2, "notificationUri": "https://balcao.example/2"}]`,
		`[{"typeID": 2, "id": 77, "endpoint": "https://balcao.example/2"}]`,
	} {
		_, config := overTCP(t, text(200, body))
		if got, err := asPartner(t, config).ListCallbacks(t.Context()); err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %v, %v", body, got, err)
		}
	}
	for _, body := range []string{
		`{}`, `"none"`, ``, `[{"url": "https://balcao.example/2"}]`, `[{"notificationTypeID": 2}]`, `[{"notificationTypeID": 2, "url": ""}]`, `[{"notificationTypeID": 2, "url": 3}]`,
		`[{"notificationTypeID": "state", "url": "https://balcao.example/2"}]`, `[{"notificationTypeID": 2147483648, "url": "https://balcao.example/2"}]`, `[{"notificationTypeID": 2.5, "url": "x"}]`, `[2]`,
	} {
		_, config := overTCP(t, text(200, body))
		got, err := asPartner(t, config).ListCallbacks(t.Context())
		if wantKind(t, err, portal.Garbled); got != nil {
			t.Errorf("%s: got %v", body, got)
		}
	}
}

func TestAnEchoMayBeAnsweredWithAnyJSONButNotWithAPage(t *testing.T) {
	for body, kind := range map[string]portal.Kind{`{"notificationTypeID": 1}`: "", `[]`: "", `"pong"`: "", ``: "", `<html>`: portal.Unclear} {
		_, config := overTCP(t, text(200, body))
		_, err := asPartner(t, config).EchoCallback(t.Context(), portal.Echo{NotificationTypeID: 1, ProcessUniqueID: process})
		wantKind(t, err, kind)
	}
}

func TestWhatCannotBeIsNotSent(t *testing.T) {
	bank, config := overTCP(t, text(200, "[]"))
	nobody, user := as(t, config, maria), asPartner(t, config)
	for name, call := range map[string]func() error{
		"list":   func() error { _, err := nobody.ListCallbacks(t.Context()); return err },
		"set":    func() error { _, err := nobody.SetCallback(t.Context(), 1, secretly); return err },
		"delete": func() error { _, err := nobody.DeleteCallback(t.Context(), 1); return err },
		"echo": func() error {
			_, err := nobody.EchoCallback(t.Context(), portal.Echo{NotificationTypeID: 1, ProcessUniqueID: process})
			return err
		},
	} {
		if err := call(); !errors.Is(err, portal.ErrNoPartner) || portal.KindOf(err) != "" {
			t.Errorf("%s without a partner: %v", name, err)
		}
	}
	for _, address := range []string{"", "balcao.example", "/callbacks/secret-token", "ftp://balcao.example/secret-token", "https://", "https://balcao.example/%zz/secret-token"} {
		_, err := user.SetCallback(t.Context(), 1, portal.NewCallbackURL(address))
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", address, err)
		}
	}
	for name, echo := range map[string]portal.Echo{
		"neither":    {NotificationTypeID: 1},
		"both":       {NotificationTypeID: 1, ProcessUniqueID: process, SimulationUniqueID: process},
		"no JSON":    {NotificationTypeID: 1, ProcessUniqueID: process, RawBody: json.RawMessage("{secret")},
		"two values": {NotificationTypeID: 1, ProcessUniqueID: process, RawBody: json.RawMessage(`{"secret": 1} {}`)},
	} {
		_, err := user.EchoCallback(t.Context(), echo)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	bank.wantSeen(t, 0, 0)
}

func TestTheAddressOfACallbackIsNeverPrintedNorLogged(t *testing.T) {
	refusal := `{"code": "080003", "message": "no", "url": "https:\/\/balcao.example\/callbacks\/secret-token\/1?also=secret-query",
		"token": "secret-token", "path": "/callbacks/SECRET-token/1", "rest": "also=secret-query"}`
	for name, answer := range map[string]http.HandlerFunc{
		"refused": text(400, refusal), "failed": text(500, refusal), "a page": text(400, "<p>"+refusal), "cut": cut, "set": text(204, ""),
	} {
		_, config := overTCP(t, answer)
		var log bytes.Buffer
		config.Log = logTo(&log)
		user := asPartner(t, config)
		_, setError := user.SetCallback(t.Context(), 1, secretly)
		config.Log.Error("by a caller", "err", setError, "url", secretly, "callback", portal.Callback{NotificationTypeID: 1, URL: secretly})
		said := log.String() + fmt.Sprintf("%v %+v %#v", setError, setError, setError)
		if strings.Contains(strings.ToLower(said), "secret-") {
			t.Errorf("%s: the secret is in %s", name, said)
		}
		if !strings.Contains(log.String(), string(portal.CallbackUpdate)) {
			t.Errorf("%s: the call is not logged: %s", name, &log)
		}
	}
	callback := portal.Callback{NotificationTypeID: 3, URL: secretly}
	printed := fmt.Sprintf("%v %+v %#v %s %q %x %v %#v %v", secretly, secretly, secretly, secretly, secretly, secretly, callback, callback, []any{&callback, struct{ U portal.CallbackURL }{secretly}})
	if strings.Contains(printed, "secret") || !strings.Contains(printed, "https://balcao.example/••••••") || !strings.Contains(printed, "callback 3 to") {
		t.Errorf("printed: %s", printed)
	}
	for address, want := range map[string]string{"": "", "secret": "••••••", "https://me:secret@balcao.example": "https://balcao.example/••••••"} {
		if got := portal.NewCallbackURL(address).String(); got != want {
			t.Errorf("%s: printed %s, want %s", address, got, want)
		}
	}
}

func TestAnAddressThatTheBankQuotesIsNotLogged(t *testing.T) {
	known := `{"code": "080004", "message": "is https://balcao.example/callbacks/secret-other/1", "at": "HTTPS://balcao.example/callbacks/secret-other/1"}`
	_, config := overTCP(t, text(404, known))
	var log bytes.Buffer
	config.Log = logTo(&log)
	_, err := asPartner(t, config).DeleteCallback(t.Context(), 1)
	if wantKind(t, err, portal.NotFound); strings.Contains(log.String(), "secret") || !strings.Contains(log.String(), "080004") {
		t.Errorf("logged: %s", &log)
	}
}

func TestACallbacksAddressSurvivesJSON(t *testing.T) {
	written, err := json.Marshal(secretly)
	if err != nil {
		t.Fatal(err)
	}
	var read portal.CallbackURL
	if err := json.Unmarshal(written, &read); err != nil || read != secretly || read.Reveal() != "https://balcao.example/callbacks/secret-token/1?also=secret-query#secret-fragment" {
		t.Errorf("%s was read as %v, %v", written, read, err)
	}
}

func TestCallbacksGoAllTheWayToTheSandboxAndBack(t *testing.T) {
	arrived := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		arrived <- r.URL.Path + " " + string(body)
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(receiver.Close)
	bank := sandbox.New(sandbox.Config{})
	server := httptest.NewServer(bank)
	t.Cleanup(server.Close)
	t.Cleanup(bank.Close)
	user := as(t, portal.Config{
		BaseURL: server.URL, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret, PartnerUID: sandbox.BrokerA.Partner,
		Transport: &http.Transport{}, AttemptTimeout: 5 * time.Second,
	}, portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[0]})

	types, err := user.Taxonomy(t.Context(), "notificationTypes")
	if err != nil || len(types) == 0 {
		t.Fatal(types, err)
	}
	var want []portal.Callback
	for _, kind := range types {
		callback := callbackOf(kind.ID, fmt.Sprint(receiver.URL, "/c/", kind.ID))
		for _, address := range []portal.CallbackURL{portal.NewCallbackURL("https://balcao.example/old"), callback.URL} {
			if status, err := user.SetCallback(t.Context(), kind.ID, address); err != nil || status.Code != "080201" {
				t.Fatal(status, err)
			}
		}
		want = append(want, callback)
	}
	_, err = user.SetCallback(t.Context(), 1, portal.NewCallbackURL("http://balcao.example/c/1"))
	wantRefusal(t, err)
	if got, err := user.ListCallbacks(t.Context()); err != nil || fmt.Sprint(got) != fmt.Sprint(want) || got[4] != want[4] {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	open := sandbox.SampleProcess(sandbox.SampleOpen)
	if status, err := user.EchoCallback(t.Context(), portal.Echo{NotificationTypeID: 1, ProcessUniqueID: open}); err != nil || status.Code != "080301" {
		t.Error(status, err)
	}
	if got, want := <-arrived, fmt.Sprintf(`/c/1 {"notificationTypeID":1,"processUniqueId":%q}`, open); got != want {
		t.Errorf("the echo is %s, want %s", got, want)
	}
	if err := bank.Advance(open); err != nil {
		t.Fatal(err)
	}
	if got := <-arrived; !strings.HasPrefix(got, "/c/1 ") || !strings.Contains(got, open.String()) {
		t.Errorf("the move is %s", got)
	}
	_, err = user.DeleteCallback(t.Context(), 1)
	if err != nil {
		t.Error(err)
	}
	_, err = user.DeleteCallback(t.Context(), 1)
	wantKind(t, err, portal.NotFound)
	if got, err := user.ListCallbacks(t.Context()); err != nil || len(got) != len(want)-1 {
		t.Errorf("got %v, %v", got, err)
	}
	_, err = user.EchoCallback(t.Context(), portal.Echo{NotificationTypeID: 1, ProcessUniqueID: open})
	wantKind(t, err, portal.NotFound)
}
