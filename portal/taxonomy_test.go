package portal_test

import (
	"net/http"
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
