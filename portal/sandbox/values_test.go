package sandbox_test

import (
	"net/http"
	"testing"

	"github.com/balcao/balcao/portal/sandbox"
)

// The bank calls its key borrower «1.º Titular», and says in the profile that 7 is married.
const otherLists = `
[taxonomies.lists.borrowerTypes]
items = [{ id = 3, pt = "1.º Titular", en = "1st holder" }, { id = 5, pt = "Fiador", en = "Guarantor" }]
[taxonomies.lists.maritalStatuses]
items = [{ id = 7, pt = "C", en = "C" }, { id = 8, pt = "S", en = "S" }]
[meanings]
maritalStatuses.married.ids = [7]
[rules]
"borrower.key_unique" = "error"
`

func TestTheSamplesHaveTheIDsOfTheProfilesLists(t *testing.T) {
	d := newHarness(t, withProfile(t, otherLists))
	path := func(process, index int) string {
		return borrowersPath(process) + "/" + sandbox.SampleBorrower(process, index).String()
	}
	for index, want := range []struct {
		kind        float64
		description string
	}{{3, "1st holder"}, {5, "Guarantor"}} {
		got := d.get(t, path(sandbox.SampleCouple, index)).object(t)
		if got["borrowerTypeID"] != want.kind || got["borrowerTypeDescription"] != want.description {
			t.Errorf("borrower %d is of the type %v, %v", index, got["borrowerTypeID"], got["borrowerTypeDescription"])
		}
		if personal := got["borrowerPersonalData"].(map[string]any); personal["maritalStatusID"] != 7.0 || personal["maritalStatusDescription"] != "C" {
			t.Errorf("borrower %d has the marital status %v, %v", index, personal["maritalStatusID"], personal["maritalStatusDescription"])
		}
	}
	if refused := d.call(t, "DELETE", path(sandbox.SampleCouple, 0), ""); refused.status != http.StatusBadRequest {
		t.Errorf("the key borrower is deleted: %d", refused.status)
	}
	for kind, want := range map[int]int{1: http.StatusBadRequest, 3: http.StatusBadRequest, 5: http.StatusOK} {
		body := newBorrower(func(b borrowerJSON) { b["borrowerTypeId"] = kind })
		if got := d.call(t, "POST", borrowersPath(sandbox.SampleOpen), body); got.status != want {
			t.Errorf("a borrower of the type %d: %d %s", kind, got.status, got.body)
		}
	}
}
