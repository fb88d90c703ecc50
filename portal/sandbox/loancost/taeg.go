package loancost

import "math"

// Flow is a payment of the client's, or, if it is negative, of the bank's.
type Flow struct {
	Years  float64 // since the first drawdown; a month is a twelfth
	Amount Cents
}

const (
	mostTAEG = 1e6 // far above any; some loans of days come close
	halvings = 200
)

// TAEG returns the yearly rate X at which all payments are worth nothing at the time of the first drawdown: the sum of
// A·(1+X)^−t is zero, for the amounts A and times t of the flows (annex I of Directive 2014/17/EU, part I). 0.0412 is 4.12 %.
// It is 0 where the client pays no more than what the bank has paid.
func TAEG(flows []Flow) float64 {
	worth := func(rate float64) (sum float64) {
		discount := math.Log1p(rate)
		for _, f := range flows {
			sum += float64(f.Amount) * math.Exp(-discount*f.Years)
		}
		return sum
	}
	low, high := 0.0, 1.0
	if worth(low) <= 0 {
		return 0
	}
	for worth(high) > 0 && high < mostTAEG {
		high *= 2
	}
	for range halvings { // the worth falls as the rate rises
		rate := (low + high) / 2
		if rate == low || rate == high {
			break
		}
		if worth(rate) > 0 {
			low = rate
		} else {
			high = rate
		}
	}
	return (low + high) / 2
}

// eachMonth returns the flows of a loan that is paid out at once and paid back each month.
func eachMonth(received Cents, paid []Cents) []Flow {
	flows := []Flow{{0, -received}}
	for i, amount := range paid {
		flows = append(flows, Flow{float64(i+1) / monthsInYear, amount})
	}
	return flows
}
