package borrowers_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/borrowers"
)

func TestGetBorrowerShowsAllFieldsMasked(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	result, failure := e.Call(t, "get_borrower", testenv.BorrowerArgs(1043, testenv.Ines))
	if failure != nil {
		t.Fatal(failure)
	}
	request := e.Borrower(t, 1043, testenv.Ines).Request()
	file := result.Output.(borrowers.BorrowerFile)
	fields, err := json.Marshal(file.Fields)
	if err != nil {
		t.Fatal(err)
	}
	const roleAndRelation = 2 // which stand for themselves
	if file.Role != "Borrower #2" || file.Relation != "Spouse #1" || file.Fields["personal"]["academicLevelId"] != "Master #5" {
		t.Errorf("the choices are %q, %q and %q", file.Role, file.Relation, file.Fields["personal"]["academicLevelId"])
	}
	if held, shown := leaves(t, toJSON(t, request)), leaves(t, string(fields)); len(shown)+roleAndRelation != len(held) || len(result.Card.Facts) != len(held) {
		t.Errorf("the bank holds %d fields, the file shows %d and the card %d", len(held), len(shown)+roleAndRelation, len(result.Card.Facts))
	}
	shown := map[string]string{}
	for _, fact := range result.Card.Facts {
		shown[fact.Label] = fact.Value
	}
	for label, want := range map[string]string{
		"Full name": "Inês M.", "Role in the process": "Borrower", "Relation to the key borrower": "Spouse", "Marital status": "Married", "Mobile": "+351 ••• ••• 003",
		"E-mail": "i•••@example.com", "Wages and pensions": "1500–2000 €", "Postal code": "1000-•••", "Number of dependants": "1", "Social security debt": "••••••",
	} {
		if shown[label] != want {
			t.Errorf("%s shows %q, want %q", label, shown[label], want)
		}
	}
	if !strings.HasSuffix(shown["Birth date"], " years old") {
		t.Errorf("the birth date shows %q", shown["Birth date"])
	}
	output, err := json.Marshal(result.Output)
	if err != nil {
		t.Fatal(err)
	}
	everything := string(output) + fmt.Sprint(result.Card) + e.Audit.String()
	p := request.Personal
	for _, secret := range []string{
		p.Name.Reveal(), p.BirthDate.Reveal(), p.TaxID.Reveal(), p.Mobile.Reveal(), p.Email.Reveal(), p.IdentificationDocumentNumber.Reveal(), p.SocialSecurityNumber.Reveal(),
		p.Address.Reveal(), p.ZipCode.Reveal(), p.Floor.Reveal(), p.IdentificationDocumentExpiredDate.Reveal(), "1850", request.Professional.EmployerTaxID.Reveal(),
	} {
		if secret == "" || strings.Contains(everything, secret) {
			t.Errorf("%q is in the clear", secret)
		}
	}
	if file.Version == "" || result.Card.Next[0].Tool != "update_borrower" {
		t.Errorf("the version is %q, the next step %v", file.Version, result.Card.Next)
	}
}

func TestAnEmptyChoiceIsNotShown(t *testing.T) {
	t.Parallel()
	e, _ := testenv.StartWithProxy(t, func(reply string) string {
		return strings.NewReplacer(`"academicLevelID":5`, `"academicLevelID":0`, `"academicLevelDescription":"Master"`, `"other":0`, `"employmentProfessionID":`, `"employmentProfessionID":0,"was":`, `"employmentProfessionDescription":`, `"unknown":`).Replace(reply)
	}, testenv.Options{})
	result, failure := e.Call(t, "get_borrower", testenv.BorrowerArgs(1043, testenv.Ines))
	if failure != nil {
		t.Fatal(failure)
	}
	shown := result.Output.(borrowers.BorrowerFile).Fields
	if _, there := shown["personal"]["academicLevelId"]; there || shown["professional"]["employmentProfessionId"] != "Armed forces #0" {
		t.Errorf("got %v", shown)
	}
}

func TestAMissingBorrowerIsAProblemOfTheRightField(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	e.Call(t, "get_borrower", testenv.BorrowerArgs(1043, testenv.Ines))
	for _, tool := range []string{"get_borrower", "update_borrower", "delete_borrower", "send_esis"} {
		for name, c := range map[string]struct {
			args string
			kind tools.ErrorKind
			want []string
		}{
			"a borrower of another process":    {fmt.Sprintf(`{"process":"1042","borrower":%q}`, sandbox.SampleBorrower(1043, testenv.Ines)), tools.Invalid, []string{"borrower borrower.unknown error"}},
			"no uuid":                          {`{"process":"1043","borrower":"Inês"}`, tools.Invalid, []string{"borrower kind.borrower error"}},
			"another broker's process":         {testenv.BorrowerArgs(sandbox.SampleOthers, 0), tools.NotFound, nil},
			"another broker's process by uuid": {fmt.Sprintf(`{"process":%q,"borrower":%q}`, sandbox.SampleProcess(sandbox.SampleOthers), sandbox.SampleBorrower(sandbox.SampleOthers, 0)), tools.NotFound, nil},
		} {
			_, failure := e.Call(t, tool, c.args)
			if failure == nil || failure.Kind != c.kind {
				t.Errorf("%s, %s: got %v", tool, name, failure)
				continue
			}
			if got := testenv.Problems(failure); c.want != nil && !slices.Contains(got, c.want[0]) || strings.Contains(failure.Error(), "Inês") {
				t.Errorf("%s, %s: got %v", tool, name, failure)
			}
		}
	}
}

func TestTheBorrowersOfTheGivenProcessAreOffered(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	field, _ := borrowers.Get.Field("borrower")
	answers := map[string]string{"process": "1043"}
	for query, want := range map[string]int{"": 2, "ines": 1, "borrower": 2, "nobody": 0} {
		options, err := e.Options(t.Context(), e.Actor, field, query, answers)
		if err != nil || len(options) != want {
			t.Errorf("%q: got %v, %v", query, options, err)
		}
	}
	options, err := e.Options(t.Context(), e.Actor, field, "ines", answers)
	if err != nil {
		t.Fatal(err)
	}
	taxID := e.Borrower(t, 1043, testenv.Ines).Personal.TaxID
	want := tools.Option{Value: sandbox.SampleBorrower(1043, testenv.Ines).String(), Text: "Inês M. · " + taxID.String(), Note: "Borrower", Clear: pii.New[pii.Private]("Inês Modelo · " + taxID.Reveal())}
	if options[0] != want {
		t.Errorf("got %v, want %v", options[0], want)
	}
	if option, ok := e.Option(t.Context(), e.Actor, field, want.Value, answers); !ok || option != want {
		t.Errorf("one alone is %v, %v", option, ok)
	}
	if option, ok := e.Option(t.Context(), e.Actor, field, want.Value, map[string]string{"process": "1042"}); ok {
		t.Errorf("in another process it is %v", option)
	}
	if _, err := e.Options(t.Context(), e.Actor, field, "", nil); tools.AsError(err).Kind != tools.Invalid {
		t.Errorf("of no process: %v", err)
	}
	if _, err := e.Options(t.Context(), tools.Actor{ID: "nobody", Lang: words.English}, field, "", answers); tools.AsError(err).Kind != tools.Forbidden {
		t.Errorf("to a stranger: %v", err)
	}
}
