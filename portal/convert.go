package portal

// Request returns the borrower as the body of an update that changes nothing: every field under the name that requests
// have for it. The bank may clear what an update omits, so change fields of it and send it whole.
//
// The identifier and the descriptions are left out. The objects are copies; the numbers that they point to are shared with
// the reply.
func (b Borrower) Request() BorrowerRequest {
	request := BorrowerRequest{
		BorrowerTypeID:        b.BorrowerTypeID,
		KeyBorrowerRelationID: b.KeyBorrowerRelationID,
		Personal:              b.Personal.request(),
		Professional:          b.Professional.request(),
	}
	if b.Financial != nil {
		request.Financial = new(*b.Financial)
	}
	return request
}

func (p *PersonalData) request() *PersonalDataRequest {
	if p == nil {
		return nil
	}
	return &PersonalDataRequest{
		Name:                              p.Name,
		BirthDate:                         p.BirthDate,
		TaxID:                             p.TaxID,
		Phone:                             p.Phone,
		Mobile:                            p.Mobile,
		Email:                             p.Email,
		GenderID:                          p.GenderID,
		NationalityID:                     p.NationalityID,
		IdentificationDocumentTypeID:      p.IdentificationDocumentTypeID,
		IdentificationDocumentNumber:      p.IdentificationDocumentNumber,
		CheckDigit:                        p.CheckDigit,
		IdentificationDocumentExpiredDate: p.IdentificationDocumentExpiredDate,
		SocialSecurityNumber:              p.SocialSecurityNumber,
		MaritalStatusID:                   p.MaritalStatusID,
		MatrimonialRegimeID:               p.MatrimonialRegimeID,
		ResidenceTypeID:                   p.ResidenceTypeID,
		AcademicLevelID:                   p.AcademicLevelID,
		DependentsNumber:                  p.DependentsNumber,
		Address:                           p.Address,
		ZipCode:                           p.ZipCode,
		ZipCodeLocal:                      p.ZipCodeLocal,
		DoorNumber:                        p.DoorNumber,
		Floor:                             p.Floor,
		CountryID:                         p.CountryID,
	}
}

func (p *ProfessionalData) request() *ProfessionalDataRequest {
	if p == nil {
		return nil
	}
	return &ProfessionalDataRequest{
		EmploymentProfessionID:         p.EmploymentProfessionID,
		EmploymentSituationID:          p.EmploymentSituationID,
		EmploymentPositionDepartmentID: p.EmploymentPositionDepartmentID,
		EmploymentContractTypeID:       p.EmploymentContractTypeID,
		EmployerName:                   p.EmployerName,
		EmployerTaxID:                  p.EmployerTaxID,
		EmploymentDurationMonths:       p.EmploymentDurationMonths,
	}
}
