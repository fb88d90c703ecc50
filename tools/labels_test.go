package tools_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

func TestAChoiceIsNamedByItsLabelInEitherLanguage(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	for _, lang := range words.Langs {
		for path, labels := range map[string]map[string]string{
			"personal.genderId": {
				"Feminino": "1", "feminino": "1", " FEMALE ": "1", "Feminina": "1", "male": "2", "masculino": "2", "2": `"2"`, "not stated": "3", "não indicado": "3",
			},
			"personal.maritalStatusId": {
				"Married": "3", "casado": "3", "casada": "3", "Casados": "3", "uniao de facto": "2", "widow": "5", "divorciada": "4", "companheira": "2",
			},
			"keyBorrowerRelationId": {
				"wife": "1", "his wife": "1", "esposa": "1", "mulher": "1", "Cônjuge": "1", "conjuge": "1", "husband": "1", "filho": "4",
			},
			"personal.residenceTypeId":              {"own": "5", "própria com hipoteca": "4"},
			"professional.employmentSituationId":    {"recibos verdes": "1", "self-employed": "1", "reformada": "5"},
			"personal.nationalityId":                {"Portuguesa": "1", "portugal": "1", "Portuguese": "1"},
			"personal.identificationDocumentTypeId": {"cartão de cidadão": "1", "cidadão": "1", "citizen card": "1", "passaporte": "2"},
		} {
			for label, want := range labels {
				args, problems := understand(t, e, lang, path, label)
				if name := path[strings.LastIndexByte(path, '.')+1:]; problems != nil || !strings.Contains(args, fmt.Sprintf("%q:%s", name, want)) {
					t.Errorf("%s %q in %s: got %s, %v, want %s", path, label, lang, args, problems, want)
				}
			}
		}
	}
}

// understand returns the arguments of create_borrower with one label, as an assistant's are understood.
func understand(t *testing.T, e *testenv.Env, lang words.Lang, path, value string) (string, []tools.Problem) {
	t.Helper()
	args := fmt.Sprintf(`{%q:%q}`, path, value)
	if group, name, nested := strings.Cut(path, "."); nested {
		args = fmt.Sprintf(`{%q:{%q:%q}}`, group, name, value)
	}
	request := e.Request(t, "create_borrower", args, testenv.AsAssistant)
	request.Actor.Lang = lang
	understood, problems := e.Runner.Understand(t.Context(), request)
	return string(understood), problems
}

func TestALabelThatIsNotClearIsRefusedWithTheNearest(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	for _, c := range []struct{ path, label, code, want string }{
		{"personal.genderId", "woman", "choice.unknown", "«Female», «Male», «Not stated»"},
		{"keyBorrowerRelationId", "ex wife", "choice.unknown", "«Spouse»"},
		{"keyBorrowerRelationId", "business partner", "choice.ambiguous", "«Other relative», «No relation»"},
		{"personal.identificationDocumentTypeId", "IDENTITY", "choice.ambiguous", "«EU identity card», «Identity card (old)»"},
		{"personal.countryId", "Portgal", "choice.unlisted", "Nearest: «Portugal»"},
		{"personal.countryId", "qwrt", "choice.unlisted", "search_taxonomy finds the labels of countries"},
		{"personal.birthDate", "3/7/1985", "kind.date.exact", "YYYY-MM-DD"},
		{"personal.birthDate", "1985-7-3", "kind.date.exact", "YYYY-MM-DD"},
	} {
		args, problems := understand(t, e, words.English, c.path, c.label)
		if len(problems) != 1 || problems[0].Code != c.code || problems[0].Path != c.path || !strings.Contains(problems[0].Text, c.want) {
			t.Errorf("%s %q: got %v, want %s", c.path, c.label, problems, c.code)
		}
		if strings.Contains(args+fmt.Sprint(problems), c.label) {
			t.Errorf("%s %q: it is repeated in %s, %v", c.path, c.label, args, problems)
		}
	}
}

func TestWhatIsGivenWithoutWordsStaysToTheLetter(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	for _, args := range []string{`{ "process" : 1042.0, "personal" : {"genderId":2} }`, `{"process":"1042","borrowerTypeId":"2"}`, `{`, `[]`, ``} {
		understood, problems := e.Runner.Understand(t.Context(), e.Request(t, "create_borrower", args, testenv.AsAssistant))
		if string(understood) != args || problems != nil {
			t.Errorf("%s became %s, %v", args, understood, problems)
		}
	}
}

func TestAPersonStillTypesDatesAsPeopleDo(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	if _, problems := e.Runner.Understand(t.Context(), e.Request(t, "create_borrower", `{"personal":{"birthDate":"3/7/1985"}}`)); problems != nil {
		t.Errorf("got %v", problems)
	}
}

func TestALabelCannotBeUnderstoodWithoutTheList(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	defer e.Bank.Inject(sandbox.Fault{Operation: portal.TaxonomyKey("genders").Operation(), Status: 503})()
	_, problems := understand(t, e, words.English, "personal.genderId", "female")
	if len(problems) != 1 || problems[0].Code != "choice.unread" {
		t.Errorf("got %v", problems)
	}
}

func TestAnUnknownArgumentIsNamedWithWhereItBelongs(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	for _, c := range []struct{ tool, args, code, want string }{
		{"create_borrower", `{"email":"x@example.com"}`, "args.misplaced", "«email» belongs at personal.email."},
		{"create_borrower", `{"personal":{"incomeRents":1}}`, "args.misplaced", "«incomeRents» belongs at financial.incomeRents."},
		{"create_borrower", `{"personal.email":"x@example.com"}`, "args.nested", `{"personal": {"email": …}}`},
		{"create_borrower", `{"personal":{"gender":"female"}}`, "args.misplaced", "«gender» belongs at personal.genderId."},
		{"create_borrower", `{"personal":{"emial":"x@example.com"}}`, "args.resembles", "Is personal.email meant?"},
		{"create_borrower", `{"xyzzy":1}`, "args.unknown_field", "Known fields: process, borrowerTypeId, keyBorrowerRelationId, personal, financial, professional."},
		{"update_borrower", `{"email":"x@example.com"}`, "args.misplaced", `set: {"personal.email": …}`},
		{"update_borrower", `{"set":{"email":"x@example.com"}}`, "args.misplaced", `set: {"personal.email": …}`},
		{"update_borrower", `{"set":["personal.email"]}`, "args.set", "values by path"},
		{"update_borrower", `{"set":{"personal.email":"x@example.com"},"personal":{"email":"y@example.com"}}`, "args.twice", "twice"},
		{"get_process", `{"proces":"1042"}`, "args.resembles", "Is process meant?"},
	} {
		request := e.Request(t, c.tool, c.args, testenv.AsAssistant)
		understood, problems := e.Runner.Understand(t.Context(), request)
		_, more := request.Tool.Decode(understood, words.English)
		problems = append(problems, more...)
		if len(problems) != 1 || problems[0].Code != c.code || !strings.Contains(problems[0].Text, c.want) || strings.Contains(fmt.Sprint(problems), "xyzzy") {
			t.Errorf("%s %s: got %v, want %s", c.tool, c.args, problems, c.code)
		}
	}
}
