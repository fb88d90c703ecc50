package sandbox

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox/loancost"
)

// The rules of a simulation are ours: what the bank publishes of its product is refused at once (term, age at the end, share of the
// value), what Banco de Portugal recommends to lenders is a warning, with which the bank rejects when it decides.

const (
	leastLoan     = 10_000  // euros
	mostSimulated = 1000000 // euros
	shortestTerm  = 120     // months; the longest is that of an ESIS
	mostGrace     = 24      // months
	mostBorrowers = 4
	fixedIndex    = 4 // the index type of a fixed rate
	lifeInsurance = 1
	homeInsurance = 2
	ownHome       = 1 // a loan's purpose
	letting       = 3
	youngScheme   = 2   // with the state's guarantee
	shareOwn      = 90  // percent of the value that the bank lends
	shareOther    = 80  // on what is not the client's own home
	shareYoung    = 100 // with the guarantee
	shareOfIncome = 50  // percent that instalments may have of the income
)

// mixedRates and fixedRates are the first rates by the years that are fixed.
var (
	mixedRates = map[int32]loancost.BasisPoints{2: 300, 3: 310, 5: 325}
	fixedRates = map[int32]loancost.BasisPoints{30: 355, 34: 365}
)

// checkSimulation returns why the bank refuses a simulation.
func (b *Bank) checkSimulation(data portal.SimulationRequest, c *call) []problem {
	check := &checker{now: c.now, rules: b.values.profile.Rules, lists: b.values.lists}
	s := &simulation{data: data, values: b.values}
	if data.Loan == nil {
		check.add("field.required", "loanData")
	} else {
		check.loan(*data.Loan)
	}
	check.borrowers(data.Borrowers, b.values.key)
	if data.Property != nil {
		check.simulatedProperty(*data.Property)
	}
	for i, insurance := range data.Insurances {
		check.prefix = fmt.Sprintf("insurances.%d.", i)
		if insurance.InsuranceTypeID == nil {
			check.add("field.required", "insuranceTypeId")
		}
		check.id("insuranceTypeId", "insuranceTypes", insurance.InsuranceTypeID)
		check.money("monthlyCost", insurance.MonthlyCost, true)
	}
	if check.prefix = ""; len(check.problems) > 0 {
		return check.problems
	}
	if s.oldestAtEnd(c.now) > oldestAtEnd {
		check.add("simulation.age", "loanData.loanDurationMonths")
	}
	if value := s.value(); value > 0 && int64(s.loan().Amount)*100 > int64(value)*int64(s.mostShare()) {
		check.add("simulation.ltv", "loanData.loanAmount")
	}
	return check.problems
}

// money refuses an amount that is missing although it is required, or negative, or a typing error.
func (c *checker) money(field string, amount pii.Money, required bool) {
	euros, given := amount.Reveal()
	switch {
	case !given && required:
		c.add("field.required", field)
	case given && (euros.IsNegative() || euros.GreaterThan(decimal.NewFromInt(mostLoan)) || !euros.Equal(euros.Round(2))):
		c.add("field.range", field)
	}
}

func (c *checker) loan(l portal.SimulationLoanRequest) {
	c.prefix = "loanData."
	amount, given := l.LoanAmount.Reveal()
	switch {
	case !given:
		c.add("field.required", "loanAmount")
	case amount.LessThan(decimal.NewFromInt(leastLoan)) || amount.GreaterThan(decimal.NewFromInt(mostSimulated)) || !amount.Equal(amount.Round(2)):
		c.add("simulation.amount", "loanAmount")
	}
	switch months := l.LoanDurationMonths; {
	case months == nil:
		c.add("field.required", "loanDurationMonths")
	case *months < shortestTerm || *months > longestTerm:
		c.add("simulation.term", "loanDurationMonths")
	}
	if l.IndexTypeID == nil {
		c.add("field.required", "indexTypeId")
	}
	if grace := l.GracePeriodMonths; grace != nil && (*grace < 0 || *grace > mostGrace) {
		c.add("field.range", "gracePeriodMonths")
	}
	c.id("indexTypeId", "indexTypes", l.IndexTypeID)
	c.id("indexTypeSubCategoryId", "indexTypeSubCategories", l.IndexTypeSubCategoryID)
	c.id("productSchemeId", "productSchemes", l.ProductSchemeID)
	c.id("loanPurposeId", "loanPurposes", l.LoanPurposeID)
	c.id("productPurposeId", "productPurposes", l.ProductPurposeID)
	c.id("branchId", "branches", l.BranchID)
	c.period(l)
}

// period refuses a fixed period that does not fit the kind of rate, or is shorter than a fixed loan.
func (c *checker) period(l portal.SimulationLoanRequest) {
	mixed, fixed := given0(l.MixedFixedPeriodID), given0(l.FixedFixedPeriodID)
	if mixed != nil {
		c.id("mixedFixedPeriodId", "mixedFixedPeriod", mixed)
	}
	if fixed != nil {
		c.id("fixedFixedPeriodId", "fixedFixedPeriod", fixed)
	}
	isFixed := l.IndexTypeID != nil && *l.IndexTypeID == fixedIndex
	switch {
	case mixed != nil && (isFixed || fixed != nil):
		c.add("simulation.period", "mixedFixedPeriodId")
	case mixed != nil && l.IndexTypeID != nil:
		c.id("indexTypeId", "indexTypeListMixed", l.IndexTypeID)
	case fixed != nil && !isFixed:
		c.add("simulation.period", "fixedFixedPeriodId")
	case isFixed && l.LoanDurationMonths != nil && *l.LoanDurationMonths > 12*fixedYears(l):
		c.add("simulation.period", "fixedFixedPeriodId")
	}
}

// given0 returns a choice, nil for «none».
func given0(id *int32) *int32 {
	if !given(id) {
		return nil
	}
	return id
}

// fixedYears returns for how many years a fixed rate holds: those that were chosen, or else the fewest that the term fits.
func fixedYears(l portal.SimulationLoanRequest) int32 {
	if fixed := given0(l.FixedFixedPeriodID); fixed != nil {
		return *fixed
	}
	if *l.LoanDurationMonths <= 30*12 {
		return 30
	}
	return 34
}

func (c *checker) borrowers(all []portal.SimulationBorrowerRequest, key int32) {
	keys := 0
	for i, b := range all {
		c.prefix = fmt.Sprintf("borrowers.%d.", i)
		if b.BorrowerTypeID != nil && *b.BorrowerTypeID == key {
			keys++
		}
		c.id("borrowerTypeId", "borrowerTypes", b.BorrowerTypeID)
		c.length("name", b.Name.Reveal())
		c.taxID("taxId", b.TaxID.Reveal())
		c.birthDate(b.BirthDate)
		c.shape("mobile", b.Mobile.Reveal(), phoneShape)
		c.email(b.Email.Reveal())
		c.within("dependentsNumber", b.DependentsNumber, mostPeople, "dependants.many")
		c.money("income", b.Income, false)
		c.money("installmentOther", b.InstallmentOther, false)
		switch {
		case b.Age == nil && b.BirthDate.IsZero():
			c.add("field.required", "birthDate")
		case b.Age != nil && (*b.Age < adultAge || *b.Age > oldestAge):
			c.add("field.range", "age")
		}
	}
	if c.prefix = ""; len(all) == 0 || len(all) > mostBorrowers || keys > 1 || keys == 0 && len(all) > 1 {
		c.add("simulation.borrowers", "borrowers")
	}
}

func (c *checker) simulatedProperty(p portal.SimulationPropertyRequest) {
	c.prefix = "propertyData."
	c.money("estimatedValue", p.EstimatedValue, false)
	c.money("acquisitionAmount", p.AcquisitionAmount, false)
	c.id("propertyTypologyId", "propertyTypologies", p.PropertyTypologyID)
	c.length("address", p.Address.Reveal())
	c.length("doorNumber", p.DoorNumber.Reveal())
	c.length("floor", p.Floor.Reveal())
	c.length("zipCodeLocal", p.ZipCodeLocal.Reveal())
	c.shape("zipCode", p.ZipCode.Reveal(), zipShape)
	c.id("districtId", "districts", p.DistrictID)
	c.id("countyId", "counties", p.CountyID)
	c.id("parishId", "parishes", p.ParishID)
	c.outside("countyId", "counties", p.CountyID, p.DistrictID)
	c.outside("parishId", "parishes", p.ParishID, p.CountyID)
}

// value returns the lower of price and estimated value of the property, 0 if neither is known.
func (s *simulation) value() (value loancost.Cents) {
	if s.data.Property == nil {
		return 0
	}
	for _, amount := range []pii.Money{s.data.Property.EstimatedValue, s.data.Property.AcquisitionAmount} {
		if c := inCents(amount); c > 0 && (value == 0 || c < value) {
			value = c
		}
	}
	return value
}

func inCents(amount pii.Money) loancost.Cents {
	euros, _ := amount.Reveal()
	return loancost.Cents(euros.Shift(2).Round(0).IntPart())
}

// mostShare returns the percentage of the value that the bank lends.
func (s *simulation) mostShare() int {
	l := s.data.Loan
	switch {
	case l.ProductSchemeID != nil && *l.ProductSchemeID == youngScheme:
		return shareYoung
	case l.LoanPurposeID == nil || *l.LoanPurposeID == ownHome:
		return shareOwn
	}
	return shareOther
}

// ages returns the ages of the borrowers in full years.
func (s *simulation) ages(now time.Time) (ages []int) {
	for _, b := range s.data.Borrowers {
		born, err := time.Parse(time.DateOnly, b.BirthDate.Reveal())
		switch {
		case err == nil:
			ages = append(ages, fullYears(born, now))
		case b.Age != nil:
			ages = append(ages, int(*b.Age))
		}
	}
	return ages
}

func fullYears(born, now time.Time) int {
	years := now.Year() - born.Year()
	if born.AddDate(years, 0, 0).After(now) {
		years--
	}
	return years
}

// oldestAtEnd returns the age of the oldest borrower at the end of the term.
func (s *simulation) oldestAtEnd(now time.Time) (oldest int) {
	end := now.AddDate(0, int(*s.data.Loan.LoanDurationMonths), 0)
	for _, b := range s.data.Borrowers {
		if born, err := time.Parse(time.DateOnly, b.BirthDate.Reveal()); err == nil {
			oldest = max(oldest, fullYears(born, end))
		} else if b.Age != nil {
			oldest = max(oldest, int(*b.Age)+int(*s.data.Loan.LoanDurationMonths)/12)
		}
	}
	return oldest
}

// debtService returns the share in percent that all instalments would have of the income if the rate rose; ok is false if somebody's
// income is not known.
func (s *simulation) debtService() (percent decimal.Decimal, ok bool) {
	f := s.figures()
	instalments := decimal.New(int64(max(f.Shocked, f.Instalment)), -2)
	income := decimal.Zero
	for _, b := range s.data.Borrowers {
		own, known := b.Income.Reveal()
		if !known {
			return percent, false
		}
		other, _ := b.InstallmentOther.Reveal()
		income, instalments = income.Add(own), instalments.Add(other)
	}
	if !income.IsPositive() {
		return percent, false
	}
	return instalments.Shift(2).DivRound(income, 2), true
}

// termByAge returns the longest term that Banco de Portugal recommends for the oldest borrower, in months.
func (s *simulation) termByAge(now time.Time) int {
	oldest := slices.Max(append(s.ages(now), 0))
	switch {
	case oldest <= 30:
		return 40 * 12
	case oldest <= 35:
		return 37 * 12
	}
	return 35 * 12
}

// warnings returns the reasons that speak against the loan, with the reason of a rejection for each.
func (s *simulation) warnings(now time.Time) (found []warning) {
	if share, known := s.debtService(); known && share.GreaterThan(decimal.NewFromInt(shareOfIncome)) {
		found = append(found, warning{"simulation.dsti", 1})
	}
	if int(*s.data.Loan.LoanDurationMonths) > s.termByAge(now) {
		found = append(found, warning{"simulation.termByAge", 3})
	}
	return found
}

// warning is a reason of a warning, and that of the list simulationRejectReasons for the same.
type warning struct {
	key    string
	reject int32
}

// loan returns what the simulation asks for.
func (s *simulation) loan() loancost.Loan {
	asked := s.data.Loan
	l := loancost.Loan{
		Amount: inCents(asked.LoanAmount), Price: s.value(), Months: int(*asked.LoanDurationMonths), Rate: loancost.VariableRate,
		CrossSelling: asked.HasCrossSelling != nil && *asked.HasCrossSelling,
		ToLet:        asked.LoanPurposeID != nil && *asked.LoanPurposeID == letting,
	}
	if asked.GracePeriodMonths != nil {
		l.GraceMonths = int(*asked.GracePeriodMonths)
	}
	if mixed := given0(asked.MixedFixedPeriodID); mixed != nil {
		l.Rate, l.FixedYears, l.Fixed = loancost.MixedRate, int(*mixed), cmp.Or(mixedRates[*mixed], mixedRates[5])
	}
	if *asked.IndexTypeID == fixedIndex {
		l.Rate, l.Fixed = loancost.FixedRate, cmp.Or(fixedRates[fixedYears(*asked)], fixedRates[30])
	}
	for _, insurance := range s.data.Insurances {
		cost := inCents(insurance.MonthlyCost)
		switch *insurance.InsuranceTypeID {
		case lifeInsurance:
			l.Life = &cost
		case homeInsurance:
			l.Home = &cost
		}
	}
	return l
}

func (s *simulation) figures() loancost.Figures { return s.loan().Figures(len(s.data.Borrowers)) }
