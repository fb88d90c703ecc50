package validation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/validation"
)

// loan is below every level for the household: 80 % of a home of 225 000 euros, over 35 years at a fixed 3 %.
func loan() validation.LoanFacts {
	return validation.LoanFacts{
		Amount: euros("180000"), Price: euros("225000"), Valuation: euros("240000"), Months: 420,
		YearlyRate: rate("0.03"), Rate: validation.FixedRate, Purpose: validation.OwnHomePurpose,
		Start: validation.Date{Year: 2026, Month: time.December, Day: 31},
	}
}

func rate(s string) decimal.NullDecimal { return decimal.NewNullDecimal(decimal.RequireFromString(s)) }

// household is a couple born in 1992, on 2500 euros together.
func household() []validation.BorrowerFacts {
	return []validation.BorrowerFacts{
		{Key: true, BirthDate: date("1992-01-31"), Wages: euros("2000")},
		{Relation: validation.SpouseRelation, BirthDate: date("1992-06-30"), Rents: euros("500")},
	}
}

// hints lists a report as «path code ratio», with the limit that the text mentions.
func hints(r validation.Report) string {
	var all []string
	for _, p := range r {
		line := p.Path + " " + p.Code
		for _, name := range []string{"ratio", "limit", "years", "age"} {
			if value := p.Params[name]; value != "" {
				line += " " + value
			}
		}
		all = append(all, line)
	}
	return strings.Join(all, ", ")
}

func TestALoanIsComparedWithTheReferenceLimits(t *testing.T) {
	type facts = validation.LoanFacts
	for _, c := range []struct {
		what   string
		change func(l *facts, key, spouse *validation.BorrowerFacts)
		want   string
	}{
		{"below every level", func(*facts, *validation.BorrowerFacts, *validation.BorrowerFacts) {}, ""},

		{"a euro above 80 %", func(l *facts, _, _ *validation.BorrowerFacts) { l.Amount = euros("180001") }, "loan.amount hint.ltv 81 80"},
		{"a home at 90 %", func(l *facts, _, _ *validation.BorrowerFacts) { l.Price = euros("200000") }, "loan.amount hint.ltv 90 80"},
		{"a home above 90 %", func(l *facts, _, _ *validation.BorrowerFacts) { l.Price = euros("199999") }, "loan.amount hint.ltv_limit 91 90"},
		{"valued below its price", func(l *facts, _, _ *validation.BorrowerFacts) { l.Valuation = euros("190000") }, "loan.amount hint.ltv_limit 95 90"},
		{"not valued yet", func(l *facts, _, _ *validation.BorrowerFacts) { l.Valuation, l.Price = pii.Money{}, euros("190000") }, "loan.amount hint.ltv_limit 95 90"},
		{"letting above 80 %", func(l *facts, _, _ *validation.BorrowerFacts) {
			l.Purpose, l.Price = validation.OtherPurpose, euros("200000")
		}, "loan.amount hint.ltv_limit 90 80"},
		{"the lender's own property", func(l *facts, _, _ *validation.BorrowerFacts) {
			l.Purpose, l.Price = validation.LenderOwnedPurpose, euros("180000")
		}, "loan.amount hint.ltv 100 80"},

		{"692.73 a month of 1979.24", func(_ *facts, key, _ *validation.BorrowerFacts) { key.Wages = euros("1479.24") }, ""},
		{"692.73 a month of 1979.21", func(_ *facts, key, _ *validation.BorrowerFacts) { key.Wages = euros("1479.21") }, "loan.amount hint.dsti 36 35"},
		{"851.86 a month, shocked, of 1893.04", func(l *facts, key, _ *validation.BorrowerFacts) {
			l.Rate, key.Wages = validation.VariableRate, euros("1393.04")
		}, "loan.amount hint.dsti 45 35"},
		{"851.86 a month, shocked, of 1893.01", func(l *facts, key, _ *validation.BorrowerFacts) {
			l.Rate, key.Wages = validation.MixedRate, euros("1393.01")
		}, "loan.amount hint.dsti_high 46 45"},
		{"over half of the income", func(l *facts, key, _ *validation.BorrowerFacts) {
			l.Rate, key.Wages = validation.VariableRate, euros("1200")
		}, "loan.amount hint.dsti_limit 51 50"},
		{"ten years: one point more", func(l *facts, key, spouse *validation.BorrowerFacts) { // 111.02 at 6 %
			*l = facts{Amount: euros("10000"), Months: 120, YearlyRate: rate("0.05"), Rate: validation.VariableRate}
			key.Wages, spouse.Rents = euros("317"), pii.Money{}
		}, "loan.amount hint.dsti 36 35"},
		{"five years: half a point more", func(l *facts, key, spouse *validation.BorrowerFacts) { // 191.01 at 5.5 %
			*l = facts{Amount: euros("10000"), Months: 60, YearlyRate: rate("0.05"), Rate: validation.VariableRate}
			key.Wages, spouse.Rents = euros("546"), pii.Money{}
		}, ""},
		{"without interest", func(l *facts, key, spouse *validation.BorrowerFacts) { // 250 a month
			*l = facts{Amount: euros("15000"), Months: 60, YearlyRate: rate("0")}
			key.Wages, spouse.Rents = euros("500"), pii.Money{}
		}, "loan.amount hint.dsti_high 50 45"},
		{"with a car and a card", func(_ *facts, key, spouse *validation.BorrowerFacts) {
			key.OtherInstalments, spouse.OtherInstalments = []pii.Money{euros("250"), {}}, []pii.Money{euros("100")}
		}, "loan.amount hint.dsti 42 35"},
		{"a couple that pays one home", func(_ *facts, key, spouse *validation.BorrowerFacts) {
			key.HousingInstalment, spouse.HousingInstalment = euros("400"), euros("400")
		}, "loan.amount hint.dsti 44 35"},
		{"two who pay a home each", func(_ *facts, key, spouse *validation.BorrowerFacts) {
			key.HousingInstalment, spouse.HousingInstalment, spouse.Relation = euros("400"), euros("400"), validation.OtherRelation
		}, "loan.amount hint.dsti_limit 60 50"},
		{"a loan that pays off the other", func(l *facts, key, spouse *validation.BorrowerFacts) {
			l.ReplacesHousing, key.HousingInstalment, spouse.HousingInstalment = true, euros("400"), euros("400")
		}, ""},

		{"37 years at 35", func(l *facts, key, _ *validation.BorrowerFacts) { key.BirthDate, l.Months = date("1991-01-01"), 444 }, "loan.months hint.age_at_end 70"},
		{"a month more", func(l *facts, key, _ *validation.BorrowerFacts) { key.BirthDate, l.Months = date("1991-01-01"), 445 },
			"loan.months hint.age_at_end 70, loan.months hint.term 37"},
		{"36 years at 36", func(l *facts, key, _ *validation.BorrowerFacts) { key.BirthDate, l.Months = date("1990-12-31"), 432 },
			"loan.months hint.age_at_end 70, loan.months hint.term 35"},
		{"40 years at 30", func(l *facts, key, spouse *validation.BorrowerFacts) {
			key.BirthDate, spouse.BirthDate, l.Months = date("1996-01-01"), date("31-12-1996"), 480
		}, ""},
		{"40 years where the other is 31", func(l *facts, key, spouse *validation.BorrowerFacts) {
			key.BirthDate, spouse.BirthDate, l.Months = date("1996-01-01"), date("31/12/1995"), 480
		}, "loan.months hint.age_at_end 70, loan.months hint.term 37"},
		{"75 at the end", func(_ *facts, key, _ *validation.BorrowerFacts) { key.BirthDate = date("1986-01-01") }, "loan.months hint.age_at_end 70"},
		{"76 on the very day", func(_ *facts, key, _ *validation.BorrowerFacts) { key.BirthDate = date("1985-12-31") }, "loan.months age.at_end 75"},

		{"nothing known of the loan", func(l *facts, _, _ *validation.BorrowerFacts) { *l = facts{} }, ""},
		{"nothing known of the household", func(_ *facts, key, spouse *validation.BorrowerFacts) {
			*key, *spouse = validation.BorrowerFacts{}, validation.BorrowerFacts{}
		}, ""},
		{"figures that make no loan", func(l *facts, _, _ *validation.BorrowerFacts) { l.Months = 1201 }, ""},
		{"starts today when it does not say", func(l *facts, key, _ *validation.BorrowerFacts) { // 22 November 2026
			l.Start, key.BirthDate = validation.Date{}, date("1985-11-23")
		}, "loan.months hint.age_at_end 70"},
	} {
		l, people := loan(), household()
		c.change(&l, &people[0], &people[1])
		if got := hints(checker(t).Loan(l, people)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.what, got, c.want)
		}
	}
}

func TestALoanHasHintsAndOneWarningButNoErrors(t *testing.T) {
	l, people := loan(), household()
	l.Amount, l.Months, people[0].BirthDate = euros("300000"), 432, date("1960-01-01")
	report := checker(t).Loan(l, people)
	if got := hints(report.Warnings()); got != "loan.months age.at_end 75" || len(report.Hints()) != 3 || report.HasErrors() {
		t.Errorf("got warnings %q, hints %q, errors %v", got, hints(report.Hints()), report.Errors())
	}
	if got := hints(report); got != "loan.amount hint.dsti_high 46 45, loan.amount hint.ltv_limit 134 90, loan.months age.at_end 75, loan.months hint.term 35" {
		t.Errorf("got %q", got)
	}
	for _, p := range report {
		portuguese, english := p.Text(words.Portuguese), p.Text(words.English)
		if !strings.Contains(portuguese, "possíve") || !strings.Contains(english, "possib") {
			t.Errorf("%s sounds like a decision: %q, %q", p.Code, portuguese, english)
		}
		for _, value := range []string{"300000", "300 000", "2500", "2 500", "1960"} {
			if strings.Contains(portuguese+english+hints(report), value) {
				t.Errorf("%s repeats a figure: %q, %q", p.Code, portuguese, english)
			}
		}
	}
}

func TestTheLimitsInForceOnTheFirstDayApply(t *testing.T) {
	old, later := limits(), limits()
	later.From, later.DSTINote = validation.Date{Year: 2027, Month: time.January, Day: 1}, decimal.New(25, -2)
	checks := validation.New(validation.Options{Limits: []validation.Limits{old, later}})
	for start, want := range map[string]string{"2020-01-01": "", "2026-12-31": "", "2027-01-01": "loan.amount hint.dsti 28 25"} {
		l := loan()
		l.Start, l.Months = day(t, start), 420
		if got := hints(checks.Loan(l, household())); got != want {
			t.Errorf("from %s: got %q, want %q", start, got, want)
		}
	}
}
