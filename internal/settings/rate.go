package settings

import (
	"strconv"
	"strings"
)

// Rate limits the requests to the bank.
type Rate struct {
	PerSecond float64
	Burst     int // at once, after a time without requests
}

// The limits of PORTAL_RATE. A program needs more than one request in ten seconds at its start.
const (
	slowestRate = 0.1
	fastestRate = 10_000
)

// checkRate reads PORTAL_RATE: «20» or «20,5». The burst is a tenth of a second's requests by default, and at least 1.
func (s *Settings) checkRate() Problems {
	if s.PortalRate == "" {
		return nil
	}
	second, burst, given := strings.Cut(s.PortalRate, ",")
	perSecond, err := strconv.ParseFloat(strings.TrimSpace(second), 64)
	rate := Rate{perSecond, max(1, int(perSecond/10))}
	if given && err == nil {
		rate.Burst, err = strconv.Atoi(strings.TrimSpace(burst))
	}
	if inRange := rate.PerSecond >= slowestRate && rate.PerSecond <= fastestRate; err != nil || !inRange || rate.Burst < 1 || rate.Burst > fastestRate {
		return Problems{{Name: "PORTAL_RATE", What: "wrong"}}
	}
	s.Rate = rate
	return nil
}
