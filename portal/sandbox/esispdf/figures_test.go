package esispdf

import (
	"math"
	"testing"
)

func TestTheInstalmentIsTheAnnuity(t *testing.T) {
	for _, c := range []struct {
		principal Cents
		rate      BasisPoints
		months    int
		want      Cents
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
	flows := make([]Cents, 420)
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

func TestAMixedRateChangesTheInstalmentWhenTheFixedYearsEnd(t *testing.T) {
	l := Loan{Amount: 240_000_00, Price: 300_000_00, Months: 432, Rate: MixedRate, FixedYears: 5, Fixed: 325}
	months := l.plan(325, 355)
	owed := months[59].remaining
	if months[0].paid != instalment(l.Amount, 325, 432) || months[59].paid != months[0].paid || months[60].paid != instalment(owed, 355, 372) {
		t.Errorf("instalments %d, %d and then %d", months[0].paid, months[59].paid, months[60].paid)
	}
}
