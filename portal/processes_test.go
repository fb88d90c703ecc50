package portal_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/spool"
	"github.com/balcao/balcao/portal"
)

func TestAQueryOfProcessesHasTheParametersOfSimulationList(t *testing.T) {
	status, last := int32(3), uuid.New()
	bank, config := overTCP(t, text(200, `{"totalRecords": 0, "hasMoreResults": false, "processList": []}`))
	user := as(t, config, maria)
	for _, c := range []struct {
		query portal.ProcessQuery
		want  url.Values
	}{
		{portal.ProcessQuery{}, url.Values{}},
		{portal.ProcessQuery{
			Text: pii.New[pii.Name]("Maria & Exemplo"), StatusID: &status, Limit: 20, After: last.String(),
			From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC),
		}, url.Values{
			"filterByText": {"Maria & Exemplo"}, "filterProcessStatus": {"3"}, "lineCount": {"20"}, "nextRecord": {last.String()},
			"filterStatusLastDateFrom": {"2026-11-01"}, "filterStatusLastDateTo": {"2026-11-22"},
		}},
	} {
		if _, err := user.ListProcesses(t.Context(), c.query); err != nil {
			t.Fatal(err)
		}
		if got := bank.calls[len(bank.calls)-1].URL.Query(); !cmp.Equal(got, c.want) {
			t.Errorf("got %v, want %v", got, c.want)
		}
	}
}

func TestAPageOfProcessesIsFoundUnderAnyName(t *testing.T) {
	item := `{"processUniqueID": "` + process.String() + `", "processNumber": 1042, "borrowerName": "Maria Exemplo", "lastActionDate": "2026-11-20T10:00:00"}`
	for _, c := range []struct {
		body  string
		total int
		next  string
	}{
		{`{"totalRecords": 12, "hasMoreResults": true, "processList": [` + item + `], "warnings": []}`, 12, process.String()},
		{`{"totalRecords": 12, "hasMoreResults": true, "proposals": [` + item + `]}`, 12, process.String()},
		{`[` + item + `]`, 0, ""},
	} {
		_, config := overTCP(t, text(200, c.body))
		page, err := as(t, config, maria).ListProcesses(t.Context(), portal.ProcessQuery{})
		if err != nil {
			t.Fatalf("%s: %v", c.body, err)
		}
		if page.TotalRecords != c.total || page.Next != c.next || len(page.Processes) != 1 {
			t.Fatalf("%s: got %+v", c.body, page)
		}
		got := page.Processes[0]
		if got.ProcessNumber != 1042 || got.KeyBorrowerName.Reveal() != "Maria Exemplo" || got.LastActionDate.IsZero() {
			t.Errorf("got %+v", got)
		}
	}
}

func TestAPageWithoutAListIsNotAnEmptyPage(t *testing.T) {
	for _, body := range []string{`{}`, `{"totalRecords": 0}`, `{"a": [], "b": []}`, `{"processList": {"a": 1}}`, `"none"`} {
		_, config := overTCP(t, text(200, body))
		_, err := as(t, config, maria).ListProcesses(t.Context(), portal.ProcessQuery{})
		wantKind(t, err, portal.Garbled)
	}
}

func TestAProcessSurvivesARoundTrip(t *testing.T) {
	body := `{"processUniqueID": "` + process.String() + `", "processNumber": 1042, "processStatusID": 1, "processStatusDescription": "Em criação",
		"branchID": 7, "branchDescription": "Lisboa", "creationDate": "2026-11-01T09:30:00Z", "lastActionDate": "2026-11-20T10:00:00+01:00",
		"simulationUniqueID": "7d1f0a52-8a3e-4d0f-9f53-0f6f7c1b2a3d", "simulationNumber": 88, "loanAmount": 180000.5, "loanDurationMonths": 360,
		"productSchemeID": 1, "productSchemeDescription": "Regime geral", "loanPurposeID": 2, "loanPurposeDescription": "Habitação própria",
		"productPurposeID": 3, "productPurposeDescription": "Aquisição", "hasCrossSelling": false, "acquisitionAmount": 225000.25,
		"processPhaseID": 1, "processPhaseDescription": "Preparação", "lastActionDescription": "Novo proponente"}`
	_, config := overTCP(t, text(200, body))
	got, err := as(t, config, maria).Process(t.Context(), process)
	if err != nil {
		t.Fatal(err)
	}
	wantSameJSON(t, inClear(t, got), []byte(body))
	if printed := fmt.Sprintf("%+v", got); strings.Contains(printed, "180000.5") || strings.Contains(printed, "225000.25") {
		t.Errorf("an amount is printed: %s", printed)
	}
}

func TestMomentsAreReadInWhicheverFormTheyCome(t *testing.T) {
	for in, want := range map[string]string{
		`"2026-11-22T21:37:56Z"`:          "2026-11-22T21:37:56Z",
		`"2026-07-01T10:00:00.1234567"`:   "2026-07-01T09:00:00Z", // summer time in Lisbon
		`"2026-12-01T10:00:00"`:           "2026-12-01T10:00:00Z",
		`"2026-12-01"`:                    "2026-12-01T00:00:00Z",
		`"2026-11-22T21:37:56.123+02:00"`: "2026-11-22T19:37:56Z",
		`"yesterday"`:                     "0001-01-01T00:00:00Z",
		`null`:                            "0001-01-01T00:00:00Z",
		`20261122`:                        "0001-01-01T00:00:00Z",
	} {
		var got portal.Time
		if err := json.Unmarshal([]byte(in), &got); err != nil || got.UTC().Format(time.RFC3339) != want {
			t.Errorf("%s: got %v, %v, want %s", in, got, err, want)
		}
	}
}

func esis(pdf []byte) http.HandlerFunc {
	return text(200, `{"esis": "`+base64.StdEncoding.EncodeToString(pdf)+`"}`)
}

func TestAnESISIsAPDFOfBearableSize(t *testing.T) {
	pdf := append([]byte("%PDF-1.7\n"), make([]byte, 64<<10)...) // more than another reply may have
	bank, config := overTCP(t, inTurn(
		esis(pdf),
		text(503, ""), esis(pdf), // making one is a read
		esis([]byte("PK\x03\x04 a zip")), text(200, `{"esis": "not base64!"}`), text(200, `{"esis": null}`), text(200, `{}`), text(204, ""),
		esis(append([]byte("%PDF-1.7\n"), make([]byte, 100<<10)...)),
	))
	config.MaxReply, config.MaxContent = 32<<10, 96<<10
	user := as(t, config, maria)
	for _, ignore := range []bool{false, true} {
		got, err := user.ProcessESIS(t.Context(), process, portal.ESISOptions{IgnoreRules: ignore})
		if err != nil || string(contentOf(t, got.File)) != string(pdf) {
			t.Fatalf("got %v, %v", got, err)
		}
	}
	for i, want := range []string{"", "ignoreRules=true", "ignoreRules=true"} {
		if got := bank.calls[i].URL.RawQuery; got != want {
			t.Errorf("call %d asks %q, want %q", i, got, want)
		}
	}
	for range 6 {
		_, err := user.ProcessESIS(t.Context(), process, portal.ESISOptions{})
		wantKind(t, err, portal.Garbled)
	}
}

// contentOf returns the content of a document and closes it.
func contentOf(t *testing.T, file *spool.File) []byte {
	t.Helper()
	defer file.Close()
	reader, err := file.Open()
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestAnESISPrintsAsItsSize(t *testing.T) {
	content, err := spool.Read(strings.NewReader("%PDF-1.7 Maria Exemplo"), 100)
	if err != nil {
		t.Fatal(err)
	}
	document := portal.ESIS{File: content}
	if got := fmt.Sprintf("%v %+v %#v %s", document, document, document, document); strings.Contains(got, "Maria") || strings.Contains(got, "37") {
		t.Errorf("got %s", got)
	}
}
