package esispdf

import (
	"fmt"
	"math"
)

// The figures of an ESIS are computed as a bank would, from the loan's terms and in whole cents, so that the sheet's
// totals add up. Rates, fees and insurances are invented: nothing here is anybody's offer.

type (
	Cents       int64 // hundredths of a euro
	BasisPoints int64 // hundredths of a percentage point
)

// RateKind says how the rate of a loan changes over its life.
type RateKind int

// The kinds of rates.
const (
	VariableRate RateKind = iota + 1
	MixedRate             // fixed for some years, variable afterwards
	FixedRate
)

func (r RateKind) key() string { return fmt.Sprintf("rate.%d", r) }

// Loan is a loan that a process asks the bank for.
type Loan struct {
	Amount, Price Cents // Price is the property's
	Months        int
	Rate          RateKind
	FixedYears    int         // of a mixed rate
	Fixed         BasisPoints // the rate of a fixed loan, and of a mixed loan's first years
	CrossSelling  bool        // the client takes the products that lower the spread
}

const (
	indexRate    BasisPoints = 215 // of every Euribor
	baseSpread   BasisPoints = 140
	shock        BasisPoints = 150 // of Banco de Portugal's instruction 3/2018 for terms over ten years
	dutyOnLoan               = 60  // stamp duty on credit of five years or more, in basis points of the amount
	dutyOnFees               = 400 // stamp duty on fees, in basis points
	lifeMonthly              = 18  // life insurance of each borrower, a month, per 100 000 of the loan
	homeMonthly              = 7   // home insurance, a month, per 100 000 of the price
	monthsInYear             = 12
)

// discounts are the products that lower the spread when the client takes them. Law 24/2023 wants the instalment shown
// for each step between the base spread and the contracted one.
var discounts = []struct {
	product string // part of a key of [words] in fine.toml
	off     BasisPoints
}{
	{"salary", 25},
	{"life", 20},
	{"home", 10},
}

// fee is a sum due once, before the first instalment.
type fee struct {
	key    string // part of a key of [words] in fine.toml
	amount Cents
}

// fees are those that the bank charges, before stamp duty.
var fees = []fee{{"analysis", 290_00}, {"valuation", 230_00}, {"formalisation", 190_00}}

// step is one line of the table that Law 24/2023 asks for.
type step struct {
	Product    string
	Spread     BasisPoints
	Instalment Cents
}

// year is one line of the repayment table.
type year struct {
	Number, Instalments                  int
	Paid, Interest, Principal, Remaining Cents
}

// Figures are the numbers of an ESIS.
type Figures struct {
	Months                   int
	Rate, LaterRate          BasisPoints // TAN; LaterRate is 0 unless mixed
	Instalment, Later        Cents       // Later is 0 unless mixed
	Shocked                  Cents       // instalment at 1.5 points more
	Last                     Cents       // the last instalment settles what rounding left
	Life, Home               Cents       // insurances, a month
	Fees                     []fee       // stamp duties included
	Upfront, Interest, Total Cents       // Total is the MTIC: all the client will have paid
	Cost                     Cents       // Total less the loan
	TAEG                     float64     // yearly, 0.0412 for 4.12 %
	LTV                      float64
	Steps                    []step
	Plan                     []year
}

// payment is one month of the plan.
type payment struct{ paid, interest, principal, remaining Cents }

// Figures computes the figures of the loan for a number of borrowers.
func (l Loan) Figures(borrowers int) Figures {
	first, later := l.rates()
	months := l.plan(first, later)
	f := Figures{
		Months:     l.Months,
		Rate:       first,
		Instalment: instalment(l.Amount, first, l.Months),
		Shocked:    instalment(l.Amount, first+shock, l.Months),
		Last:       months[len(months)-1].paid,
		Life:       share(l.Amount, lifeMonthly*int64(borrowers), 100_000),
		Home:       share(l.Price, homeMonthly, 100_000),
		LTV:        float64(l.Amount) / float64(l.Price),
		Plan:       byYear(months),
	}
	start := 0 // of the variable rate
	if l.Rate == MixedRate {
		start = l.fixedMonths()
		f.LaterRate, f.Later = later, months[start].paid
	}
	f.Steps = l.steps(months[start].principal+months[start].remaining, l.Months-start)
	if l.Rate == FixedRate {
		f.Shocked = 0 // a rate that cannot rise has no worst case
	}
	f.Fees = l.upfront()
	for _, charge := range f.Fees {
		f.Upfront += charge.amount
	}
	flows := make([]Cents, len(months))
	for i, m := range months {
		f.Interest += m.interest
		flows[i] = m.paid + f.Life + f.Home
		f.Total += flows[i]
	}
	f.Total += f.Upfront
	f.Cost = f.Total - l.Amount
	f.TAEG = effectiveRate(l.Amount-f.Upfront, flows)
	return f
}

// rates are the first nominal rate and the one after the fixed years.
func (l Loan) rates() (first, later BasisPoints) {
	variable := indexRate + l.spread()
	switch l.Rate {
	case FixedRate:
		return l.Fixed, l.Fixed
	case MixedRate:
		return l.Fixed, variable
	default:
		return variable, variable
	}
}

func (l Loan) spread() BasisPoints {
	spread := baseSpread
	if l.CrossSelling {
		for _, d := range discounts {
			spread -= d.off
		}
	}
	return spread
}

func (l Loan) fixedMonths() int { return l.FixedYears * monthsInYear }

// plan lists every month. The instalment is worked out again where the rate changes.
func (l Loan) plan(first, later BasisPoints) []payment {
	months := make([]payment, l.Months)
	remaining, rate := l.Amount, first
	due := instalment(remaining, rate, l.Months)
	for i := range months {
		if l.Rate == MixedRate && i == l.fixedMonths() {
			rate = later
			due = instalment(remaining, rate, l.Months-i)
		}
		interest := round(float64(remaining) * monthly(rate))
		principal := due - interest
		if i == l.Months-1 {
			principal = remaining
		}
		remaining -= principal
		months[i] = payment{principal + interest, interest, principal, remaining}
	}
	return months
}

// steps shows the instalment for each discount between the base spread and the contracted one, on what is owed and the
// months left when the rate becomes variable.
func (l Loan) steps(owed Cents, left int) []step {
	if l.Rate == FixedRate || !l.CrossSelling {
		return nil
	}
	spread := baseSpread
	steps := []step{{"base", spread, instalment(owed, indexRate+spread, left)}}
	for _, d := range discounts {
		spread -= d.off
		steps = append(steps, step{d.product, spread, instalment(owed, indexRate+spread, left)})
	}
	return steps
}

// upfront lists what is paid before the first instalment, stamp duties included.
func (l Loan) upfront() []fee {
	var sum Cents
	all := append([]fee(nil), fees...)
	for _, charge := range fees {
		sum += charge.amount
	}
	return append(all,
		fee{"dutyOnFees", share(sum, dutyOnFees, 10_000)},
		fee{"dutyOnLoan", share(l.Amount, dutyOnLoan, 10_000)})
}

// instalment is the constant monthly payment that repays principal in n months: P·r·(1+r)ⁿ / ((1+r)ⁿ − 1).
func instalment(principal Cents, rate BasisPoints, n int) Cents {
	if rate == 0 {
		return round(float64(principal) / float64(n))
	}
	r := monthly(rate)
	growth := math.Pow(1+r, float64(n))
	return round(float64(principal) * r * growth / (growth - 1))
}

// effectiveRate finds the yearly rate at which what is paid each month is worth today what was received: the TAEG of
// Decree-Law 74-A/2017, annex I. The present value falls as the rate rises, so halving the interval finds it.
func effectiveRate(received Cents, paid []Cents) float64 {
	low, high := 0.0, 1.0
	for range 60 {
		rate := (low + high) / 2
		discount, factor, worth := math.Pow(1+rate, -1.0/monthsInYear), 1.0, 0.0
		for _, p := range paid {
			factor *= discount
			worth += float64(p) * factor
		}
		if worth > float64(received) {
			low = rate
		} else {
			high = rate
		}
	}
	return low
}

func byYear(months []payment) []year {
	var years []year
	for i, m := range months {
		if i%monthsInYear == 0 {
			years = append(years, year{Number: i/monthsInYear + 1})
		}
		y := &years[len(years)-1]
		y.Instalments++
		y.Paid += m.paid
		y.Interest += m.interest
		y.Principal += m.principal
		y.Remaining = m.remaining
	}
	return years
}

func monthly(rate BasisPoints) float64 { return float64(rate) / 10_000 / monthsInYear }

func round(amount float64) Cents { return Cents(math.Round(amount)) }

// share is amount × part ÷ whole, to the nearest cent.
func share(amount Cents, part, whole int64) Cents {
	return round(float64(amount) * float64(part) / float64(whole))
}
