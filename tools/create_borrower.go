package tools

import (
	"context"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

// CreateBorrower adds a borrower to a process (Borrower Create).
var CreateBorrower = Define(Spec{
	Name: "create_borrower", Command: "borrower-new", Toolset: Borrowers, Effect: Creates,
}, func(ctx context.Context, call *Call, in NewBorrower) (BorrowerCreated, error) {
	process, err := call.Process(ctx, in.Process)
	if err != nil {
		return BorrowerCreated{}, err
	}
	created, err := call.Bank.CreateBorrower(ctx, process.ID, in.request())
	if err != nil {
		return BorrowerCreated{}, err
	}
	return BorrowerCreated{
		Process: process.ID, ProcessNumber: process.Number,
		Borrower: created.BorrowerUniqueID, Name: in.Personal.Name,
	}, nil
})

// Recognise implements [Recogniser]: the borrower is there when one of the process's borrowers has the tax number,
// since nobody had it when the call was checked.
func (n NewBorrower) Recognise(ctx context.Context, call *Call) (Carder, bool, error) {
	process, err := call.Process(ctx, n.Process)
	if err != nil {
		return nil, false, err
	}
	borrowers, err := call.borrowers(ctx, process.ID)
	if err != nil {
		return nil, false, err
	}
	for _, borrower := range borrowers {
		if borrower.Personal != nil && borrower.Personal.TaxID == n.Personal.TaxID {
			return BorrowerCreated{
				Process: process.ID, ProcessNumber: process.Number,
				Borrower: borrower.BorrowerUniqueID, Name: n.Personal.Name,
			}, true, nil
		}
	}
	return nil, false, nil
}

// NewBorrower is what a new borrower is made of: the bank's request, field by field.
type NewBorrower struct {
	Process               ProcessRef          `json:"process" page:"process" validate:"required"`
	BorrowerTypeID        int32               `json:"borrowerTypeId" page:"process" validate:"required,choice" taxonomy:"borrowerTypes" pii:"open"`
	KeyBorrowerRelationID *int32              `json:"keyBorrowerRelationId,omitzero" page:"process" taxonomy:"keyBorrowerRelations" pii:"open"`
	Personal              PersonalDetails     `json:"personal"`
	Financial             FinancialDetails    `json:"financial,omitzero" page:"financial"`
	Professional          ProfessionalDetails `json:"professional,omitzero" page:"professional"`
}

// PersonalDetails has the fields of [portal.PersonalDataRequest] with what forms and checks need to know of each; the
// compiler holds the two alike, for one is converted into the other. So it is with the next two.
type PersonalDetails struct {
	Name                              pii.Name           `json:"name" page:"personal" validate:"required,person_name"`
	BirthDate                         pii.BirthDate      `json:"birthDate" page:"personal" validate:"required,date,adult"`
	TaxID                             pii.TaxID          `json:"taxId" page:"personal" validate:"required,nif_person"`
	Phone                             pii.Phone          `json:"phone,omitzero" page:"personal" validate:"omitempty,phone"`
	Mobile                            pii.Phone          `json:"mobile" page:"personal" validate:"required,mobile"`
	Email                             pii.Email          `json:"email" page:"personal" validate:"required,email_address"`
	GenderID                          *int32             `json:"genderId" page:"personal" validate:"required,choice" taxonomy:"genders" pii:"open"`
	NationalityID                     *int32             `json:"nationalityId,omitzero" page:"document" validate:"omitempty,choice" taxonomy:"countries" pii:"open"`
	IdentificationDocumentTypeID      *int32             `json:"identificationDocumentTypeId,omitzero" page:"document" validate:"omitempty,choice" taxonomy:"identificationDocuments" pii:"open"`
	IdentificationDocumentNumber      pii.DocumentNumber `json:"identificationDocumentNumber,omitzero" page:"document" validate:"omitempty,document=CheckDigit"`
	CheckDigit                        pii.CheckDigits    `json:"checkDigit,omitzero" page:"document" validate:"omitempty,card_suffix"`
	IdentificationDocumentExpiredDate pii.ExpiryDate     `json:"identificationDocumentExpiredDate,omitzero" page:"document" validate:"omitempty,date,not_past"`
	SocialSecurityNumber              pii.SocialSecurity `json:"socialSecurityNumber,omitzero" page:"document" validate:"omitempty,niss"`
	MaritalStatusID                   *int32             `json:"maritalStatusId,omitzero" page:"household" validate:"omitempty,choice" taxonomy:"maritalStatuses" pii:"open"`
	MatrimonialRegimeID               *int32             `json:"matrimonialRegimeId,omitzero" page:"household" validate:"omitempty,choice" taxonomy:"matrimonialRegimes" pii:"open"`
	ResidenceTypeID                   *int32             `json:"residenceTypeId,omitzero" page:"household" validate:"omitempty,choice" taxonomy:"residenceTypes" pii:"open"`
	AcademicLevelID                   *int32             `json:"academicLevelId,omitzero" page:"household" validate:"omitempty,choice" taxonomy:"academicLevels" pii:"open"`
	DependentsNumber                  *int32             `json:"dependentsNumber,omitzero" page:"household" validate:"omitempty,dependants" pii:"open"`
	Address                           pii.Address        `json:"address,omitzero" page:"household" validate:"omitempty,text=200"`
	ZipCode                           pii.PostalCode     `json:"zipCode,omitzero" page:"household" validate:"omitempty,zip"`
	ZipCodeLocal                      pii.Locality       `json:"zipCodeLocal,omitzero" page:"household" validate:"omitempty,text=100"`
	DoorNumber                        pii.Address        `json:"doorNumber,omitzero" page:"household" validate:"omitempty,text=20"`
	Floor                             pii.Address        `json:"floor,omitzero" page:"household" validate:"omitempty,text=20"`
	CountryID                         *int32             `json:"countryId,omitzero" page:"household" validate:"omitempty,choice" taxonomy:"countries" pii:"open"`
}

// FinancialDetails has the fields of [portal.FinancialDataRequest]: euros a month.
type FinancialDetails struct {
	IncomeWagesPensions          pii.Money `json:"incomeWagesPensions,omitzero" validate:"omitempty,amount"`
	IncomeGreenReceipts          pii.Money `json:"incomeGreenReceipts,omitzero" validate:"omitempty,amount"`
	IncomeRents                  pii.Money `json:"incomeRents,omitzero" validate:"omitempty,amount"`
	IncomeOthers                 pii.Money `json:"incomeOthers,omitzero" validate:"omitempty,amount"`
	InstallmentHousingCredit     pii.Money `json:"installmentHousingCredit,omitzero" validate:"omitempty,amount"`
	InstallmentPersonalCredit    pii.Money `json:"installmentPersonalCredit,omitzero" validate:"omitempty,amount"`
	InstallmentAutoLeasingCredit pii.Money `json:"installmentAutoLeasingCredit,omitzero" validate:"omitempty,amount"`
	InstallmentCreditCard        pii.Money `json:"installmentCreditCard,omitzero" validate:"omitempty,amount"`
	InstallmentBankOverdraft     pii.Money `json:"installmentBankOverdraft,omitzero" validate:"omitempty,amount"`
	InstallmentOther             pii.Money `json:"installmentOther,omitzero" validate:"omitempty,amount"`
	HasSocialSecurityDebt        pii.Flag  `json:"hasSocialSecurityDebt,omitzero"`
}

// ProfessionalDetails has the fields of [portal.ProfessionalDataRequest].
type ProfessionalDetails struct {
	EmploymentProfessionID         *int32       `json:"employmentProfessionId,omitzero" validate:"omitempty,choice" taxonomy:"professions" pii:"open"`
	EmploymentSituationID          *int32       `json:"employmentSituationId,omitzero" validate:"omitempty,choice" taxonomy:"employmentSituations" pii:"open"`
	EmploymentPositionDepartmentID *int32       `json:"employmentPositionDepartmentID,omitzero" validate:"omitempty,choice" taxonomy:"employmentDepartmentPositions" pii:"open"`
	EmploymentContractTypeID       *int32       `json:"employmentContractTypeId,omitzero" validate:"omitempty,choice" taxonomy:"employmentContractTypes" pii:"open"`
	EmployerName                   pii.Employer `json:"employerName,omitzero" validate:"omitempty,text=200"`
	EmployerTaxID                  pii.TaxID    `json:"employerTaxId,omitzero" validate:"omitempty,nif"`
	EmploymentDurationMonths       *int32       `json:"employmentDurationMonths,omitzero" validate:"omitempty,months" pii:"open"`
}

// request is the bank's form of it. All three objects go out: the bank requires two of them and does not say which.
func (n NewBorrower) request() portal.BorrowerRequest {
	personal, financial, professional := portal.PersonalDataRequest(n.Personal), portal.FinancialDataRequest(n.Financial), portal.ProfessionalDataRequest(n.Professional)
	return portal.BorrowerRequest{
		BorrowerTypeID: n.BorrowerTypeID, KeyBorrowerRelationID: n.KeyBorrowerRelationID,
		Personal: &personal, Financial: &financial, Professional: &professional,
	}
}

// BorrowerCreated says who was added where.
type BorrowerCreated struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	Borrower      uuid.UUID `json:"borrower"`
	Name          pii.Name  `json:"name"`
}

// Card implements [Carder].
func (b BorrowerCreated) Card(say Say) Card {
	return Card{
		Title: say("card.title"),
		Text:  say("card.text", "name", b.Name, "number", b.ProcessNumber),
		Next: []Step{
			{Label: say("step.list_borrowers"), Tool: "list_borrowers", Args: map[string]any{"process": b.Process}},
			{Label: say("step.get_esis"), Tool: "get_esis", Args: map[string]any{"process": b.Process}},
		},
	}
}
