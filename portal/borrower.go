package portal

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
)

// The operations of the bank's page ProcessesBorrower.
const (
	BorrowerList   OperationID = "borrowerList"
	BorrowerGet    OperationID = "borrowerGet"
	BorrowerCreate OperationID = "borrowerCreate"
	BorrowerUpdate OperationID = "borrowerUpdate"
	BorrowerDelete OperationID = "borrowerDelete"
)

func init() {
	registerReads(BorrowerList, BorrowerGet)
	registerWrites(BorrowerCreate, BorrowerUpdate, BorrowerDelete)
	registerReasons("field.required", "field.format", "field.type", "field.id", "field.range", "field.length", "field.checkDigit", "field.unknown",
		"borrower.missing", "borrower.secondKey", "borrower.duplicate", "borrower.tooMany", "borrower.lastKey", "borrower.isKey")
}

// Requests and replies name the same fields differently (taxId and taxID, matrimonialRegimeId and
// matriomonialRegimeID), so each has its own structs, with the names of the bank's page ProcessesBorrower.

// BorrowerRequest is the body of Borrower Create and Borrower Update. At create the bank requires BorrowerTypeID and
// two of the three objects, without saying which two; personal and financial are taken to be meant.
type BorrowerRequest struct {
	BorrowerTypeID        int32                    `json:"borrowerTypeId"`
	KeyBorrowerRelationID *int32                   `json:"keyBorrowerRelationId,omitzero"`
	Personal              *PersonalDataRequest     `json:"personalDataBorrowerRequest,omitzero"`
	Financial             *FinancialDataRequest    `json:"financialDataBorrowerRequest,omitzero"`
	Professional          *ProfessionalDataRequest `json:"professionalDataBorrowerRequest,omitzero"`
}

// PersonalDataRequest is the borrower's identity and contacts. Dates are YYYY-MM-DD.
type PersonalDataRequest struct {
	Name                              pii.Name           `json:"name,omitzero"`
	BirthDate                         pii.BirthDate      `json:"birthDate,omitzero"`
	TaxID                             pii.TaxID          `json:"taxId,omitzero"`
	Phone                             pii.Phone          `json:"phone,omitzero"`
	Mobile                            pii.Phone          `json:"mobile,omitzero"`
	Email                             pii.Email          `json:"email,omitzero"`
	GenderID                          *int32             `json:"genderId,omitzero"`
	NationalityID                     *int32             `json:"nationalityId,omitzero"`
	IdentificationDocumentTypeID      *int32             `json:"identificationDocumentTypeId,omitzero"`
	IdentificationDocumentNumber      pii.DocumentNumber `json:"identificationDocumentNumber,omitzero"`
	CheckDigit                        pii.CheckDigits    `json:"checkDigit,omitzero"`
	IdentificationDocumentExpiredDate pii.ExpiryDate     `json:"identificationDocumentExpiredDate,omitzero"`
	SocialSecurityNumber              pii.SocialSecurity `json:"socialSecurityNumber,omitzero"`
	MaritalStatusID                   *int32             `json:"maritalStatusId,omitzero"`
	MatrimonialRegimeID               *int32             `json:"matrimonialRegimeId,omitzero"`
	ResidenceTypeID                   *int32             `json:"residenceTypeId,omitzero"`
	AcademicLevelID                   *int32             `json:"academicLevelId,omitzero"`
	DependentsNumber                  *int32             `json:"dependentsNumber,omitzero"`
	Address                           pii.Address        `json:"address,omitzero"`
	ZipCode                           pii.PostalCode     `json:"zipCode,omitzero"`
	ZipCodeLocal                      pii.Locality       `json:"zipCodeLocal,omitzero"`
	DoorNumber                        pii.Address        `json:"doorNumber,omitzero"`
	Floor                             pii.Address        `json:"floor,omitzero"`
	CountryID                         *int32             `json:"countryId,omitzero"`
}

// FinancialDataRequest is the borrower's income and instalments, as monthly amounts in euros.
type FinancialDataRequest struct {
	IncomeWagesPensions          pii.Money `json:"incomeWagesPensions,omitzero"`
	IncomeGreenReceipts          pii.Money `json:"incomeGreenReceipts,omitzero"`
	IncomeRents                  pii.Money `json:"incomeRents,omitzero"`
	IncomeOthers                 pii.Money `json:"incomeOthers,omitzero"`
	InstallmentHousingCredit     pii.Money `json:"installmentHousingCredit,omitzero"`
	InstallmentPersonalCredit    pii.Money `json:"installmentPersonalCredit,omitzero"`
	InstallmentAutoLeasingCredit pii.Money `json:"installmentAutoLeasingCredit,omitzero"`
	InstallmentCreditCard        pii.Money `json:"installmentCreditCard,omitzero"`
	InstallmentBankOverdraft     pii.Money `json:"installmentBankOverdraft,omitzero"`
	InstallmentOther             pii.Money `json:"installmentOther,omitzero"`
	HasSocialSecurityDebt        pii.Flag  `json:"hasSocialSecurityDebt,omitzero"`
}

// ProfessionalDataRequest is the borrower's employment.
type ProfessionalDataRequest struct {
	EmploymentProfessionID         *int32       `json:"employmentProfessionId,omitzero"`
	EmploymentSituationID          *int32       `json:"employmentSituationId,omitzero"`
	EmploymentPositionDepartmentID *int32       `json:"employmentPositionDepartmentID,omitzero"` // «ID» in the request too
	EmploymentContractTypeID       *int32       `json:"employmentContractTypeId,omitzero"`
	EmployerName                   pii.Employer `json:"employerName,omitzero"`
	EmployerTaxID                  pii.TaxID    `json:"employerTaxId,omitzero"`
	EmploymentDurationMonths       *int32       `json:"employmentDurationMonths,omitzero"`
}

// BorrowerSummary is an item of Borrower List. It has no data about the person.
type BorrowerSummary struct {
	BorrowerUniqueID               uuid.UUID `json:"borrowerUniqueID"`
	BorrowerTypeID                 int32     `json:"borrowerTypeID" taxonomy:"borrowerTypes"`
	BorrowerTypeDescription        string    `json:"borrowerTypeDescription,omitzero"`
	KeyBorrowerRelationID          *int32    `json:"keyBorrowerRelationID,omitzero" taxonomy:"keyBorrowerRelations"`
	KeyBorrowerRelationDescription string    `json:"keyBorrowerRelationDescription,omitzero"`
}

// Borrower is the reply of Borrower Get.
type Borrower struct {
	BorrowerSummary
	Personal     *PersonalData     `json:"borrowerPersonalData,omitzero"`
	Financial    *FinancialData    `json:"borrowerFinancialData,omitzero"`
	Professional *ProfessionalData `json:"borrowerProfessionalData,omitzero"`
}

// PersonalData is [PersonalDataRequest] as replies name its fields.
type PersonalData struct {
	Name                                  pii.Name           `json:"name,omitzero"`
	BirthDate                             pii.BirthDate      `json:"birthDate,omitzero"`
	TaxID                                 pii.TaxID          `json:"taxID,omitzero"`
	SocialSecurityNumber                  pii.SocialSecurity `json:"socialSecurityNumber,omitzero"`
	Phone                                 pii.Phone          `json:"phone,omitzero"`
	Mobile                                pii.Phone          `json:"mobile,omitzero"`
	Email                                 pii.Email          `json:"email,omitzero"`
	GenderID                              *int32             `json:"genderID,omitzero" taxonomy:"genders"`
	GenderDescription                     string             `json:"genderDescription,omitzero"`
	NationalityID                         *int32             `json:"nationalityID,omitzero" taxonomy:"countries,other"`
	NationalityDescription                string             `json:"nationalityDescription,omitzero"`
	IdentificationDocumentTypeID          *int32             `json:"identificationDocumentTypeID,omitzero" taxonomy:"identificationDocuments"`
	IdentificationDocumentTypeDescription string             `json:"identificationDocumentTypeDescription,omitzero"`
	IdentificationDocumentNumber          pii.DocumentNumber `json:"identificationDocumentNumber,omitzero"`
	CheckDigit                            pii.CheckDigits    `json:"checkDigit,omitzero"`
	IdentificationDocumentExpiredDate     pii.ExpiryDate     `json:"identificationDocumentExpiredDate,omitzero"`
	MaritalStatusID                       *int32             `json:"maritalStatusID,omitzero" taxonomy:"maritalStatuses"`
	MaritalStatusDescription              string             `json:"maritalStatusDescription,omitzero"`
	MatrimonialRegimeID                   *int32             `json:"matriomonialRegimeID,omitzero" taxonomy:"matrimonialRegimes"` // the bank's spelling
	MatrimonialRegimeDescription          string             `json:"matriomonialRegimeDescription,omitzero"`                      // the bank's spelling
	ResidenceTypeID                       *int32             `json:"residenceTypeID,omitzero" taxonomy:"residenceTypes"`
	ResidenceTypeDescription              string             `json:"residenceTypeDescription,omitzero"`
	AcademicLevelID                       *int32             `json:"academicLevelID,omitzero" taxonomy:"academicLevels"`
	AcademicLevelDescription              string             `json:"academicLevelDescription,omitzero"`
	DependentsNumber                      *int32             `json:"dependentsNumber,omitzero"`
	Address                               pii.Address        `json:"address,omitzero"`
	ZipCode                               pii.PostalCode     `json:"zipCode,omitzero"`
	ZipCodeLocal                          pii.Locality       `json:"zipCodeLocal,omitzero"`
	DoorNumber                            pii.Address        `json:"doorNumber,omitzero"`
	Floor                                 pii.Address        `json:"floor,omitzero"`
	CountryID                             *int32             `json:"countryID,omitzero" taxonomy:"countries"`
	CountryDescription                    string             `json:"countryDescription,omitzero"`
}

// FinancialData has the same names in requests and replies.
type FinancialData = FinancialDataRequest

// ProfessionalData is [ProfessionalDataRequest] as replies name its fields.
type ProfessionalData struct {
	EmploymentProfessionID                  *int32       `json:"employmentProfessionID,omitzero" taxonomy:"professions"`
	EmploymentProfessionDescription         string       `json:"employmentProfessionDescription,omitzero"`
	EmploymentSituationID                   *int32       `json:"employmentSituationID,omitzero" taxonomy:"employmentSituations"`
	EmploymentSituationDescription          string       `json:"employmentsSituationDescription,omitzero"` // the bank's spelling
	EmploymentPositionDepartmentID          *int32       `json:"employmentPositionDepartmentID,omitzero" taxonomy:"employmentDepartmentPositions"`
	EmploymentPositionDepartmentDescription string       `json:"employmentPositionDepartmentDescription,omitzero"`
	EmploymentContractTypeID                *int32       `json:"employmentContractTypeID,omitzero" taxonomy:"employmentContractTypes"`
	EmploymentContractTypeDescription       string       `json:"employmentContractTypeDescription,omitzero"`
	EmployerName                            pii.Employer `json:"employerName,omitzero"`
	EmployerTaxID                           pii.TaxID    `json:"employerTaxID,omitzero"`
	EmploymentDurationMonths                *int32       `json:"employmentDurationMonths,omitzero"`
}

// BorrowerCreated is the reply of Borrower Create.
type BorrowerCreated struct {
	BorrowerUniqueID uuid.UUID
	OperationStatus  OperationStatus
}

// OperationStatus is the bank's status of a write that succeeded. Only the HTTP status says whether it did: the bank's
// examples and its table of codes contradict each other.
type OperationStatus struct {
	Code    string `json:"operationStatusCode,omitzero"`
	Message string `json:"operationStatusMessage,omitzero"`
}

// ListBorrowers returns the borrowers of a process of the broker.
//
// See Borrower List on the bank's page ProcessesBorrower.
func (u *User) ListBorrowers(ctx context.Context, process uuid.UUID) ([]BorrowerSummary, error) {
	var reply borrowerListReply
	err := u.do(ctx, call{op: BorrowerList, path: pathValues{"processUniqueId": process}}, &reply)
	return reply.List.all, err
}

// Borrower returns one borrower of a process with all data that the bank has.
//
// See Borrower Get on the bank's page ProcessesBorrower.
func (u *User) Borrower(ctx context.Context, process, borrower uuid.UUID) (Borrower, error) {
	var reply Borrower
	err := u.do(ctx, call{op: BorrowerGet, path: pathValues{"processUniqueId": process, "borrowerUniqueId": borrower}}, &reply)
	return reply, err
}

// CreateBorrower adds a borrower to a process. It is sent once. After an error of kind [Unclear] the borrower may exist.
//
// See Borrower Create on the bank's page ProcessesBorrower.
func (u *User) CreateBorrower(ctx context.Context, process uuid.UUID, borrower BorrowerRequest) (BorrowerCreated, error) {
	var reply borrowerCreateReply
	err := u.do(ctx, call{op: BorrowerCreate, path: pathValues{"processUniqueId": process}, body: borrower}, &reply)
	return BorrowerCreated{reply.AdditionalData.BorrowerUniqueID, reply.OperationStatus}, err
}

// UpdateBorrower replaces the data of a borrower. Whether the bank clears omitted fields is not public: send the whole
// object, from [Borrower.Request]. It is sent once. After an error of kind [Unclear] the change may have been made.
//
// See Borrower Update on the bank's page ProcessesBorrower.
func (u *User) UpdateBorrower(ctx context.Context, process, borrower uuid.UUID, data BorrowerRequest) (OperationStatus, error) {
	var reply writeReply
	err := u.do(ctx, call{op: BorrowerUpdate, path: pathValues{"processUniqueId": process, "borrowerUniqueId": borrower}, body: data}, &reply)
	return reply.OperationStatus, err
}

// DeleteBorrower deletes a borrower from a process. The bank refuses to delete the key borrower. It is sent once. After an
// error of kind [Unclear] the borrower may be deleted.
//
// See Borrower Delete on the bank's page ProcessesBorrower.
func (u *User) DeleteBorrower(ctx context.Context, process, borrower uuid.UUID) (OperationStatus, error) {
	var reply writeReply
	err := u.do(ctx, call{op: BorrowerDelete, path: pathValues{"processUniqueId": process, "borrowerUniqueId": borrower}}, &reply)
	return reply.OperationStatus, err
}

type borrowerListReply struct {
	List list[BorrowerSummary] `json:"list"`
}

func (r *borrowerListReply) lacks() string {
	if !r.List.present {
		return "borrowerList"
	}
	return ""
}

func (b *Borrower) lacks() string {
	if b.BorrowerUniqueID == uuid.Nil {
		return "borrowerUniqueID"
	}
	return ""
}

type borrowerCreateReply struct {
	OperationStatus OperationStatus `json:"operationStatus"`
	AdditionalData  struct {
		BorrowerUniqueID uuid.UUID `json:"borrowerUniqueID"`
	} `json:"additionalData"`
}

func (r *borrowerCreateReply) lacks() string {
	if r.AdditionalData.BorrowerUniqueID == uuid.Nil {
		return "additionalData.borrowerUniqueID"
	}
	return ""
}

// writeReply is the reply to a write that returns only its status. By the bank's guide the reply to a delete may have no
// body, and its page on the ESIS e-mail mentions a text: both are read.
type writeReply struct {
	OperationStatus OperationStatus `json:"operationStatus"`
	present         bool
}

func (r *writeReply) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &r.OperationStatus.Message) == nil {
		r.present = r.OperationStatus.Message != ""
		return nil
	}
	type object writeReply
	err := json.Unmarshal(data, (*object)(r))
	r.present = r.OperationStatus != OperationStatus{}
	return err
}

// mayBeEmpty reports that a reply without a body is valid.
func (r *writeReply) mayBeEmpty() bool { return true }

// lacks names the status if the reply has none: a proxy may have answered instead of the bank.
func (r *writeReply) lacks() string {
	if !r.present {
		return "operationStatus"
	}
	return ""
}

// list distinguishes an empty array from a missing one, which must not be read as «no borrowers».
type list[T any] struct {
	all     []T
	present bool
}

func (l *list[T]) UnmarshalJSON(data []byte) error {
	l.present = true
	return json.Unmarshal(data, &l.all)
}
