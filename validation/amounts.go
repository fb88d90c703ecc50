package validation

import (
	"errors"

	"github.com/shopspring/decimal"
)

// ErrLoan is the error of [Instalment] for figures that are not a loan.
var ErrLoan = errors.New("validation: a loan needs a principal and a rate of 0 or more, and 1 to 1200 months")

const (
	precision = 40   // decimal places of intermediate results; only what is displayed is rounded further
	monthsMax = 1200 // of a loan
)

var twelve = decimal.NewFromInt(12)

// amountMax is far above any income. It catches typing errors.
var amountMax = decimal.NewFromInt(1_000_000)

// Amount reads a monthly amount in euros: 0 or more, at most two decimal places, at most a million. It fails with
// [AmountFormat], [AmountNegative], [AmountPlaces] or [AmountTooHigh].
func Amount(s string) (decimal.Decimal, error) {
	if len(s) > longest {
		return decimal.Zero, AmountFormat
	}
	amount, err := decimal.NewFromString(s)
	switch {
	case err != nil || amount.Exponent() > longest || amount.Exponent() < -longest: // comparing 1e999999999 needs too much memory
		return decimal.Zero, AmountFormat
	case amount.IsNegative():
		return decimal.Zero, AmountNegative
	case !amount.Equal(amount.Round(2)):
		return decimal.Zero, AmountPlaces
	case amount.GreaterThan(amountMax):
		return decimal.Zero, AmountTooHigh
	}
	return amount, nil
}

// Instalment is the constant monthly instalment of an annuity: principal in euros, the yearly rate as a fraction
// (0.03 for 3 %), paid back over months. It is not rounded. It fails with [ErrLoan].
func Instalment(principal, yearlyRate decimal.Decimal, months int) (decimal.Decimal, error) {
	if principal.IsNegative() || yearlyRate.IsNegative() || months < 1 || months > monthsMax {
		return decimal.Zero, ErrLoan
	}
	if yearlyRate.IsZero() {
		return principal.DivRound(decimal.NewFromInt(int64(months)), precision), nil
	}
	rate := yearlyRate.DivRound(twelve, precision)
	growth, one := decimal.NewFromInt(1), decimal.NewFromInt(1)
	for range months {
		growth = growth.Mul(one.Add(rate)).Round(precision)
	}
	return principal.Mul(rate).Mul(growth).DivRound(growth.Sub(one), precision), nil
}
