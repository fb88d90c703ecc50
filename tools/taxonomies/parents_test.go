package taxonomies_test

import (
	"slices"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/taxonomies"
)

func TestItemsAreShownAndFoundWithTheirParents(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	for name, c := range map[string]struct {
		args string
		want []string // description and parent
	}{
		"the counties of a district":          {`{"taxonomy":"counties","parent":"Castelo Branco"}`, []string{"Castelo Branco, Castelo Branco", "Covilhã, Castelo Branco", "Fundão, Castelo Branco"}},
		"by the id of the district":           {`{"taxonomy":"counties","parent":"5","text":"fun"}`, []string{"Fundão, Castelo Branco"}},
		"in one phrase":                       {`{"taxonomy":"concelhos de castelo branco"}`, []string{"Castelo Branco, Castelo Branco", "Covilhã, Castelo Branco", "Fundão, Castelo Branco"}},
		"in one phrase in English":            {`{"taxonomy":"parishes of Oeiras","text":"porto"}`, []string{"Porto Salvo, Oeiras"}},
		"parishes with a name in two":         {`{"taxonomy":"parishes","text":"paranhos"}`, []string{"Paranhos, Seia", "Paranhos, Porto"}},
		"a list that has children inside":     {`{"taxonomy":"districtsWithCounties","parent":"Portalegre"}`, []string{"Elvas, Portalegre", "Portalegre, Portalegre"}},
		"a list whose items belong to others": {`{"taxonomy":"workflowStatesProposal","text":"valuation"}`, []string{"Valuation, Decision"}},
	} {
		result := e.MustCall(t, "search_taxonomy", c.args).Output.(taxonomies.TaxonomyItems)
		var got []string
		for _, item := range result.Items {
			got = append(got, item.Description+", "+item.Parent)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	e.WantProblem(t, "search_taxonomy", `{"taxonomy":"genders","parent":"Lisboa"}`, "search.no_parents")
	e.WantProblem(t, "search_taxonomy", `{"taxonomy":"counties","parent":"Atlantis"}`, "search.parent_unknown")
	e.WantProblem(t, "search_taxonomy", `{"taxonomy":"genders de Lisboa"}`, "kind.taxonomy")
}

func TestEveryListIsFoundByItsNameInEitherLanguage(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	for _, key := range portal.Taxonomies() {
		for _, lang := range words.Langs {
			for _, name := range []string{tools.ListName(lang, key), string(key)} {
				result, failure := e.Call(t, "search_taxonomy", `{"taxonomy":"`+name+`"}`, func(r *tools.Request) { r.Actor.Lang = lang })
				if failure != nil || result.Output.(taxonomies.TaxonomyItems).Taxonomy != key || len(result.Card.Table.Rows) == 0 {
					t.Errorf("«%s» of %s: %v, %v", name, key, result.Output, failure)
				}
			}
		}
	}
}
