package validation_test

import (
	"maps"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/validation"
)

// An application is shaped and tagged as the catalogue's input for a borrower.
type application struct {
	Process    string        `json:"process" validate:"filled,text=40"`
	Type       int32         `json:"borrowerTypeId" validate:"required,choice"`
	Relation   *int32        `json:"keyBorrowerRelationId,omitzero" validate:"omitempty,gte=0"`
	Personal   personal      `json:"personal"`
	Financial  *financial    `json:"financial,omitzero"`
	Profession *professional `json:"professional,omitzero"`
}

type personal struct {
	Name        pii.Name           `json:"name" validate:"expected,omitempty,person_name"`
	BirthDate   pii.BirthDate      `json:"birthDate" validate:"expected,omitempty,date,adult"`
	TaxID       pii.TaxID          `json:"taxId" validate:"required,nif_person"`
	Mobile      pii.Phone          `json:"mobile" validate:"expected,omitempty,mobile"`
	Email       pii.Email          `json:"email" validate:"expected,omitempty,email_address"`
	Gender      *int32             `json:"genderId" validate:"expected,omitempty,choice"`
	Phone       pii.Phone          `json:"phone,omitzero" validate:"omitempty,phone"`
	Document    pii.DocumentNumber `json:"identificationDocumentNumber,omitzero" validate:"omitempty,document=CheckDigit"`
	CheckDigit  pii.CheckDigits    `json:"checkDigit,omitzero" validate:"omitempty,card_suffix"`
	Expiry      pii.ExpiryDate     `json:"identificationDocumentExpiredDate,omitzero" validate:"omitempty,date"`
	NISS        pii.SocialSecurity `json:"socialSecurityNumber,omitzero" validate:"omitempty,niss"`
	Dependants  *int32             `json:"dependentsNumber,omitzero" validate:"omitempty,dependants"`
	Address     pii.Address        `json:"address,omitzero" validate:"omitempty,text=100"`
	Zip         pii.PostalCode     `json:"zipCode,omitzero" validate:"omitempty,zip"`
	Nationality *int32             `json:"nationalityId,omitzero" validate:"omitempty,choice"`
}

type financial struct {
	Wages pii.Money `json:"incomeWagesPensions,omitzero" validate:"omitempty,amount"`
	Debt  pii.Flag  `json:"hasSocialSecurityDebt,omitzero"`
}

type professional struct {
	Employer pii.Employer `json:"employerName,omitzero" validate:"omitempty,text=100"`
	TaxID    pii.TaxID    `json:"employerTaxId,omitzero" validate:"omitempty,nif"`
	Months   *int32       `json:"employmentDurationMonths,omitzero" validate:"omitempty,months"`
}

func name(s string) pii.Name                 { return pii.New[pii.Name](s) }
func number(s string) pii.TaxID              { return pii.New[pii.TaxID](s) } // also of documents and the social security
func suffix(s string) pii.CheckDigits        { return pii.New[pii.CheckDigits](s) }
func date(s string) pii.BirthDate            { return pii.New[pii.BirthDate](s) }
func expiry(s string) pii.ExpiryDate         { return pii.New[pii.ExpiryDate](s) }
func email(s string) pii.Email               { return pii.New[pii.Email](s) }
func telephone(s string) pii.Phone           { return pii.New[pii.Phone](s) }
func postalCode(s string) pii.PostalCode     { return pii.New[pii.PostalCode](s) }
func address(s string) pii.Address           { return pii.New[pii.Address](s) }
func euros(s string) pii.Money               { return pii.Euros(decimal.RequireFromString(s)) }
func checker(testing.TB) *validation.Checker { return checkerWith(nil) }

// checkerWith lives on 22 November 2026, and asks about everything that depends on the bank. rules change that.
func checkerWith(rules validation.Rules) *validation.Checker {
	noon := func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }
	all := validation.AskAll()
	maps.Copy(all, rules)
	return validation.New(validation.Options{Now: noon, Rules: all, Limits: []validation.Limits{limits()}})
}

// limits are those in force in 2026.
func limits() validation.Limits {
	share := func(percent int64) decimal.Decimal { return decimal.New(percent, -2) }
	return validation.Limits{
		From:    validation.Date{Year: 2023, Month: time.October, Day: 16},
		LTVNote: share(80), LTVOwnHome: share(90), LTVOther: share(80), LTVLenderOwned: share(100),
		DSTINote: share(35), DSTIWarn: share(45), DSTILimit: share(50),
		Shocks: []validation.Shock{
			{OverMonths: 120, Rate: decimal.New(15, -3)}, {OverMonths: 60, Rate: decimal.New(10, -3)}, {OverMonths: 0, Rate: decimal.New(5, -3)},
		},
		Terms:   []validation.Term{{UpToAge: 30, Years: 40}, {UpToAge: 35, Years: 37}, {UpToAge: 150, Years: 35}},
		AgeNote: 70, AgeMax: 75,
	}
}

// applicant is right in every field.
func applicant() application {
	return application{
		Process: "1042", Type: 1, Relation: new(int32),
		Personal: personal{
			Name: name("Maria Exemplo"), BirthDate: date("1985-04-12"), TaxID: number("299999998"),
			Mobile: telephone("+351912345678"), Email: email("maria@example.com"), Gender: new(int32(1)),
			Phone: telephone("+351212345678"), Document: number("00000000"), CheckDigit: suffix("0ZZ4"),
			Expiry: expiry("2031-12-31"), NISS: number("12345678902"), Dependants: new(int32),
			Address: address("Rua Exemplo 123"), Zip: postalCode("1000-001"), Nationality: new(int32(1)),
		},
		Financial:  &financial{Wages: euros("2500.00"), Debt: pii.No()},
		Profession: &professional{Employer: address("Exemplo, Lda."), TaxID: number("599999993"), Months: new(int32(48))},
	}
}

// findings lists a report as «path code», warnings with a question mark.
func findings(r validation.Report) (all []string) {
	for _, p := range r {
		line := p.Path + " " + p.Code
		if p.Severity == validation.Warning {
			line += "?"
		}
		all = append(all, line)
	}
	return all
}
