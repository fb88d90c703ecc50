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

// PublishedLimits are the limits that [Options] take when they name none.
//
//   - LTV of 90, 80 and 100 % and DSTI of 50 %: Banco de Portugal, macroprudential recommendation on new credit to
//     consumers (2018).
//   - DSTI of 45 %: reported by the press in 2026; its text has not been seen. Once it is in force, set DSTILimit to it.
//   - Terms of 40, 37 and 35 years by age: the same recommendation as changed with effect from 1 April 2022. Of several
//     borrowers the oldest counts.
//   - Shocks of 1.5, 1 and 0.5 points: Banco de Portugal, Instruction 3/2018 as changed by Instruction 23/2023, in force
//     since 16 October 2023.
//   - Age of 75: the bank's public page on home loans.
//   - LTV of 80 %, DSTI of 35 % and age of 70 as notes: a choice of Balcão's.
func PublishedLimits() []Limits {
	return []Limits{{
		From:    Date{2023, 10, 16},
		LTVNote: percent(80), LTVOwnHome: percent(90), LTVOther: percent(80), LTVLenderOwned: percent(100),
		DSTINote: percent(35), DSTIWarn: percent(45), DSTILimit: percent(50),
		Shocks: []Shock{
			{OverMonths: 120, Rate: decimal.New(15, -3)},
			{OverMonths: 60, Rate: decimal.New(10, -3)},
			{OverMonths: 0, Rate: decimal.New(5, -3)},
		},
		Terms:   []Term{{UpToAge: 30, Years: 40}, {UpToAge: 35, Years: 37}, {UpToAge: oldestAge, Years: 35}},
		AgeNote: 70, AgeMax: 75,
	}}
}

func percent(n int64) decimal.Decimal { return decimal.New(n, -2) }

// limits returns the limits in force on a day, or the earliest ones.
func (c *Checker) limits(on Date) Limits {
	all := c.options.Limits
	for _, l := range slices.Backward(all) {
		if l.From.Compare(on) <= 0 {
			return l
		}
	}
	return all[0]
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
