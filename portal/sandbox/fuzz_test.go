package sandbox_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/balcao/balcao/portal/sandbox"
)

// FuzzCreate checks that each body is accepted or refused, in JSON, and that a refused one changes nothing.
func FuzzCreate(f *testing.F) {
	f.Add(newBorrower(nil))
	f.Add(newBorrower(func(b borrowerJSON) { b.personal()["taxId"] = "29999999é" }))
	f.Add(newBorrower(func(b borrowerJSON) { b.financial()["incomeRents"] = 1e15 }))
	f.Add(`{"borrowerTypeId":2,"personalDataBorrowerRequest":{},"financialDataBorrowerRequest":null}`)
	f.Add(`{"borrowerTypeId":2147483648}`)
	f.Add("[[[[")
	f.Fuzz(func(t *testing.T, body string) {
		bank := sandbox.New(sandbox.Config{})
		send := func(path, body string, header http.Header) *httptest.ResponseRecorder {
			r := httptest.NewRequest("POST", path, strings.NewReader(body))
			r.Header = header
			w := httptest.NewRecorder()
			bank.ServeHTTP(w, r)
			return w
		}
		var login struct{ SessionToken string }
		opened := send("/v1/authentication", "", loginHeaders(sandbox.BrokerA.UID.String(), sandbox.BrokerA.Users[0]))
		if err := json.Unmarshal(opened.Body.Bytes(), &login); err != nil {
			t.Fatal(err)
		}
		got := send(borrowersPath(sandbox.SampleOpen), body,
			http.Header{"Authorization": {"Bearer " + login.SessionToken}, "Content-Type": {"application/json"}})
		known := len(bank.Borrowers(sandbox.SampleProcess(sandbox.SampleOpen)))
		if taken := got.Code == http.StatusOK; got.Code >= 500 || taken != (known == 2) || !json.Valid(got.Body.Bytes()) {
			t.Errorf("%d with %d borrowers: %s", got.Code, known, got.Body)
		}
	})
}

// FuzzCallback checks that each body is accepted or refused, and that no unusable address is registered.
func FuzzCallback(f *testing.F) {
	f.Add(`{"callbackUrl": "https://balcao.example/callbacks/token/1"}`)
	f.Add(`{"callbackUrl": "http://127.0.0.1:8080/1"}`)
	f.Add(`{"callbackUrl": "https://balcao.example/%zz"}`)
	f.Add(`{"callbackUrl": "https://[::1"}`)
	f.Add(`{"callbackUrl": 1}`)
	f.Add(`{"notificationTypeID": 1, "processUniqueId": "7e7c1ab7-81e5-5c1c-bd9b-bcfc76f8932c", "rawBody": {"processStatusID": 2}}`)
	f.Add(`{"notificationTypeID": 5, "simulationUniqueId": "7e7c1ab7-81e5-5c1c-bd9b-bcfc76f8932c", "rawBody": [{}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		bank := sandbox.New(sandbox.Config{})
		defer bank.Close()
		send := func(method, path, body string, header http.Header) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, path, strings.NewReader(body))
			r.Header = header
			w := httptest.NewRecorder()
			bank.ServeHTTP(w, r)
			return w
		}
		var login struct{ SessionToken string }
		opened := send("POST", "/v1/authentication", "", loginHeaders(sandbox.BrokerA.UID.String(), sandbox.BrokerA.Users[0]))
		if err := json.Unmarshal(opened.Body.Bytes(), &login); err != nil {
			t.Fatal(err)
		}
		header := http.Header{"Authorization": {"Bearer " + login.SessionToken}, "Content-Type": {"application/json"}}
		base := callbacksPath(sandbox.BrokerA)
		if got := send("POST", base+"/echo", body, header); got.Code < 400 || got.Code >= 500 || !json.Valid(got.Body.Bytes()) { // nothing is registered
			t.Errorf("echo: %d %s", got.Code, got.Body)
		}
		got := send("PUT", base+"/1", body, header)
		var page struct {
			CallbackList []struct{ CallbackURL string }
		}
		if err := json.Unmarshal(send("GET", base, "", header).Body.Bytes(), &page); err != nil {
			t.Fatal(err)
		}
		if taken := got.Code == http.StatusOK; got.Code >= 500 || taken != (len(page.CallbackList) == 1) {
			t.Fatalf("%d with %d callbacks: %s", got.Code, len(page.CallbackList), got.Body)
		}
		for _, known := range page.CallbackList {
			if r, err := http.NewRequest("POST", known.CallbackURL, nil); err != nil || r.URL.Host == "" {
				t.Errorf("registered was %q: %v", known.CallbackURL, err)
			}
		}
	})
}
