// Package loancost computes what a home loan costs, by the published formulas and in whole cents: instalments, the TAEG of
// Decree-Law 74-A/2017 (Directive 2014/17/EU, annex I) and the MTIC, which is all that the client will have paid. Rates, fees
// and insurances are invented: nothing here is anybody's offer.
package loancost

import "math/big"

type (
	Cents       int64 // hundredths of a euro
	BasisPoints int64 // hundredths of a percentage point
)

const (
	monthsInYear = 12
	yearly       = 10_000                // basis points of the whole
	monthly      = yearly * monthsInYear // the same for a rate that is due each month
)

// Instalment is the constant monthly payment that repays principal in n months at a yearly nominal rate: P·r·(1+r)ⁿ / ((1+r)ⁿ − 1),
// where r is a twelfth of the rate. It is computed exactly and rounded once.
func Instalment(principal Cents, rate BasisPoints, n int) Cents {
	if rate == 0 {
		return Share(principal, 1, int64(n))
	}
	power := func(base int64) *big.Int { return new(big.Int).Exp(big.NewInt(base), big.NewInt(int64(n)), nil) }
	growth, one := power(monthly+int64(rate)), power(monthly) // (1+r)ⁿ is their quotient
	above := new(big.Int).Mul(growth, big.NewInt(int64(principal)*int64(rate)))
	below := new(big.Int).Mul(new(big.Int).Sub(growth, one), big.NewInt(monthly))
	return nearest(above, below)
}

// Interest is what a month costs on what is owed.
func Interest(owed Cents, rate BasisPoints) Cents { return Share(owed, int64(rate), monthly) }

// Share is amount × part ÷ whole, to the nearest cent.
func Share(amount Cents, part, whole int64) Cents {
	return nearest(new(big.Int).Mul(big.NewInt(int64(amount)), big.NewInt(part)), big.NewInt(whole))
}

// nearest is the quotient of two numbers of 0 or more, to the nearest; a half is rounded up.
func nearest(above, below *big.Int) Cents {
	twice := new(big.Int).Lsh(above, 1)
	return Cents(new(big.Int).Quo(twice.Add(twice, below), new(big.Int).Lsh(below, 1)).Int64())
}
