package loancost

// Payment is one month of a plan.
type Payment struct{ Paid, Interest, Principal, Remaining Cents }

// period is a time in which the rate of a loan is the same.
type period struct {
	from     int // months since the first drawdown
	rate     BasisPoints
	interest bool // only interest is paid
}

// plan lists every month of a loan. The instalment is worked out again at the beginning of each period; the last one settles what
// rounding left.
func plan(amount Cents, months int, periods []period) []Payment {
	all := make([]Payment, months)
	remaining, now, due := amount, period{}, Cents(0)
	for i := range all {
		for _, p := range periods {
			if p.from == i {
				now, due = p, Instalment(remaining, p.rate, months-i)
			}
		}
		interest := Interest(remaining, now.rate)
		principal := due - interest
		if now.interest {
			principal = 0
		}
		if i == months-1 {
			principal = remaining
		}
		remaining -= principal
		all[i] = Payment{principal + interest, interest, principal, remaining}
	}
	return all
}

// Year is twelve months of a plan, or less at its end.
type Year struct {
	Number, Instalments                  int
	Paid, Interest, Principal, Remaining Cents
}

func byYear(months []Payment) []Year {
	var years []Year
	for i, m := range months {
		if i%monthsInYear == 0 {
			years = append(years, Year{Number: i/monthsInYear + 1})
		}
		y := &years[len(years)-1]
		y.Instalments++
		y.Paid += m.Paid
		y.Interest += m.Interest
		y.Principal += m.Principal
		y.Remaining = m.Remaining
	}
	return years
}
