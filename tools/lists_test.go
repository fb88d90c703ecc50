package tools_test

import (
	"testing"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

func TestEveryListOfTheBankHasANameOfItsOwnInBothLanguages(t *testing.T) {
	for _, lang := range words.Langs {
		named := map[string]portal.TaxonomyKey{}
		for _, list := range portal.Taxonomies() {
			name := tools.ListName(lang, list)
			if name == "" || name == "list."+string(list) || len([]rune(name)) > 75 {
				t.Errorf("in %s %s is called %q", lang, list, name)
			}
			if other, taken := named[name]; taken {
				t.Errorf("in %s %s and %s are both called %q", lang, list, other, name)
			}
			named[name] = list
		}
	}
}

func TestAListIsFoundByItsNameInEitherLanguage(t *testing.T) {
	for text, want := range map[string]portal.TaxonomyKey{
		"Estado civil": "maritalStatuses", "estado civil": "maritalStatuses", "estados civis": "maritalStatuses",
		"marital status": "maritalStatuses", "maritalStatuses": "maritalStatuses", "civil": "maritalStatuses",
		"profissões": "professions", "Profissao": "professions", "professions": "professions",
		"países": "countries", "countries": "countries", "genero": "genders", "habilitações": "academicLevels",
		"fase": "workflowPhases", "regime de bens": "matrimonialRegimes",
	} {
		if found := tools.FindLists(text); len(found) == 0 || found[0] != want {
			t.Errorf("%q finds %v, want %s first", text, found, want)
		}
	}
	if all := tools.FindLists(""); len(all) != len(portal.Taxonomies()) {
		t.Errorf("an empty text finds %d lists", len(all))
	}
	if found := tools.FindLists("Maria Exemplo"); found != nil {
		t.Errorf("a person's name finds %v", found)
	}
}
