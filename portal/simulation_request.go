package portal

import (
	"reflect"

	"github.com/balcao/balcao/internal/pii"
)

// SimulationRequest is the body of Simulation Create, Update and Validate. An update has only what changes: of an array, the
// whole array. What is absent stays as it is; a period with the id 0 is none.
type SimulationRequest struct {
	Loan       *SimulationLoanRequest       `json:"loanData,omitzero"`
	Borrowers  []SimulationBorrowerRequest  `json:"borrowers,omitzero"`
	Property   *SimulationPropertyRequest   `json:"propertyData,omitzero"`
	Insurances []SimulationInsuranceRequest `json:"insurances,omitzero"` // bought elsewhere; of another one the bank says the cost
}

// SimulationLoanRequest is [SimulationLoan] as requests name its fields.
type SimulationLoanRequest struct {
	LoanAmount             pii.Money `json:"loanAmount,omitzero"`
	LoanDurationMonths     *int32    `json:"loanDurationMonths,omitzero"`
	GracePeriodMonths      *int32    `json:"gracePeriodMonths,omitzero"`
	IndexTypeID            *int32    `json:"indexTypeId,omitzero"`
	IndexTypeSubCategoryID *int32    `json:"indexTypeSubCategoryId,omitzero"`
	MixedFixedPeriodID     *int32    `json:"mixedFixedPeriodId,omitzero"`
	FixedFixedPeriodID     *int32    `json:"fixedFixedPeriodId,omitzero"`
	ProductSchemeID        *int32    `json:"productSchemeId,omitzero"`
	LoanPurposeID          *int32    `json:"loanPurposeId,omitzero"`
	ProductPurposeID       *int32    `json:"productPurposeId,omitzero"`
	HasCrossSelling        *bool     `json:"hasCrossSelling,omitzero"`
	BranchID               *int32    `json:"branchId,omitzero"`
}

// SimulationBorrowerRequest is [SimulationBorrower] as requests name its fields. Of age and birth date one is enough.
type SimulationBorrowerRequest struct {
	BorrowerTypeID   *int32        `json:"borrowerTypeId,omitzero"`
	Name             pii.Name      `json:"name,omitzero"`
	TaxID            pii.TaxID     `json:"taxId,omitzero"`
	BirthDate        pii.BirthDate `json:"birthDate,omitzero"`
	Age              *int32        `json:"age,omitzero"`
	Mobile           pii.Phone     `json:"mobile,omitzero"`
	Email            pii.Email     `json:"email,omitzero"`
	Income           pii.Money     `json:"income,omitzero"`
	InstallmentOther pii.Money     `json:"installmentOther,omitzero"`
	DependentsNumber *int32        `json:"dependentsNumber,omitzero"`
}

// SimulationPropertyRequest is [SimulationProperty] as requests name its fields.
type SimulationPropertyRequest struct {
	EstimatedValue     pii.Money      `json:"estimatedValue,omitzero"`
	AcquisitionAmount  pii.Money      `json:"acquisitionAmount,omitzero"`
	PropertyTypologyID *int32         `json:"propertyTypologyId,omitzero"`
	Address            pii.Address    `json:"address,omitzero"`
	DoorNumber         pii.Address    `json:"doorNumber,omitzero"`
	Floor              pii.Address    `json:"floor,omitzero"`
	ZipCode            pii.PostalCode `json:"zipCode,omitzero"`
	ZipCodeLocal       pii.Locality   `json:"zipCodeLocal,omitzero"`
	DistrictID         *int32         `json:"districtId,omitzero"`
	CountyID           *int32         `json:"countyId,omitzero"`
	ParishID           *int32         `json:"parishId,omitzero"`
}

// SimulationInsuranceRequest is [SimulationInsurance] as requests name its fields.
type SimulationInsuranceRequest struct {
	InsuranceTypeID *int32    `json:"insuranceTypeId,omitzero"`
	MonthlyCost     pii.Money `json:"monthlyCost,omitzero"`
}

// Request returns the simulation as the body of a request that would create it: every field under the name that requests have
// for it. The insurances are left out, since the bank does not say which of them it has computed itself.
func (s Simulation) Request() SimulationRequest {
	var r SimulationRequest
	if l := s.Loan; l != nil {
		r.Loan = &SimulationLoanRequest{
			LoanAmount: l.LoanAmount, LoanDurationMonths: l.LoanDurationMonths, GracePeriodMonths: l.GracePeriodMonths,
			IndexTypeID: l.IndexTypeID, IndexTypeSubCategoryID: l.IndexTypeSubCategoryID,
			MixedFixedPeriodID: l.MixedFixedPeriodID, FixedFixedPeriodID: l.FixedFixedPeriodID,
			ProductSchemeID: l.ProductSchemeID, LoanPurposeID: l.LoanPurposeID, ProductPurposeID: l.ProductPurposeID,
			HasCrossSelling: l.HasCrossSelling,
		}
		if s.BranchID != 0 {
			r.Loan.BranchID = new(s.BranchID)
		}
	}
	for _, b := range s.Borrowers {
		r.Borrowers = append(r.Borrowers, b.request())
	}
	if p := s.Property; p != nil {
		r.Property = &SimulationPropertyRequest{
			EstimatedValue: p.EstimatedValue, AcquisitionAmount: p.AcquisitionAmount, PropertyTypologyID: p.PropertyTypologyID,
			Address: p.Address, DoorNumber: p.DoorNumber, Floor: p.Floor, ZipCode: p.ZipCode, ZipCodeLocal: p.ZipCodeLocal,
			DistrictID: p.DistrictID, CountyID: p.CountyID, ParishID: p.ParishID,
		}
	}
	return r
}

func (b SimulationBorrower) request() SimulationBorrowerRequest {
	return SimulationBorrowerRequest{
		BorrowerTypeID: b.BorrowerTypeID, Name: b.Name, TaxID: b.TaxID, BirthDate: b.BirthDate, Age: b.Age, Mobile: b.Mobile, Email: b.Email,
		Income: b.Income, InstallmentOther: b.InstallmentOther, DependentsNumber: b.DependentsNumber,
	}
}

// Changes returns what a request has that differs from another, which is the body of an update from the other to it. What only
// the other has stays as it is.
func (r SimulationRequest) Changes(from SimulationRequest) SimulationRequest {
	changed := SimulationRequest{Loan: changedFields(r.Loan, from.Loan), Property: changedFields(r.Property, from.Property)}
	if !same(reflect.ValueOf(r.Borrowers), reflect.ValueOf(from.Borrowers)) {
		changed.Borrowers = r.Borrowers
	}
	if !same(reflect.ValueOf(r.Insurances), reflect.ValueOf(from.Insurances)) {
		changed.Insurances = r.Insurances
	}
	return changed
}

// changedFields returns an object with the fields that differ from those of another, nil if none does.
func changedFields[T any](to, from *T) *T {
	if to == nil || from == nil {
		return to
	}
	changed, some := new(T), false
	for i := range reflect.TypeFor[T]().NumField() {
		value := reflect.ValueOf(to).Elem().Field(i)
		if value.IsZero() || same(value, reflect.ValueOf(from).Elem().Field(i)) {
			continue
		}
		reflect.ValueOf(changed).Elem().Field(i).Set(value)
		some = true
	}
	if !some {
		return nil
	}
	return changed
}

// same reports whether two values of one type are written alike: 2500 and 2500.00 € are the same amount.
func same(a, b reflect.Value) bool {
	if amount, is := a.Interface().(pii.Money); is {
		one, has := amount.Reveal()
		other, otherHas := b.Interface().(pii.Money).Reveal()
		return has == otherHas && one.Equal(other)
	}
	switch a.Kind() {
	case reflect.Slice:
		for i := range min(a.Len(), b.Len()) {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return a.Len() == b.Len()
	case reflect.Struct:
		if a.Type().PkgPath() != thisPackage {
			return a.Equal(b) // a personal text
		}
		for i := range a.NumField() {
			if !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}
