package sandbox

import (
	"net/http"
	"slices"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

func init() {
	serve(portal.BorrowerList, (*Bank).listBorrowers)
	serve(portal.BorrowerGet, (*Bank).getBorrower)
	// The codes of the bank's table of production codes (confirmed).
	serveWrite(portal.BorrowerCreate, "050101", (*Bank).createBorrower)
	serveWrite(portal.BorrowerUpdate, "050201", (*Bank).updateBorrower)
	serveWrite(portal.BorrowerDelete, "050401", (*Bank).deleteBorrower)
}

type borrowerList struct {
	List []portal.BorrowerSummary `json:"list"`
}

// created is the reply to a create, with a status as in [written].
type created struct {
	Status operationStatus `json:"operationStatus"`
	Data   createdID       `json:"additionalData"`
}

type createdID struct {
	BorrowerUniqueID uuid.UUID `json:"borrowerUniqueID"`
}

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
	p, at, err := b.borrower(c)
	if err != nil {
		return nil, err
	}
	return p.borrowers[at].detail(c.lang), nil
}

// borrower returns the process and the index of the borrower that the path names. The caller holds the bank's lock.
func (b *Bank) borrower(c *call) (p *process, at int, err error) {
	if p, err = b.process(c); err != nil {
		return nil, 0, err
	}
	id, err := pathID(c, "borrowerUniqueId")
	if err != nil {
		return nil, 0, err
	}
	at = slices.IndexFunc(p.borrowers, func(known borrower) bool { return known.id == id })
	if at < 0 {
		return nil, 0, refused(http.StatusBadRequest, "borrower.missing")
	}
	return p, at, nil
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
	if problems := append(b.values.check(data, c.now), b.clashes(data, p.borrowers)...); len(problems) > 0 {
		return nil, &refusal{http.StatusBadRequest, problems}
	}
	fresh := borrower{id: uuid.New(), data: data}
	p.borrowers = append(p.borrowers, fresh)
	p.touch(c.now, string(c.operation))
	return created{success(c, map[string]any{"id": fresh.id}), createdID{fresh.id}}, nil
}

// updateBorrower replaces all data: what is omitted is deleted. The bank's guide says that a PUT replaces the whole resource,
// and its page does not say otherwise.
func (b *Bank) updateBorrower(c *call) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, at, err := b.borrower(c)
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
	others := slices.Delete(slices.Clone(p.borrowers), at, at+1)
	problems := append(b.values.check(data, c.now), b.clashes(data, others)...)
	if len(problems) == 0 && b.values.isKey(p.borrowers[at]) && data.BorrowerTypeID != b.values.key {
		problems = []problem{{"borrower.lastKey", "borrowerTypeId"}}
	}
	if len(problems) > 0 {
		return nil, &refusal{http.StatusBadRequest, problems}
	}
	p.borrowers[at].data = data
	p.touch(c.now, string(c.operation))
	return done(c), nil
}

// deleteBorrower refuses the key borrower (confirmed).
func (b *Bank) deleteBorrower(c *call) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, at, err := b.borrower(c)
	switch {
	case err != nil:
		return nil, err
	case p.ended():
		return nil, refused(http.StatusBadRequest, "process.state")
	case b.values.isKey(p.borrowers[at]):
		return nil, refused(http.StatusBadRequest, "borrower.isKey")
	}
	p.borrowers = slices.Delete(p.borrowers, at, at+1)
	p.touch(c.now, string(c.operation))
	return done(c), nil
}

// clashes returns the conflicts of a borrower's data with the other borrowers of the process.
func (b *Bank) clashes(fresh portal.BorrowerRequest, others []borrower) (found []problem) {
	if fresh.BorrowerTypeID == b.values.key && b.config.Profile.Rules["borrower.key_unique"] == profile.Error && slices.ContainsFunc(others, b.values.isKey) {
		found = append(found, problem{"borrower.secondKey", "borrowerTypeId"})
	}
	if len(others) >= b.config.MaxBorrowers {
		found = append(found, problem{key: "borrower.tooMany"})
	}
	if b.config.LenientTaxIDs || fresh.Personal == nil || fresh.Personal.TaxID.IsZero() {
		return found
	}
	for _, known := range others {
		if known.data.Personal.TaxID == fresh.Personal.TaxID {
			found = append(found, problem{"borrower.duplicate", "personalDataBorrowerRequest.taxId"})
		}
	}
	return found
}

func (known borrower) summary(lang dialect) portal.BorrowerSummary {
	data := known.data
	return portal.BorrowerSummary{
		BorrowerUniqueID:               known.id,
		BorrowerTypeID:                 data.BorrowerTypeID,
		BorrowerTypeDescription:        describe("borrowerTypes", &data.BorrowerTypeID, lang),
		KeyBorrowerRelationID:          data.KeyBorrowerRelationID,
		KeyBorrowerRelationDescription: describe("keyBorrowerRelations", data.KeyBorrowerRelationID, lang),
	}
}

// detail returns the borrower with the names of a reply and with descriptions.
func (known borrower) detail(lang dialect) portal.Borrower {
	return portal.Borrower{
		BorrowerSummary: known.summary(lang),
		Personal:        personalReply(known.data.Personal, lang),
		Financial:       known.data.Financial,
		Professional:    professionalReply(known.data.Professional, lang),
	}
}

func personalReply(sent *portal.PersonalDataRequest, lang dialect) *portal.PersonalData {
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

func professionalReply(sent *portal.ProfessionalDataRequest, lang dialect) *portal.ProfessionalData {
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
