package validation_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/validation"
)

func TestACompleteApplicantHasNoProblems(t *testing.T) {
	if got := checker(t).Struct(applicant()); len(got) != 0 {
		t.Errorf("got %v", findings(got))
	}
	a := applicant()
	if got := checker(t).Struct(&a); len(got) != 0 {
		t.Errorf("by pointer: got %v", findings(got))
	}
}

func TestEveryMissingFieldIsReportedInOnePass(t *testing.T) {
	got := findings(checker(t).Struct(application{Process: " ", Personal: personal{Name: name("   ")}}))
	want := []string{
		"borrowerTypeId required", "personal.birthDate expected?", "personal.email expected?", "personal.genderId expected?",
		"personal.mobile expected?", "personal.name expected?", "personal.taxId required", "process required",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestTheRuleOfEachField(t *testing.T) {
	a := applicant
	for _, c := range []struct {
		what   string
		change func(*application)
		want   string
	}{
		{"a tax number with a wrong digit", func(a *application) { a.Personal.TaxID = number("299999990") }, "personal.taxId nif.check_digit"},
		{"a tax number too short", func(a *application) { a.Personal.TaxID = number("29999999") }, "personal.taxId nif.length"},
		{"letters in a tax number", func(a *application) { a.Personal.TaxID = number("29999999X") }, "personal.taxId nif.format"},
		{"a tax number nobody has", func(a *application) { a.Personal.TaxID = number("940000008") }, "personal.taxId nif.prefix?"},
		{"an obsolete sole trader as a person", func(a *application) { a.Personal.TaxID = number("812627318") }, "personal.taxId nif.not_person?"},
		{"a company as a person", func(a *application) { a.Personal.TaxID = number("599999993") }, "personal.taxId nif.not_person?"},
		{"a person as an employer", func(a *application) { a.Profession.TaxID = number("PT123456789") }, ""},
		{"a tax number with spaces", func(a *application) { a.Personal.TaxID = number("PT 299 999 998") }, ""},
		{"a birth date that does not exist", func(a *application) { a.Personal.BirthDate = date("1985-02-30") }, "personal.birthDate date.format"},
		{"a birth date with the day first", func(a *application) { a.Personal.BirthDate = date("12/04/1985") }, ""},
		{"eighteen today", func(a *application) { a.Personal.BirthDate = date("2008-11-22") }, ""},
		{"eighteen tomorrow", func(a *application) { a.Personal.BirthDate = date("2008-11-23") }, "personal.birthDate age.minor"},
		{"not born yet", func(a *application) { a.Personal.BirthDate = date("2026-11-23") }, "personal.birthDate date.future"},
		{"119 years old", func(a *application) { a.Personal.BirthDate = date("1906-11-23") }, ""},
		{"120 years old", func(a *application) { a.Personal.BirthDate = date("1906-11-22") }, "personal.birthDate age.too_old"},
		{"a fixed line as mobile", func(a *application) { a.Personal.Mobile = telephone("212345678") }, "personal.mobile phone.not_mobile?"},
		{"a foreign mobile", func(a *application) { a.Personal.Mobile = telephone("+34 612 345 678") }, ""},
		{"a number of no range", func(a *application) { a.Personal.Mobile = telephone("941234567") }, "personal.mobile phone.unassigned?"},
		{"a number too short", func(a *application) { a.Personal.Mobile = telephone("91234567") }, "personal.mobile phone.invalid"},
		{"an extension", func(a *application) { a.Personal.Phone = telephone("212345678 ext. 5") }, "personal.phone phone.extension?"},
		{"a premium line", func(a *application) { a.Personal.Phone = telephone("760123456") }, "personal.phone phone.special?"},
		{"no address", func(a *application) { a.Personal.Email = email("maria.example.com") }, "personal.email email.format"},
		{"a top domain of one letter", func(a *application) { a.Personal.Email = email("z@co.c") }, "personal.email email.format"},
		{"a full-width domain", func(a *application) { a.Personal.Email = email("z@ｅxample.com") }, "personal.email email.format"},
		{"a symbol after the domain", func(a *application) { a.Personal.Email = email("z@example.com©") }, "personal.email email.format"},
		{"a long local part", func(a *application) { a.Personal.Email = email(strings.Repeat("a", 65) + "@example.com") }, "personal.email email.length"},
		{"a long address of e-mail", func(a *application) { a.Personal.Email = email("a@" + strings.Repeat("a.", 125) + "com") }, "personal.email email.length"},
		{"a long label", func(a *application) { a.Personal.Email = email("a@" + strings.Repeat("a", 64) + ".com") }, "personal.email email.format"},
		{"a single name", func(a *application) { a.Personal.Name = name("Maria") }, "personal.name name.words?"},
		{"digits in a name", func(a *application) { a.Personal.Name = name("Maria 2.ª Exemplo") }, "personal.name name.characters?"},
		{"a rich name", func(a *application) { a.Personal.Name = name("Maria-Inês d’Água e O'Exemplo Jr.") }, ""},
		{"an endless name", func(a *application) { a.Personal.Name = name(strings.Repeat("Ma ", 67)) }, ""},
		{"a name above 200", func(a *application) { a.Personal.Name = name(strings.Repeat("Maria ", 34)) }, "personal.name text.too_long"},
		{"a NISS of nine digits", func(a *application) { a.Personal.NISS = number("987-65-4321") }, "personal.socialSecurityNumber niss.legacy_length?"},
		{"a wrong NISS", func(a *application) { a.Personal.NISS = number("12345678903") }, "personal.socialSecurityNumber niss.check_digit?"},
		{"a NISS of nobody", func(a *application) { a.Personal.NISS = number("32345678902") }, "personal.socialSecurityNumber niss.first_digit?"},
		{"an entity's NISS", func(a *application) { a.Personal.NISS = number("29999999991") }, "personal.socialSecurityNumber niss.not_person?"},
		{"letters in a NISS", func(a *application) { a.Personal.NISS = number("1234567890Z") }, "personal.socialSecurityNumber niss.format?"},
		{"a NISS of ten digits", func(a *application) { a.Personal.NISS = number("1234567890") }, "personal.socialSecurityNumber niss.length?"},
		{"a long document number", func(a *application) { a.Personal.Document = number(strings.Repeat("A", 21)) }, "personal.identificationDocumentNumber text.too_long"},
		{"long check digits", func(a *application) { a.Personal.CheckDigit = suffix(strings.Repeat("A", 11)) }, "personal.checkDigit text.too_long"},
		{"11 dependants", func(a *application) { *a.Personal.Dependants = 11 }, "personal.dependentsNumber dependants.many?"},
		{"-1 dependants", func(a *application) { *a.Personal.Dependants = -1 }, "personal.dependentsNumber dependants.range"},
		{"an address of two lines", func(a *application) { a.Personal.Address = address("Rua\x00Exemplo") }, "personal.address text.characters"},
		{"a long address of odd characters", func(a *application) { a.Personal.Address = address(strings.Repeat("\x00", 101)) },
			"personal.address text.characters, personal.address text.too_long"},
		{"a long name of digits", func(a *application) { a.Personal.Name = name(strings.Repeat("1", 201)) },
			"personal.name text.too_long, personal.name name.characters?"},
		{"a long address", func(a *application) { a.Personal.Address = address(strings.Repeat("é", 101)) }, "personal.address text.too_long"},
		{"a long postal code", func(a *application) { a.Personal.Zip = postalCode(strings.Repeat("1", 21)) }, "personal.zipCode zip.length?"},
		{"no choice", func(a *application) { *a.Personal.Nationality = 0 }, "personal.nationalityId choice.unknown?"},
		{"a relation below none", func(a *application) { *a.Relation = -1 }, "keyBorrowerRelationId number.too_low"},
		{"negative months in a job", func(a *application) { *a.Profession.Months = -1 }, "professional.employmentDurationMonths months.range"},
		{"negative wages", func(a *application) { a.Financial.Wages = euros("-1") }, "financial.incomeWagesPensions amount.negative?"},
		{"wages of 0", func(a *application) { a.Financial.Wages = euros("0") }, ""},
		{"a third of a cent", func(a *application) { a.Financial.Wages = euros("0.333") }, "financial.incomeWagesPensions amount.places"},
		{"a slip of the keyboard", func(a *application) { a.Financial.Wages = euros("1000000.01") }, "financial.incomeWagesPensions amount.too_high?"},
		{"71 years in one job", func(a *application) { *a.Profession.Months = 841 }, "professional.employmentDurationMonths months.many?"},
		{"an employer nobody knows", func(a *application) { a.Profession.TaxID = number("599999994") }, "professional.employerTaxId nif.check_digit"},
		{"only the six", func(a *application) {
			a.Financial, a.Profession = nil, nil
			p := a.Personal
			a.Personal = personal{Name: p.Name, BirthDate: p.BirthDate, TaxID: p.TaxID, Mobile: p.Mobile, Email: p.Email, Gender: p.Gender}
		}, ""},
	} {
		person := a()
		c.change(&person)
		if got := strings.Join(findings(checker(t).Struct(person)), ", "); got != c.want {
			t.Errorf("%s: got %q, want %q", c.what, got, c.want)
		}
	}
}

func TestARuleIsAsStrictAsItsOptionSays(t *testing.T) {
	const personalNISS, taxID = "personal.socialSecurityNumber ", "personal.taxId "
	for _, c := range []struct {
		rules  validation.Rules
		change func(*application)
		want   string
	}{
		{nil, func(a *application) { a.Personal.NISS = number("987654321") }, personalNISS + "niss.legacy_length?"},
		{validation.Rules{"niss.legacy_length": validation.Refuse}, func(a *application) { a.Personal.NISS = number("987654321") }, personalNISS + "niss.legacy_length"},
		{validation.Rules{"niss.legacy_length": validation.Off}, func(a *application) { a.Personal.NISS = number("987654321") }, ""},
		{validation.Rules{"niss.format": validation.Off}, func(a *application) { a.Personal.NISS = number("anything") }, ""},
		{validation.Rules{"nif.check_digit": validation.Ask}, func(a *application) { a.Personal.TaxID = number("299999990") }, taxID + "nif.check_digit?"},
		{validation.Rules{"nif.check_digit": validation.Off}, func(a *application) { a.Personal.TaxID = number("299999990") }, ""},
		{validation.Rules{"expected": validation.Refuse}, func(a *application) { a.Personal.Gender = nil }, "personal.genderId expected"},
		{validation.Rules{"expected": validation.Off}, func(a *application) { a.Personal.Gender, a.Personal.BirthDate = nil, date(" ") }, ""},
		{validation.Rules{"date.format": validation.Off}, func(a *application) { a.Personal.BirthDate = date("1985-02-30") }, ""},
		{validation.Rules{"age.minor": validation.Ask}, func(a *application) { a.Personal.BirthDate = date("2010-01-01") }, "personal.birthDate age.minor?"},
		{validation.Rules{"phone.extension": validation.Off}, func(a *application) { a.Personal.Mobile = telephone("912345678 ext 5") }, ""},
	} {
		a := applicant()
		c.change(&a)
		if got := strings.Join(findings(checkerWith(c.rules).Struct(a)), ", "); got != c.want {
			t.Errorf("%v: got %q, want %q", c.rules, got, c.want)
		}
	}
}

func TestWithoutRulesOnlyWhatIsCertainIsChecked(t *testing.T) {
	checks := validation.New(validation.Options{})
	a := applicant()
	a.Personal.NISS, a.Personal.Name, a.Personal.Mobile, a.Personal.Gender = number("1"), name("Maria"), telephone("212345678"), nil
	facts := keyBorrower()
	facts.RegimeID, facts.CheckDigits, facts.DocumentExpiry, facts.Relation = 0, suffix("XYZ0"), expiry("2020-01-01"), validation.SpouseRelation
	if got := findings(checks.Struct(a).With(checks.Borrower(facts))); got != nil {
		t.Errorf("got %q", got)
	}
	a.Personal.TaxID = number("299999990")
	if got := findings(checks.Struct(a)); !slices.Equal(got, []string{"personal.taxId nif.check_digit"}) {
		t.Errorf("got %q", got)
	}
}

func TestAReportSelectsBySeverityAndPath(t *testing.T) {
	a := applicant()
	a.Personal.TaxID, a.Personal.Name, a.Personal.Mobile = number("1"), name("Maria"), telephone("212345678 ext 5")
	r := checker(t).Struct(a)
	if !r.HasErrors() || r.Warnings().HasErrors() {
		t.Errorf("errors: %v, among warnings: %v", r.HasErrors(), r.Warnings().HasErrors())
	}
	if len(r.Errors()) != 1 || len(r.Warnings()) != 3 || len(r.ByPath()["personal.mobile"]) != 2 {
		t.Errorf("got %v", findings(r))
	}
	if twice := r.With(r, nil); !reflect.DeepEqual(findings(twice), findings(r)) {
		t.Errorf("joined to itself it says %v", findings(twice))
	}
}

func TestPathsAreJSONNames(t *testing.T) {
	type Who struct {
		Tax pii.TaxID `json:"taxId" validate:"required"`
	}
	type form struct {
		Who
		Others  []Who  `json:"others" validate:"dive"`
		Untyped string `validate:"required"`
	}
	got := findings(checker(t).Struct(form{Others: make([]Who, 2)}))
	want := []string{"Untyped required", "others[0].taxId required", "others[1].taxId required", "taxId required"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	unnamed := struct {
		Tax pii.TaxID `json:"taxId" validate:"required"`
	}{}
	if got := findings(checker(t).Struct(unnamed)); !slices.Equal(got, []string{"taxId required"}) {
		t.Errorf("a struct without a name: got %v", got)
	}
}

func TestAnAbsentValueIsAProblemOnlyIfItIsRequired(t *testing.T) {
	var absent struct {
		Number *int32    `json:"number" validate:"choice"`
		Limit  *int32    `json:"limit" validate:"gte=1"`
		Needed *int32    `json:"needed" validate:"required,choice"`
		Amount pii.Money `json:"amount" validate:"omitempty,amount"`
	}
	if got := findings(checker(t).Struct(absent)); !slices.Equal(got, []string{"needed required"}) {
		t.Errorf("got %v", got)
	}
}

func TestStructPanicsForNonStructsAndNormaliseForNonPointers(t *testing.T) {
	for what, misuse := range map[string]func(){
		"checking a text":      func() { checker(t).Struct("299999998") },
		"checking nothing":     func() { checker(t).Struct((*application)(nil)) },
		"normalising a struct": func() { validation.Normalise(applicant()) },
		"normalising a nil":    func() { validation.Normalise((*application)(nil)) },
		"a text without a limit": func() {
			checker(t).Struct(struct {
				A string `validate:"text"`
			}{"299999998"})
		},
	} {
		func() {
			defer func() {
				if said, _ := recover().(string); said == "" || strings.Contains(said, "299999998") {
					t.Errorf("%s: got %q", what, said)
				}
			}()
			misuse()
		}()
	}
}
