package esispdf

import "github.com/balcao/balcao/portal/sandbox/loancost"

// What an ESIS says of a loan is computed by package loancost.
type (
	Cents       = loancost.Cents
	BasisPoints = loancost.BasisPoints
	RateKind    = loancost.RateKind
	Loan        = loancost.Loan
)

// The kinds of rates.
const (
	VariableRate = loancost.VariableRate
	MixedRate    = loancost.MixedRate
	FixedRate    = loancost.FixedRate
)
