package sandbox_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/balcao/balcao/portal/sandbox"
)

func TestAProcessIsChangedAndSubmittedOnlyInCreation(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	open, later := processPath(sandbox.SampleOpen), processPath(sandbox.SampleCouple)
	whole := `{"loanAmount":70000,"loanDurationMonths":240,"productSchemeId":1,"loanPurposeId":1,"productPurposeId":1,"branchId":102}`
	for _, c := range []struct {
		method, path, body string
		code               string // of an error, or of success
	}{
		{"PUT", open, `{"loanAmount":0}`, "050004"},
		{"PUT", open, `{"loanDurationMonths":601}`, "050004"},
		{"PUT", open, `{"productSchemeId":77}`, "050003"},
		{"PUT", open, `{"loanamount":1}`, "050006"},
		{"PUT", later, whole, "040003"},
		{"PUT", processPath(sandbox.SampleClosed), whole, "040002"},
		{"PUT", open, `{"loanDurationMonths":240}`, "040201"}, // the amount is omitted, and cleared
		{"POST", open + "/submit", ``, "040005"},
		{"PUT", open, whole, "040201"},
		{"POST", open + "/submit", ``, "040301"},
		{"POST", open + "/submit", ``, "040003"},
		{"DELETE", open + "/cancel", ``, "040010"},
		{"DELETE", open + "/cancel?proposalCancelReasonId=77", ``, "040010"},
		{"DELETE", open + "/cancel?proposalCancelReasonId=2", ``, "040401"},
		{"DELETE", open + "/cancel?proposalCancelReasonId=2", ``, "040002"},
		{"POST", "/v1/processes", `{"simulationUniqueId":"` + sandbox.SampleProcess(1).String() + `"}`, "010011"},
		{"POST", "/v1/processes", `{"loanAmount":1000}`, "040101"},
	} {
		got := d.call(t, c.method, c.path, c.body)
		if !strings.Contains(got.body, c.code) || (got.status == http.StatusOK) != strings.HasSuffix(c.code, "01") {
			t.Errorf("%s %s %s: %d %s, want %s", c.method, c.path, c.body, got.status, got.body, c.code)
		}
	}
	if _, numbers := d.processes(t, ""); numbers[0] != 3001 {
		t.Errorf("the broker has %v", numbers)
	}
}

func TestMessagesAreStoredAndPaged(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	path := processPath(sandbox.SampleAnalysis) + "/message"
	for query, want := range map[string]string{"": "20", "?pageNumber=2": "3", "?pageSize=5&pageNumber=5": "3", "?pageNumber=9": "0"} {
		got := d.get(t, path+query).object(t)
		if fmt.Sprint(got["count"]) != want || fmt.Sprint(got["totalCount"]) != "23" || len(got["messageList"].([]any)) != int(got["count"].(float64)) {
			t.Errorf("%s: %v of %v, want %s", query, got["count"], got["totalCount"], want)
		}
	}
	for body, code := range map[string]string{
		`{"subject":"a"}`:            "050001",
		`{"subject":" ","text":"b"}`: "050001",
		`{"subject":"a","text":"` + strings.Repeat("ç", 4001) + `"}`: "050004",
		`{"subject":"a","text":"b","to":"c"}`:                        "050006",
		`{"subject":"a","text":"` + strings.Repeat("ç", 4000) + `"}`: "090101",
	} {
		if got := d.call(t, "POST", path, body); !strings.Contains(got.body, code) {
			t.Errorf("%.60s: %d %.200s, want %s", body, got.status, got.body, code)
		}
	}
	newest := d.get(t, path).object(t)["messageList"].([]any)[0].(map[string]any)
	if newest["userName"] != sandbox.BrokerA.Users[0] || newest["sentByBank"] != false {
		t.Errorf("the newest is by %v", newest["userName"])
	}
}
