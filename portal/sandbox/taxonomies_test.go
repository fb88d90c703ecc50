package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
)

type listed struct {
	ID          int32
	Description string
	ParentID    int32
	Children    []listed
}

type listedPage struct {
	TotalCount, Count int
	TaxonomyList      []listed
}

func taxonomyPage(t *testing.T, d *harness, path string) (page listedPage) {
	t.Helper()
	got := d.get(t, path)
	if err := json.Unmarshal([]byte(got.body), &page); err != nil || got.status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, got.status, got.body)
	}
	return page
}

// byTaxonomy lists the operations of the client's table that read a taxonomy.
func byTaxonomy() map[portal.TaxonomyKey]portal.Operation {
	found := map[portal.TaxonomyKey]portal.Operation{}
	for _, key := range portal.Taxonomies() {
		for _, op := range portal.Operations(profile.Builtin()) {
			if op.ID == key.Operation() {
				found[key] = op
			}
		}
	}
	return found
}

func TestEveryTaxonomyIsServedInBothLanguagesWithDifferentIDs(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	for key, op := range byTaxonomy() {
		d.lang = "pt-PT"
		portuguese := taxonomyPage(t, d, op.Path)
		d.lang = "en"
		english := taxonomyPage(t, d, op.Path)
		if len(english.TaxonomyList) == 0 || len(english.TaxonomyList) != len(portuguese.TaxonomyList) || english.TotalCount != len(english.TaxonomyList) {
			t.Errorf("%s: %d items in English, %d in Portuguese, %d in all", key, len(english.TaxonomyList), len(portuguese.TaxonomyList), english.TotalCount)
			continue
		}
		seen, differ := map[int32]bool{}, false
		for i, item := range english.TaxonomyList {
			if other := portuguese.TaxonomyList[i]; item.Description == "" || other.Description == "" || other.ID != item.ID || seen[item.ID] {
				t.Errorf("%s: %+v and %+v", key, item, other)
			}
			seen[item.ID] = true
			differ = differ || item.Description != portuguese.TaxonomyList[i].Description
		}
		if !differ {
			t.Errorf("%s says the same in both languages", key)
		}
	}
}

func TestTheIDsThatTheBanksExamplesShowAreKept(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	for key, want := range map[portal.TaxonomyKey]listed{
		"countries":                     {ID: 1, Description: "Portugal"},
		"genders":                       {ID: 2, Description: "Male"},
		"maritalStatuses":               {ID: 3, Description: "Married"},
		"matrimonialRegimes":            {ID: 1, Description: "General Communion"},
		"residenceTypes":                {ID: 5, Description: "Own"},
		"identificationDocuments":       {ID: 1, Description: "Citizen Card"},
		"employmentSituations":          {ID: 1, Description: "Self Employed"},
		"employmentContractTypes":       {ID: 1, Description: "Effective"},
		"employmentDepartmentPositions": {ID: 5, Description: "Administrative"},
		"professions":                   {ID: 10, Description: "Construction"},
		"keyBorrowerRelations":          {ID: 1, Description: "Spouse"},
		"workflowStatesProposal":        {ID: 1, Description: "In Creation"},
	} {
		found := false
		for _, item := range taxonomyPage(t, d, byTaxonomy()[key].Path).TaxonomyList {
			found = found || item.ID == want.ID && item.Description == want.Description
		}
		if !found {
			t.Errorf("%s has no %d «%s»", key, want.ID, want.Description)
		}
	}
}

func TestPlacesNestInTheirParents(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	for key, children := range map[portal.TaxonomyKey]portal.TaxonomyKey{
		"countryWithDistricts": "districts", "districtsWithCounties": "counties", "countyWithParishes": "parishes",
	} {
		inside := 0
		for _, parent := range taxonomyPage(t, d, byTaxonomy()[key].Path).TaxonomyList {
			for _, child := range parent.Children {
				if inside++; child.ParentID != parent.ID {
					t.Errorf("%s: %s is in %s", key, child.Description, parent.Description)
				}
			}
		}
		if all := taxonomyPage(t, d, byTaxonomy()[children].Path).TotalCount; inside != all {
			t.Errorf("%s has %d of %d %s", key, inside, all, children)
		}
	}
}

func TestNotificationTypesComeInPages(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	path := byTaxonomy()["notificationTypes"].Path
	all, seen := taxonomyPage(t, d, path).TotalCount, []int32(nil)
	for number := 1; number <= (all+1)/2+1; number++ { // and one after the last
		query := fmt.Sprintf("?pageSize=2&pageNumber=%d", number)
		page := taxonomyPage(t, d, path+query)
		if page.Count != len(page.TaxonomyList) || page.TotalCount != all {
			t.Errorf("%s counts %d of %d", query, page.Count, page.TotalCount)
		}
		for _, item := range page.TaxonomyList {
			seen = append(seen, item.ID)
		}
	}
	if len(seen) != all {
		t.Errorf("the pages have %v", seen)
	}
	for _, query := range []string{"?pageSize=0", "?pageSize=1001", "?pageNumber=-1", "?pageNumber=one", "?page=1", "?pageSize=1&pageSize=2"} {
		if got := d.get(t, path+query); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d", query, got.status)
		}
	}
}
