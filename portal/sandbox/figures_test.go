package sandbox

import (
	"math"
	"testing"
)

func TestTheInstalmentIsTheAnnuity(t *testing.T) {
	for _, c := range []struct {
		principal cents
		rate      basisPoints
		months    int
		want      cents
	}{
		{200_000_00, 750, 180, 1854_02}, // numpy-financial: 1854.0247200054619
		{15_000_00, 0, 60, 250_00},      // numpy-financial
		{180_000_00, 300, 420, 692_73},
		{180_000_00, 450, 420, 851_86}, // 1.5 points more
	} {
		if got := instalment(c.principal, c.rate, c.months); got != c.want {
			t.Errorf("%d at %d over %d months: %d, want %d", c.principal, c.rate, c.months, got, c.want)
		}
	}
}

func TestTheTAEGOfAPlainLoanIsItsCompoundedRate(t *testing.T) {
	flows := make([]cents, 420)
	for i := range flows {
		flows[i] = instalment(180_000_00, 300, 420)
	}
	if got, want := effectiveRate(180_000_00, flows), math.Pow(1+0.03/12, 12)-1; math.Abs(got-want) > 1e-6 {
		t.Errorf("%f, want %f", got, want)
	}
	if with := effectiveRate(180_000_00-1000_00, flows); with <= effectiveRate(180_000_00, flows) {
		t.Errorf("a fee does not raise the TAEG: %f", with)
	}
}

func TestEverySheetAddsUpToTheCent(t *testing.T) {
	for _, p := range samples(noon).processes {
		f := work(p.loan, len(p.borrowers))
		var all year
		for _, y := range f.Plan {
			all.Instalments += y.Instalments
			all.Paid += y.Paid
			all.Interest += y.Interest
			all.Principal += y.Principal
		}
		last := f.Plan[len(f.Plan)-1]
		if all.Instalments != p.loan.months || all.Principal != p.loan.amount || last.Remaining != 0 || all.Paid != all.Interest+all.Principal {
			t.Errorf("process %d: the plan holds %+v and leaves %d", p.number, all, last.Remaining)
		}
		if total := all.Paid + f.Upfront + cents(p.loan.months)*(f.Life+f.Home); f.Total != total || f.Cost != total-p.loan.amount {
			t.Errorf("process %d: the MTIC is %d, and all payments are %d", p.number, f.Total, total)
		}
		if off := f.Last - f.Instalment; p.loan.rate != mixedRate && (off > 500 || off < -500) {
			t.Errorf("process %d: rounding makes the last instalment differ by %d cents", p.number, off)
		}
		if f.TAEG <= float64(min(f.Rate, f.LaterRate+f.Rate))/10_000 && f.LaterRate == 0 || f.TAEG > 0.12 {
			t.Errorf("process %d: TAEG %f at a TAN of %d", p.number, f.TAEG, f.Rate)
		}
		if n := len(f.Steps); n > 0 {
			variable := f.Instalment
			if f.Later != 0 {
				variable = f.Later
			}
			if f.Steps[n-1].Instalment != variable || f.Steps[0].Instalment <= variable {
				t.Errorf("process %d: the discounts end at %d, and the instalment is %d", p.number, f.Steps[n-1].Instalment, variable)
			}
		}
	}
}

func TestAMixedRateChangesTheInstalmentWhenTheFixedYearsEnd(t *testing.T) {
	l := loan{amount: 240_000_00, price: 300_000_00, months: 432, rate: mixedRate, fixedYears: 5, fixed: 325}
	months := l.plan(325, 355)
	owed := months[59].remaining
	if months[0].paid != instalment(l.amount, 325, 432) || months[59].paid != months[0].paid || months[60].paid != instalment(owed, 355, 372) {
		t.Errorf("instalments %d, %d and then %d", months[0].paid, months[59].paid, months[60].paid)
	}
}
