package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal/sandbox"
)

type processPage struct {
	TotalRecords   int
	HasMoreResults bool
	ProcessList    []struct {
		ProcessUniqueID          uuid.UUID
		ProcessNumber            int
		BorrowerName             string
		ProcessStatusDescription string
	}
}

func (d *harness) processes(t *testing.T, query string) (page processPage, numbers []int) {
	t.Helper()
	got := d.get(t, "/v1/processes?"+query)
	if err := json.Unmarshal([]byte(got.body), &page); err != nil || got.status != http.StatusOK {
		t.Fatalf("%s: %d %s", query, got.status, got.body)
	}
	for _, p := range page.ProcessList {
		numbers = append(numbers, p.ProcessNumber)
	}
	return page, numbers
}

func TestTheListShowsABrokersProcessesNewestFirst(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	page, own := d.processes(t, "")
	if !slices.Equal(own, []int{1050, 1049, 1048, 1047, 1046, 1045, 1044, 1043, 1042}) || page.TotalRecords != 9 || page.HasMoreResults {
		t.Errorf("broker A has %v (%d, more: %t)", own, page.TotalRecords, page.HasMoreResults)
	}
	if first := page.ProcessList[8]; first.BorrowerName != "Maria Exemplo" || first.ProcessStatusDescription != "In Creation" {
		t.Errorf("the first process says %+v", first)
	}
	_, others := d.as(t, sandbox.BrokerB, 1).processes(t, "")
	if !slices.Equal(others, []int{1055, 1054, 1053, 1052, 1051}) {
		t.Errorf("broker B has %v", others)
	}
}

func TestTheListIsNarrowedByWhatTheCallerAsks(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	for query, want := range map[string][]int{
		"filterByText=maria":                      {1042},
		"filterByText=" + url.QueryEscape("Inês"): {1043}, // not the key borrower
		"filterByText=29900001":                   {1042},
		"filterByText=coimbra":                    {1048, 1045},
		"filterByText=1045":                       {1045},
		"filterByText=nobody":                     nil,
		"filterProcessStatus=2":                   {1047, 1043},
		"filterProcessStatus=2&filterByText=rui":  {1043},
		"filterStatusLastDateFrom=2026-11-19":     {1047, 1043, 1042},
		"filterStatusLastDateTo=2026-10-30":       {1050, 1049},
		"filterStatusLastDateFrom=2026-11-15&filterStatusLastDateTo=2026-11-15": {1044},
	} {
		if page, got := d.processes(t, query); !slices.Equal(got, want) || page.TotalRecords != len(want) {
			t.Errorf("%s: %v (%d), want %v", query, got, page.TotalRecords, want)
		}
	}
}

func TestTheListIsTurnedPageByPageBothWays(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	var read []int
	query := "lineCount=4"
	for more := true; more; {
		page, numbers := d.processes(t, query)
		read = append(read, numbers...)
		more = page.HasMoreResults
		query = "lineCount=4&nextRecord=" + page.ProcessList[len(numbers)-1].ProcessUniqueID.String()
	}
	if !slices.Equal(read, []int{1050, 1049, 1048, 1047, 1046, 1045, 1044, 1043, 1042}) {
		t.Errorf("the pages have %v", read)
	}
	if _, back := d.processes(t, "lineCount=4&previousRecord="+sandbox.SampleProcess(1046).String()); !slices.Equal(back, []int{1050, 1049, 1048, 1047}) {
		t.Errorf("the page before 1046 has %v", back)
	}
}

func TestAListQueryThatIsNotUnderstoodIsRefused(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	foreign := sandbox.SampleProcess(sandbox.SampleOthers).String()
	own := sandbox.SampleProcess(sandbox.SampleOpen).String()
	for _, query := range []string{"text=x", "lineCount=0", "lineCount=many", "filterProcessStatus=8", "filterStatusLastDateFrom=22-11-2026",
		"nextRecord=1042", "nextRecord=" + foreign, "previousRecord=" + foreign, "nextRecord=" + own + "&previousRecord=" + own} {
		if got := d.get(t, "/v1/processes?"+query); got.status != http.StatusBadRequest || !strings.HasPrefix(got.errorsOf(t)[0], "000007") {
			t.Errorf("%s: %d %s", query, got.status, got.body)
		}
	}
}

func TestTheDetailShowsTheLoan(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	got := d.get(t, processPath(sandbox.SampleOpen)).object(t)
	for field, want := range map[string]any{
		"processUniqueID": sandbox.SampleProcess(sandbox.SampleOpen).String(), "processNumber": 1042.0, "simulationNumber": 2017.0,
		"branchDescription": "Lisboa – Sample", "processStatusDescription": "In Creation", "creationDate": "2026-11-20T10:00:00Z",
		"loanAmount": 60_000.0, "loanDurationMonths": 120.0, "loanPurposeDescription": "Own permanent home", "hasCrossSelling": true,
		"processPhaseID": 1.0, "processPhaseDescription": "Preparation", "acquisitionAmount": 150_000.0,
		"lastActionDescription": "Process created", "productPurposeDescription": "Purchase",
	} {
		if got[field] != want {
			t.Errorf("%s is %v, want %v", field, got[field], want)
		}
	}
}

func TestTheDetailShowsWhatWasLastDone(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	process := sandbox.SampleProcess(sandbox.SampleOpen)
	last := func() string {
		t.Helper()
		return fmt.Sprint(d.get(t, processPath(sandbox.SampleOpen)).object(t)["lastActionDescription"])
	}
	for _, c := range []struct {
		do   func() error
		want string
	}{
		{func() error { return d.WriteMessage(process) }, "Message from the bank"},
		{func() error { return d.AskForDocument(process) }, "Document requested"},
		{func() error { return d.Touch(process) }, "Document requested"},
		{func() error { return d.Advance(process) }, "State changed to Documents"},
		{func() error {
			d.call(t, "POST", borrowersPath(sandbox.SampleOpen), newBorrower(nil)).object(t)
			return nil
		}, "Borrower added"},
	} {
		if err := c.do(); err != nil || last() != c.want {
			t.Errorf("last was %q, want %q (%v)", last(), c.want, err)
		}
	}
	added := borrowersPath(sandbox.SampleOpen) + "/" + d.Borrowers(process)[1].String()
	for _, c := range []struct{ method, body, want string }{
		{"PUT", newBorrower(nil), "Borrower updated"}, {"DELETE", "", "Borrower deleted"},
	} {
		d.call(t, c.method, added, c.body).object(t)
		if last() != c.want {
			t.Errorf("last was %q, want %q", last(), c.want)
		}
	}
	d.lang = "pt-PT"
	if last() != "Proponente eliminado" {
		t.Errorf("in Portuguese last was %q", last())
	}
}
