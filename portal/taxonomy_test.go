package portal_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/balcao/balcao/portal"
)

func TestTaxonomiesAreReadFromPathsLikeTheirTitles(t *testing.T) {
	bank, config := overTCP(t, text(200, `[{"id": 1, "description": "x"}]`))
	user := as(t, config, maria)
	asked := map[portal.TaxonomyKey]string{}
	for _, key := range portal.Taxonomies() {
		items, err := user.Taxonomy(t.Context(), key)
		if err != nil || len(items) == 0 {
			t.Fatalf("%s: got %v, %v", key, items, err)
		}
		if _, calls := bank.seen(); calls > len(asked) {
			asked[key] = bank.calls[calls-1].URL.Path
		}
	}
	for _, key := range portal.Taxonomies() {
		if own := user.OwnList(key); own != (asked[key] == "") {
			t.Errorf("%s is Balcão's own list: %v", key, own)
		}
		if local := portal.LocalTaxonomy(key, "en") != nil; local != (asked[key] == "") {
			t.Errorf("%s is read from %q, and is local: %v", key, asked[key], local)
		}
	}
	for key, path := range map[portal.TaxonomyKey]string{
		"maritalStatuses":      "/v1/taxonomy/marital-statuses",
		"keyBorrowerRelations": "/v1/taxonomy/key-borrower-relations",
		"brokerIVARegimes":     "/v1/taxonomy/broker-iva-regimes",
		"genders":              "/v1/taxonomy/genders",
		"borrowerTypes":        "",
		"academicLevels":       "",
	} {
		if asked[key] != path {
			t.Errorf("%s is read from %q, want %q", key, asked[key], path)
		}
	}
}

func TestATaxonomyIsReadInWhicheverShapeItComes(t *testing.T) {
	want := []portal.TaxonomyItem{{ID: 1, Description: "Solteiro"}, {ID: 3, Description: "Casado"}}
	for _, body := range []string{
		`[{"id": 1, "description": "Solteiro"}, {"id": 3, "description": "Casado"}]`,
		`{"maritalStatusList": [{"id": 1, "description": "Solteiro"}, {"id": 3, "description": "Casado"}]}`,
		`{"totalCount": 2, "items": [{"maritalStatusID": 1, "maritalStatusDescription": "Solteiro"}, {"maritalStatusID": 3, "maritalStatusDescription": "Casado"}]}`,
		`[{"ID": 1, "Description": "Solteiro", "active": true}, {"ID": 3, "Description": "Casado", "active": true}]`,
	} {
		_, config := overTCP(t, text(200, body))
		got, err := as(t, config, maria).Taxonomy(t.Context(), "maritalStatuses")
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: got %v, %v", body, got, err)
		}
	}
	for _, body := range []string{`{}`, `[{"id": "one", "description": "x"}]`, `[{"id": 1}]`, `[1, 2]`, `{"a": [], "b": []}`, `[{"id": 4294967296, "description": "x"}]`} {
		_, config := overTCP(t, text(200, body))
		_, err := as(t, config, maria).Taxonomy(t.Context(), "maritalStatuses")
		wantKind(t, err, portal.Garbled)
	}
}

func TestParentsAndChildrenAreKeptInWhicheverShapeTheyCome(t *testing.T) {
	oeiras := portal.TaxonomyItem{ID: 10, Description: "Oeiras", ParentID: 11}
	lisboa := portal.TaxonomyItem{ID: 11, Description: "Lisboa", Children: []portal.TaxonomyItem{oeiras}}
	for name, c := range map[string]struct {
		key  portal.TaxonomyKey
		body string
		want []portal.TaxonomyItem
	}{
		"a parent":               {"counties", `[{"id": 10, "description": "Oeiras", "parentID": 11}]`, []portal.TaxonomyItem{oeiras}},
		"a parent by its name":   {"counties", `{"countyList": [{"countyID": 10, "countyDescription": "Oeiras", "districtID": 11, "districtDescription": "Lisboa"}]}`, []portal.TaxonomyItem{oeiras}},
		"children":               {"districtsWithCounties", `[{"id": 11, "description": "Lisboa", "children": [{"id": 10, "description": "Oeiras"}]}]`, []portal.TaxonomyItem{lisboa}},
		"children by their name": {"districtsWithCounties", `[{"districtID": 11, "districtDescription": "Lisboa", "counties": [{"countyID": 10, "countyDescription": "Oeiras"}]}]`, []portal.TaxonomyItem{lisboa}},
		"children of children": {"countryWithDistricts", `[{"id": 1, "description": "Portugal", "districts": [{"id": 11, "description": "Lisboa", "counties": [{"id": 10, "description": "Oeiras"}]}]}]`,
			[]portal.TaxonomyItem{{ID: 1, Description: "Portugal", Children: []portal.TaxonomyItem{{ID: 11, Description: "Lisboa", ParentID: 1, Children: []portal.TaxonomyItem{oeiras}}}}}},
	} {
		_, config := overTCP(t, text(200, c.body))
		got, err := as(t, config, maria).Taxonomy(t.Context(), c.key)
		if err != nil || !cmp.Equal(got, c.want) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func TestATaxonomyWithPagesIsReadWhole(t *testing.T) {
	page := func(more string, ids ...int) string {
		var items []string
		for _, id := range ids {
			items = append(items, fmt.Sprintf(`{"id": %d, "description": "x"}`, id))
		}
		return fmt.Sprintf(`{%s, "items": [%s]}`, more, strings.Join(items, ","))
	}
	for name, pages := range map[string][]string{
		"with a total":            {page(`"totalCount": 5`, 1, 2), page(`"totalCount": 5`, 3, 4), page(`"totalCount": 5`, 5)},
		"with a total of records": {page(`"totalRecords": 5`, 1, 2), page(`"totalRecords": 5`, 3, 4), page(`"totalRecords": 5`, 5)},
		"with a flag":             {page(`"hasMoreResults": true`, 1, 2), page(`"hasMoreResults": true`, 3, 4), page(`"hasMoreResults": false`, 5)},
	} {
		_, config := overTCP(t, func(w http.ResponseWriter, r *http.Request) {
			number := 1
			if given := r.URL.Query().Get("pageNumber"); given != "" {
				number, _ = strconv.Atoi(given)
			}
			text(200, pages[min(number, len(pages))-1])(w, r)
		})
		got, err := as(t, config, maria).Taxonomy(t.Context(), "notificationTypes")
		if err != nil || len(got) != 5 || got[4].ID != 5 {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func TestWhatTheBankHasNoOperationForIsKnownHereInBothLanguages(t *testing.T) {
	client, err := portal.New(settings("http://127.0.0.1:1", &http.Transport{})) // nobody is asked
	if err != nil {
		t.Fatal(err)
	}
	for language, want := range map[string][]portal.TaxonomyItem{
		"pt-PT": {{ID: 1, Description: "Proponente principal"}, {ID: 2, Description: "Proponente"}},
		"en":    {{ID: 1, Description: "Key borrower"}, {ID: 2, Description: "Borrower"}},
	} {
		got, err := client.As(maria, language).Taxonomy(t.Context(), "borrowerTypes")
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: got %v, %v", language, got, err)
		}
	}
	for _, key := range []portal.TaxonomyKey{"borrowerTypes", "academicLevels"} {
		for _, item := range append(portal.LocalTaxonomy(key, "en"), portal.LocalTaxonomy(key, "pt-PT")...) {
			if strings.Contains(item.Description, string(key)) {
				t.Errorf("%s %d has no words", key, item.ID)
			}
		}
	}
}

func TestAnUnknownTaxonomyIsNotAskedFor(t *testing.T) {
	bank, config := overTCP(t, text(200, "[]"))
	user := as(t, config, maria)
	for _, key := range []portal.TaxonomyKey{"", "borrower", "processESIS", "maritalStatusesGet", "../x"} {
		if items, err := user.Taxonomy(t.Context(), key); err == nil {
			t.Errorf("%q: got %v", key, items)
		}
	}
	bank.wantSeen(t, 0, 0)
}
