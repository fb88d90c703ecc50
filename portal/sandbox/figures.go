package sandbox

import (
	"fmt"
	"math"
)

// The figures of an ESIS are worked out as a bank would, from the loan's terms and whole cents, so that the sheet's
// totals add up. Rates, fees and insurances are invented: nothing here is anybody's offer.

type (
	cents       int64
	basisPoints int64 // hundredths of a percentage point
)

// rateKind is how the rate of a loan behaves over its life.
type rateKind int

const (
	variableRate rateKind = iota + 1
	mixedRate             // fixed for some years, variable afterwards
	fixedRate
)

func (r rateKind) key() string { return fmt.Sprintf("rate.%d", r) }

// loan is what a process asks the bank for.
type loan struct {
	amount, price  cents
	months         int
	rate           rateKind
	fixedYears     int         // of a mixed rate
	fixed          basisPoints // the rate of a fixed loan, and of a mixed loan's first years
	indexType      int32       // taxonomy indexTypes
	loanPurpose    int32       // taxonomy loanPurposes
	productPurpose int32       // taxonomy productPurposes
	productScheme  int32       // taxonomy productSchemes
	crossSelling   bool        // the client takes the products that lower the spread
}

const (
	indexRate    basisPoints = 215 // of every Euribor
	baseSpread   basisPoints = 140
	shock        basisPoints = 150 // of Banco de Portugal's instruction 3/2018 for terms over ten years
	dutyOnLoan               = 60  // stamp duty on credit of five years or more, in basis points of the amount
	dutyOnFees               = 400 // stamp duty on fees, in basis points
	lifeMonthly              = 18  // life insurance of each borrower, a month, per 100 000 of the loan
	homeMonthly              = 7   // home insurance, a month, per 100 000 of the price
	monthsInYear             = 12
)

// discounts are the products that lower the spread when the client takes them. Law 24/2023 wants the instalment shown
// for each step between the base spread and the contracted one.
var discounts = []struct {
	product string // key of the sheet's words
	off     basisPoints
}{
	{"salary", 25},
	{"life", 20},
	{"home", 10},
}

// fee is a sum due once, before the first instalment.
type fee struct {
	key    string // of the sheet's words
	amount cents
}

// fees are those that the bank charges, before stamp duty.
var fees = []fee{{"analysis", 290_00}, {"valuation", 230_00}, {"formalisation", 190_00}}

// step is one line of the table that Law 24/2023 asks for.
type step struct {
	Product    string
	Spread     basisPoints
	Instalment cents
}

// year is one line of the repayment table.
type year struct {
	Number, Instalments                  int
	Paid, Interest, Principal, Remaining cents
}

// figures is everything an ESIS says in numbers.
type figures struct {
	Months                   int
	Rate, LaterRate          basisPoints // TAN; LaterRate is 0 unless mixed
	Instalment, Later        cents       // Later is 0 unless mixed
	Shocked                  cents       // instalment at 1.5 points more
	Last                     cents       // the last instalment settles what rounding left
	Life, Home               cents       // insurances, a month
	Fees                     []fee       // stamp duties included
	Upfront, Interest, Total cents       // Total is the MTIC: all the client will have paid
	Cost                     cents       // Total less the loan
	TAEG                     float64     // yearly, 0.0412 for 4.12 %
	LTV                      float64
	Steps                    []step
	Plan                     []year
}

// payment is one month of the plan.
type payment struct{ paid, interest, principal, remaining cents }

// work computes the figures of a loan that so many borrowers take.
func work(l loan, borrowers int) figures {
	first, later := l.rates()
	months := l.plan(first, later)
	f := figures{
		Months:     l.months,
		Rate:       first,
		Instalment: instalment(l.amount, first, l.months),
		Shocked:    instalment(l.amount, first+shock, l.months),
		Last:       months[len(months)-1].paid,
		Life:       share(l.amount, lifeMonthly*int64(borrowers), 100_000),
		Home:       share(l.price, homeMonthly, 100_000),
		LTV:        float64(l.amount) / float64(l.price),
		Plan:       byYear(months),
	}
	start := 0 // of the variable rate
	if l.rate == mixedRate {
		start = l.fixedMonths()
		f.LaterRate, f.Later = later, months[start].paid
	}
	f.Steps = l.steps(months[start].principal+months[start].remaining, l.months-start)
	if l.rate == fixedRate {
		f.Shocked = 0 // a rate that cannot rise has no worst case
	}
	f.Fees = l.upfront()
	for _, charge := range f.Fees {
		f.Upfront += charge.amount
	}
	flows := make([]cents, len(months))
	for i, m := range months {
		f.Interest += m.interest
		flows[i] = m.paid + f.Life + f.Home
		f.Total += flows[i]
	}
	f.Total += f.Upfront
	f.Cost = f.Total - l.amount
	f.TAEG = effectiveRate(l.amount-f.Upfront, flows)
	return f
}

// rates are the first nominal rate and the one after the fixed years.
func (l loan) rates() (first, later basisPoints) {
	variable := indexRate + l.spread()
	switch l.rate {
	case fixedRate:
		return l.fixed, l.fixed
	case mixedRate:
		return l.fixed, variable
	default:
		return variable, variable
	}
}

func (l loan) spread() basisPoints {
	spread := baseSpread
	if l.crossSelling {
		for _, d := range discounts {
			spread -= d.off
		}
	}
	return spread
}

func (l loan) fixedMonths() int { return l.fixedYears * monthsInYear }

// plan lists every month. The instalment is worked out again where the rate changes.
func (l loan) plan(first, later basisPoints) []payment {
	months := make([]payment, l.months)
	remaining, rate := l.amount, first
	due := instalment(remaining, rate, l.months)
	for i := range months {
		if l.rate == mixedRate && i == l.fixedMonths() {
			rate = later
			due = instalment(remaining, rate, l.months-i)
		}
		interest := round(float64(remaining) * monthly(rate))
		principal := due - interest
		if i == l.months-1 {
			principal = remaining
		}
		remaining -= principal
		months[i] = payment{principal + interest, interest, principal, remaining}
	}
	return months
}

// steps shows the instalment for each discount between the base spread and the contracted one, on what is owed and the
// months left when the rate becomes variable.
func (l loan) steps(owed cents, left int) []step {
	if l.rate == fixedRate || !l.crossSelling {
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
func (l loan) upfront() []fee {
	var sum cents
	all := append([]fee(nil), fees...)
	for _, charge := range fees {
		sum += charge.amount
	}
	return append(all,
		fee{"dutyOnFees", share(sum, dutyOnFees, 10_000)},
		fee{"dutyOnLoan", share(l.amount, dutyOnLoan, 10_000)})
}

// instalment is the constant monthly payment that repays principal in n months: P·r·(1+r)ⁿ / ((1+r)ⁿ − 1).
func instalment(principal cents, rate basisPoints, n int) cents {
	if rate == 0 {
		return round(float64(principal) / float64(n))
	}
	r := monthly(rate)
	growth := math.Pow(1+r, float64(n))
	return round(float64(principal) * r * growth / (growth - 1))
}

// effectiveRate finds the yearly rate at which what is paid each month is worth today what was received: the TAEG of
// Decree-Law 74-A/2017, annex I. The present value falls as the rate rises, so halving the interval finds it.
func effectiveRate(received cents, paid []cents) float64 {
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

func monthly(rate basisPoints) float64 { return float64(rate) / 10_000 / monthsInYear }

func round(amount float64) cents { return cents(math.Round(amount)) }

// share is amount × part ÷ whole, to the nearest cent.
func share(amount cents, part, whole int64) cents {
	return round(float64(amount) * float64(part) / float64(whole))
}
