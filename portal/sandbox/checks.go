package sandbox

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

// The borrower type and two of the objects are required (confirmed; which two is inferred). What depends on the bank is
// refused if the profile's rules say so. The other rules are ours, and lenient where the bank's own examples are unusual.

const (
	longestText = 200
	oldestAge   = 120 // years
	adultAge    = 18
	mostMonths  = 840 // in a job
	mostPeople  = 10  // dependent on the borrower
)

var (
	phoneShape = regexp.MustCompile(`^(\+[1-9]\d{6,14}|\d{9})$`)
	zipShape   = regexp.MustCompile(`^[1-9]\d{3}-\d{3}$`)
	taxIDShape = regexp.MustCompile(`^\d{9}$`)
	allocated  = regexp.MustCompile(`^([123568]|45|7[01245789]|9[0189])`)
	tooMuch    = decimal.New(1, 6) // euros a month
)

// checker collects the problems of a borrower. Prefix is the path of the object that is checked.
type checker struct {
	now      time.Time
	rules    profile.Rules
	lists    map[portal.TaxonomyKey]map[int32]item
	prefix   string
	problems []problem
}

func (c *checker) add(key, field string) {
	c.problems = append(c.problems, problem{key, c.prefix + field})
}

// check returns the problems of a borrower, without regard to the other borrowers.
func (c *checker) check(data portal.BorrowerRequest) []problem {
	if data.BorrowerTypeID == 0 {
		c.add("field.required", "borrowerTypeId")
	} else {
		c.id("borrowerTypeId", "borrowerTypes", &data.BorrowerTypeID)
	}
	c.id("keyBorrowerRelationId", "keyBorrowerRelations", data.KeyBorrowerRelationID)
	if data.Personal == nil {
		c.add("field.required", "personalDataBorrowerRequest")
	} else {
		c.prefix = "personalDataBorrowerRequest."
		c.required(data.Personal)
		c.personal(data.Personal)
	}
	c.prefix = ""
	if data.Financial == nil {
		c.add("field.required", "financialDataBorrowerRequest")
	} else {
		c.prefix = "financialDataBorrowerRequest."
		c.financial(data.Financial)
	}
	if data.Professional != nil {
		c.prefix = "professionalDataBorrowerRequest."
		c.professional(data.Professional)
	}
	slices.SortStableFunc(c.problems, func(a, b problem) int { return portal.FieldNumber(a.field) - portal.FieldNumber(b.field) })
	return c.problems
}

// refuses reports whether the bank refuses what breaks a rule.
func (c *checker) refuses(rule string) bool { return c.rules[rule] == profile.Error }

func (c *checker) required(p *portal.PersonalDataRequest) {
	if p.TaxID.IsZero() {
		c.add("field.required", "taxId")
	}
	for _, field := range []struct {
		name   string
		absent bool
	}{
		{"name", strings.TrimSpace(p.Name.Reveal()) == ""},
		{"birthDate", p.BirthDate.IsZero()},
		{"mobile", p.Mobile.IsZero()},
		{"email", p.Email.IsZero()},
		{"genderId", p.GenderID == nil},
	} {
		if field.absent && c.refuses("expected") {
			c.add("field.required", field.name)
		}
	}
}

func (c *checker) personal(p *portal.PersonalDataRequest) {
	for field, value := range map[string]string{
		"name":                         p.Name.Reveal(),
		"identificationDocumentNumber": p.IdentificationDocumentNumber.Reveal(),
		"checkDigit":                   p.CheckDigit.Reveal(),
		"socialSecurityNumber":         p.SocialSecurityNumber.Reveal(),
		"address":                      p.Address.Reveal(),
		"zipCodeLocal":                 p.ZipCodeLocal.Reveal(),
		"doorNumber":                   p.DoorNumber.Reveal(),
		"floor":                        p.Floor.Reveal(),
	} {
		c.length(field, value)
	}
	c.birthDate(p.BirthDate)
	c.date("identificationDocumentExpiredDate", p.IdentificationDocumentExpiredDate.Reveal())
	c.taxID("taxId", p.TaxID.Reveal())
	c.shape("mobile", p.Mobile.Reveal(), phoneShape)
	c.shape("phone", p.Phone.Reveal(), phoneShape)
	c.email(p.Email.Reveal())
	if p.CountryID != nil && *p.CountryID == 1 && c.refuses("country.zip") {
		c.shape("zipCode", p.ZipCode.Reveal(), zipShape)
	} else {
		c.length("zipCode", p.ZipCode.Reveal())
	}
	c.id("genderId", "genders", p.GenderID)
	c.id("nationalityId", "countries", p.NationalityID)
	c.id("identificationDocumentTypeId", "identificationDocuments", p.IdentificationDocumentTypeID)
	c.id("maritalStatusId", "maritalStatuses", p.MaritalStatusID)
	c.id("matrimonialRegimeId", "matrimonialRegimes", p.MatrimonialRegimeID)
	c.id("residenceTypeId", "residenceTypes", p.ResidenceTypeID)
	c.id("academicLevelId", "academicLevels", p.AcademicLevelID)
	c.id("countryId", "countries", p.CountryID)
	c.within("dependentsNumber", p.DependentsNumber, mostPeople, "dependants.many")
}

func (c *checker) financial(f *portal.FinancialDataRequest) {
	for field, amount := range map[string]pii.Money{
		"incomeWagesPensions":          f.IncomeWagesPensions,
		"incomeGreenReceipts":          f.IncomeGreenReceipts,
		"incomeRents":                  f.IncomeRents,
		"incomeOthers":                 f.IncomeOthers,
		"installmentHousingCredit":     f.InstallmentHousingCredit,
		"installmentPersonalCredit":    f.InstallmentPersonalCredit,
		"installmentAutoLeasingCredit": f.InstallmentAutoLeasingCredit,
		"installmentCreditCard":        f.InstallmentCreditCard,
		"installmentBankOverdraft":     f.InstallmentBankOverdraft,
		"installmentOther":             f.InstallmentOther,
	} {
		euros, given := amount.Reveal()
		if given && (euros.IsNegative() && c.refuses("amount.negative") || euros.GreaterThan(tooMuch) && c.refuses("amount.too_high")) {
			c.add("field.range", field)
		}
	}
}

func (c *checker) professional(p *portal.ProfessionalDataRequest) {
	c.id("employmentProfessionId", "professions", p.EmploymentProfessionID)
	c.id("employmentSituationId", "employmentSituations", p.EmploymentSituationID)
	c.id("employmentPositionDepartmentID", "employmentDepartmentPositions", p.EmploymentPositionDepartmentID)
	c.id("employmentContractTypeId", "employmentContractTypes", p.EmploymentContractTypeID)
	c.length("employerName", p.EmployerName.Reveal())
	c.taxID("employerTaxId", strings.TrimPrefix(p.EmployerTaxID.Reveal(), "PT")) // the bank's examples show both forms
	c.within("employmentDurationMonths", p.EmploymentDurationMonths, mostMonths, "months.many")
}

// id refuses an id that its taxonomy lacks.
func (c *checker) id(field string, key portal.TaxonomyKey, id *int32) {
	if id == nil {
		return
	}
	if _, known := c.lists[key][*id]; !known {
		c.add("field.id", field)
	}
}

// within refuses a number below 0, and one above most if the rule says so.
func (c *checker) within(field string, n *int32, most int32, rule string) {
	if n != nil && (*n < 0 || *n > most && c.refuses(rule)) {
		c.add("field.range", field)
	}
}

func (c *checker) length(field, value string) {
	if utf8.RuneCountInString(value) > longestText {
		c.add("field.length", field)
	}
}

func (c *checker) shape(field, value string, shape *regexp.Regexp) {
	if value != "" && !shape.MatchString(value) {
		c.add("field.format", field)
	}
}

func (c *checker) email(value string) {
	if value != "" && !isEmail(value) {
		c.add("field.format", "email")
	}
}

func isEmail(value string) bool {
	address, err := mail.ParseAddress(value)
	return err == nil && address.Address == value && len(value) <= 254
}

func (c *checker) date(field, value string) (day time.Time, ok bool) {
	if value == "" {
		return day, false
	}
	day, err := time.Parse(time.DateOnly, value)
	if err != nil {
		c.add("field.format", field)
	}
	return day, err == nil
}

func (c *checker) birthDate(value pii.BirthDate) {
	born, ok := c.date("birthDate", value.Reveal())
	if ok && (born.AddDate(adultAge, 0, 0).After(c.now) || born.AddDate(oldestAge, 0, 0).Before(c.now)) {
		c.add("field.range", "birthDate")
	}
}

func (c *checker) taxID(field, value string) {
	switch {
	case value == "":
	case !taxIDShape.MatchString(value), !allocated.MatchString(value) && c.refuses("nif.prefix"):
		c.add("field.format", field)
	case controlDigit(value[:8]) != value[8]:
		c.add("field.checkDigit", field)
	}
}

// controlDigit is the last digit of a tax number, and of the number in a citizen card, from the eight before it.
func controlDigit(eight string) byte {
	sum := 0
	for i := range eight {
		sum += (9 - i) * int(eight[i]-'0')
	}
	if c := 11 - sum%11; c < 10 {
		return byte('0' + c)
	}
	return '0'
}
