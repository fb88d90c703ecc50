package portal

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/shape"
	"github.com/balcao/balcao/portal/profile"
)

func FuzzRefusals(f *testing.F) {
	for _, body := range []string{
		`[{"code": "050103", "message": "taxId is invalid"}]`,
		`{"errors": [{"errorCode": "1", "errorMessage": "no"}]}`,
		`{"operationStatus": {"operationStatusCode": "1", "operationStatusMessage": "no"}}`,
		`{"title": "Bad", "errors": {"TaxId": ["is invalid"]}}`,
		`"Jos\u00e9 Exemplo 299999998"`, "no", "<html>", `{"error":{"errors":{"errors":{"a":[[["b"]]]}}}}`,
		"\ufeff[]", "\"\xff\u202e\"", `{"code": 1e400}`,
	} {
		f.Add([]byte(body))
	}
	sent := request{body: []byte(`{"name": "José Exemplo", "taxId": "299999998"}`), header: http.Header{}, errors: &profile.Builtin().Errors}
	f.Fuzz(func(t *testing.T, body []byte) {
		raw := parseMessages(sent.errors, body)
		if len(raw) > maxMessages {
			t.Errorf("%d messages", len(raw))
		}
		for _, message := range append(raw, sent.errorMessages(raw)...) {
			for _, text := range []string{message.Code, message.Field, message.Text} {
				if !utf8.ValidString(text) || utf8.RuneCountInString(text) > maxText || strings.ContainsFunc(text, unicode.IsControl) {
					t.Errorf("got %q", text)
				}
			}
		}
		for _, message := range sent.errorMessages(raw) {
			returned := strings.ToLower(message.Code + " " + message.Field + " " + string(message.Reason) + " " + message.Text)
			for _, value := range []string{"josé", "exemplo", "299999998"} {
				if strings.Contains(returned, value) {
					t.Errorf("%q has what was sent", returned)
				}
			}
		}
		if traces := sent.traces(body); len(traces) > maxTraces || slices.ContainsFunc(traces, func(id string) bool { return !isUUID.MatchString(id) }) {
			t.Errorf("the log has %q", traces)
		}
	})
}

var ourWords = regexp.MustCompile(`^[A-Za-z.:' ]*$`)

func FuzzReplies(f *testing.F) {
	files, err := filepath.Glob("testdata/*.reply.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	for _, body := range []string{
		`"token"`, `{"sessionToken": "token"}`, `{"esis": "JVBERi0x"}`, `[{"id": 1, "description": "x"}]`,
		`{"callbackList": [{"notificationTypeID": 1, "callbackUrl": "https://balcao.example/callbacks/secret/1"}]}`,
		`[{"notificationType": "2", "url": "https://balcao.example/%zz"}]`,
		`{"totalRecords": 1, "hasMoreResults": false, "processList": [{"processNumber": 1042, "creationDate": "2026-11-22"}]}`,
		`{"borrowerUniqueID": "b3d9f6a1-2c34-4e9f-9f5a-1d2e3f4a5b6c", "borrowerFinancialData": {"incomeRents": 0.10}}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for id, reply := range map[OperationID]any{
			Authenticate: &loginReply{login: &profile.Builtin().Login}, BorrowerList: &borrowerListReply{}, BorrowerGet: &Borrower{},
			BorrowerCreate: &borrowerCreateReply{}, ProcessList: &processListReply{}, ProcessDetail: &Process{}, ProcessESISGet: &esisReply{},
			"gendersGet": &taxonomyReply{}, BorrowerDelete: &writeReply{}, CallbackList: &callbackListReply{}, CallbackEcho: &echoReply{},
		} {
			problem := requestOf(id).read(bytes.Clone(body), reply)
			said, came, _ := strings.Cut(problem, "; came ")
			if !ourWords.MatchString(said) || came != "" && came != shape.Of(body) {
				t.Errorf("%T: the problem quotes the reply: %s", reply, problem)
			} else if borrower, ok := reply.(*Borrower); ok && problem == "" {
				survives(t, borrower)
			}
		}
	})
}

// requestOf returns a request of an operation of the built-in profile.
func requestOf(id OperationID) request {
	row := table(profile.Builtin())[id]
	return request{op: row.Operation, wire: row.wire, errors: &profile.Builtin().Errors}
}

// survives checks that what was read of a borrower can be written and read again.
func survives(t *testing.T, borrower *Borrower) {
	once, err := pii.MarshalClear(borrower)
	if err != nil {
		t.Fatal(err)
	}
	var again Borrower
	if problem := requestOf(BorrowerGet).read(once, &again); problem != "" {
		t.Fatal(problem)
	}
	if twice, err := pii.MarshalClear(again); err != nil || !reflect.DeepEqual(once, twice) {
		t.Errorf("got %s, %v, want %s", twice, err, once)
	}
	asked, err := pii.MarshalClear(borrower.Request())
	if err != nil {
		t.Fatal(err)
	}
	var sent BorrowerRequest
	if err := json.Unmarshal(asked, &sent); err != nil {
		t.Fatal(err)
	}
	if arrived, err := pii.MarshalClear(sent); err != nil || !bytes.Equal(asked, arrived) {
		t.Errorf("asked for %s, %v, and %s arrived", asked, err, arrived)
	}
}
