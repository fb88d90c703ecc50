package validation_test

import (
	"fmt"
	"time"

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
