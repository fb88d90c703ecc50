package validation

import (
	"slices"

	"github.com/shopspring/decimal"
)

// Limits are the reference values of the hints on a loan, from a day on. All but AgeMax apply to lenders, and none of them
// decides anything. Ratios are fractions: 0.9 is 90 %.
type Limits struct {
	From Date // the first day they are in force

	// Loan to value: the loan by the lower of price and valuation.
	LTVNote        decimal.Decimal // above it there is a hint
	LTVOwnHome     decimal.Decimal
	LTVOther       decimal.Decimal // second homes and letting
	LTVLenderOwned decimal.Decimal // property that the lender owns

	// Debt service to income: all monthly instalments by the monthly income.
	DSTINote  decimal.Decimal
	DSTIWarn  decimal.Decimal
	DSTILimit decimal.Decimal // above it lenders may only make exceptions

	Shocks []Shock // from the longest term down
	Terms  []Term  // from the youngest age up; the last holds for everybody else

	AgeNote int // full years of the oldest borrower on the day of the last instalment
	AgeMax  int
}

// Shock is what is added to the rate of a variable or mixed loan over more than so many months.
type Shock struct {
	OverMonths int
	Rate       decimal.Decimal // 0.015 is 1.5 percentage points
}

// Term is the longest term for borrowers of whom the oldest is at most so old on the first day.
type Term struct {
	UpToAge int
	Years   int
}

// limits returns the limits in force on a day, or the earliest ones. ok is false if there are none.
func (c *Checker) limits(on Date) (l Limits, ok bool) {
	all := c.options.Limits
	for _, l := range slices.Backward(all) {
		if l.From.Compare(on) <= 0 {
			return l, true
		}
	}
	if len(all) == 0 {
		return Limits{}, false
	}
	return all[0], true
}

// shock returns what is added to the rate of a loan whose rate is not fixed.
func (l Limits) shock(rate RateKind, months int) decimal.Decimal {
	if rate != VariableRate && rate != MixedRate {
		return decimal.Zero
	}
	for _, s := range l.Shocks {
		if months > s.OverMonths {
			return s.Rate
		}
	}
	return decimal.Zero
}

// ltv returns the limit for a purpose; for an unknown one that of a home, which is higher.
func (l Limits) ltv(purpose PurposeKind) decimal.Decimal {
	switch purpose {
	case OtherPurpose:
		return l.LTVOther
	case LenderOwnedPurpose:
		return l.LTVLenderOwned
	}
	return l.LTVOwnHome
}

// years returns the longest term at an age; ok is false if there is none.
func (l Limits) years(age int) (years int, ok bool) {
	for _, t := range l.Terms {
		if age <= t.UpToAge {
			return t.Years, true
		}
	}
	return 0, false
}
