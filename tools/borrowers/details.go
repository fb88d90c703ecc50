package borrowers

import (
	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

// BorrowerDetails has the fields of the bank's request. Optional choices are checked with the bank's lists only: in some, 0
// is a choice.
type BorrowerDetails struct {
	BorrowerTypeID        int32               `json:"borrowerTypeId" page:"personal" validate:"required,choice" taxonomy:"borrowerTypes" pii:"open"`
	KeyBorrowerRelationID *int32              `json:"keyBorrowerRelationId,omitzero" page:"personal" taxonomy:"keyBorrowerRelations" pii:"open"`
	Personal              PersonalDetails     `json:"personal"`
	Financial             FinancialDetails    `json:"financial,omitzero" page:"financial"`
	Professional          ProfessionalDetails `json:"professional,omitzero" page:"professional"`
}

// PersonalDetails has the fields of [portal.PersonalDataRequest], with tags for forms and checks. One is converted into the
// other, so that the compiler finds differences. The next two types are alike.
type PersonalDetails struct {
	Name                              pii.Name           `json:"name" page:"personal" validate:"expected,omitempty,person_name"`
	BirthDate                         pii.BirthDate      `json:"birthDate" page:"personal" validate:"expected,omitempty,date,adult"`
	TaxID                             pii.TaxID          `json:"taxId" page:"personal" validate:"required,nif_person"`
	Phone                             pii.Phone          `json:"phone,omitzero" page:"personal" validate:"omitempty,phone"`
	Mobile                            pii.Phone          `json:"mobile" page:"personal" validate:"expected,omitempty,mobile"`
	Email                             pii.Email          `json:"email" page:"personal" validate:"expected,omitempty,email_address"`
	GenderID                          *int32             `json:"genderId" page:"personal" validate:"expected,omitempty,choice" taxonomy:"genders" pii:"open"`
	NationalityID                     *int32             `json:"nationalityId,omitzero" page:"document" taxonomy:"countries" pii:"open"`
	IdentificationDocumentTypeID      *int32             `json:"identificationDocumentTypeId,omitzero" page:"document" taxonomy:"identificationDocuments" pii:"open"`
	IdentificationDocumentNumber      pii.DocumentNumber `json:"identificationDocumentNumber,omitzero" page:"document" validate:"omitempty,document=CheckDigit"`
	CheckDigit                        pii.CheckDigits    `json:"checkDigit,omitzero" page:"document" validate:"omitempty,card_suffix"`
	IdentificationDocumentExpiredDate pii.ExpiryDate     `json:"identificationDocumentExpiredDate,omitzero" page:"document" validate:"omitempty,date"`
	SocialSecurityNumber              pii.SocialSecurity `json:"socialSecurityNumber,omitzero" page:"document" validate:"omitempty,niss"`
	MaritalStatusID                   *int32             `json:"maritalStatusId,omitzero" page:"household" taxonomy:"maritalStatuses" pii:"open"`
	MatrimonialRegimeID               *int32             `json:"matrimonialRegimeId,omitzero" page:"household" taxonomy:"matrimonialRegimes" pii:"open"`
	ResidenceTypeID                   *int32             `json:"residenceTypeId,omitzero" page:"household" taxonomy:"residenceTypes" pii:"open"`
	AcademicLevelID                   *int32             `json:"academicLevelId,omitzero" page:"household" taxonomy:"academicLevels" pii:"open"`
	DependentsNumber                  *int32             `json:"dependentsNumber,omitzero" page:"household" validate:"omitempty,dependants" pii:"open"`
	Address                           pii.Address        `json:"address,omitzero" page:"household" validate:"omitempty,text=200"`
	ZipCode                           pii.PostalCode     `json:"zipCode,omitzero" page:"household" validate:"omitempty,zip"`
	ZipCodeLocal                      pii.Locality       `json:"zipCodeLocal,omitzero" page:"household" validate:"omitempty,text=100"`
	DoorNumber                        pii.Address        `json:"doorNumber,omitzero" page:"household" validate:"omitempty,text=100"`
	Floor                             pii.Address        `json:"floor,omitzero" page:"household" validate:"omitempty,text=100"`
	CountryID                         *int32             `json:"countryId,omitzero" page:"household" taxonomy:"countries" pii:"open"`
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
	EmploymentProfessionID         *int32       `json:"employmentProfessionId,omitzero" taxonomy:"professions" pii:"open"`
	EmploymentSituationID          *int32       `json:"employmentSituationId,omitzero" taxonomy:"employmentSituations" pii:"open"`
	EmploymentPositionDepartmentID *int32       `json:"employmentPositionDepartmentID,omitzero" taxonomy:"employmentDepartmentPositions" pii:"open"`
	EmploymentContractTypeID       *int32       `json:"employmentContractTypeId,omitzero" taxonomy:"employmentContractTypes" pii:"open"`
	EmployerName                   pii.Employer `json:"employerName,omitzero" validate:"omitempty,text=200"`
	EmployerTaxID                  pii.TaxID    `json:"employerTaxId,omitzero" validate:"omitempty,nif"`
	EmploymentDurationMonths       *int32       `json:"employmentDurationMonths,omitzero" validate:"omitempty,months" pii:"open"`
}

// request returns the bank's request. It has all three objects: the bank requires two of them and does not say which.
func (d BorrowerDetails) request() portal.BorrowerRequest {
	personal, financial, professional := portal.PersonalDataRequest(d.Personal), portal.FinancialDataRequest(d.Financial), portal.ProfessionalDataRequest(d.Professional)
	return portal.BorrowerRequest{
		BorrowerTypeID: d.BorrowerTypeID, KeyBorrowerRelationID: d.KeyBorrowerRelationID,
		Personal: &personal, Financial: &financial, Professional: &professional,
	}
}

// detailsOf is the inverse of request.
func detailsOf(request portal.BorrowerRequest) BorrowerDetails {
	details := BorrowerDetails{BorrowerTypeID: request.BorrowerTypeID, KeyBorrowerRelationID: request.KeyBorrowerRelationID}
	if request.Personal != nil {
		details.Personal = PersonalDetails(*request.Personal)
	}
	if request.Financial != nil {
		details.Financial = FinancialDetails(*request.Financial)
	}
	if request.Professional != nil {
		details.Professional = ProfessionalDetails(*request.Professional)
	}
	return details
}
