package taxonomies_test

import (
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

func TestATaxonomyIsSearchedWithoutMindingAccents(t *testing.T) {
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

func TestAListThatIsNoneIsRefusedWithoutRepeatingIt(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	_, failure := e.Call(t, "search_taxonomy", `{"taxonomy":"Maria Exemplo"}`)
	if failure == nil || failure.Kind != tools.Invalid || failure.Problems[0].Code != "kind.taxonomy" || strings.Contains(failure.Error(), "Maria") {
		t.Errorf("got %v", failure)
	}
}
