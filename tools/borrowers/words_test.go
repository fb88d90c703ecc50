package borrowers_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/borrowers"
)

// replying changes what the bank replies of borrowers. old and new are as in [strings.NewReplacer].
func replying(t *testing.T, oldnew ...string) *testenv.Env {
	t.Helper()
	e, _ := testenv.StartWithProxy(t, strings.NewReplacer(oldnew...).Replace, testenv.Options{})
	e.Actor.Lang = words.Portuguese
	return e
}

// listsMissing makes the bank answer 404 to all lists.
func listsMissing(e *testenv.Env) (remove func()) {
	return e.Bank.Inject(sandbox.Fault{Path: "/taxonomy/", Status: http.StatusNotFound})
}

// optionsOf returns the options of a field as a form shows them, with their values.
func optionsOf(t *testing.T, e *testenv.Env, path, query string) (texts []string) {
	t.Helper()
	field, _ := borrowers.Create.Field(path)
	options, err := e.Options(t.Context(), e.Actor, field, query, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, option := range options {
		texts = append(texts, strings.TrimSpace(option.Value+" "+option.Text+" "+option.Note))
	}
	return texts
}

func factsOf(e *testenv.Env, t *testing.T) map[string]string {
	t.Helper()
	facts := map[string]string{}
	for _, fact := range e.MustCall(t, "get_borrower", testenv.BorrowerArgs(1043, testenv.Ines)).Card.Facts {
		facts[fact.Label] = fact.Value
	}
	return facts
}

func TestWhatAReplySaysOfAnIDIsShownBeforeWhatAnyListSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reply  []string
		lists  bool // the bank has them
		label  string
		want   string
		inList string // what the list of choices says of the same id
	}{
		"another word than in Balcão's list":          {[]string{`"academicLevelID":5`, `"academicLevelID":3`}, true, "Habilitações literárias", "Mestrado", "3 Mestrado"},
		"an id that the bank's list does not have":    {[]string{`"maritalStatusID":3`, `"maritalStatusID":9`, `"maritalStatusDescription":"Casado(a)"`, `"maritalStatusDescription":"Casado em comunhão de adquiridos"`}, true, "Estado civil", "Casado em comunhão de adquiridos", ""},
		"another word than in the bank's list":        {[]string{`"genderDescription":"Feminino"`, `"genderDescription":"Mulher"`}, true, "Género", "Mulher", "1 Feminino"},
		"a nationality, not the country":              {nil, true, "Nacionalidade", "Portuguesa", "1 Portugal"},
		"a list that cannot be read":                  {nil, false, "Tipo de residência", "Arrendada", "1 Arrendada"},
		"no word in the reply":                        {[]string{`"genderDescription":`, `"other":`}, true, "Género", "Feminino", "1 Feminino"},
		"no word in the reply, and Balcão's own list": {[]string{`"academicLevelDescription":`, `"other":`}, true, "Habilitações literárias", "Mestrado (lista do Balcão)", "5 Mestrado (lista do Balcão)"},
		"no word anywhere":                            {[]string{`"residenceTypeDescription":`, `"other":`}, false, "Tipo de residência", "1 (código que o banco não explicou)", ""},
		"an id of no list, without a word":            {[]string{`"academicLevelID":5`, `"academicLevelID":77`, `"academicLevelDescription":"Mestrado"`, `"other":0`}, true, "Habilitações literárias", "77 (código que o banco não explicou)", ""},
		"a word without an id":                        {[]string{`"genderID":1,`, ``}, true, "Género", "Feminino", "1 Feminino"},
		"what looks like personal data":               {[]string{`"genderDescription":"Feminino"`, `"genderDescription":"NIF 299999998"`}, true, "Género", "NIF ••••••", "1 Feminino"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := replying(t, c.reply...)
			if !c.lists {
				listsMissing(e)
			}
			field := borrowers.Update.Fields[slices.IndexFunc(borrowers.Update.Fields, func(f tools.Field) bool { return f.Label(words.Portuguese) == c.label })]
			if got := factsOf(e, t)[c.label]; got != c.want {
				t.Errorf("the card says %q, want %q", got, c.want)
			}
			about := map[string]string{"process": "1043", "borrower": sandbox.SampleBorrower(1043, testenv.Ines).String()}
			before, labels, err := e.Current(t.Context(), e.Actor, borrowers.Update, about)
			if err != nil || labels[field.Path] != c.want && before[field.Path] != "" {
				t.Errorf("the form says %q, %v", labels[field.Path], err)
			}
			if c.inList != "" {
				if got := optionsOf(t, e, field.Path, ""); !slices.ContainsFunc(got, func(o string) bool { return strings.HasPrefix(o, c.inList) }) {
					t.Errorf("the choices are %q", got)
				}
			}
		})
	}
}

func TestAChangeShowsTheBanksWordForWhatWasThere(t *testing.T) {
	t.Parallel()
	e := replying(t, `"academicLevelID":5`, `"academicLevelID":3`, `"academicLevelDescription":"Mestrado"`, `"academicLevelDescription":"Mestrado executivo"`,
		`"maritalStatusDescription":"Casado(a)"`, `"maritalStatusDescription":"Casado, adquiridos"`)
	args := testenv.BorrowerArgs(1043, testenv.Ines, `"personal":{"academicLevelId":4,"maritalStatusId":4},"clear":["personal.matrimonialRegimeId"]`)
	_, failure := e.Call(t, "update_borrower", args, testenv.AsAssistant)
	if failure == nil || failure.Kind != tools.Unconfirmed {
		t.Fatalf("got %v", failure)
	}
	text := failure.Problems[slices.IndexFunc(failure.Problems, func(p tools.Problem) bool { return p.Code == "edit.changes" })].Text
	for _, want := range []string{"Mestrado executivo → Licenciatura (lista do Balcão)", "Casado, adquiridos → Divorciado(a)"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %q", want, text)
		}
	}
	about := map[string]string{"process": "1043", "borrower": sandbox.SampleBorrower(1043, testenv.Ines).String()}
	before, _, err := e.Current(t.Context(), e.Actor, borrowers.Update, about)
	if err != nil {
		t.Fatal(err)
	}
	form := tools.Form{Before: before, Answers: map[string]string{}}
	for path, value := range before {
		form.Answers[path] = value
	}
	form.Answers["personal.academicLevelId"] = "4"
	sections, _, err := e.Summary(t.Context(), e.Actor, borrowers.Update, form)
	if err != nil {
		t.Fatal(err)
	}
	if got := sections[len(sections)-1].Facts[0].Value.Reveal(); got != "Mestrado executivo\n→ Licenciatura (lista do Balcão)" {
		t.Errorf("the review says %q", got)
	}
}

func TestWhatRepliesSayIsChosenFromBeforeBalcaosOwnList(t *testing.T) {
	t.Parallel()
	e := replying(t, `"academicLevelID":5`, `"academicLevelID":3`)
	want := func(want ...string) {
		t.Helper()
		if got := optionsOf(t, e, "personal.academicLevelId", ""); !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	want("1 Ensino básico (lista do Balcão)", "2 Ensino secundário (lista do Balcão)", "3 Curso técnico superior profissional (CTeSP) (lista do Balcão)",
		"4 Licenciatura (lista do Balcão)", "5 Mestrado (lista do Balcão)", "6 Doutoramento (lista do Balcão)")
	factsOf(e, t)
	want("3 Mestrado", "1 Ensino básico (lista do Balcão)", "2 Ensino secundário (lista do Balcão)",
		"4 Licenciatura (lista do Balcão)", "6 Doutoramento (lista do Balcão)") // the own ids of 3 and of Mestrado are wrong
	if got := optionsOf(t, e, "personal.academicLevelId", "mestrado"); !slices.Equal(got, []string{"3 Mestrado"}) {
		t.Errorf("«mestrado» finds %q", got)
	}
	result := e.MustCall(t, "search_taxonomy", `{"taxonomy":"academicLevels"}`)
	if rows := result.Card.Table.Rows; rows[0][1] != "Mestrado" || rows[1][1] != "Ensino básico (lista do Balcão)" || !strings.Contains(result.Card.Text, "O banco não disponibiliza esta lista") {
		t.Errorf("the search gives %q, %q", rows, result.Card.Text)
	}
	e.Actor.Lang = words.English
	if got := optionsOf(t, e, "personal.academicLevelId", "mestr"); !slices.Equal(got, []string{"3 Mestrado"}) {
		t.Errorf("in English it is %q", got) // the bank's word in another language, not one of ours
	}
}

func TestAListThatCannotBeReadIsThatOfRepliesAndSaysSo(t *testing.T) {
	t.Parallel()
	e := replying(t)
	remove := listsMissing(e)
	field, _ := borrowers.Create.Field("personal.genderId")
	if options, err := e.Options(t.Context(), e.Actor, field, "", nil); err == nil {
		t.Errorf("nothing is known, and there are the options %v", options)
	}
	factsOf(e, t)
	if got := optionsOf(t, e, "personal.genderId", ""); !slices.Equal(got, []string{"1 Feminino Lista incompleta: não foi possível ler a do banco"}) {
		t.Errorf("got %q", got)
	}
	if result := e.MustCall(t, "search_taxonomy", `{"taxonomy":"genders"}`); !strings.Contains(result.Card.Text, "Não foi possível ler esta lista do banco") {
		t.Errorf("the search says %q", result.Card.Text)
	}
	_, failure := e.Call(t, "create_borrower", testenv.NewBorrower(map[string]string{"genderId": "1", "nationalityId": "14"}))
	if got := testenv.Problems(failure); !slices.Contains(got, "personal.nationalityId taxonomy.unconfirmed warning") || slices.ContainsFunc(got, func(p string) bool { return strings.HasPrefix(p, "personal.genderId") }) {
		t.Errorf("got %q", got)
	}
	remove()
	if got := optionsOf(t, e, "personal.genderId", ""); !slices.Equal(got, []string{"1 Feminino", "2 Masculino", "3 Não indicado"}) {
		t.Errorf("once the bank gives its list: %q", got)
	}
}

func TestRolesAndRelationsHaveTheBanksWordsInListsAndChoices(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reply          []string
		role, relation string
	}{
		"as the bank calls them":                        {[]string{`"borrowerTypeDescription":"Proponente"`, `"borrowerTypeDescription":"2.º Titular"`, `"keyBorrowerRelationDescription":"Cônjuge"`, `"keyBorrowerRelationDescription":"Esposa"`}, "2.º Titular", "Esposa"},
		"an id of no known list":                        {[]string{`"borrowerTypeID":2`, `"borrowerTypeID":5`, `"borrowerTypeDescription":"Proponente"`, `"other":0`, `"keyBorrowerRelationDescription":`, `"other":`}, "5 (código que o banco não explicou)", "Cônjuge"},
		"no relation":                                   {[]string{`"keyBorrowerRelationID":1`, `"keyBorrowerRelationID":0`, `"keyBorrowerRelationDescription":"Cônjuge"`, `"other":0`}, "Proponente", "Não aplicável"},
		"nothing visible, but Borrower List has a word": {[]string{`"borrowerTypeDescription":"Proponente"`, `"borrowerTypeDescription":"\u200b"`}, "Proponente", "Cônjuge"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := replying(t, c.reply...)
			rows := e.MustCall(t, "list_borrowers", `{"process":"1043"}`).Card.Table.Rows
			if len(rows) != 2 || rows[1][1] != c.role || rows[1][2] != c.relation {
				t.Errorf("the list has %q", rows)
			}
			file := e.MustCall(t, "get_borrower", testenv.BorrowerArgs(1043, testenv.Ines)).Output.(borrowers.BorrowerFile)
			if role, _, _ := strings.Cut(file.Role, " #"); role != c.role {
				t.Errorf("the role is %q", file.Role)
			}
			field, _ := borrowers.Get.Field("borrower")
			options, err := e.Options(t.Context(), e.Actor, field, "ines", map[string]string{"process": "1043"})
			if err != nil || len(options) != 1 || options[0].Note != "Proponente" { // of Borrower List, which this bank describes in its own way
				t.Errorf("the choices are %v, %v", options, err)
			}
		})
	}
}

func TestWhichIDsStandForNoItemIsInTheProfile(t *testing.T) {
	t.Parallel()
	all, err := profile.Read("bank.toml", []byte("taxonomies.none = [-1]"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		bank *profile.Profile
		id   string
		want string
	}{
		"0, built in":        {nil, "0", ""},
		"0, where it is one": {all, "0", "0 (código que o banco não explicou)"},
		"-1, built in":       {nil, "-1", "-1 (código que o banco não explicou)"},
		"-1, in the profile": {all, "-1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changed := strings.NewReplacer(`"matriomonialRegimeID":2`, `"matriomonialRegimeID":`+c.id, `"matriomonialRegimeDescription":`, `"other":`)
			e, _ := testenv.StartWithProxy(t, changed.Replace, testenv.Options{Profile: c.bank})
			e.Actor.Lang = words.Portuguese
			if got := factsOf(e, t)["Regime de bens"]; got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
