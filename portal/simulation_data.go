package portal

import (
	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
)

// SimulationSummary is an item of Simulation List.
type SimulationSummary struct {
	SimulationUniqueID          uuid.UUID `json:"simulationUniqueID"`
	SimulationNumber            int64     `json:"simulationNumber"`
	BorrowerName                pii.Name  `json:"borrowerName,omitzero"` // of the first
	SimulationStatusID          int32     `json:"simulationStatusID" taxonomy:"workflowStatesSimulation"`
	SimulationStatusDescription string    `json:"simulationStatusDescription,omitzero"`
	BranchID                    int32     `json:"branchID,omitzero" taxonomy:"-"`
	BranchDescription           string    `json:"branchDescription,omitzero"`
	CreationDate                Time      `json:"creationDate,omitzero"`
	LastActionDate              Time      `json:"lastActionDate,omitzero"`
}

// Simulation is the reply of Simulation Detail: the five groups that the bank's page names, and the results. The profile says
// where each field is.
type Simulation struct {
	SimulationSummary
	ProcessUniqueID                   uuid.UUID `json:"processUniqueID,omitzero"` // of the process that was made of it
	ProcessNumber                     int64     `json:"processNumber,omitzero"`
	SimulationRejectReasonID          *int32    `json:"simulationRejectReasonID,omitzero" taxonomy:"simulationRejectReasons"`
	SimulationRejectReasonDescription string    `json:"simulationRejectReasonDescription,omitzero"`
	ExpirationDate                    Time      `json:"expirationDate,omitzero"`

	Loan      *SimulationLoan      `json:"loanData,omitzero"`
	Borrowers []SimulationBorrower `json:"borrowers,omitzero"`
	Property  *SimulationProperty  `json:"propertyData,omitzero"`
	SimulationCosts
}

// SimulationLoan is what a simulation asks for. A loan without a fixed period has a variable rate, one with a mixed period a
// fixed rate first and a variable one afterwards.
type SimulationLoan struct {
	LoanAmount                      pii.Money `json:"loanAmount,omitzero"` // euros
	LoanDurationMonths              *int32    `json:"loanDurationMonths,omitzero"`
	GracePeriodMonths               *int32    `json:"gracePeriodMonths,omitzero"` // at the beginning, with interest only
	IndexTypeID                     *int32    `json:"indexTypeID,omitzero" taxonomy:"indexTypes"`
	IndexTypeDescription            string    `json:"indexTypeDescription,omitzero"`
	IndexTypeSubCategoryID          *int32    `json:"indexTypeSubCategoryID,omitzero" taxonomy:"indexTypeSubCategories"`
	IndexTypeSubCategoryDescription string    `json:"indexTypeSubCategoryDescription,omitzero"`
	MixedFixedPeriodID              *int32    `json:"mixedFixedPeriodID,omitzero" taxonomy:"mixedFixedPeriod"`
	MixedFixedPeriodDescription     string    `json:"mixedFixedPeriodDescription,omitzero"`
	FixedFixedPeriodID              *int32    `json:"fixedFixedPeriodID,omitzero" taxonomy:"fixedFixedPeriod"`
	FixedFixedPeriodDescription     string    `json:"fixedFixedPeriodDescription,omitzero"`
	ProductSchemeID                 *int32    `json:"productSchemeID,omitzero" taxonomy:"productSchemes"`
	ProductSchemeDescription        string    `json:"productSchemeDescription,omitzero"`
	LoanPurposeID                   *int32    `json:"loanPurposeID,omitzero" taxonomy:"loanPurposes"`
	LoanPurposeDescription          string    `json:"loanPurposeDescription,omitzero"`
	ProductPurposeID                *int32    `json:"productPurposeID,omitzero" taxonomy:"productPurposes"`
	ProductPurposeDescription       string    `json:"productPurposeDescription,omitzero"`
	HasCrossSelling                 *bool     `json:"hasCrossSelling,omitzero"`
}

// SimulationBorrower is a person of a simulation. The bank may have the age only, or the birth date.
type SimulationBorrower struct {
	BorrowerTypeID          *int32        `json:"borrowerTypeID,omitzero" taxonomy:"borrowerTypes"`
	BorrowerTypeDescription string        `json:"borrowerTypeDescription,omitzero"`
	Name                    pii.Name      `json:"name,omitzero"`
	TaxID                   pii.TaxID     `json:"taxID,omitzero"`
	BirthDate               pii.BirthDate `json:"birthDate,omitzero"`
	Age                     *int32        `json:"age,omitzero"` // years
	Mobile                  pii.Phone     `json:"mobile,omitzero"`
	Email                   pii.Email     `json:"email,omitzero"`
	Income                  pii.Money     `json:"income,omitzero"`           // euros a month
	InstallmentOther        pii.Money     `json:"installmentOther,omitzero"` // of all other credit, euros a month
	DependentsNumber        *int32        `json:"dependentsNumber,omitzero"`
}

// SimulationProperty is the property of a simulation.
type SimulationProperty struct {
	EstimatedValue              pii.Money      `json:"estimatedValue,omitzero"`    // euros
	AcquisitionAmount           pii.Money      `json:"acquisitionAmount,omitzero"` // the price, in euros
	PropertyTypologyID          *int32         `json:"propertyTypologyID,omitzero" taxonomy:"propertyTypologies"`
	PropertyTypologyDescription string         `json:"propertyTypologyDescription,omitzero"`
	Address                     pii.Address    `json:"address,omitzero"`
	DoorNumber                  pii.Address    `json:"doorNumber,omitzero"`
	Floor                       pii.Address    `json:"floor,omitzero"`
	ZipCode                     pii.PostalCode `json:"zipCode,omitzero"`
	ZipCodeLocal                pii.Locality   `json:"zipCodeLocal,omitzero"`
	DistrictID                  *int32         `json:"districtID,omitzero" taxonomy:"districts"`
	DistrictDescription         string         `json:"districtDescription,omitzero"`
	CountyID                    *int32         `json:"countyID,omitzero" taxonomy:"counties"`
	CountyDescription           string         `json:"countyDescription,omitzero"`
	ParishID                    *int32         `json:"parishID,omitzero" taxonomy:"parishes"`
	ParishDescription           string         `json:"parishDescription,omitzero"`
}

// SimulationCosts is what the bank computes of a simulation.
type SimulationCosts struct {
	Insurances  []SimulationInsurance `json:"insurances,omitzero"`
	BankCharges []SimulationCharge    `json:"bankCharges,omitzero"`
	Results     *SimulationResults    `json:"results,omitzero"`
	Warnings    []SimulationWarning   `json:"warnings,omitzero"`
}

// SimulationInsurance is an insurance that the loan needs.
type SimulationInsurance struct {
	InsuranceTypeID          *int32    `json:"insuranceTypeID,omitzero" taxonomy:"insuranceTypes"`
	InsuranceTypeDescription string    `json:"insuranceTypeDescription,omitzero"`
	MonthlyCost              pii.Money `json:"monthlyCost,omitzero"` // euros
}

// SimulationCharge is a sum due once.
type SimulationCharge struct {
	BankChargeTypeID          *int32    `json:"bankChargeTypeID,omitzero" taxonomy:"bankChargeTypes"`
	BankChargeTypeDescription string    `json:"bankChargeTypeDescription,omitzero"`
	Amount                    pii.Money `json:"amount,omitzero"` // euros
}

// SimulationResults are the figures of a loan. Amounts are in euros. Later is what follows the fixed years of a mixed rate.
type SimulationResults struct {
	IndexRate                 Percent   `json:"indexRate,omitzero"` // of a rate that is not fixed
	Spread                    Percent   `json:"spread,omitzero"`
	NominalRate               Percent   `json:"nominalRate,omitzero"` // TAN
	LaterNominalRate          Percent   `json:"laterNominalRate,omitzero"`
	TAEG                      Percent   `json:"taeg,omitzero"`
	MTIC                      pii.Money `json:"mtic,omitzero"`              // all that the client will have paid
	InstallmentAmount         pii.Money `json:"installmentAmount,omitzero"` // a month, without insurances
	LaterInstallmentAmount    pii.Money `json:"laterInstallmentAmount,omitzero"`
	StressedInstallmentAmount pii.Money `json:"stressedInstallmentAmount,omitzero"` // at a rate that has risen
	MonthlyInsurance          pii.Money `json:"monthlyInsurance,omitzero"`
	InitialCharges            pii.Money `json:"initialCharges,omitzero"`
	TotalInterest             pii.Money `json:"totalInterest,omitzero"`
	LoanToValue               Percent   `json:"loanToValue,omitzero"`
	DebtServiceToIncome       Percent   `json:"debtServiceToIncome,omitzero"`
}

// SimulationWarning is what the bank says of a simulation without refusing it.
type SimulationWarning struct {
	Code    string `json:"code,omitzero"`
	Message string `json:"message,omitzero"`
}
