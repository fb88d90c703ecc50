package simulations

import (
	"context"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/validation"
)

// SimulationDetails has what a person says of a loan and of its borrowers, in the groups of the bank's request. The first page of
// its form asks for what the costs depend on most.
type SimulationDetails struct {
	Loan            LoanDetails      `json:"loan" page:"loan"`
	Property        PropertyDetails  `json:"property,omitzero" page:"property"`
	Borrower        PersonDetails    `json:"borrower" page:"borrower"`
	Second          PersonDetails    `json:"secondBorrower,omitzero" page:"secondBorrower"`
	Insurance       InsuranceDetails `json:"insurance,omitzero" page:"costs"`
	SecondInsurance InsuranceDetails `json:"secondInsurance,omitzero" page:"costs"`
}

// LoanDetails has the fields of [portal.SimulationLoanRequest], with tags for forms and checks. One is converted into the other,
// so that the compiler finds differences. [PropertyDetails] and [InsuranceDetails] are alike.
type LoanDetails struct {
	LoanAmount             pii.Money `json:"loanAmount,omitzero" validate:"required,amount"`
	LoanDurationMonths     *int32    `json:"loanDurationMonths,omitzero" validate:"required" pii:"open"`
	GracePeriodMonths      *int32    `json:"gracePeriodMonths,omitzero" page:"costs" pii:"open"`
	IndexTypeID            *int32    `json:"indexTypeId,omitzero" validate:"required,choice" taxonomy:"indexTypes" pii:"open"`
	IndexTypeSubCategoryID *int32    `json:"indexTypeSubCategoryId,omitzero" page:"costs" taxonomy:"indexTypeSubCategories" pii:"open"`
	MixedFixedPeriodID     *int32    `json:"mixedFixedPeriodId,omitzero" taxonomy:"mixedFixedPeriod" pii:"open"`
	FixedFixedPeriodID     *int32    `json:"fixedFixedPeriodId,omitzero" taxonomy:"fixedFixedPeriod" pii:"open"`
	ProductSchemeID        *int32    `json:"productSchemeId,omitzero" page:"costs" taxonomy:"productSchemes" pii:"open"`
	LoanPurposeID          *int32    `json:"loanPurposeId,omitzero" validate:"required,choice" taxonomy:"loanPurposes" pii:"open"`
	ProductPurposeID       *int32    `json:"productPurposeId,omitzero" validate:"required,choice" taxonomy:"productPurposes" pii:"open"`
	HasCrossSelling        *bool     `json:"hasCrossSelling,omitzero" page:"costs" pii:"open"`
	BranchID               *int32    `json:"branchId,omitzero" page:"-" pii:"open"`
}

// PersonDetails has the fields of [portal.SimulationBorrowerRequest] but for the role, which follows from the position.
type PersonDetails struct {
	Name             pii.Name      `json:"name,omitzero" validate:"omitempty,person_name"`
	BirthDate        pii.BirthDate `json:"birthDate,omitzero" validate:"omitempty,date,adult"`
	Age              *int32        `json:"age,omitzero" pii:"id"`
	Income           pii.Money     `json:"income,omitzero" validate:"omitempty,amount"`
	InstallmentOther pii.Money     `json:"installmentOther,omitzero" validate:"omitempty,amount"`
	DependentsNumber *int32        `json:"dependentsNumber,omitzero" validate:"omitempty,dependants" pii:"open"`
	TaxID            pii.TaxID     `json:"taxId,omitzero" validate:"omitempty,nif_person"`
	Mobile           pii.Phone     `json:"mobile,omitzero" validate:"omitempty,mobile"`
	Email            pii.Email     `json:"email,omitzero" validate:"omitempty,email_address"`
}

// PropertyDetails has the fields of [portal.SimulationPropertyRequest].
type PropertyDetails struct {
	EstimatedValue     pii.Money      `json:"estimatedValue,omitzero" page:"loan" validate:"omitempty,amount"`
	AcquisitionAmount  pii.Money      `json:"acquisitionAmount,omitzero" page:"loan" validate:"omitempty,amount"`
	PropertyTypologyID *int32         `json:"propertyTypologyId,omitzero" taxonomy:"propertyTypologies" pii:"open"`
	Address            pii.Address    `json:"address,omitzero" validate:"omitempty,text=200"`
	DoorNumber         pii.Address    `json:"doorNumber,omitzero" validate:"omitempty,text=100"`
	Floor              pii.Address    `json:"floor,omitzero" validate:"omitempty,text=100"`
	ZipCode            pii.PostalCode `json:"zipCode,omitzero" validate:"omitempty,zip"`
	ZipCodeLocal       pii.Locality   `json:"zipCodeLocal,omitzero" validate:"omitempty,text=100"`
	DistrictID         *int32         `json:"districtId,omitzero" taxonomy:"districts" pii:"open"`
	CountyID           *int32         `json:"countyId,omitzero" taxonomy:"counties" pii:"open"`
	ParishID           *int32         `json:"parishId,omitzero" taxonomy:"parishes" pii:"open"`
}

// InsuranceDetails is an insurance that is bought elsewhere: of another one the bank says the cost.
type InsuranceDetails struct {
	InsuranceTypeID *int32    `json:"insuranceTypeId,omitzero" taxonomy:"insuranceTypes" pii:"open"`
	MonthlyCost     pii.Money `json:"monthlyCost,omitzero" validate:"omitempty,amount"`
}

// pageOrder is the order of the pages of a form: what the costs depend on first.
var pageOrder = []string{"loan", "borrower", "secondBorrower", "property", "costs"}

// The ages that a borrower may have, and the terms in months. People may have given a short one in years.
const (
	youngest    = 18
	oldest      = 100
	longestTerm = 600
	shortTerm   = 60
)

// CheckFields implements [tools.FieldChecker].
func (d SimulationDetails) CheckFields(_ context.Context, call *tools.Call) (problems []tools.Problem) {
	problems = append(d.Borrower.check(call, "borrower"), d.Loan.check(call)...)
	if d.Second.given() {
		problems = append(problems, d.Second.check(call, "secondBorrower")...)
	}
	return append(problems, append(d.Insurance.check(call, "insurance"), d.SecondInsurance.check(call, "secondInsurance")...)...)
}

func (p PersonDetails) given() bool { return p != PersonDetails{} }

func (p PersonDetails) check(call *tools.Call, path string) []tools.Problem {
	switch {
	case p.Age == nil && p.BirthDate.IsZero():
		return []tools.Problem{call.Problem(path+".age", "person.age_missing")}
	case p.Age != nil && (*p.Age < youngest || *p.Age > oldest):
		return []tools.Problem{call.Problem(path+".age", "person.age")}
	}
	return nil
}

func (l LoanDetails) check(call *tools.Call) (problems []tools.Problem) {
	if l.MixedFixedPeriodID != nil && l.FixedFixedPeriodID != nil {
		problems = append(problems, call.Problem("loan.fixedFixedPeriodId", "loan.two_periods"))
	}
	switch months := l.LoanDurationMonths; {
	case months == nil:
	case *months < 1 || *months > longestTerm:
		problems = append(problems, call.Problem("loan.loanDurationMonths", "loan.term"))
	case *months < shortTerm:
		problems = append(problems, call.Warning("loan.loanDurationMonths", "loan.months", "months", *months))
	}
	if grace := l.GracePeriodMonths; grace != nil && (*grace < 0 || l.LoanDurationMonths != nil && *grace >= *l.LoanDurationMonths) {
		problems = append(problems, call.Problem("loan.gracePeriodMonths", "loan.grace"))
	}
	return problems
}

func (i InsuranceDetails) check(call *tools.Call, path string) []tools.Problem {
	if i.InsuranceTypeID == nil && !i.MonthlyCost.IsZero() {
		return []tools.Problem{call.Problem(path+".insuranceTypeId", "insurance.type_missing")}
	}
	return nil
}

// request returns the bank's request. others are the borrowers after the second.
func (d SimulationDetails) request(ctx context.Context, call *tools.Call, others ...portal.SimulationBorrower) portal.SimulationRequest {
	key, other := roles(ctx, call)
	loan := portal.SimulationLoanRequest(d.Loan)
	request := portal.SimulationRequest{Loan: &loan, Borrowers: []portal.SimulationBorrowerRequest{d.Borrower.request(key)}}
	if d.Second.given() {
		request.Borrowers = append(request.Borrowers, d.Second.request(other))
	}
	request.Borrowers = append(request.Borrowers, portal.Simulation{Borrowers: others}.Request().Borrowers...)
	if d.Property != (PropertyDetails{}) {
		property := portal.SimulationPropertyRequest(d.Property)
		request.Property = &property
	}
	for _, insurance := range []InsuranceDetails{d.Insurance, d.SecondInsurance} {
		if insurance != (InsuranceDetails{}) {
			request.Insurances = append(request.Insurances, portal.SimulationInsuranceRequest(insurance))
		}
	}
	return request
}

func (p PersonDetails) request(role *int32) portal.SimulationBorrowerRequest {
	return portal.SimulationBorrowerRequest{
		BorrowerTypeID: role, Name: p.Name, TaxID: p.TaxID, BirthDate: p.BirthDate, Age: p.Age, Mobile: p.Mobile, Email: p.Email,
		Income: p.Income, InstallmentOther: p.InstallmentOther, DependentsNumber: p.DependentsNumber,
	}
}

func personOf(p portal.SimulationBorrower) PersonDetails {
	return PersonDetails{
		Name: p.Name, TaxID: p.TaxID, BirthDate: p.BirthDate, Age: p.Age, Mobile: p.Mobile, Email: p.Email,
		Income: p.Income, InstallmentOther: p.InstallmentOther, DependentsNumber: p.DependentsNumber,
	}
}

// detailsOf returns the details of a simulation of the bank, without the borrowers after the second.
func detailsOf(simulation portal.Simulation) (d SimulationDetails) {
	request := simulation.Request()
	if request.Loan != nil {
		d.Loan = LoanDetails(*request.Loan)
	}
	if request.Property != nil {
		d.Property = PropertyDetails(*request.Property)
	}
	for i, person := range simulation.Borrowers[:min(len(simulation.Borrowers), maxPeople)] {
		*[]*PersonDetails{&d.Borrower, &d.Second}[i] = personOf(person)
	}
	return d
}

// maxPeople is the number of borrowers that a form shows.
const maxPeople = 2

// roles returns the ids of the bank's list for the key borrower and for another one, nil for one that the list does not have.
func roles(ctx context.Context, call *tools.Call) (key, other *int32) {
	list, err := call.List(ctx, "borrowerTypes")
	if err != nil {
		return nil, nil
	}
	for _, item := range list.Items {
		switch is := call.Checks().KeyBorrower(validation.Item{ID: &item.ID, Description: item.Description}); {
		case is && key == nil:
			key = &item.ID
		case !is && other == nil:
			other = &item.ID
		}
	}
	return key, other
}
