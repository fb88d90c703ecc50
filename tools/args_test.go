package tools_test

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools/borrowers"
	"github.com/balcao/balcao/tools/catalogue"
)

func TestDatesAreTakenAsPeopleTypeThemFromFormsAndFromAssistants(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"3/7/1985", "03.07.1985", "3-7-1985", "03071985", "3 jul 1985", "3 de julho de 1985", "1985-07-03"} {
		typed, problems := borrowers.Create.Args(map[string]string{"personal.birthDate": text}, words.Portuguese)
		if want := `{"personal":{"birthDate":"1985-07-03"}}`; problems != nil || string(typed) != want {
			t.Errorf("%q in a form: got %s, %v", text, typed, problems)
		}
		args, err := json.Marshal(map[string]any{"personal": map[string]any{"birthDate": text}})
		if err != nil {
			t.Fatal(err)
		}
		in, problems := borrowers.Create.Decode(args, words.English)
		if problems != nil || in.(borrowers.NewBorrower).Personal.BirthDate.Reveal() != "1985-07-03" {
			t.Errorf("%q from an assistant is not read: %v", text, problems)
		}
	}
}

func TestTheAnswersOfAFormBecomeTheArgumentsOfAnAssistant(t *testing.T) {
	t.Parallel()
	args, problems := borrowers.Create.Args(map[string]string{
		"process": "1042", "borrowerTypeId": "2", "personal.name": " Rui Amostra ", "personal.birthDate": "12/04/1985",
		"personal.genderId": "2", "financial.incomeWagesPensions": "1.250,50", "financial.hasSocialSecurityDebt": "false", "personal.phone": "  ",
	}, words.English)
	if problems != nil {
		t.Fatal(problems)
	}
	want := `{"borrowerTypeId":2,"financial":{"hasSocialSecurityDebt":false,"incomeWagesPensions":1250.5},` +
		`"personal":{"birthDate":"1985-04-12","genderId":2,"name":"Rui Amostra"},"process":"1042"}`
	if string(args) != want {
		t.Errorf("got  %s\nwant %s", args, want)
	}
	if _, problems := borrowers.Create.Decode(args, words.English); problems != nil {
		t.Errorf("and it is not taken: %v", problems)
	}
}

func TestAnAnswerThatCannotBeReadIsAProblemOfItsField(t *testing.T) {
	t.Parallel()
	_, problems := borrowers.Create.Args(map[string]string{"personal.genderId": "male", "financial.incomeRents": "much"}, words.Portuguese)
	if len(problems) != 2 || problems[0].Path != "personal.genderId" || problems[1].Code != "kind.amount" {
		t.Errorf("got %v", problems)
	}
}

func FuzzArguments(f *testing.F) {
	for _, seed := range []string{`{}`, `{"process":1042}`, `{"personal":{"name":"ç"}}`, `[`, `{"personal":[]}`, `{"process":null}`, `{"financial":{"incomeRents":1e400}}`} {
		f.Add(seed)
	}
	for _, seed := range []string{
		`{"process":1043,"borrower":"00000000-0000-0000-0000-000000000001","clear":["personal.phone"],"version":"0"}`, `{"clear":"personal.phone, personal.floor"}`,
		`{"clear":[1]}`, `{"borrower":"{00000000-0000-0000-0000-000000000001}"}`, `{"borrower":1}`, `{"email":"a@example.com"}`, `{"ignoreRules":"yes","reason":"\u202e"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, args string) {
		for _, tool := range catalogue.New().Tools() {
			in, problems := tool.Decode(json.RawMessage(args), words.English)
			for _, p := range problems {
				if p.Text == "" || !utf8.ValidString(p.Text) {
					t.Errorf("%s of %q: the problem %s has the text %q", tool.Name, args, p.Code, p.Text)
				}
			}
			if in == nil {
				continue
			}
			in = tool.Normalised(in)
			if tool.Edits && len(tool.Changed(tool.Merge(in, in), in)) > 0 {
				t.Errorf("%s: %q over itself is a change", tool.Name, args)
			}
		}
	})
}
