package sandbox_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
)

func borrowerPath(number, index int) string {
	return borrowersPath(number) + "/" + sandbox.SampleBorrower(number, index).String()
}

// wantStatus wants a success with the code of the bank's table.
func wantStatus(t *testing.T, got response, code string) {
	t.Helper()
	var written struct {
		OperationStatus struct{ OperationStatusCode, OperationStatusMessage string }
	}
	if err := json.Unmarshal([]byte(got.body), &written); err != nil || got.status != http.StatusOK {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if n := written.OperationStatus; n.OperationStatusCode != code || n.OperationStatusMessage == "" {
		t.Errorf("got %+v, want code %s", n, code)
	}
}

func TestAnUpdateReplacesTheWholeBorrower(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	path := borrowerPath(sandbox.SampleCouple, 1)
	before := d.get(t, path).object(t)
	wantStatus(t, d.call(t, "PUT", path, newBorrower(nil)), "050201")

	after := d.get(t, path).object(t)
	if before["borrowerUniqueID"] != after["borrowerUniqueID"] || before["borrowerProfessionalData"] == nil {
		t.Fatalf("before: %v", before)
	}
	if after["borrowerProfessionalData"] != nil || after["keyBorrowerRelationID"] != nil {
		t.Errorf("what was omitted is still there: %v", after)
	}
	personal := after["borrowerPersonalData"].(map[string]any)
	if personal["name"] != "Vera Exemplar" || personal["address"] != nil || personal["maritalStatusID"] != nil {
		t.Errorf("got %v", personal)
	}
	if others := d.get(t, borrowerPath(sandbox.SampleCouple, 0)).object(t); others["borrowerPersonalData"].(map[string]any)["name"] != "Rui Amostra" {
		t.Errorf("the other borrower is %v", others)
	}
}

func TestAnUpdateIsCheckedLikeACreateAgainstTheOtherBorrowers(t *testing.T) {
	keyTaxID := func(d *harness) string {
		personal := d.get(t, borrowerPath(sandbox.SampleCouple, 0)).object(t)["borrowerPersonalData"].(map[string]any)
		return personal["taxID"].(string)
	}
	ownTaxID := func(d *harness) string {
		personal := d.get(t, borrowerPath(sandbox.SampleCouple, 1)).object(t)["borrowerPersonalData"].(map[string]any)
		return personal["taxID"].(string)
	}
	set := func(field string, value any) func(*harness, borrowerJSON) {
		return func(_ *harness, b borrowerJSON) { b.personal()[field] = value }
	}
	ofType := func(id int) func(*harness, borrowerJSON) {
		return func(_ *harness, b borrowerJSON) { b["borrowerTypeId"] = id }
	}
	for name, c := range map[string]struct {
		path   string
		change func(*harness, borrowerJSON)
		want   string // the error, "" for success
	}{
		"its own tax number":            {borrowerPath(sandbox.SampleCouple, 1), func(d *harness, b borrowerJSON) { b.personal()["taxId"] = ownTaxID(d) }, ""},
		"another's tax number":          {borrowerPath(sandbox.SampleCouple, 1), func(d *harness, b borrowerJSON) { b.personal()["taxId"] = keyTaxID(d) }, "050608 personalDataBorrowerRequest.taxId"},
		"a field that is wrong":         {borrowerPath(sandbox.SampleCouple, 1), set("email", "vera@"), "050902 personalDataBorrowerRequest.email"},
		"a field that is missing":       {borrowerPath(sandbox.SampleCouple, 1), func(_ *harness, b borrowerJSON) { delete(b.personal(), "name") }, "050401 personalDataBorrowerRequest.name"},
		"a field nobody knows":          {borrowerPath(sandbox.SampleCouple, 1), set("taxID", "299999998"), "050006 personalDataBorrowerRequest.taxID"},
		"a second key borrower":         {borrowerPath(sandbox.SampleCouple, 1), ofType(1), "050107 borrowerTypeId"},
		"the key borrower stays it":     {borrowerPath(sandbox.SampleCouple, 0), ofType(1), ""},
		"the key borrower's other type": {borrowerPath(sandbox.SampleCouple, 0), ofType(2), "050110 borrowerTypeId"},
		"a closed process":              {borrowerPath(sandbox.SampleClosed, 1), ofType(2), "040002"},
		"a cancelled process":           {borrowerPath(sandbox.SampleCancelled, 0), ofType(1), "040002"},
		"a borrower of another process": {borrowersPath(sandbox.SampleOpen) + "/" + sandbox.SampleBorrower(sandbox.SampleCouple, 1).String(), ofType(2), "050001"},
		"a borrower nobody knows":       {borrowersPath(sandbox.SampleOpen) + "/" + uuid.NewString(), ofType(2), "050001"},
		"no uuid":                       {borrowersPath(sandbox.SampleOpen) + "/1", ofType(2), "000006 borrowerUniqueId"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newHarness(t, sandbox.Config{Profile: sandbox.WithRules(sandbox.EveryRule(profile.Error))})
			body := newBorrower(func(b borrowerJSON) { c.change(d, b) })
			before := d.get(t, c.path)
			got := d.call(t, "PUT", c.path, body)
			if c.want == "" {
				wantStatus(t, got, "050201")
				return
			}
			if got.status != http.StatusBadRequest || !slices.Equal(got.errorsOf(t), []string{c.want}) {
				t.Errorf("%d %s, want %s", got.status, got.body, c.want)
			}
			if after := d.get(t, c.path); after.body != before.body {
				t.Errorf("a refused update changed the borrower: %s", cmp.Diff(before.body, after.body))
			}
		})
	}
}

func TestADeletedBorrowerIsGoneAndMakesRoom(t *testing.T) {
	d := newHarness(t, sandbox.Config{Profile: sandbox.WithRules(sandbox.EveryRule(profile.Error))})
	path := borrowerPath(sandbox.SampleCouple, 1)
	taxID := d.get(t, path).object(t)["borrowerPersonalData"].(map[string]any)["taxID"]
	wantStatus(t, d.call(t, "DELETE", path, ""), "050401")
	if got := d.Borrowers(sandbox.SampleProcess(sandbox.SampleCouple)); len(got) != 1 || got[0] != sandbox.SampleBorrower(sandbox.SampleCouple, 0) {
		t.Errorf("left are %v", got)
	}
	if again := d.call(t, "DELETE", path, ""); again.status != http.StatusBadRequest || again.errorsOf(t)[0] != "050001" {
		t.Errorf("deleted once more: %d %s", again.status, again.body)
	}
	back := newBorrower(func(b borrowerJSON) { b.personal()["taxId"] = taxID })
	if got := d.call(t, "POST", borrowersPath(sandbox.SampleCouple), back); got.status != http.StatusOK {
		t.Errorf("created anew: %d %s", got.status, got.body)
	}
}

func TestADeleteThatIsRefusedDeletesNobody(t *testing.T) {
	for name, c := range map[string]struct{ path, want string }{
		"the key borrower":              {borrowerPath(sandbox.SampleCouple, 0), "050011"},
		"of a closed process":           {borrowerPath(sandbox.SampleClosed, 1), "040002"},
		"of a cancelled process":        {borrowerPath(sandbox.SampleCancelled, 0), "040002"},
		"a borrower of another process": {borrowersPath(sandbox.SampleOpen) + "/" + sandbox.SampleBorrower(sandbox.SampleCouple, 1).String(), "050001"},
		"a borrower nobody knows":       {borrowersPath(sandbox.SampleOpen) + "/" + uuid.NewString(), "050001"},
	} {
		d := newHarness(t, sandbox.Config{Profile: sandbox.WithRules(sandbox.EveryRule(profile.Error))})
		count := func() (n int) {
			for _, number := range []int{sandbox.SampleOpen, sandbox.SampleCouple, sandbox.SampleClosed, sandbox.SampleCancelled} {
				n += len(d.Borrowers(sandbox.SampleProcess(number)))
			}
			return n
		}
		before := count()
		if got := d.call(t, "DELETE", c.path, ""); got.status != http.StatusBadRequest || got.errorsOf(t)[0] != c.want {
			t.Errorf("%s: %d %s, want %s", name, got.status, got.body, c.want)
		}
		if count() != before {
			t.Errorf("%s: somebody is gone", name)
		}
	}
}

func emailPath(number int, query url.Values) string {
	return processPath(number) + "/esis/email?" + query.Encode()
}

func TestAnESISIsSentToTheAddressAndWrittenDown(t *testing.T) {
	d := newHarness(t, sandbox.Config{Profile: sandbox.WithRules(sandbox.EveryRule(profile.Error))})
	wantStatus(t, d.get(t, emailPath(sandbox.SampleOpen, url.Values{"sendAddress": {"maria+casa@example.com"}})), "070501")
	wantStatus(t, d.get(t, emailPath(sandbox.SampleTooOld, url.Values{"sendAddress": {"oscar@example.com"}, "ignoreRules": {"true"}})), "070501")
	sent := d.Sent()
	if len(sent) != 2 {
		t.Fatalf("%d were sent", len(sent))
	}
	for i, want := range []struct {
		number int
		to     string
		ignore bool
	}{{sandbox.SampleOpen, "maria+casa@example.com", false}, {sandbox.SampleTooOld, "oscar@example.com", true}} {
		if got := sent[i]; got.Process != sandbox.SampleProcess(want.number) || got.To.Reveal() != want.to || got.IgnoreRules != want.ignore || !got.At.Equal(d.clock.Now()) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestAnESISThatCannotBeMadeOrSentIsNotSent(t *testing.T) {
	d := newHarness(t, sandbox.Config{Profile: sandbox.WithRules(sandbox.EveryRule(profile.Error))})
	to := func(address string) url.Values { return url.Values{"sendAddress": {address}} }
	for name, c := range map[string]struct{ path, want string }{
		"no address":             {emailPath(sandbox.SampleOpen, nil), "070005 sendAddress"},
		"an empty address":       {emailPath(sandbox.SampleOpen, to("")), "070005 sendAddress"},
		"no domain":              {emailPath(sandbox.SampleOpen, to("maria@")), "070005 sendAddress"},
		"a name beside":          {emailPath(sandbox.SampleOpen, to("Maria <maria@example.com>")), "070005 sendAddress"},
		"two addresses":          {emailPath(sandbox.SampleOpen, to("maria@example.com,rui@example.com")), "070005 sendAddress"},
		"a line of its own":      {emailPath(sandbox.SampleOpen, to("maria@example.com\r\nBcc: rui@example.com")), "070005 sendAddress"},
		"too long an address":    {emailPath(sandbox.SampleOpen, to(strings.Repeat("m", 250)+"@example.com")), "070005 sendAddress"},
		"rules that are a maybe": {emailPath(sandbox.SampleOpen, url.Values{"sendAddress": {"maria@example.com"}, "ignoreRules": {"maybe"}}), "000007"},
		"another parameter":      {emailPath(sandbox.SampleOpen, url.Values{"sendAddress": {"maria@example.com"}, "address": {"x"}}), "000007"},
		"too old at the end":     {emailPath(sandbox.SampleTooOld, to("oscar@example.com")), "070001"},
		"a cancelled process":    {emailPath(sandbox.SampleCancelled, to("miguel@example.com")), "070004"},
	} {
		if got := d.get(t, c.path); got.status != http.StatusBadRequest || !slices.Equal(got.errorsOf(t), []string{c.want}) || strings.Contains(got.body, "example.com") {
			t.Errorf("%s: %d %s, want %s", name, got.status, got.body, c.want)
		}
	}
	if sent := d.Sent(); len(sent) != 0 {
		t.Errorf("%d were sent", len(sent))
	}
}
