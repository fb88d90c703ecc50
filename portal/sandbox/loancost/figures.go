package loancost

// Figures are the numbers of a loan. Later is what follows the fixed years of a mixed rate.
type Figures struct {
	Months                   int
	Rate, LaterRate          BasisPoints // TAN; LaterRate is 0 unless mixed
	Assumed                  BasisPoints // of a mixed rate, the later rate with which TAEG, MTIC and plan are computed; 0 if it is LaterRate
	Instalment, Later        Cents       // after the grace, and after the fixed years
	First                    Cents       // the first payment, which is of interest only in a grace
	Shocked                  Cents       // instalment at 1.5 points more; 0 for a rate that cannot rise
	Last                     Cents       // the last instalment settles what rounding left
	Life, Home               Cents       // insurances, a month
	Fees                     []Fee       // stamp duties included
	Upfront, Interest, Total Cents       // Total is the MTIC
	Duty                     Cents       // stamp duty on the interest, over the whole term
	Cost                     Cents       // Total less the loan
	TAEG                     float64     // yearly, 0.0412 for 4.12 %
	LTV                      float64     // 0 without a price
	Steps                    []Step
	Plan                     []Year
}

// Figures computes the figures of the loan for a number of borrowers.
//
// Of a mixed rate, TAEG, MTIC and plan suppose that the variable rate is not below the fixed one, as assumption (e) of part II of
// annex I of Directive 2014/17/EU has it.
func (l Loan) Figures(borrowers int) Figures {
	first, later := l.rates()
	assumed := max(first, later)
	if l.Rate != MixedRate {
		assumed = later
	}
	months := plan(l.Amount, l.Months, l.periods(first, assumed))
	f := Figures{
		Months:     l.Months,
		Rate:       first,
		First:      months[0].Paid,
		Instalment: Instalment(l.Amount, first, l.Months-l.GraceMonths),
		Shocked:    Instalment(l.Amount, first+shock, l.Months-l.GraceMonths),
		Last:       months[len(months)-1].Paid,
		Life:       l.insurance(l.Life, l.Amount, lifeMonthly*int64(borrowers)),
		Home:       l.insurance(l.Home, l.Price, homeMonthly),
		Plan:       byYear(months),
	}
	if l.Price > 0 {
		f.LTV = float64(l.Amount) / float64(l.Price)
	}
	start := max(l.changes(), l.GraceMonths) // of the instalments at the later rate
	owed := months[start].Principal + months[start].Remaining
	if l.Rate == MixedRate {
		f.LaterRate, f.Later = later, Instalment(owed, later, l.Months-start)
		if assumed != later {
			f.Assumed = assumed
		}
	}
	f.Steps = l.steps(owed, l.Months-start)
	if l.Rate == FixedRate {
		f.Shocked = 0
	}
	f.Fees = l.upfront()
	for _, charge := range f.Fees {
		f.Upfront += charge.Amount
	}
	paid := make([]Cents, len(months))
	for i, m := range months {
		duty := Cents(0)
		if l.ToLet {
			duty = Share(m.Interest, dutyOnFees, yearly)
		}
		f.Interest += m.Interest
		f.Duty += duty
		paid[i] = m.Paid + duty + f.Life + f.Home
		f.Total += paid[i]
	}
	f.Total += f.Upfront
	f.Cost = f.Total - l.Amount
	f.TAEG = TAEG(eachMonth(l.Amount-f.Upfront, paid))
	return f
}

// insurance is what an insurance costs a month: what the client says, or the bank's price for each 100 000 of an amount.
func (l Loan) insurance(own *Cents, of Cents, price int64) Cents {
	if own != nil {
		return *own
	}
	return Share(of, price, 100_000)
}
