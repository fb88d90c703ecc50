package validation_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/validation"
)

// keyBorrower is right in every rule across fields.
func keyBorrower() validation.BorrowerFacts {
	return validation.BorrowerFacts{
		Key: true, BirthDate: date("1985-04-12"), TaxID: number("299999998"), Nationality: validation.Portugal,
		Document: validation.CitizenCardDocument, DocumentNumber: number("00000000"), CheckDigits: suffix("0ZZ4"),
		Marital: validation.Married, RegimeID: 2, Residence: validation.OwnHome,
		ZipCode: postalCode("1000-001"), Country: validation.Portugal, Wages: euros("2500"),
		Situation: validation.Employee, ContractTypeID: 1, EmployerName: address("Exemplo, Lda."),
		EmployerTaxID: number("599999993"), EmploymentMonths: new(int32(48)),
	}
}

func spouse() validation.BorrowerFacts {
	b := keyBorrower()
	b.Key, b.Relation = false, validation.SpouseRelation
	b.TaxID, b.DocumentNumber, b.CheckDigits = number("123456789"), number("99999999"), suffix("0ZZ2")
	return b
}

func TestTheRulesAcrossFieldsOfABorrower(t *testing.T) {
	type facts = validation.BorrowerFacts
	for _, c := range []struct {
		what   string
		change func(*facts)
		want   string
	}{
		{"all is right", func(*facts) {}, ""},
		{"nothing is known", func(b *facts) { *b = facts{Key: true} }, ""},
		{"married without a regime", func(b *facts) { b.RegimeID = 0 }, "personal.matrimonialRegimeId marital.regime_required?"},
		{"single with a regime", func(b *facts) { b.Marital = validation.Single }, "personal.matrimonialRegimeId marital.regime_unexpected?"},
		{"a union with a regime", func(b *facts) { b.Marital = validation.DeFactoUnion }, "personal.matrimonialRegimeId marital.regime_unexpected?"},
		{"divorced with a regime", func(b *facts) { b.Marital = validation.Divorced }, "personal.matrimonialRegimeId marital.regime_unexpected?"},
		{"widowed with a regime", func(b *facts) { b.Marital = validation.Widowed }, "personal.matrimonialRegimeId marital.regime_unexpected?"},
		{"separated with a regime", func(b *facts) { b.Marital = validation.Separated }, ""},
		{"a co-borrower of no relation", func(b *facts) { b.Key = false }, "keyBorrowerRelationId relation.required?"},
		{"a key borrower's spouse who is the key borrower", func(b *facts) { b.Relation = validation.SpouseRelation }, "keyBorrowerRelationId relation.unexpected?"},
		{"a card with a wrong digit", func(b *facts) { b.DocumentNumber = number("00000001") }, "personal.identificationDocumentNumber cc.check_digit?"},
		{"a card without check digits", func(b *facts) { b.CheckDigits = suffix("") }, "personal.checkDigit cc.suffix?"},
		{"check digits without a card's number", func(b *facts) { b.DocumentNumber = number("") }, "personal.identificationDocumentNumber cc.number?"},
		{"a card not given yet", func(b *facts) { b.DocumentNumber, b.CheckDigits = number(""), suffix("") }, ""},
		{"a number of no document", func(b *facts) { b.Document = "" }, ""},
		{"the bank's sample of a card", func(b *facts) { b.DocumentNumber, b.CheckDigits = number("AB123456"), suffix("XYZ0") }, "personal.identificationDocumentNumber cc.number?"},
		{"a card pasted whole", func(b *facts) { b.DocumentNumber, b.CheckDigits = number("00000000 0 ZZ4"), suffix("") }, ""},
		{"a card of seven digits", func(b *facts) { b.DocumentNumber = number("0000000") }, ""},
		{"a Brazilian with a card", func(b *facts) { b.Nationality = validation.Brazil }, ""},
		{"a foreigner with a card", func(b *facts) { b.Nationality = validation.OtherCountry }, "personal.identificationDocumentTypeId nationality.document?"},
		{"a Portuguese passport", func(b *facts) { passport(b, "ab123456") }, ""},
		{"an odd Portuguese passport", func(b *facts) { passport(b, "0700044") }, "personal.identificationDocumentNumber passport.format?"},
		{"a foreign passport", func(b *facts) { passport(b, "0700044"); b.Nationality = validation.OtherCountry }, ""},
		{"an odd foreign passport", func(b *facts) { passport(b, "07/44"); b.Nationality = validation.OtherCountry }, "personal.identificationDocumentNumber doc.format?"},
		{"a passport with check digits", func(b *facts) { passport(b, "AB123456"); b.CheckDigits = suffix("0ZZ4") }, "personal.checkDigit doc.suffix_unexpected?"},
		{"a permit without an expiry date", func(b *facts) {
			passport(b, "AB123456")
			b.Document, b.DocumentExpiry = validation.ResidencePermitDocument, pii.ExpiryDate{}
		}, "personal.identificationDocumentExpiredDate doc.expiry_missing?"},
		{"a permit of which only the kind is known", func(b *facts) {
			b.Document, b.DocumentNumber, b.CheckDigits = validation.ResidencePermitDocument, number(""), suffix("")
		}, "personal.identificationDocumentExpiredDate doc.expiry_missing?"},
		{"an old identity card", func(b *facts) { identityCard(b, "12345678", "9") }, ""},
		{"an old identity card in one field", func(b *facts) { identityCard(b, "12345678-9", "") }, ""},
		{"an old identity card of seven digits", func(b *facts) { identityCard(b, "1569448", "8") }, ""},
		{"an old identity card with a wrong digit", func(b *facts) { identityCard(b, "12345678", "0") }, "personal.identificationDocumentNumber nic.check_digit?"},
		{"an old identity card with letters", func(b *facts) { identityCard(b, "AB123456", "9") }, "personal.identificationDocumentNumber nic.format?"},
		{"a foreign identity card", func(b *facts) { identityCard(b, "AB123456", ""); b.Nationality = validation.OtherCountry }, ""},
		{"an odd document of another kind", func(b *facts) { passport(b, "AB 1"); b.Document = validation.OtherKindOfDocument },
			"personal.identificationDocumentNumber doc.format?"},
		{"seven digits in Portugal", func(b *facts) { b.ZipCode = postalCode("1000001") }, "personal.zipCode country.zip?"},
		{"seven digits somewhere", func(b *facts) { b.ZipCode, b.Country = postalCode("1000001"), "" }, "personal.zipCode zip.format?"},
		{"five digits in Spain", func(b *facts) { b.ZipCode, b.Country = postalCode("28001"), validation.OtherCountry }, ""},
		{"a mortgage without instalment", func(b *facts) { b.Residence = validation.OwnHomeWithMortgage }, "financial.installmentHousingCredit installments.housing?"},
		{"a mortgage with instalment", func(b *facts) {
			b.Residence, b.HousingInstalment = validation.OwnHomeWithMortgage, euros("300")
		}, ""},
		{"an employee of nobody", func(b *facts) { b.EmployerName, b.EmploymentMonths = pii.Employer{}, nil },
			"professional.employerName employer.required?, professional.employmentDurationMonths employer.required?"},
		{"an employee of whom nothing more is known", func(b *facts) {
			b.EmployerName, b.EmployerTaxID, b.ContractTypeID, b.EmploymentMonths = pii.Employer{}, pii.TaxID{}, 0, nil
		}, "professional.employerName employer.required?, professional.employerTaxId employer.required?, " +
			"professional.employmentContractTypeId employer.required?, professional.employmentDurationMonths employer.required?"},
		{"an employee of oneself", func(b *facts) { b.EmployerTaxID = number("PT 299999998") }, "professional.employerTaxId employer.self?"},
		{"self-employed by oneself", func(b *facts) {
			b.EmployerTaxID, b.Situation, b.Receipts = number("299999998"), validation.SelfEmployed, euros("1")
		}, ""},
		{"self-employed on wages alone", func(b *facts) { b.Situation = validation.SelfEmployed }, "financial.incomeWagesPensions income.situation?"},
		{"unemployed on wages", func(b *facts) { b.Situation, b.Receipts = validation.Unemployed, euros("1") }, "financial.incomeWagesPensions income.situation?"},
		{"retired on a pension", func(b *facts) { b.Situation = validation.Retired }, ""},
		{"no income at all", func(b *facts) { b.Wages = euros("0") }, "financial.incomeWagesPensions income.none?"},
		{"at work since fourteen", func(b *facts) { b.EmploymentMonths = new(int32(27 * 12)) }, ""},
		{"at work before fourteen", func(b *facts) { b.EmploymentMonths = new(int32(27*12 + 1)) }, "professional.employmentDurationMonths employment.too_long?"},
	} {
		b := keyBorrower()
		c.change(&b)
		if got := strings.Join(findings(checker(t).Borrower(b)), ", "); got != c.want {
			t.Errorf("%s: got %q, want %q", c.what, got, c.want)
		}
	}
}

func identityCard(b *validation.BorrowerFacts, s, control string) {
	b.Document, b.DocumentNumber, b.CheckDigits = validation.IdentityCardDocument, number(s), suffix(control)
	b.DocumentExpiry = expiry("2031-12-31")
}

func TestTheExpiryOfADocument(t *testing.T) { // on 22 November 2026
	for _, c := range []struct {
		what    string
		kind    validation.DocumentKind
		expires string
		want    string
	}{
		{"91 days from now", validation.CitizenCardDocument, "2027-02-21", ""},
		{"90 days from now", validation.CitizenCardDocument, "2027-02-20", "doc.expires_soon?"},
		{"today", validation.CitizenCardDocument, "2026-11-22", "doc.expires_soon?"},
		{"yesterday", validation.CitizenCardDocument, "2026-11-21", "doc.expired?"},
		{"yesterday, as typed", validation.PassportDocument, "21/11/2026", "doc.expired?"},
		{"of a document of unknown kind", "", "2026-11-21", "doc.expired?"},
		{"a permit, soon", validation.ResidencePermitDocument, "2026-11-23", "doc.expires_soon?"},
		{"a permit, yesterday", validation.ResidencePermitDocument, "2026-11-21", "permit.expired?"},
		{"a permit, six months ago", validation.ResidencePermitDocument, "2026-05-22", "permit.expired?"},
		{"a permit, six months and a day ago", validation.ResidencePermitDocument, "2026-05-21", "permit.lapsed?"},
		{"a permit, at the end of a long month", validation.ResidencePermitDocument, "2026-05-31", "permit.expired?"},
		{"no date", validation.PassportDocument, "soon", ""},
	} {
		b := validation.BorrowerFacts{Key: true, Document: c.kind, DocumentExpiry: expiry(c.expires)}
		got := ""
		for _, p := range findings(checker(t).Borrower(b)) {
			path, code, _ := strings.Cut(p, " ")
			if got += code; path != "personal.identificationDocumentExpiredDate" {
				t.Errorf("%s: the path is %s", c.what, path)
			}
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.what, got, c.want)
		}
	}
}

func passport(b *validation.BorrowerFacts, s string) {
	b.Document, b.DocumentNumber, b.CheckDigits = validation.PassportDocument, number(s), suffix("")
	b.DocumentExpiry = expiry("2031-12-31")
}

func TestTheRulesAcrossBorrowersOfAProcess(t *testing.T) {
	key, partner := keyBorrower(), spouse()
	second := func(change func(*validation.BorrowerFacts)) []validation.BorrowerFacts {
		b := spouse()
		change(&b)
		return []validation.BorrowerFacts{key, b}
	}
	for _, c := range []struct {
		what    string
		members []validation.BorrowerFacts
		want    []string
	}{
		{"nobody yet", nil, nil},
		{"a couple", []validation.BorrowerFacts{key, partner}, nil},
		{"nobody is the key borrower", []validation.BorrowerFacts{partner}, []string{"borrowers[0].borrowerTypeId borrower.key_missing?"}},
		{"both are", second(func(b *validation.BorrowerFacts) { b.Key = true }), []string{"borrowers[1].borrowerTypeId borrower.key_unique?"}},
		{"the same person twice", []validation.BorrowerFacts{key, func() validation.BorrowerFacts {
			b := partner
			b.TaxID, b.DocumentNumber, b.CheckDigits = number("PT299 999 998"), number("00000000-0ZZ4"), suffix("")
			return b
		}()}, []string{"borrowers[1].personal.identificationDocumentNumber borrower.same_document?", "borrowers[1].personal.taxId borrower.duplicate"}},
		{"two of whom nothing is known", []validation.BorrowerFacts{{Key: true}, {}}, nil},
		{"spouses of two regimes", second(func(b *validation.BorrowerFacts) { b.RegimeID = 3 }), []string{"borrowers[1].personal.matrimonialRegimeId spouse.both?"}},
		{"siblings of two regimes", second(func(b *validation.BorrowerFacts) { b.RegimeID, b.Relation = 3, validation.OtherRelation }), nil},
		{"the spouse came first", []validation.BorrowerFacts{func() validation.BorrowerFacts { b := partner; b.RegimeID = 3; return b }(), key},
			[]string{"borrowers[1].personal.matrimonialRegimeId spouse.both?"}},
	} {
		if got := findings(checker(t).Household(c.members)); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.what, got, c.want)
		}
	}
}

func TestANewBorrowerHasProblemsOfOwnFieldsOnly(t *testing.T) {
	key := keyBorrower()
	twin := spouse()
	twin.TaxID = key.TaxID
	quarrelling := []validation.BorrowerFacts{key, key} // already wrong, and not by the newcomer's fault
	if got := findings(checker(t).Joining(twin, quarrelling)); !slices.Equal(got, []string{"personal.taxId borrower.duplicate"}) {
		t.Errorf("got %v", got)
	}
	if got := checker(t).Joining(spouse(), quarrelling); got != nil {
		t.Errorf("somebody new: got %v", findings(got))
	}
	if got := findings(checker(t).Joining(spouse(), nil)); !slices.Equal(got, []string{"borrowerTypeId borrower.key_missing?"}) {
		t.Errorf("the first to join: got %v", got)
	}
}
