package portal_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

// The files in testdata are the JSON examples of the bank's page ProcessesBorrower unchanged.
func example(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func wantSameJSON(t *testing.T, got, want []byte) {
	t.Helper()
	if diff := cmp.Diff(canonical(t, want), canonical(t, got)); diff != "" {
		t.Errorf("not the same JSON (-want +got):\n%s", diff)
	}
}

func canonical(t *testing.T, data []byte) (value any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func inClear(t *testing.T, v any) []byte {
	t.Helper()
	data, err := pii.MarshalClear(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func strictly(t *testing.T, data []byte, into any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Fatal(err)
	}
}

func TestRequestsAreSpeltAsInTheBanksExamples(t *testing.T) {
	for _, name := range []string{"borrower-create.request", "borrower-update.request"} {
		t.Run(name, func(t *testing.T) {
			var request portal.BorrowerRequest
			strictly(t, example(t, name), &request)
			wantSameJSON(t, inClear(t, request), example(t, name))
		})
	}
}

func TestRepliesOfTheBanksExamplesLoseNothing(t *testing.T) {
	type written struct {
		OperationStatus portal.OperationStatus `json:"operationStatus"`
	}
	for name, into := range map[string]any{
		"borrower-get.reply":    &portal.Borrower{},
		"borrower-update.reply": &written{},
		"borrower-delete.reply": &written{},
	} {
		t.Run(name, func(t *testing.T) {
			strictly(t, example(t, name), into)
			wantSameJSON(t, inClear(t, into), example(t, name))
		})
	}
}

func TestTheClientReadsTheBanksExamples(t *testing.T) {
	mux := http.NewServeMux()
	for _, op := range []struct{ method, item, name string }{
		{"GET", "/" + borrower.String(), "borrower-get.reply"},
		{"GET", "", "borrower-list.reply"},
		{"POST", "", "borrower-create.reply"},
		{"PUT", "/" + borrower.String(), "borrower-update.reply"},
		{"DELETE", "/" + borrower.String(), "borrower-delete.reply"},
	} {
		mux.HandleFunc(op.method+" /v1/processes/"+process.String()+"/borrower"+op.item, text(200, string(example(t, op.name))))
	}
	bank, config := overTCP(t, mux.ServeHTTP)
	user := as(t, config, maria)

	got, err := user.Borrower(t.Context(), process, borrower)
	if err != nil {
		t.Fatal(err)
	}
	wantSameJSON(t, inClear(t, got), example(t, "borrower-get.reply"))

	all, err := user.ListBorrowers(t.Context(), process)
	if err != nil {
		t.Fatal(err)
	}
	wantSameJSON(t, inClear(t, map[string]any{"borrowerList": all}), example(t, "borrower-list.reply"))

	var request portal.BorrowerRequest
	strictly(t, example(t, "borrower-create.request"), &request)
	created, err := user.CreateBorrower(t.Context(), process, request)
	if err != nil {
		t.Fatal(err)
	}
	wantSameJSON(t, []byte(bank.bodies[2]), example(t, "borrower-create.request"))
	wantSameJSON(t, inClear(t, map[string]any{
		"operationStatus": created.OperationStatus,
		"additionalData":  map[string]any{"borrowerUniqueID": created.BorrowerUniqueID},
	}), example(t, "borrower-create.reply"))

	request = portal.BorrowerRequest{}
	strictly(t, example(t, "borrower-update.request"), &request)
	updated, err := user.UpdateBorrower(t.Context(), process, borrower, request)
	if err != nil {
		t.Fatal(err)
	}
	wantSameJSON(t, []byte(bank.bodies[3]), example(t, "borrower-update.request"))
	wantSameJSON(t, inClear(t, map[string]any{"operationStatus": updated}), example(t, "borrower-update.reply"))

	deleted, err := user.DeleteBorrower(t.Context(), process, borrower)
	if err != nil {
		t.Fatal(err)
	}
	wantSameJSON(t, inClear(t, map[string]any{"operationStatus": deleted}), example(t, "borrower-delete.reply"))
}

func TestALoginSpellsItsHeadersAsTheBankOrTheSettingsDo(t *testing.T) {
	for _, c := range []struct {
		file string
		want []string
	}{
		{"", []string{"xClientID", "xClientSecret", "xBrokerUID", "xUsername"}},
		{`login.headers = { xBrokerUID = "", xUsername = "", brokerID = "{broker}", username = "{username}" }`,
			[]string{"xClientID", "xClientSecret", "brokerID", "username"}},
	} {
		bank, config := overTCP(t, text(200, nobody))
		config.Profile = overlay(t, c.file)
		if err := list(as(t, config, maria)); err != nil {
			t.Fatal(err)
		}
		for i, value := range []string{"id", "secret-value", maria.BrokerUID.String(), maria.Username} {
			if got := bank.logins[0].Get(c.want[i]); got != value {
				t.Errorf("%s is %q, want %q", c.want[i], got, value)
			}
		}
	}
}

func TestEveryCallCarriesTheSessionAndTheLanguageBelowAnyPrefix(t *testing.T) {
	bank, config := overTCP(t, text(200, nobody))
	config.BaseURL += "/API/partnersPortal/"
	if err := list(as(t, config, maria)); err != nil {
		t.Fatal(err)
	}
	call := bank.calls[0]
	if want := "/API/partnersPortal/v1/processes/" + process.String() + "/borrower"; call.URL.Path != want {
		t.Errorf("got path %s, want %s", call.URL.Path, want)
	}
	for name, want := range map[string]string{"Authorization": "Bearer session-1", "Accept-Language": "pt-PT", "Accept": "application/json"} {
		if got := call.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestASessionTokenMayComeAsABareString(t *testing.T) {
	server := http.NewServeMux()
	server.HandleFunc("POST /v1/authentication", text(200, `"eyJhbGciOiJIUzI1NiJ9.e30.x"`))
	server.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer eyJhbGciOiJIUzI1NiJ9.e30.x" {
			w.WriteHeader(401)
			return
		}
		io.WriteString(w, nobody)
	})
	if err := list(as(t, plain(t, server), maria)); err != nil {
		t.Fatal(err)
	}
}

func TestATokenThatNoHeaderCanCarryIsGarbled(t *testing.T) {
	for _, token := range []string{`""`, `{}`, `{"sessionToken":"two words"}`, `"line\nbreak"`, `[]`, `<html>`, `"` + strings.Repeat("x", 20_000) + `"`} {
		err := list(as(t, plain(t, text(200, token)), maria))
		wantKind(t, err, portal.Garbled)
	}
}
