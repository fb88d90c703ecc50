package validation

import (
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/balcao/balcao/internal/pii"
)

// BorrowerFacts are the facts of one borrower that the rules across fields need. Callers fill it with the help of a
// [Checker], which knows the kinds; unknown facts are zero and break no rule.
type BorrowerFacts struct {
	Key      bool         // is the key borrower
	Relation RelationKind // to the key borrower

	BirthDate      pii.BirthDate
	TaxID          pii.TaxID
	Nationality    CountryKind
	Document       DocumentKind
	DocumentNumber pii.DocumentNumber
	CheckDigits    pii.CheckDigits
	DocumentExpiry pii.ExpiryDate
	Marital        MaritalKind
	RegimeID       int32 // matrimonialRegimeId; 0 is absent
	Residence      ResidenceKind
	ZipCode        pii.PostalCode
	Country        CountryKind

	Wages, Receipts, Rents, OtherIncome pii.Money // wages include pensions
	HousingInstalment                   pii.Money
	OtherInstalments                    []pii.Money // monthly, of all other credit

	Situation        SituationKind
	ContractTypeID   int32
	EmployerName     pii.Employer
	EmployerTaxID    pii.TaxID
	EmploymentMonths *int32 // nil is absent
}

// Paths of the fields that rules across fields point at.
const (
	pathType         = "borrowerTypeId"
	pathRelation     = "keyBorrowerRelationId"
	pathTaxID        = "personal.taxId"
	pathDocumentType = "personal.identificationDocumentTypeId"
	pathDocument     = "personal.identificationDocumentNumber"
	pathCheckDigit   = "personal.checkDigit"
	pathExpiry       = "personal.identificationDocumentExpiredDate"
	pathRegime       = "personal.matrimonialRegimeId"
	pathZip          = "personal.zipCode"
	pathWages        = "financial.incomeWagesPensions"
	pathHousing      = "financial.installmentHousingCredit"
	pathContract     = "professional.employmentContractTypeId"
	pathEmployer     = "professional.employerName"
	pathEmployerTax  = "professional.employerTaxId"
	pathMonths       = "professional.employmentDurationMonths"
)

// Borrower checks one borrower across their fields. Join it to the report of [Checker.Struct].
func (c *Checker) Borrower(b BorrowerFacts) Report {
	return c.weighed(slices.Concat(b.document(), b.expiry(c.today()), b.family(), b.home(), b.income(), b.employment(c.today())))
}

func (b BorrowerFacts) document() (r Report) {
	number, suffix := b.DocumentNumber.Reveal(), b.CheckDigits.Reveal()
	card := b.Document == CitizenCardDocument
	if card && b.Nationality == OtherCountry {
		// Brazilians with equal rights may hold one (Law 7/2007, art. 3).
		r = append(r, problem(DocumentNationality, pathDocumentType))
	}
	identityCard := b.Document == IdentityCardDocument && b.Nationality == Portugal
	if b.Document != "" && !card {
		if suffix != "" && !identityCard {
			r = append(r, problem(DocumentSuffix, pathCheckDigit))
		}
		if b.DocumentExpiry.IsZero() {
			r = append(r, problem(DocumentNoExpiry, pathExpiry))
		}
	}
	var err error
	switch {
	case b.Document == "" || number == "" && (suffix == "" || !card):
	case card:
		_, _, err = CitizenCard(number, suffix)
	case identityCard:
		_, err = identityCardNIC(number, suffix)
	case b.Document == PassportDocument && b.Nationality == Portugal:
		_, err = PassportPT(number)
	default:
		_, err = OtherDocument(number)
	}
	path := pathDocument
	if err == CardSuffix {
		path = pathCheckDigit
	}
	for _, p := range failed(err) {
		p.Path = path
		r = append(r, p)
	}
	return r
}

const (
	expirySoon  = 90 // days
	permitGrace = 6  // months in which the right of residence outlasts the permit
)

// expiry checks the day on which the document expires. The right of residence lapses six months after the permit: Regulatory
// Decree 84/2007, article 63(14).
func (b BorrowerFacts) expiry(today Date) Report {
	expires, err := ParseDateInput(b.DocumentExpiry.Reveal())
	days := today.DaysUntil(expires)
	permit := b.Document == ResidencePermitDocument
	switch {
	case err != nil || days > expirySoon:
		return nil
	case days >= 0:
		return Report{problem(DocumentExpires, pathExpiry).with("days", strconv.Itoa(expirySoon))}
	case permit && today.Compare(expires.AddMonths(permitGrace)) <= 0:
		return Report{problem(PermitExpired, pathExpiry)}
	case permit:
		return Report{problem(PermitLapsed, pathExpiry)}
	}
	return Report{problem(DocumentExpired, pathExpiry)}
}

func (b BorrowerFacts) family() (r Report) {
	switch b.Marital {
	case Married:
		if b.RegimeID == 0 {
			r = append(r, problem(RegimeRequired, pathRegime))
		}
	case Single, DeFactoUnion, Divorced, Widowed:
		if b.RegimeID != 0 {
			r = append(r, problem(RegimeUnexpected, pathRegime))
		}
	}
	switch related := b.Relation != "" && b.Relation != NoRelation; {
	case !b.Key && !related:
		r = append(r, problem(RelationRequired, pathRelation))
	case b.Key && related:
		r = append(r, problem(RelationUnexpected, pathRelation))
	}
	return r
}

func (b BorrowerFacts) home() (r Report) {
	if zip := b.ZipCode.Reveal(); zip != "" && b.Country != OtherCountry && b.Country != Brazil {
		if _, err := PostalCode(zip); err != nil {
			code := PostalCodeFormat // without a country it may be foreign
			if b.Country == Portugal {
				code = PostalCodeCountry
			}
			r = append(r, problem(code, pathZip))
		}
	}
	if b.Residence == OwnHomeWithMortgage && !positive(b.HousingInstalment) {
		r = append(r, problem(InstalmentHousing, pathHousing))
	}
	return r
}

func (b BorrowerFacts) income() (r Report) {
	given, earned := false, decimal.Zero
	for _, income := range b.incomes() {
		amount, ok := income.Reveal()
		given, earned = given || ok, earned.Add(amount)
	}
	if given && earned.IsZero() {
		r = append(r, problem(IncomeNone, pathWages))
	}
	if positive(b.Wages) && (b.Situation == Unemployed || b.Situation == SelfEmployed && !positive(b.Receipts)) {
		r = append(r, problem(IncomeSituation, pathWages))
	}
	return r
}

func (b BorrowerFacts) employment(today Date) (r Report) {
	if b.Situation == Employee {
		for path, missing := range map[string]bool{
			pathEmployer: b.EmployerName.IsZero(), pathEmployerTax: b.EmployerTaxID.IsZero(),
			pathContract: b.ContractTypeID == 0, pathMonths: b.EmploymentMonths == nil,
		} {
			if missing {
				r = append(r, problem(EmployerRequired, path))
			}
		}
	}
	own, _, ownErr := NIF(b.TaxID.Reveal())
	employer, _, employerErr := NIF(b.EmployerTaxID.Reveal())
	if ownErr == nil && employerErr == nil && own == employer && b.Situation != SelfEmployed {
		r = append(r, problem(EmployerSelf, pathEmployerTax))
	}
	const schoolAge = 14 // the earliest age for work
	born, err := ParseDateInput(b.BirthDate.Reveal())
	if err == nil && b.EmploymentMonths != nil && int(*b.EmploymentMonths) > 12*max(0, born.Age(today)-schoolAge) {
		r = append(r, problem(EmploymentTooLong, pathMonths))
	}
	return r
}

func (b BorrowerFacts) incomes() []pii.Money {
	return []pii.Money{b.Wages, b.Receipts, b.Rents, b.OtherIncome}
}

func positive(m pii.Money) bool {
	amount, ok := m.Reveal()
	return ok && amount.IsPositive()
}

// identity returns what identifies a person within a process, in normal form; "" if it is absent.
func (b BorrowerFacts) identity() (taxID, document string) {
	taxID, _, err := NIF(b.TaxID.Reveal())
	if err != nil {
		taxID = strings.TrimSpace(b.TaxID.Reveal())
	}
	document, suffix, err := CitizenCard(b.DocumentNumber.Reveal(), b.CheckDigits.Reveal())
	if err != nil {
		return taxID, strings.ToUpper(without(b.DocumentNumber.Reveal()+b.CheckDigits.Reveal(), "-"))
	}
	return taxID, document + suffix
}
