package validation

import (
	"slices"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/balcao/balcao/internal/pii"
)

// LoanFacts are the facts of a loan that the hints need. Unknown ones are zero and cause no hint.
type LoanFacts struct {
	Amount, Price, Valuation pii.Money // euros
	Months                   int
	YearlyRate               decimal.NullDecimal // nominal, as a fraction: 0.03 is 3 %
	Rate                     RateKind            // nothing is added to a rate of unknown kind
	Purpose                  PurposeKind
	Start                    Date // of the contract; today when zero
	ReplacesHousing          bool // it pays off the housing credit of the household, as a transfer does
}

// Paths of the fields that hints point at.
const (
	pathAmount = "loan.amount"
	pathTerm   = "loan.months"
)

// Loan compares a loan with the limits: its share of the property's value, the share of all instalments in the income of the
// household, and the age of the oldest borrower at its start and end. It returns hints, and a warning if the loan ends after
// the age to which the bank lends.
func (c *Checker) Loan(l LoanFacts, household []BorrowerFacts) Report {
	if (l.Start == Date{}) {
		l.Start = c.today()
	}
	limits, known := c.limits(l.Start)
	if !known {
		return nil
	}
	return c.weighed(slices.Concat(l.toValue(limits), l.toIncome(limits, household), l.ages(limits, household)))
}

func (l LoanFacts) toValue(limits Limits) Report {
	var value decimal.Decimal
	for _, v := range []pii.Money{l.Price, l.Valuation} {
		if amount, _ := v.Reveal(); amount.IsPositive() && (value.IsZero() || amount.LessThan(value)) {
			value = amount
		}
	}
	amount, _ := l.Amount.Reveal()
	if !amount.IsPositive() || value.IsZero() {
		return nil
	}
	limit := limits.ltv(l.Purpose)
	return measured(amount.DivRound(value, precision), pathAmount, level{limit, LTVAboveLimit}, level{limits.LTVNote, LTVNoted})
}

func (l LoanFacts) toIncome(limits Limits, household []BorrowerFacts) Report {
	amount, _ := l.Amount.Reveal()
	if !amount.IsPositive() || !l.YearlyRate.Valid {
		return nil
	}
	instalments, err := Instalment(amount, l.YearlyRate.Decimal.Add(limits.shock(l.Rate, l.Months)), l.Months)
	income := total(household, BorrowerFacts.incomes)
	if err != nil || !income.IsPositive() {
		return nil
	}
	instalments = instalments.Add(total(household, func(b BorrowerFacts) []pii.Money { return b.OtherInstalments }))
	if !l.ReplacesHousing {
		instalments = instalments.Add(housing(household))
	}
	return measured(instalments.DivRound(income, precision), pathAmount, level{limits.DSTILimit, DSTIAboveLimit},
		level{limits.DSTIWarn, DSTIHigh}, level{limits.DSTINote, DSTINoted})
}

// housing returns the sum of the housing instalments. The same instalment of both partners counts once.
func housing(household []BorrowerFacts) decimal.Decimal {
	var key decimal.Decimal
	for _, b := range household {
		if b.Key {
			key, _ = b.HousingInstalment.Reveal()
		}
	}
	return total(household, func(b BorrowerFacts) []pii.Money {
		own, _ := b.HousingInstalment.Reveal()
		couple := b.Relation == SpouseRelation || b.Relation == PartnerRelation
		if !b.Key && couple && own.Equal(key) {
			return nil
		}
		return []pii.Money{b.HousingInstalment}
	})
}

func (l LoanFacts) ages(limits Limits, household []BorrowerFacts) (r Report) {
	var oldest Date
	for _, b := range household {
		born, err := ParseDateInput(b.BirthDate.Reveal())
		if err == nil && ((oldest == Date{}) || born.Compare(oldest) < 0) {
			oldest = born
		}
	}
	if (oldest == Date{}) || l.Months < 1 || l.Months > monthsMax {
		return nil
	}
	if years, ok := limits.years(oldest.Age(l.Start)); ok && l.Months > 12*years {
		r = append(r, problem(TermLong, pathTerm).with("years", strconv.Itoa(years)))
	}
	switch end := oldest.Age(l.Start.AddMonths(l.Months)); {
	case end > limits.AgeMax:
		r = append(r, problem(AgeAtEndAboveMax, pathTerm).with("age", strconv.Itoa(limits.AgeMax)))
	case end > limits.AgeNote:
		r = append(r, problem(AgeAtEndHigh, pathTerm).with("age", strconv.Itoa(limits.AgeNote)))
	}
	return r
}

// A level is a limit of a ratio, and the code of the problem above it.
type level struct {
	limit decimal.Decimal
	code  Code
}

// measured reports the first level that a ratio exceeds. The ratio is shown in percent, rounded up, so that it never looks
// equal to a limit that it exceeds.
func measured(ratio decimal.Decimal, path string, levels ...level) Report {
	for _, l := range levels {
		if ratio.GreaterThan(l.limit) {
			p := problem(l.code, path)
			p.Params = map[string]string{"ratio": ratio.Shift(2).RoundCeil(0).String(), "limit": l.limit.Shift(2).String()}
			return Report{p}
		}
	}
	return nil
}

func total(household []BorrowerFacts, of func(BorrowerFacts) []pii.Money) (sum decimal.Decimal) {
	for _, b := range household {
		for _, m := range of(b) {
			amount, _ := m.Reveal()
			sum = sum.Add(amount)
		}
	}
	return sum
}
