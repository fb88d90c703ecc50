package validation_test

import (
	"testing"

	"github.com/balcao/balcao/validation"
)

// named are the meanings of a bank that describes an item by its meaning's name.
func named(_ string, _ int32, description string) string {
	if description == "?" {
		return ""
	}
	return description
}

func TestAnItemWithoutAMeaningIsAnotherOneWhereThatMatters(t *testing.T) {
	checks := validation.New(validation.Options{Meanings: named, None: []int32{0}})
	item := func(id int32, description string) validation.Item {
		return validation.Item{ID: &id, Description: description}
	}
	expect(t, "a passport", checks.Document(item(7, "passport")), validation.PassportDocument)
	expect(t, "the married", checks.MaritalStatus(item(7, "married")), validation.Married)
	expect(t, "an employee", checks.Situation(item(7, "employee")), validation.Employee)
	expect(t, "an own home", checks.Residence(item(7, "own")), validation.OwnHome)
	expect(t, "a spouse", checks.Relation(item(7, "spouse")), validation.SpouseRelation)
	expect(t, "Brazil", checks.Country(item(7, "brazil")), validation.Brazil)
	expect(t, "a key borrower", checks.KeyBorrower(item(7, "key_borrower")), true)
	expect(t, "a borrower", checks.KeyBorrower(item(7, "borrower")), false)
	expect(t, "an item with the id 0", checks.Country(item(0, "portugal")), validation.Portugal)

	expect(t, "another document", checks.Document(item(7, "?")), validation.OtherKindOfDocument)
	expect(t, "another home", checks.Residence(item(7, "?")), validation.SomebodyElsesHome)
	expect(t, "another relation", checks.Relation(item(7, "?")), validation.OtherRelation)
	expect(t, "another country", checks.Country(item(7, "?")), validation.OtherCountry)
	expect(t, "a country that the bank does not describe", checks.Country(item(7, "")), validation.OtherCountry)
	expect(t, "another marital status", checks.MaritalStatus(item(7, "?")), "")
	expect(t, "another situation", checks.Situation(item(7, "?")), "")
	expect(t, "another type", checks.KeyBorrower(item(7, "?")), false)

	expect(t, "no document", checks.Document(validation.Item{}), "")
	expect(t, "no relation", checks.Relation(validation.Item{}), "")
	expect(t, "the id 0 without a description", checks.Relation(item(0, "")), "")
	expect(t, "the id 0 with an unknown description", checks.Relation(item(0, "?")), validation.OtherRelation)
	always := validation.New(validation.Options{Meanings: named})
	expect(t, "the id 0 at a bank for which it is one", always.Relation(item(0, "")), validation.OtherRelation)
	expect(t, "a checker without meanings", validation.New(validation.Options{}).Document(item(1, "passport")), "")
}

func expect[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
