package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/balcao/balcao/portal"
)

// BankCheck fails while the bank is not as it is taken to be, and names each part: what the profile or the settings of the
// bank have to correct. It is not vital: every replica fails alike, and one that is still called tells people the cause.
func (s *System) BankCheck() Check {
	return Check{Name: "bank", Run: func(context.Context) error {
		if parts := bankProblems(s.bank.Faults(), s.serviceLogin()); parts != nil {
			return parts
		}
		return nil
	}}
}

// bankProblems returns a problem for each fault. Of the logins, that of the service user has a problem of its own, and those
// of people are counted.
func bankProblems(faults []portal.Fault, service portal.Login) (parts Problems) {
	people := 0
	for _, fault := range faults {
		if fault.Kind == portal.LoginRefused && fault.Login != service {
			people++
			continue
		}
		parts = append(parts, Problem(partOf(fault)))
	}
	if people > 0 {
		parts = append(parts, Problem(fmt.Sprintf("login refused for %d of PORTAL_USERS", people)))
	}
	return parts
}

// partOf names what fails, and how, in words of a closed set.
func partOf(fault portal.Fault) string {
	name := string(fault.Operation)
	if key, is := strings.CutSuffix(name, "Get"); is && slices.Contains(portal.Taxonomies(), portal.TaxonomyKey(key)) {
		name = "list " + key
	}
	if fault.Operation == portal.Authenticate {
		name = "login"
	}
	switch fault.Kind {
	case portal.LoginRefused:
		return "login refused"
	case portal.Refused:
		return "errors not understood"
	}
	return name + ": " + map[portal.Kind]string{
		portal.WrongPath: "no such operation at this path", portal.Unauthorized: "session refused",
		portal.Mismatch: "request not accepted", portal.Garbled: "reply not understood",
	}[fault.Kind]
}
