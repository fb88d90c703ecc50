package validation_test

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/validation"
)

func ExampleChecker_Struct() {
	type person struct {
		Name  pii.Name      `json:"name" validate:"required,person_name"`
		Born  pii.BirthDate `json:"birthDate" validate:"required,date,adult"`
		TaxID pii.TaxID     `json:"taxId" validate:"required,nif_person"`
	}
	checker := validation.New(validation.Options{Now: func() time.Time {
		return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	}})
	maria := person{
		Name:  pii.New[pii.Name]("Maria Exemplo"),
		Born:  pii.New[pii.BirthDate]("12/04/1985"),
		TaxID: pii.New[pii.TaxID]("299 999 990"),
	}
	for _, p := range checker.Struct(maria) {
		fmt.Println(p.Severity, p.Path, p.Text(words.English))
	}
	validation.Normalise(&maria)
	fmt.Println(maria.Born.Reveal())
	// Output:
	// error taxId The tax number is not valid: check the digits.
	// 1985-04-12
}

func ExampleChecker_Loan() {
	checker := validation.New(validation.Options{Now: func() time.Time {
		return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	}, Limits: []validation.Limits{limits()}})
	euros := func(n int64) pii.Money { return pii.Euros(decimal.NewFromInt(n)) }
	loan := validation.LoanFacts{
		Amount: euros(180_000), Price: euros(240_000), Months: 420,
		YearlyRate: decimal.NewNullDecimal(decimal.New(3, -2)), Rate: validation.VariableRate, // 851.86 euros at 3 % and 1.5 points
	}
	maria := validation.BorrowerFacts{Key: true, BirthDate: pii.New[pii.BirthDate]("1992-04-12"), Wages: euros(2_000)}
	for _, p := range checker.Loan(loan, []validation.BorrowerFacts{maria}) {
		fmt.Println(p.Severity, p.Path, p.Text(words.English))
	}
	// Output:
	// hint loan.amount Indicative debt ratio of 43 % on the figures given, above 35 %. The bank will possibly ask for more information.
}
