package profile_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/validation"
)

func TestTheProfileHasEveryMeaningThatTheRulesUseAndNoOther(t *testing.T) {
	t.Parallel()
	got, want := map[string][]string{}, validation.Kinds()
	for list, meanings := range profile.Builtin().Meanings {
		got[list] = slices.Sorted(maps.Keys(meanings))
	}
	for _, names := range want {
		slices.Sort(names)
	}
	if !maps.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// The bank's examples have a few of these. The others are descriptions that a bank may have.
func TestWhatAnItemMeansFollowsFromItsDescription(t *testing.T) {
	t.Parallel()
	for list, meanings := range map[string]map[string][]string{
		"borrowerTypes": {
			"key_borrower": {
				"KeyBorrower", "Key borrower", "Proponente principal", "1.º Titular", "1º Titular", "Titular 1", "1.ª titular", "Mutuário principal", "Primeiro proponente",
				"Titular principal", "Proponente n.º 1", "Main borrower", "Borrower (main)", "First holder", "1st applicant", "Borrower 1", "MUTUARIO PRINCIPAL", "Devedor principal",
			},
			"borrower": {
				"Borrower", "Proponente", "2.º Titular", "Titular 2", "Mutuário", "Segundo proponente", "Co-borrower", "Cotitular", "Fiador", "Fiador do mutuário principal",
				"Guarantor", "Proponente não principal", "Outro proponente", "Titular", "Non-key borrower",
			},
			"": {"", "?", "Representante legal"},
		},
		"maritalStatuses": {
			"single":         {"Single", "Unmarried", "Solteiro(a)", "Never married"},
			"de_facto_union": {"De-facto union", "Unido(a) de facto", "União de facto", "Domestic partnership"},
			"married":        {"Married", "CASADO", "Casado(a) – comunhão geral"},
			"divorced":       {"Divorced", "Divorciado(a)"},
			"widowed":        {"Widowed", "Viúvo(a)"},
			"separated":      {"Separated", "Separado(a) judicialmente", "Separado de facto"},
			"":               {"", "?", "Não casado", "Outro"},
		},
		"identificationDocuments": {
			"citizen_card":     {"Citizen Card", "Cartão de Cidadão", "Cartão do cidadão", "CC"},
			"passport":         {"Passport", "PASSAPORTE", "Passaporte estrangeiro"},
			"residence_permit": {"Residence permit", "Título de residência", "Autorização de residência"},
			"identity_card":    {"Identity card (old)", "Bilhete de Identidade", "BI"},
			"other":            {"EU identity card", "Bilhete de identidade estrangeiro", "Bilhete de identidade UE", "Foreign identity card"},
			"":                 {"", "?", "Carta de condução"},
		},
		"employmentSituations": {
			"self_employed":  {"Self Employed", "Conta própria", "Trabalhador independente", "Trabalhador por conta própria", "Profissional liberal"},
			"employee":       {"Employee", "Conta de outrem", "Trabalhador por conta de outrem", "Função pública", "Funcionário público", "Civil servant"},
			"business_owner": {"Business owner", "Empresário", "Sócio-gerente"},
			"retired":        {"Retired", "Reformado", "Pensionista"},
			"unemployed":     {"Unemployed", "Desempregado", "Not employed", "Sem emprego"},
			"student":        {"Student", "Estudante"},
			"":               {"", "?", "Militar"},
		},
		"residenceTypes": {
			"own_with_mortgage": {"Own with mortgage", "Própria com crédito", "Própria com encargos", "Hipotecada"},
			"own":               {"Own", "Própria", "Própria sem encargos", "Own, without mortgage", "Casa própria"},
			"":                  {"", "Arrendada", "De familiares", "Rented"},
		},
		"keyBorrowerRelations": {
			"spouse":  {"Spouse", "Cônjuge", "Marido"},
			"partner": {"Partner", "Unido(a) de facto", "União de facto"},
			"none":    {"None", "Não aplicável", "Not applicable", "Nenhuma"},
			"other":   {"Other", "Outra", "Ex-cônjuge", "Sem relação", "Sem parentesco", "No relation"},
			"":        {"", "Pai ou mãe", "Child"},
		},
		"countries": {
			"portugal": {"Portugal", "Portuguese", "Portuguesa"},
			"brazil":   {"Brasil", "Brazilian", "Brasileira"},
			"":         {"", "Espanha", "Brunei", "Branca"},
		},
		"genders": {"": {"Female", ""}},
	} {
		for want, descriptions := range meanings {
			for _, description := range descriptions {
				if got := profile.Builtin().MeaningIn(list, 99, description); got != want {
					t.Errorf("%s: %q is %q, want %q", list, description, got, want)
				}
			}
		}
	}
}

func TestIDsHavePrecedenceOverWordsAndExamplesCountWithoutWords(t *testing.T) {
	t.Parallel()
	p, err := profile.Read("bank.toml", []byte("[meanings]\nmaritalStatuses.married.ids = [7, 0]\nborrowerTypes.key_borrower.ids = [3]\nborrowerTypes.borrower.ids = [4]\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		profile     *profile.Profile
		list        string
		id          int32
		description string
		want        string
	}{
		"an example, without words":                 {profile.Builtin(), "maritalStatuses", 3, "", "married"},
		"an example, with words":                    {profile.Builtin(), "maritalStatuses", 3, "Single", "single"},
		"an example, with unknown words":            {profile.Builtin(), "maritalStatuses", 3, "Complicated", ""},
		"the page's document":                       {profile.Builtin(), "identificationDocuments", 1, "", "citizen_card"},
		"the page's situation":                      {profile.Builtin(), "employmentSituations", 1, "", "self_employed"},
		"the page's residence":                      {profile.Builtin(), "residenceTypes", 5, "", "own"},
		"the page's country":                        {profile.Builtin(), "countries", 1, "", "portugal"},
		"the page's relation":                       {profile.Builtin(), "keyBorrowerRelations", 1, "", "spouse"},
		"0 is no relation":                          {profile.Builtin(), "keyBorrowerRelations", 0, "", "none"},
		"0 with words is one":                       {profile.Builtin(), "keyBorrowerRelations", 0, "Cônjuge", "spouse"},
		"the page's key borrower":                   {profile.Builtin(), "borrowerTypes", 1, "", "key_borrower"},
		"another id":                                {profile.Builtin(), "maritalStatuses", 99, "", ""},
		"an id of the profile":                      {p, "maritalStatuses", 7, "", "married"},
		"an id of the profile, with words":          {p, "maritalStatuses", 7, "Viúvo(a)", "married"},
		"an id of 0":                                {p, "maritalStatuses", 0, "", "married"},
		"words, of a meaning with ids":              {p, "maritalStatuses", 3, "Casado", "married"},
		"an example, of a meaning with ids":         {p, "maritalStatuses", 3, "", ""},
		"an example, of another meaning":            {p, "maritalStatuses", 1, "", "single"},
		"the key borrower":                          {p, "borrowerTypes", 3, "Contraente", "key_borrower"},
		"what is no key borrower, whatever it says": {p, "borrowerTypes", 4, "Principal", "borrower"},
		"the example of another key borrower":       {p, "borrowerTypes", 1, "", ""},
	} {
		if got := c.profile.MeaningIn(c.list, c.id, c.description); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	for path, want := range map[string]profile.Mark{
		"meanings.maritalStatuses.married.ids":        profile.Given,
		"meanings.maritalStatuses.married.examples":   profile.Confirmed,
		"meanings.maritalStatuses.widowed.examples":   profile.Inferred,
		"meanings.borrowerTypes.key_borrower.words":   profile.Inferred,
		"meanings.borrowerTypes.key_borrower.ids":     profile.Given,
		"limits.2023-10-16.age.max":                   profile.Seen,
		"limits.2023-10-16.terms":                     profile.Seen,
		"meanings.keyBorrowerRelations.none.examples": profile.Inferred,
	} {
		if mark, _ := p.Mark(path); mark != want {
			t.Errorf("%s is %q, want %q", path, mark, want)
		}
	}
}

// A description of the bank's may be of any length, and capitals never matter.
func FuzzMeaningIn(f *testing.F) {
	f.Add("Cartão de Cidadão")
	f.Add("1.º Titular")
	f.Fuzz(func(t *testing.T, s string) {
		for list := range profile.Builtin().Meanings {
			got := profile.Builtin().MeaningIn(list, 99, s)
			ascii := strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
			if upper := profile.Builtin().MeaningIn(list, 99, strings.ToUpper(s)); ascii && upper != got {
				t.Errorf("%q is %q, and in capitals %q", s, got, upper)
			}
		}
	})
}
