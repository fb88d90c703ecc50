package sandbox

import (
	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox/loancost"
)

func (s *simulation) summary(lang dialect) portal.SimulationSummary {
	return portal.SimulationSummary{
		SimulationUniqueID:          s.id,
		SimulationNumber:            s.number,
		BorrowerName:                s.name(),
		SimulationStatusID:          s.state,
		SimulationStatusDescription: describe("workflowStatesSimulation", &s.state, lang),
		BranchID:                    s.branch,
		BranchDescription:           describe("branches", &s.branch, lang),
		CreationDate:                portal.Time{Time: s.created},
		LastActionDate:              portal.Time{Time: s.last},
	}
}

// detailOf returns the reply of Simulation Detail.
func (b *Bank) detailOf(s *simulation, c *call) portal.Simulation {
	lang, reason := c.lang, given0(&s.reason)
	detail := portal.Simulation{
		SimulationSummary:                 s.summary(lang),
		ProcessUniqueID:                   s.process,
		ProcessNumber:                     s.processNumber,
		SimulationRejectReasonID:          reason,
		SimulationRejectReasonDescription: describe("simulationRejectReasons", reason, lang),
		ExpirationDate:                    portal.Time{Time: s.ends()},
		Loan:                              loanReply(*s.data.Loan, lang),
		SimulationCosts:                   b.costsOf(s, c),
	}
	for _, borrower := range s.data.Borrowers {
		detail.Borrowers = append(detail.Borrowers, portal.SimulationBorrower{
			BorrowerTypeID: borrower.BorrowerTypeID, BorrowerTypeDescription: describe("borrowerTypes", borrower.BorrowerTypeID, lang),
			Name: borrower.Name, TaxID: borrower.TaxID, BirthDate: borrower.BirthDate, Age: borrower.Age, Mobile: borrower.Mobile, Email: borrower.Email,
			Income: borrower.Income, InstallmentOther: borrower.InstallmentOther, DependentsNumber: borrower.DependentsNumber,
		})
	}
	if p := s.data.Property; p != nil {
		detail.Property = &portal.SimulationProperty{
			EstimatedValue: p.EstimatedValue, AcquisitionAmount: p.AcquisitionAmount,
			PropertyTypologyID: p.PropertyTypologyID, PropertyTypologyDescription: describe("propertyTypologies", p.PropertyTypologyID, lang),
			Address: p.Address, DoorNumber: p.DoorNumber, Floor: p.Floor, ZipCode: p.ZipCode, ZipCodeLocal: p.ZipCodeLocal,
			DistrictID: p.DistrictID, DistrictDescription: describe("districts", p.DistrictID, lang),
			CountyID: p.CountyID, CountyDescription: describe("counties", p.CountyID, lang),
			ParishID: p.ParishID, ParishDescription: describe("parishes", p.ParishID, lang),
		}
	}
	return detail
}

func loanReply(l portal.SimulationLoanRequest, lang dialect) *portal.SimulationLoan {
	mixed, fixed := given0(l.MixedFixedPeriodID), given0(l.FixedFixedPeriodID)
	return &portal.SimulationLoan{
		LoanAmount: l.LoanAmount, LoanDurationMonths: l.LoanDurationMonths, GracePeriodMonths: l.GracePeriodMonths,
		IndexTypeID: l.IndexTypeID, IndexTypeDescription: describe("indexTypes", l.IndexTypeID, lang),
		IndexTypeSubCategoryID: l.IndexTypeSubCategoryID, IndexTypeSubCategoryDescription: describe("indexTypeSubCategories", l.IndexTypeSubCategoryID, lang),
		MixedFixedPeriodID: mixed, MixedFixedPeriodDescription: describe("mixedFixedPeriod", mixed, lang),
		FixedFixedPeriodID: fixed, FixedFixedPeriodDescription: describe("fixedFixedPeriod", fixed, lang),
		ProductSchemeID: l.ProductSchemeID, ProductSchemeDescription: describe("productSchemes", l.ProductSchemeID, lang),
		LoanPurposeID: l.LoanPurposeID, LoanPurposeDescription: describe("loanPurposes", l.LoanPurposeID, lang),
		ProductPurposeID: l.ProductPurposeID, ProductPurposeDescription: describe("productPurposes", l.ProductPurposeID, lang),
		HasCrossSelling: l.HasCrossSelling,
	}
}

// chargeTypes are the types of bank charges by the keys of fees.
var chargeTypes = map[string]int32{"analysis": 1, "valuation": 2, "formalisation": 3, "dutyOnFees": 4, "dutyOnLoan": 4}

// costsOf computes a simulation.
func (b *Bank) costsOf(s *simulation, c *call) portal.SimulationCosts {
	loan, f := s.loan(), s.figures()
	costs := portal.SimulationCosts{Results: &portal.SimulationResults{
		NominalRate: rate(f.Rate), TAEG: ratio(f.TAEG), MTIC: money(f.Total), InstallmentAmount: money(f.Instalment),
		MonthlyInsurance: money(f.Life + f.Home), InitialCharges: money(f.Upfront), TotalInterest: money(f.Interest),
	}}
	r := costs.Results
	if loan.Rate != loancost.FixedRate {
		r.IndexRate, r.Spread, r.StressedInstallmentAmount = rate(loancost.IndexRate), rate(loan.Spread()), money(f.Shocked)
	}
	if loan.Rate == loancost.MixedRate {
		r.LaterNominalRate, r.LaterInstallmentAmount = rate(f.LaterRate), money(f.Later)
	}
	if loan.Price > 0 {
		r.LoanToValue = ratio(f.LTV)
	}
	if share, known := s.debtService(); known {
		r.DebtServiceToIncome = portal.PercentOf(share)
	}
	for kind, cost := range []loancost.Cents{lifeInsurance: f.Life, homeInsurance: f.Home} {
		if id := int32(kind); kind > 0 {
			costs.Insurances = append(costs.Insurances, portal.SimulationInsurance{
				InsuranceTypeID: &id, InsuranceTypeDescription: describe("insuranceTypes", &id, c.lang), MonthlyCost: money(cost),
			})
		}
	}
	for _, fee := range f.Fees {
		kind := chargeTypes[fee.Key]
		costs.BankCharges = append(costs.BankCharges, portal.SimulationCharge{
			BankChargeTypeID: &kind, BankChargeTypeDescription: describe("bankChargeTypes", &kind, c.lang), Amount: money(fee.Amount),
		})
	}
	for _, w := range s.warnings(c.now) {
		reason := portal.Reason(w.key)
		costs.Warnings = append(costs.Warnings, portal.SimulationWarning{
			Code: reason.Code(b.config.Profile, ""), Message: reason.Text(string(c.lang.Lang), ""),
		})
	}
	return costs
}

// money returns an amount, which is not absent if it is zero.
func money(amount loancost.Cents) pii.Money { return pii.Euros(decimal.New(int64(amount), -2)) }

func rate(p loancost.BasisPoints) portal.Percent { return portal.PercentOf(decimal.New(int64(p), -2)) }

// ratio returns a fraction as a percentage with two decimal places.
func ratio(fraction float64) portal.Percent {
	return portal.PercentOf(decimal.NewFromFloat(fraction * 100).Round(2))
}

// fromSimulation fills a new process with what a simulation of the broker has. That a simulation has one process at most is ours.
// The caller holds the bank's lock, and calls convert when the process has its number.
func (b *Bank) fromSimulation(c *call, p *process, id uuid.UUID) error {
	s, known := b.store.simulations[id]
	if !known || !b.sees(c.session, s) {
		return &refusal{400, []problem{{"simulation.missing", "simulationUniqueId"}}}
	}
	s.expire(c.now)
	switch {
	case s.process != uuid.Nil:
		return &refusal{400, []problem{{"process.simulationUsed", "simulationUniqueId"}}}
	case !s.meaning().Convertible:
		return &refusal{400, []problem{{"simulation.state", "simulationUniqueId"}}}
	}
	asked := s.data.Loan
	of := func(id *int32) int32 {
		if id == nil {
			return 0
		}
		return *id
	}
	p.simulation, p.simulationNumber, p.branch = s.id, s.number, s.branch
	p.loan = loan{
		Loan: s.loan(), indexType: of(asked.IndexTypeID), loanPurpose: of(asked.LoanPurposeID), productPurpose: of(asked.ProductPurposeID),
		productScheme: of(asked.ProductSchemeID),
	}
	for _, person := range s.data.Borrowers {
		p.borrowers = append(p.borrowers, borrower{uuid.New(), s.values.borrowerOf(person, len(s.data.Borrowers))})
	}
	if s.data.Property != nil {
		*properties.row(b, p.id) = []property{{id: uuid.New(), data: propertyOf(*s.data.Property)}}
	}
	return nil
}

// borrowerOf returns a person of a simulation as a borrower of a process. The only one is the key borrower.
func (v values) borrowerOf(person portal.SimulationBorrowerRequest, count int) portal.BorrowerRequest {
	kind := *v.same("borrowerTypes", id(2))
	if person.BorrowerTypeID != nil {
		kind = *person.BorrowerTypeID
	} else if count == 1 {
		kind = v.key
	}
	return portal.BorrowerRequest{
		BorrowerTypeID: kind,
		Personal: &portal.PersonalDataRequest{
			Name: person.Name, TaxID: person.TaxID, BirthDate: person.BirthDate, Mobile: person.Mobile, Email: person.Email,
			DependentsNumber: person.DependentsNumber,
		},
		Financial: &portal.FinancialDataRequest{IncomeWagesPensions: person.Income, InstallmentOther: person.InstallmentOther},
	}
}

func propertyOf(p portal.SimulationPropertyRequest) portal.PropertyRequest {
	return portal.PropertyRequest{
		AcquisitionAmount: p.AcquisitionAmount, Address: p.Address, DoorNumber: p.DoorNumber, Floor: p.Floor,
		ZipCode: p.ZipCode, ZipCodeLocal: p.ZipCodeLocal, DistrictID: p.DistrictID, CountyID: p.CountyID, ParishID: p.ParishID,
	}
}
