package loancost

import "fmt"

// RateKind says how the rate of a loan changes over its life.
type RateKind int

// The kinds of rates.
const (
	VariableRate RateKind = iota + 1
	MixedRate             // fixed for some years, variable afterwards
	FixedRate
)

// Key is the kind in the names of texts.
func (r RateKind) Key() string { return fmt.Sprintf("rate.%d", r) }

// Loan is a loan that somebody asks the bank for.
type Loan struct {
	Amount, Price Cents // Price is the property's
	Months        int
	GraceMonths   int // at the beginning, in which only interest is paid
	Rate          RateKind
	FixedYears    int         // of a mixed rate
	Fixed         BasisPoints // the rate of a fixed loan, and of a mixed loan's first years
	CrossSelling  bool        // the client takes the products that lower the spread
	ToLet         bool        // the property is not the client's own home: the interest has a duty
	Life, Home    *Cents      // a month, of insurances that the client has elsewhere; nil is the bank's
}

// The bank's invented terms, and the rates of the stamp duty's general table.
const (
	IndexRate    BasisPoints = 215 // of every Euribor
	baseSpread   BasisPoints = 140
	shock        BasisPoints = 150 // of Banco de Portugal's instruction 3/2018 for terms over ten years
	dutyOnLoan               = 60  // item 17.1.3: credit of five years or more, in basis points of the amount
	dutyOnShort              = 50  // item 17.1.2: of one to five years
	dutyOnFees               = 400 // items 17.3.1 and 17.3.4: interest and fees
	lifeMonthly              = 18  // life insurance of each borrower, a month, per 100 000 of the loan
	homeMonthly              = 7   // home insurance, a month, per 100 000 of the price
	monthsOfLong             = 60
)

// discounts are the products that lower the spread when the client takes them. Law 24/2023 wants the instalment shown
// for each step between the base spread and the contracted one.
var discounts = []struct {
	product string
	off     BasisPoints
}{
	{"salary", 25},
	{"life", 20},
	{"home", 10},
}

// Fee is a sum due once, before the first instalment.
type Fee struct {
	Key    string // of a text
	Amount Cents
}

// fees are those that the bank charges, before stamp duty.
var fees = []Fee{{"analysis", 290_00}, {"valuation", 230_00}, {"formalisation", 190_00}}

// Step is one line of the table that Law 24/2023 asks for.
type Step struct {
	Product    string
	Spread     BasisPoints
	Instalment Cents
}

// rates are the first nominal rate and the one after the fixed years.
func (l Loan) rates() (first, later BasisPoints) {
	variable := IndexRate + l.Spread()
	switch l.Rate {
	case FixedRate:
		return l.Fixed, l.Fixed
	case MixedRate:
		return l.Fixed, variable
	default:
		return variable, variable
	}
}

// Spread is what a variable rate is above its index.
func (l Loan) Spread() BasisPoints {
	spread := baseSpread
	if l.CrossSelling {
		for _, d := range discounts {
			spread -= d.off
		}
	}
	return spread
}

// changes returns the month in which a variable rate begins, or the first of a rate that stays.
func (l Loan) changes() int {
	if l.Rate == MixedRate {
		return min(l.FixedYears*monthsInYear, l.Months-1)
	}
	return 0
}

// periods returns the periods of a loan at two rates.
func (l Loan) periods(first, later BasisPoints) []period {
	grace, change := l.GraceMonths, l.changes()
	all := []period{{0, first, grace > 0}}
	switch {
	case grace > 0 && change > 0 && change < grace:
		all = append(all, period{change, later, true}, period{grace, later, false})
	case grace > 0 && change > grace:
		all = append(all, period{grace, first, false}, period{change, later, false})
	case grace > 0 && change == grace:
		all = append(all, period{grace, later, false})
	case grace > 0:
		all = append(all, period{grace, later, false})
	case change > 0:
		all = append(all, period{change, later, false})
	}
	return all
}

// steps shows the instalment for each discount between the base spread and the contracted one, on what is owed and the
// months left when the rate becomes variable.
func (l Loan) steps(owed Cents, left int) []Step {
	if l.Rate == FixedRate || !l.CrossSelling {
		return nil
	}
	spread := baseSpread
	steps := []Step{{"base", spread, Instalment(owed, IndexRate+spread, left)}}
	for _, d := range discounts {
		spread -= d.off
		steps = append(steps, Step{d.product, spread, Instalment(owed, IndexRate+spread, left)})
	}
	return steps
}

// upfront lists what is paid before the first instalment, stamp duties included.
func (l Loan) upfront() []Fee {
	var sum Cents
	all := append([]Fee(nil), fees...)
	for _, charge := range fees {
		sum += charge.Amount
	}
	duty := int64(dutyOnLoan)
	if l.Months < monthsOfLong {
		duty = dutyOnShort
	}
	return append(all,
		Fee{"dutyOnFees", Share(sum, dutyOnFees, yearly)},
		Fee{"dutyOnLoan", Share(l.Amount, duty, yearly)})
}
