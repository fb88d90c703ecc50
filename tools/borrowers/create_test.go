package borrowers_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/validation"
)

func TestABorrowerIsCreatedAndThenListedMasked(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	created, failure := e.Call(t, "create_borrower", testenv.NewBorrower(nil))
	if failure != nil {
		t.Fatal(failure)
	}
	if want := "Rui A. is now a borrower of process 1042."; created.Card.Text != want {
		t.Errorf("got %q, want %q", created.Card.Text, want)
	}
	listed, failure := e.Call(t, "list_borrowers", `{"process":1042}`)
	if failure != nil {
		t.Fatal(failure)
	}
	if rows := listed.Card.Table.Rows; !slices.ContainsFunc(rows, func(row []string) bool { return row[0] == "Rui A." && row[3] == "••••••998" }) {
		t.Errorf("the new borrower is not in %q", rows)
	}
	structured, err := json.Marshal(listed.Output)
	if err != nil || strings.Contains(string(structured), "299999998") {
		t.Errorf("the output is not masked: %s, %v", structured, err)
	}
}

func TestEveryProblemComesBackAtOnceUnderItsFieldAndWithoutTheValue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args string
		kind tools.ErrorKind
		want []string // path and code
	}{
		"a wrong tax number":                    {testenv.NewBorrower(map[string]string{"taxId": `"299999990"`}), tools.Invalid, []string{"personal.taxId nif.check_digit"}},
		"several at once":                       {testenv.NewBorrower(map[string]string{"taxId": `"1"`, "email": `"no"`, "birthDate": `"1985-13-01"`}), tools.Invalid, []string{"personal.birthDate date.format", "personal.email email.format", "personal.taxId nif.length"}},
		"nothing":                               {`{}`, tools.Invalid, []string{"borrowerTypeId required", "keyBorrowerRelationId relation.required", "personal.birthDate expected", "personal.email expected", "personal.genderId expected", "personal.mobile expected", "personal.name expected", "personal.taxId required", "process required"}},
		"an unknown name beside a wrong number": {testenv.NewBorrower(map[string]string{"nif": `"1"`, "taxId": `"299999990"`, "genderId": `"x"`}), tools.Invalid, []string{"personal args.misplaced", "personal.genderId choice.unknown", "personal.taxId nif.check_digit"}},
		"an unknown name":                       {testenv.NewBorrower(map[string]string{"xyzzy": `"299999998"`}), tools.Invalid, []string{"personal args.unknown_field"}},
		"a name in another case":                {testenv.NewBorrower(map[string]string{"taxID": `"299999998"`}), tools.Invalid, []string{"personal args.misplaced"}},
		"a label that the list does not have":   {testenv.NewBorrower(map[string]string{"genderId": `"x"`}), tools.Invalid, []string{"personal.genderId choice.unknown"}},
		"an id that is not in the list":         {testenv.NewBorrower(map[string]string{"genderId": "77"}), tools.Invalid, []string{"personal.genderId taxonomy.unknown"}},
		"a second key borrower":                 {testenv.NewBorrower(map[string]string{"borrowerTypeId": "1", "keyBorrowerRelationId": "0"}), tools.Unconfirmed, []string{"borrowerTypeId borrower.key_unique"}},
		"a company's tax number":                {testenv.NewBorrower(map[string]string{"taxId": `"506035220"`}), tools.Unconfirmed, []string{"personal.taxId nif.not_person"}},
		"an extension":                          {testenv.NewBorrower(map[string]string{"mobile": `"912345678 ext 5"`}), tools.Unconfirmed, []string{"personal.mobile phone.extension"}},
		"a marriage without its regime":         {testenv.NewBorrower(map[string]string{"maritalStatusId": "3"}), tools.Unconfirmed, []string{"personal.matrimonialRegimeId marital.regime_required"}},
		"no object":                             {`[1]`, tools.Invalid, []string{" args.not_object"}},
		"two values":                            {`{} {}`, tools.Invalid, []string{" args.not_object"}},
		"garbage":                               {"\x00\xff", tools.Invalid, []string{" args.not_object"}},
		"an object where text belongs":          {testenv.NewBorrower(map[string]string{"name": `{"a":1}`}), tools.Invalid, []string{"personal.name kind.text"}},
		"text where an object belongs":          {`{"process":"1042","borrowerTypeId":2,"keyBorrowerRelationId":1,"personal":"x"}`, tools.Invalid, []string{"personal args.not_object"}},
		"a process that is no number":           {testenv.NewBorrower(map[string]string{"process": `"ten"`}), tools.Invalid, []string{"process kind.process"}},
		"a number of another's process":         {testenv.NewBorrower(map[string]string{"process": `"1051"`}), tools.NotFound, nil},
		"another's process by its uuid":         {`{"process":"` + sandbox.SampleProcess(sandbox.SampleOthers).String() + `"}`, tools.Invalid, nil},
		"ten thousand accents as a name":        {testenv.NewBorrower(map[string]string{"name": `"` + strings.Repeat("ç", 10_000) + `"`}), tools.Invalid, []string{"personal.name text.too_long"}},
	} {
		e := testenv.Start(t, testenv.Options{})
		_, failure := e.Call(t, "create_borrower", c.args)
		if failure == nil || failure.Kind != c.kind {
			t.Errorf("%s: got %v, want %s", name, failure, c.kind)
			continue
		}
		var got []string
		for _, p := range failure.Problems {
			got = append(got, p.Path+" "+p.Code)
			if p.Text == "" || strings.Contains(p.Text, "299999990") || strings.HasPrefix(p.Text, "problem.") {
				t.Errorf("%s: the text is %q", name, p.Text)
			}
		}
		slices.Sort(got)
		if c.want != nil && !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got  %q\n want %q", name, got, c.want)
		}
		if calls := e.Bank.Calls(portal.BorrowerCreate); calls != 0 {
			t.Errorf("%s: the bank was asked to create", name)
		}
	}
}

func TestAWarningWaitsForAPersonAndThenIsSent(t *testing.T) {
	t.Parallel()
	e, args := testenv.Start(t, testenv.Options{}), testenv.NewBorrower(map[string]string{"socialSecurityNumber": `"987-65-4321"`})
	_, failure := e.Call(t, "create_borrower", args)
	if failure == nil || failure.Kind != tools.Unconfirmed || failure.Problems[0].Severity != tools.Warns {
		t.Fatalf("got %v", failure)
	}
	if _, failure := e.Call(t, "create_borrower", args, func(r *tools.Request) { r.Confirmed = []string{failure.Problems[0].Code} }); failure != nil {
		t.Errorf("confirmed, it fails with %v", failure)
	}
}

func TestABorrowerIsNotTakenForAnotherWhereDuplicatesAreAllowed(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{
		Sandbox: sandbox.Config{LenientTaxIDs: true},
		Checks:  func(o *validation.Options) { o.Rules[validation.BorrowerDuplicate] = validation.Off },
	})
	e.MustCall(t, "create_borrower", testenv.NewBorrower(nil))
	e.Bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, DropBefore: true, Times: 1})
	if _, failure := e.Call(t, "create_borrower", testenv.NewBorrower(map[string]string{"name": `"Rui Modelo"`}), testenv.WithKey("another")); failure == nil || failure.Kind != tools.Unclear {
		t.Errorf("got %v", failure)
	}
}
