package taxonomies_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

func TestATaxonomyIsSearchedWithoutAccents(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	result, failure := e.Call(t, "search_taxonomy", `{"taxonomy":"keyBorrowerRelations","text":"CONJUGE"}`, func(r *tools.Request) { r.Actor.Lang = words.Portuguese })
	if failure != nil {
		t.Fatal(failure)
	}
	if rows := result.Card.Table.Rows; len(rows) != 1 || rows[0][1] != "Cônjuge" {
		t.Errorf("got %q", rows)
	}
}

func TestAnUnknownTaxonomyIsRefusedWithoutRepeatingItsName(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	_, failure := e.Call(t, "search_taxonomy", `{"taxonomy":"Maria Exemplo"}`)
	if failure == nil || failure.Kind != tools.Invalid || failure.Problems[0].Code != "kind.taxonomy" || strings.Contains(failure.Error(), "Maria") {
		t.Errorf("got %v", failure)
	}
}

func TestAListIsNamedInWordsAndByThem(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	for lang, want := range map[words.Lang]string{words.Portuguese: "Estado civil", words.English: "Marital status"} {
		result, failure := e.Call(t, "search_taxonomy", `{"taxonomy":"estado civil"}`, func(r *tools.Request) { r.Actor.Lang = lang })
		if failure != nil {
			t.Fatal(failure)
		}
		if result.Card.Title != want {
			t.Errorf("in %s the card is called %q, want %q", lang, result.Card.Title, want)
		}
	}
}

func TestAMissingListIsReportedAsAWrongSetting(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	e.Bank.Inject(sandbox.Fault{Operation: "gendersGet", Status: http.StatusNotFound})
	_, failure := e.Call(t, "search_taxonomy", `{"taxonomy":"genders"}`)
	if failure == nil || failure.Kind != tools.Misconfigured || !strings.Contains(failure.What(words.English), "the bank has no list «Gender»") {
		t.Errorf("got %v: %q", failure, failure.What(words.English))
	}
}
