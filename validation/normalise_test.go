package validation_test

import (
	"reflect"
	"testing"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/validation"
)

func TestNormaliseWritesTheFormThatTheBankTakes(t *testing.T) {
	a := applicant()
	a.Process = " 1042 "
	p := &a.Personal
	p.Name, p.BirthDate, p.TaxID = name("  Maria \t Jose\u0301 Exemplo "), date("12/04/1985"), number("pt 299 999 998")
	p.Mobile, p.Email = telephone("00351 912 345 678"), email(" Maria@EXAMPLE.com ")
	p.Document, p.CheckDigit, p.NISS = number("99999999-0zz2"), suffix(""), number("987-65-4321")
	p.Zip, p.Address, p.Expiry = postalCode(" 1000-001 "), address("Rua  Exemplo\n123"), expiry("   ")
	a.Profession.TaxID = number("PT599999993")

	validation.Normalise(&a)

	want := applicant()
	w := &want.Personal
	w.Name, w.Address, w.Expiry = name("Maria José Exemplo"), address("Rua Exemplo 123"), pii.ExpiryDate{}
	w.Email, w.Document, w.CheckDigit = email("Maria@example.com"), number("99999999"), suffix("0ZZ2")
	w.NISS = number("987654321")
	if got, want := inClear(t, a), inClear(t, want); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestNormaliseLeavesInvalidValuesUnchanged(t *testing.T) {
	a := applicant()
	p := &a.Personal
	p.BirthDate, p.TaxID, p.Mobile, p.Email = date(" 31/02/1985"), number("pt 1"), telephone("91 234"), email("Maria@")
	p.NISS, p.Zip = number("1-2"), postalCode("1000001")
	before := inClear(t, a)
	validation.Normalise(&a)
	if after := inClear(t, a); after != before {
		t.Errorf("got  %s\nwant %s", after, before)
	}
}

func TestAPassportNumberIsNotReadAsACardNumber(t *testing.T) {
	a := applicant()
	a.Personal.Document, a.Personal.CheckDigit = number("ab 123456"), suffix("")
	validation.Normalise(&a)
	if got := a.Personal.Document; got != number("AB123456") || !a.Personal.CheckDigit.IsZero() {
		t.Errorf("got %s and %s", got.Reveal(), a.Personal.CheckDigit.Reveal())
	}
}

func TestACardOfSevenDigitsIsPadded(t *testing.T) {
	a := applicant()
	a.Personal.Document, a.Personal.CheckDigit = number("9999999"), suffix("4 ZZ 3")
	validation.Normalise(&a)
	if a.Personal.Document != number("09999999") || a.Personal.CheckDigit != suffix("4ZZ3") {
		t.Errorf("got %s and %s", a.Personal.Document.Reveal(), a.Personal.CheckDigit.Reveal())
	}
}

// FuzzBorrower puts any text into every field and asks three things of the checks: that normalising twice is
// normalising once, that it makes nothing wrong that was right, and that no problem repeats what was typed.
func FuzzBorrower(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.Value)
	}
	f.Add("  Maria  Jose\u0301 Exemplo ")
	f.Add("29/02/2024")
	f.Add("\u0130@\u0130.com")
	checks := checkerWith(nil)
	f.Fuzz(func(t *testing.T, s string) {
		a := application{Process: s, Type: 1, Personal: everywhere(s)}
		report := checks.Struct(a).With(checks.Borrower(factsOf(a.Personal)), checks.Household(
			[]validation.BorrowerFacts{factsOf(a.Personal), factsOf(a.Personal)}))
		for _, leak := range repeats(report, s) {
			t.Error(leak)
		}
		once := a
		validation.Normalise(&once)
		for _, p := range checks.Struct(once) {
			if !reported(report, p) {
				t.Errorf("normalising makes %s wrong: %s", p.Path, p.Code)
			}
		}
		twice := once
		validation.Normalise(&twice)
		if !reflect.DeepEqual(once, twice) {
			t.Errorf("%q becomes %s, and that %s", s, inClear(t, once), inClear(t, twice))
		}
	})
}

func everywhere(s string) personal {
	return personal{
		Name: name(s), BirthDate: date(s), TaxID: number(s), Mobile: telephone(s), Email: email(s), Phone: telephone(s),
		Document: number(s), CheckDigit: suffix(s), Expiry: expiry(s), NISS: number(s), Address: address(s), Zip: postalCode(s),
	}
}

func factsOf(p personal) validation.BorrowerFacts {
	return validation.BorrowerFacts{
		Document: validation.CitizenCardDocument, DocumentNumber: p.Document, CheckDigits: p.CheckDigit, TaxID: p.TaxID,
		BirthDate: p.BirthDate, ZipCode: p.Zip, Country: validation.Portugal, EmployerTaxID: p.TaxID,
		Situation: validation.Employee, Marital: validation.Married,
	}
}

func reported(r validation.Report, p validation.Problem) bool {
	for _, known := range r {
		if known.Path == p.Path && known.Code == p.Code {
			return true
		}
	}
	return false
}

func inClear(t *testing.T, v any) string {
	data, err := pii.MarshalClear(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
