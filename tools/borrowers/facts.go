package borrowers

import (
	"context"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/validation"
)

// CheckFields implements [tools.FieldChecker] with the rules across the fields of one borrower.
func (d BorrowerDetails) CheckFields(ctx context.Context, call *tools.Call) []tools.Problem {
	return tools.ProblemsOf(call.Checks().Borrower(d.facts(ctx, call, portal.Borrower{})), call.Actor.Lang)
}

// others returns the facts about the borrowers of a process, without one of them, for the rules across borrowers.
func others(ctx context.Context, call *tools.Call, ref tools.ProcessRef, but uuid.UUID) ([]validation.BorrowerFacts, error) {
	process, err := call.Process(ctx, ref)
	if err != nil {
		return nil, err
	}
	borrowers, err := call.Borrowers(ctx, process.ID)
	if err != nil {
		return nil, err
	}
	var others []validation.BorrowerFacts
	for _, borrower := range borrowers {
		if borrower.BorrowerUniqueID != but {
			others = append(others, factsOf(call.Checks(), borrower))
		}
	}
	return others, nil
}

// joining applies the rules across borrowers to one of them; was is what the bank has of the borrower.
func (d BorrowerDetails) joining(ctx context.Context, call *tools.Call, was portal.Borrower, others []validation.BorrowerFacts) []tools.Problem {
	return tools.ProblemsOf(call.Checks().Joining(d.facts(ctx, call, was), others), call.Actor.Lang)
}

// facts returns the facts about a borrower, whom the bank has as was.
func (d BorrowerDetails) facts(ctx context.Context, call *tools.Call, was portal.Borrower) validation.BorrowerFacts {
	checks := call.Checks()
	item := func(key portal.TaxonomyKey, member string, id *int32) validation.Item {
		_, description := call.DescribedIn(ctx, was, member, key, id)
		return validation.Item{ID: id, Description: description}
	}
	p, f, w := d.Personal, d.Financial, d.Professional
	return validation.BorrowerFacts{
		Key:            checks.KeyBorrower(item("borrowerTypes", "BorrowerTypeID", &d.BorrowerTypeID)),
		Relation:       checks.Relation(item("keyBorrowerRelations", "KeyBorrowerRelationID", d.KeyBorrowerRelationID)),
		BirthDate:      p.BirthDate,
		TaxID:          p.TaxID,
		Nationality:    checks.Country(item("countries", "Personal.NationalityID", p.NationalityID)),
		Document:       checks.Document(item("identificationDocuments", "Personal.IdentificationDocumentTypeID", p.IdentificationDocumentTypeID)),
		DocumentNumber: p.IdentificationDocumentNumber,
		CheckDigits:    p.CheckDigit,
		DocumentExpiry: p.IdentificationDocumentExpiredDate,
		Marital:        checks.MaritalStatus(item("maritalStatuses", "Personal.MaritalStatusID", p.MaritalStatusID)),
		RegimeID:       value(p.MatrimonialRegimeID),
		Residence:      checks.Residence(item("residenceTypes", "Personal.ResidenceTypeID", p.ResidenceTypeID)),
		ZipCode:        p.ZipCode,
		Country:        checks.Country(item("countries", "Personal.CountryID", p.CountryID)),
		Wages:          f.IncomeWagesPensions, Receipts: f.IncomeGreenReceipts, Rents: f.IncomeRents, OtherIncome: f.IncomeOthers,
		HousingInstalment: f.InstallmentHousingCredit,
		Situation:         checks.Situation(item("employmentSituations", "Professional.EmploymentSituationID", w.EmploymentSituationID)),
		ContractTypeID:    value(w.EmploymentContractTypeID),
		EmployerName:      w.EmployerName,
		EmployerTaxID:     w.EmployerTaxID,
		EmploymentMonths:  w.EmploymentDurationMonths,
	}
}

// factsOf returns the facts about a borrower of the bank for the rules across borrowers.
func factsOf(checks *validation.Checker, b portal.Borrower) validation.BorrowerFacts {
	facts := validation.BorrowerFacts{
		Key:      checks.KeyBorrower(typeOf(b)),
		Relation: checks.Relation(validation.Item{ID: b.KeyBorrowerRelationID, Description: b.KeyBorrowerRelationDescription}),
	}
	if p := b.Personal; p != nil {
		facts.TaxID, facts.DocumentNumber, facts.CheckDigits = p.TaxID, p.IdentificationDocumentNumber, p.CheckDigit
		facts.Marital = checks.MaritalStatus(validation.Item{ID: p.MaritalStatusID, Description: p.MaritalStatusDescription})
		facts.RegimeID = value(p.MatrimonialRegimeID)
	}
	return facts
}

// typeOf returns the type of a borrower of the bank.
func typeOf(b portal.Borrower) validation.Item {
	return validation.Item{ID: &b.BorrowerTypeID, Description: b.BorrowerTypeDescription}
}

func value(id *int32) int32 {
	if id == nil {
		return 0
	}
	return *id
}

// targetOf returns the target of a call that changes a borrower of a process.
func targetOf(ctx context.Context, call *tools.Call, process tools.ProcessRef, borrower tools.BorrowerRef) ([]string, error) {
	found, err := call.Process(ctx, process)
	return []string{"borrower", found.ID.String(), string(borrower)}, err
}
