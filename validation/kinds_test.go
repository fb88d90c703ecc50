package validation_test

import (
	"testing"

	"github.com/balcao/balcao/validation"
)

func TestKindsAreDerivedFromDescriptionsInBothLanguages(t *testing.T) {
	var k validation.Kinds
	const unseen = 99
	for description, want := range map[string]validation.DocumentKind{
		"Citizen Card": validation.CitizenCardDocument, "Cartão de Cidadão": validation.CitizenCardDocument,
		"Passport": validation.PassportDocument, "PASSAPORTE": validation.PassportDocument,
		"Residence permit": validation.ResidencePermitDocument, "Título de residência": validation.ResidencePermitDocument,
		"Identity card (old)": validation.IdentityCardDocument, "Bilhete de Identidade": validation.IdentityCardDocument,
		"EU identity card": validation.OtherKindOfDocument, "Bilhete de identidade estrangeiro": validation.OtherKindOfDocument,
		"Bilhete de identidade UE": validation.OtherKindOfDocument, "": validation.OtherKindOfDocument,
	} {
		expect(t, description, k.Document(unseen, description), want)
	}
	for description, want := range map[string]validation.MaritalKind{
		"Single": validation.Single, "Unmarried": validation.Single, "Solteiro(a)": validation.Single,
		"De-facto union": validation.DeFactoUnion, "Unido(a) de facto": validation.DeFactoUnion,
		"Married": validation.Married, "Casado(a)": validation.Married, "Divorciado(a)": validation.Divorced,
		"Viúvo(a)": validation.Widowed, "Widowed": validation.Widowed, "Separado(a) judicialmente": validation.Separated, "?": 0,
	} {
		expect(t, description, k.MaritalStatus(unseen, description), want)
	}
	for description, want := range map[string]validation.SituationKind{
		"Self Employed": validation.SelfEmployed, "Conta própria": validation.SelfEmployed, "Employee": validation.Employee,
		"Conta de outrem": validation.Employee, "Função pública": validation.Employee, "Business owner": validation.BusinessOwner,
		"Empresário": validation.BusinessOwner, "Reformado": validation.Retired, "Unemployed": validation.Unemployed,
		"Desempregado": validation.Unemployed, "Estudante": validation.Student, "": 0,
	} {
		expect(t, description, k.Situation(unseen, description), want)
	}
	for description, want := range map[string]validation.ResidenceKind{
		"Own with mortgage": validation.OwnHomeWithMortgage, "Própria com crédito": validation.OwnHomeWithMortgage,
		"Own": validation.OwnHome, "Própria": validation.OwnHome, "Própria sem encargos": validation.OwnHome,
		"Arrendada": validation.SomebodyElsesHome, "De familiares": validation.SomebodyElsesHome,
	} {
		expect(t, description, k.Residence(unseen, description), want)
	}
	for description, want := range map[string]validation.RelationKind{
		"Spouse": validation.SpouseRelation, "Cônjuge": validation.SpouseRelation,
		"Unido(a) de facto": validation.PartnerRelation, "Pai ou mãe": validation.OtherRelation,
	} {
		expect(t, description, k.Relation(unseen, description), want)
	}
	for description, want := range map[string]validation.CountryKind{
		"Portugal": validation.Portugal, "Portuguese": validation.Portugal, "Portuguesa": validation.Portugal,
		"Brasil": validation.Brazil, "Brazilian": validation.Brazil, "Espanha": validation.OtherCountry,
	} {
		expect(t, description, k.Country(unseen, description), want)
	}
	for description, want := range map[string]bool{
		"KeyBorrower": true, "Key borrower": true, "Proponente principal": true, "Borrower": false, "Proponente": false, "": false,
	} {
		expect(t, description, k.KeyBorrower(unseen, description), want)
	}
}

func TestKindsAreDerivedFromSampleIDsWithoutDescriptionsAndConfiguredKindsComeFirst(t *testing.T) {
	var k validation.Kinds
	expect(t, "document 1", k.Document(1, ""), validation.CitizenCardDocument)
	expect(t, "document 0", k.Document(0, ""), 0)
	expect(t, "marital status 3", k.MaritalStatus(3, ""), validation.Married)
	expect(t, "marital status 3 with words", k.MaritalStatus(3, "Single"), validation.Single)
	expect(t, "situation 1", k.Situation(1, ""), validation.SelfEmployed)
	expect(t, "residence 4", k.Residence(4, ""), validation.OwnHomeWithMortgage)
	expect(t, "relation 1", k.Relation(1, ""), validation.SpouseRelation)
	expect(t, "relation 0", k.Relation(0, ""), validation.NoRelation)
	expect(t, "country 1", k.Country(1, ""), validation.Portugal)
	expect(t, "country 0", k.Country(0, ""), 0)
	expect(t, "type 1", k.KeyBorrower(1, ""), true)

	k = validation.Kinds{Marital: map[int32]validation.MaritalKind{3: validation.Widowed}, Key: map[int32]bool{1: false, 5: true}}
	expect(t, "marital status 3 as configured", k.MaritalStatus(3, "Married"), validation.Widowed)
	expect(t, "type 1 as configured", k.KeyBorrower(1, "KeyBorrower"), false)
	expect(t, "type 5 as configured", k.KeyBorrower(5, ""), true)
}

func expect[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
