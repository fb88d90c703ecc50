package sandbox_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/balcao/balcao/portal/sandbox"
)

// FuzzCreate holds that no body breaks the bank: each is taken or refused, in JSON, and what is refused changes nothing.
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
