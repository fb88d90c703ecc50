package tools

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/validation"
)

// ChecksOf returns the options of a checker for the bank of a profile: rules, meanings and limits.
func ChecksOf(bank *profile.Profile) (validation.Options, error) {
	rules, err := validation.RulesOf(bank.Rules)
	if err != nil {
		return validation.Options{}, err
	}
	limits, err := limitsOf(bank.Limits)
	return validation.Options{Rules: rules, Meanings: bank.MeaningIn, Named: bank.MeaningNamed, Limits: limits, None: bank.Taxonomies.None}, err
}

// limitsOf returns the limits by the day from which they are in force, the earliest first.
func limitsOf(byDay map[string]profile.Limits) (all []validation.Limits, err error) {
	var l validation.Limits
	for _, day := range slices.Sorted(maps.Keys(byDay)) {
		from, err := time.Parse(time.DateOnly, day)
		if err != nil {
			return nil, fmt.Errorf("limits: %q is not a day", day)
		}
		year, month, date := from.Date()
		l.From = validation.Date{Year: year, Month: month, Day: date}
		given := byDay[day]
		for to, share := range map[*decimal.Decimal]*int{
			&l.LTVNote: given.LTV.Note, &l.LTVOwnHome: given.LTV.OwnHome, &l.LTVOther: given.LTV.Other, &l.LTVLenderOwned: given.LTV.LenderOwned,
			&l.DSTINote: given.DSTI.Note, &l.DSTIWarn: given.DSTI.Warn, &l.DSTILimit: given.DSTI.Limit,
		} {
			if share != nil {
				*to = decimal.New(int64(*share), -2)
			}
		}
		for to, age := range map[*int]*int{&l.AgeNote: given.Age.Note, &l.AgeMax: given.Age.Max} {
			if age != nil {
				*to = *age
			}
		}
		if given.Shocks != nil {
			l.Shocks = nil
			for _, shock := range given.Shocks {
				l.Shocks = append(l.Shocks, validation.Shock{OverMonths: shock.OverMonths, Rate: decimal.New(shock.BasisPoints, -4)})
			}
		}
		if given.Terms != nil {
			l.Terms = nil
			for _, term := range given.Terms {
				l.Terms = append(l.Terms, validation.Term{UpToAge: term.UpToAge, Years: term.Years})
			}
		}
		all = append(all, l)
	}
	return all, nil
}
