package sandbox

import (
	"net/http"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
)

type borrowerList struct {
	List []portal.BorrowerSummary `json:"borrowerList"`
}

// created is the reply to a create (confirmed, but for the code: the bank's example shows another, and its table of
// production codes this one).
type created struct {
	Status operationStatus `json:"operationStatus"`
	Data   createdID       `json:"additionalData"`
}

type createdID struct {
	BorrowerUniqueID uuid.UUID `json:"borrowerUniqueID"`
}

const borrowerCreated = "050101"

func (b *Bank) listBorrowers(c *call) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, err := b.process(c)
	if err != nil {
		return nil, err
	}
	reply := borrowerList{List: []portal.BorrowerSummary{}}
	for _, known := range p.borrowers {
		reply.List = append(reply.List, known.summary(c.lang))
	}
	return reply, nil
}

func (b *Bank) getBorrower(c *call) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, err := b.process(c)
	if err != nil {
		return nil, err
	}
	id, err := pathID(c, "borrowerUniqueId")
	if err != nil {
		return nil, err
	}
	known, ok := p.borrower(id)
	if !ok {
		return nil, refused(http.StatusBadRequest, "borrower.missing")
	}
	return known.detail(c.lang), nil
}

func (b *Bank) createBorrower(c *call) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, err := b.process(c)
	if err != nil {
		return nil, err
	}
	var data portal.BorrowerRequest
	if err := decode(c.body, &data); err != nil {
		return nil, err
	}
	if p.ended() {
		return nil, refused(http.StatusBadRequest, "process.state")
	}
	if problems := append(check(data, c.now), p.clashes(data)...); len(problems) > 0 {
		return nil, &refusal{http.StatusBadRequest, problems}
	}
	fresh := borrower{id: uuid.New(), data: data}
	p.borrowers = append(p.borrowers, fresh)
	p.last = c.now
	said := book.Say(c.lang, "status."+borrowerCreated, map[string]any{"id": fresh.id})
	return created{operationStatus{borrowerCreated, said}, createdID{fresh.id}}, nil
}

// clashes are the problems that a new borrower has with those already there.
func (p *process) clashes(fresh portal.BorrowerRequest) (found []problem) {
	if _, taken := p.key(); taken && fresh.BorrowerTypeID == keyBorrower {
		found = append(found, problem{"borrower.secondKey", "borrowerTypeId"})
	}
	if len(p.borrowers) >= maxBorrowers {
		found = append(found, problem{key: "borrower.tooMany"})
	}
	if fresh.Personal == nil || fresh.Personal.TaxID.IsZero() {
		return found
	}
	for _, known := range p.borrowers {
		if known.data.Personal.TaxID == fresh.Personal.TaxID {
			found = append(found, problem{"borrower.duplicate", "personalDataBorrowerRequest.taxId"})
		}
	}
	return found
}

func (known borrower) summary(lang words.Lang) portal.BorrowerSummary {
	data := known.data
	return portal.BorrowerSummary{
		BorrowerUniqueID:               known.id,
		BorrowerTypeID:                 data.BorrowerTypeID,
		BorrowerTypeDescription:        describe("borrowerTypes", &data.BorrowerTypeID, lang),
		KeyBorrowerRelationID:          data.KeyBorrowerRelationID,
		KeyBorrowerRelationDescription: describe("keyBorrowerRelations", data.KeyBorrowerRelationID, lang),
	}
}

// detail turns what was sent into the reply's other spellings, with descriptions.
func (known borrower) detail(lang words.Lang) portal.Borrower {
	return portal.Borrower{
		BorrowerSummary: known.summary(lang),
		Personal:        personalReply(known.data.Personal, lang),
		Financial:       known.data.Financial,
		Professional:    professionalReply(known.data.Professional, lang),
	}
}

func personalReply(sent *portal.PersonalDataRequest, lang words.Lang) *portal.PersonalData {
	if sent == nil {
		return nil
	}
	return &portal.PersonalData{
		Name:                                  sent.Name,
		BirthDate:                             sent.BirthDate,
		TaxID:                                 sent.TaxID,
		SocialSecurityNumber:                  sent.SocialSecurityNumber,
		Phone:                                 sent.Phone,
		Mobile:                                sent.Mobile,
		Email:                                 sent.Email,
		GenderID:                              sent.GenderID,
		GenderDescription:                     describe("genders", sent.GenderID, lang),
		NationalityID:                         sent.NationalityID,
		NationalityDescription:                nationality(sent.NationalityID, lang),
		IdentificationDocumentTypeID:          sent.IdentificationDocumentTypeID,
		IdentificationDocumentTypeDescription: describe("identificationDocuments", sent.IdentificationDocumentTypeID, lang),
		IdentificationDocumentNumber:          sent.IdentificationDocumentNumber,
		CheckDigit:                            sent.CheckDigit,
		IdentificationDocumentExpiredDate:     sent.IdentificationDocumentExpiredDate,
		MaritalStatusID:                       sent.MaritalStatusID,
		MaritalStatusDescription:              describe("maritalStatuses", sent.MaritalStatusID, lang),
		MatrimonialRegimeID:                   sent.MatrimonialRegimeID,
		MatrimonialRegimeDescription:          describe("matrimonialRegimes", sent.MatrimonialRegimeID, lang),
		ResidenceTypeID:                       sent.ResidenceTypeID,
		ResidenceTypeDescription:              describe("residenceTypes", sent.ResidenceTypeID, lang),
		AcademicLevelID:                       sent.AcademicLevelID,
		AcademicLevelDescription:              describe("academicLevels", sent.AcademicLevelID, lang),
		DependentsNumber:                      sent.DependentsNumber,
		Address:                               sent.Address,
		ZipCode:                               sent.ZipCode,
		ZipCodeLocal:                          sent.ZipCodeLocal,
		DoorNumber:                            sent.DoorNumber,
		Floor:                                 sent.Floor,
		CountryID:                             sent.CountryID,
		CountryDescription:                    describe("countries", sent.CountryID, lang),
	}
}

func professionalReply(sent *portal.ProfessionalDataRequest, lang words.Lang) *portal.ProfessionalData {
	if sent == nil {
		return nil
	}
	return &portal.ProfessionalData{
		EmploymentProfessionID:                  sent.EmploymentProfessionID,
		EmploymentProfessionDescription:         describe("professions", sent.EmploymentProfessionID, lang),
		EmploymentSituationID:                   sent.EmploymentSituationID,
		EmploymentSituationDescription:          describe("employmentSituations", sent.EmploymentSituationID, lang),
		EmploymentPositionDepartmentID:          sent.EmploymentPositionDepartmentID,
		EmploymentPositionDepartmentDescription: describe("employmentDepartmentPositions", sent.EmploymentPositionDepartmentID, lang),
		EmploymentContractTypeID:                sent.EmploymentContractTypeID,
		EmploymentContractTypeDescription:       describe("employmentContractTypes", sent.EmploymentContractTypeID, lang),
		EmployerName:                            sent.EmployerName,
		EmployerTaxID:                           sent.EmployerTaxID,
		EmploymentDurationMonths:                sent.EmploymentDurationMonths,
	}
}
