package portal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

func TestTheBanksMessagesAreFoundInEveryEnvelope(t *testing.T) {
	type messages = []portal.ErrorMessage
	for _, c := range []struct {
		name, body string
		want       messages
	}{
		{"a list", `[{"code": "050103", "message": "taxId is invalid"}, {"code": "050104", "message": "birthDate is missing"}]`,
			messages{{Code: "050103", Reason: "field.id", Text: "taxId is invalid"}, {Code: "050104", Reason: "field.range", Text: "birthDate is missing"}}},
		{"one object", `{"code": 50103, "message": "no"}`, messages{{Code: "50103", Reason: "field.id", Text: "no"}}},
		{"errors with long names", `{"errors": [{"errorCode": "059903", "errorMessage": "no"}]}`, messages{{Code: "059903", Reason: "field.id", Text: "no"}}},
		{"errors as texts", `{"errors": ["no", "never"]}`, messages{{Text: "no"}, {Text: "never"}}},
		{"one error inside", `{"error": {"code": "123", "message": "no"}}`, messages{{Code: "123", Text: "no"}}},
		{"an error as text", `{"error": "invalid"}`, messages{{Text: "invalid"}}},
		{"an operation status", `{"operationStatus": {"operationStatusCode": "990001", "operationStatusMessage": "no"}}`, messages{{Code: "990001", Text: "no"}}},
		{"problem details", `{"type": "about:blank", "title": "One or more errors", "status": 400, "errors": {"TaxId": ["is invalid", "is short"], "Name": ["is missing"]}}`,
			messages{{Field: "name", Text: "is missing"}, {Field: "taxId", Text: "is invalid"}, {Field: "taxId", Text: "is short"}}},
		{"problem details alone", `{"title": "Bad Request", "status": 400, "detail": "no"}`, messages{{Text: "no"}}},
		{"a field beside", `{"errors": [{"field": "taxId", "message": "no"}]}`, messages{{Field: "taxId", Text: "no"}}},
		{"in Pascal case", `{"Errors": [{"Code": "PP-123", "Message": "no"}]}`, messages{{Code: "PP-123", Text: "no"}}},
		{"a path", `{"errors": {"$.personalDataBorrowerRequest.birthDate": ["no"]}}`, messages{{Field: "birthDate", Text: "no"}}},
		{"a field that no request has", `{"errors": {"Maria": ["no"]}}`, messages{{Text: "no"}}},
		{"a code that is none", `{"code": "Maria Exemplo", "message": "no"}`, messages{{Text: "no"}}},
		{"a code that is a tax number", `{"code": 299999998, "message": "no"}`, messages{{Text: "no"}}},
		{"a known text", `{"message": "O  proponente principal não pode ser eliminado"}`,
			messages{{Reason: "borrower.isKey", Known: true, Text: "O proponente principal não pode ser eliminado"}}},
		{"a known text with its field", `{"code": "050302", "message": "The field personalDataBorrowerRequest.taxId is not in the expected form."}`,
			messages{{Code: "050302", Field: "taxId", Reason: "field.format", Known: true, Text: "The field personalDataBorrowerRequest.taxId is not in the expected form."}}},
		{"a known text and more", `{"message": "The key borrower cannot be deleted. Rui Modelo can."}`, messages{{Text: "The key borrower cannot be deleted. Rui Modelo can."}}},
		{"a known text with a name in it", `{"message": "The field Rui is not in the expected form."}`, messages{{Text: "The field Rui is not in the expected form."}}},
		{"a string", `"no"`, messages{{Text: "no"}}},
		{"plain text", "no such process\n", messages{{Text: "no such process"}}},
		{"control characters", `"one\u0000\n two\u202e"`, messages{{Text: "one two"}}},
		{"XML", `<?xml version="1.0" encoding="UTF-8"?><Error><Code>050103</Code><Message>no</Message></Error>`, messages{{Code: "050103", Reason: "field.id", Text: "no"}}},
		{"XML with a list", `<Errors><Error><Code>1234</Code><Message>no</Message></Error><Error><Code>1235</Code><Message>never</Message></Error></Errors>`,
			messages{{Code: "1234", Text: "no"}, {Code: "1235", Text: "never"}}},
		{"XML of problem details", `<problem xmlns="urn:ietf:rfc:7807"><title>Bad Request</title><status>400</status><detail>no</detail></problem>`, messages{{Text: "no"}}},
		{"XML with attributes", `<error code="1234" field="taxId">no</error>`, messages{{Code: "1234", Field: "taxId", Text: "no"}}},
		{"XML in Latin-1", "<?xml version='1.0' encoding='ISO-8859-1'?><Error><Message>n\xe3o</Message></Error>", messages{{Text: "não"}}},
		{"XML in an unknown encoding", `<?xml version="1.0" encoding="EBCDIC"?><Error><Message>no</Message></Error>`, nil},
		{"XML that ends early", `<Error><Code>1234</Code>`, nil},
		{"XML with a bomb of entities", `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Error><Message>&b;</Message></Error>`, nil},
		{"XML nested beyond reason", strings.Repeat("<a>", 5000) + strings.Repeat("</a>", 5000), nil},
		{"XML with too many elements", "<Errors>" + strings.Repeat("<a>x</a>", 5000) + "</Errors>", nil},
		{"XHTML", `<?xml version="1.0"?><!DOCTYPE html><html><body>Error</body></html>`, nil},
		{"HTML", "<html><body>Error</body></html>", nil},
		{"truncated", `{"errors": [{"code": "1"`, nil},
		{"nothing", "", nil},
		{"null", "null", nil},
		{"nested beyond reason", strings.Repeat("[", 5000) + strings.Repeat("]", 5000), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, config := overTCP(t, text(400, c.body))
			err := create(as(t, config, maria))
			wantKind(t, err, portal.Refused)
			var failure *portal.Error
			if errors.As(err, &failure); !cmp.Equal(failure.Messages, c.want) {
				t.Errorf("got %+v, want %+v", failure.Messages, c.want)
			}
		})
	}
}

func TestMessagesAreBounded(t *testing.T) {
	_, config := overTCP(t, text(400, `["`+strings.Repeat("ã", 10_000)+`"`+strings.Repeat(`,"x"`, 500)+`]`))
	var failure *portal.Error
	if errors.As(create(as(t, config, maria)), &failure); len(failure.Messages) != 50 || len([]rune(failure.Messages[0].Text)) != 500 {
		t.Errorf("%d messages, the first of %d characters", len(failure.Messages), len([]rune(failure.Messages[0].Text)))
	}
}

func TestNeitherErrorsNorLogsRepeatWhatIsPersonal(t *testing.T) {
	person := portal.BorrowerRequest{Personal: &portal.PersonalDataRequest{
		Name:    pii.New[pii.Name]("José Exemplo"),
		TaxID:   pii.New[pii.TaxID]("299999998"),
		Email:   pii.New[pii.Email]("jose@example.com"),
		Address: pii.New[pii.Address]("Rua Exemplo 123"),
	}}
	refusal := `{"code": "050103", "message": "Jos\u00e9 EXEMPLO (299 999 998, 123456789) of Rua Exemplo 123 is known to rui.modelo@example.com", "trace": "0f8fad5b-d9cb-469f-a165-70867728950e"}`
	_, config := overTCP(t, text(400, refusal))
	var log bytes.Buffer
	config.Log = logTo(&log)
	user := as(t, config, maria)
	_, createError := user.CreateBorrower(t.Context(), process, person)
	_, listError := user.ListProcesses(t.Context(), portal.ProcessQuery{Text: pii.New[pii.Name]("José Exemplo")})
	var failure *portal.Error
	if want := "•••••• (••••••, ••••••) of •••••• is known to ••••••"; !errors.As(createError, &failure) || failure.Messages[0].Text != want {
		t.Fatalf("the person sees %+v, want %q", failure.Messages, want)
	}
	config.Log.Error("by a caller", "err", createError, "login", maria, "config", config)
	said := log.String() + fmt.Sprintf("%v %+v %#v %s %q", createError, createError, createError, listError, listError) +
		fmt.Sprintf("%v %+v %#v %v %+v %#v", maria, maria, maria, config, config, config)
	for _, secret := range []string{"Jos", "xemplo", "XEMPLO", "299999998", "299 999 998", "123456789", "@example", "secret-value", "session-1", "filterByText"} {
		if strings.Contains(said, secret) {
			t.Errorf("%q is in %s", secret, said)
		}
	}
	for _, useful := range []string{`"operation":"borrowerCreate"`, `"status":400`, `"kind":"refused"`, `"code":"050103"`, `"refusal":"field.id"`, "0f8fad5b-d9cb-469f-a165-70867728950e"} {
		if !strings.Contains(log.String(), useful) {
			t.Errorf("%s is missing in %s", useful, log.String())
		}
	}
}

// A third party, the refusal's own words and all that was sent, in whatever form, stay out of the log.
func TestTheLogOfARefusalHoldsNothingThatTheBankSays(t *testing.T) {
	for _, refusal := range []string{
		`{"code": "050308", "message": "Rui Modelo, nascido a 3 de julho de 1985, já é proponente do processo 1044"}`,
		`{"errors": [{"code": "Rui Modelo", "field": "Rui Modelo", "message": "Rui Modelo", "property": "Rui Modelo"}]}`,
		`{"Rui Modelo": "Rui Modelo", "errors": {"Rui Modelo": ["Rui Modelo"]}, "title": "Rui Modelo", "traceId": "00-Rui-Modelo"}`,
		`"Rui Modelo"`, `Rui Modelo`, `<p>Rui Modelo</p>`, `["Rui Modelo", {"Rui": "Modelo"}]`,
	} {
		_, config := overTCP(t, text(400, refusal))
		var log bytes.Buffer
		config.Log = logTo(&log)
		err := create(as(t, config, maria))
		wantKind(t, err, portal.Refused)
		config.Log.Error("by a caller", "err", err, "wrapped", fmt.Errorf("calling: %w", err))
		if said := log.String() + fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(said, "Rui") || strings.Contains(said, "Modelo") || strings.Contains(said, "julho") {
			t.Errorf("%s\nis logged as %s", refusal, said)
		}
	}
}

func TestAGarbledRecordOfAPersonIsNotKeptForTheLog(t *testing.T) {
	_, config := overTCP(t, text(200, `{"borrowerUniqueID": "b3d9f6a1-2c34-4e9f-9f5a-1d2e3f4a5b6c", "borrowerTypeID": "José 299999998", "borrowerPersonalData": {"name": "José Exemplo"}}`))
	var log bytes.Buffer
	config.Log = logTo(&log)
	_, err := as(t, config, maria).Borrower(t.Context(), process, process)
	wantKind(t, err, portal.Garbled)
	if said := log.String() + err.Error(); strings.Contains(said, "Jos") || strings.Contains(said, "299999998") || !strings.Contains(said, "borrowerTypeID") {
		t.Errorf("got %s", said)
	}
}

func TestEveryCallIsLoggedOnALineOfItsOwn(t *testing.T) {
	_, config := overTCP(t, inTurn(text(500, ""), text(200, nobody)))
	var log bytes.Buffer
	config.Log = logTo(&log)
	if err := list(as(t, config, maria)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(log.String()) {
		var entry struct {
			Operation       string
			Attempt, Status int
			Duration        *float64
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Duration == nil {
			t.Fatalf("%s: %v", line, err)
		}
		got = append(got, fmt.Sprint(entry.Operation, entry.Attempt, entry.Status))
	}
	if want := []string{"authenticate1 200", "borrowerList1 500", "borrowerList2 200"}; !cmp.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// wantRefusal wants a refusal that says why.
func wantRefusal(t *testing.T, err error) {
	t.Helper()
	wantKind(t, err, portal.Refused)
	var failure *portal.Error
	if !errors.As(err, &failure) || len(failure.Messages) == 0 || failure.Messages[0].Code == "" || failure.Messages[0].Text == "" {
		t.Errorf("the refusal says nothing: %v", err)
	}
}
