package app

import (
	"context"
	"slices"
	"time"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

// CheckTimeout is how long a program waits at its start for the bank and for Slack to answer.
const CheckTimeout = 5 * time.Second

// Answer is the result of a request at start to the bank or to Slack.
type Answer string

// The answers. internal/doctor has a text for each, bank.<answer>.
const (
	Answers Answer = "answers"
	Refuses Answer = "refuses" // it rejects our credentials
	Differs Answer = "differs" // it answers, and not as it is taken to
	Silent  Answer = "silent"
)

// CheckBank logs in at the bank and reads a list without personal data, and logs the result. The program runs whatever it
// is: the bank may be reachable later, and /readyz shows whether it is.
func (s *System) CheckBank(ctx context.Context) Answer {
	ctx, cancel := context.WithTimeout(ctx, CheckTimeout)
	defer cancel()
	_, err := s.bank.As(s.serviceLogin(), string(s.settings.TeamLang)).Taxonomy(ctx, "notificationTypes")
	switch {
	case err == nil:
		s.log.Info("the bank answers", "setting", "PORTAL_URL")
		return Answers
	case ctx.Err() == context.Canceled:
		return Silent
	case portal.KindOf(err) == portal.LoginRefused:
		s.log.Error("the bank rejects the login: check PORTAL_CLIENT_ID, PORTAL_CLIENT_SECRET, PORTAL_BROKER_UID and PORTAL_USERNAME",
			"error", pii.Scrub(err.Error()))
		return Refuses
	case slices.ContainsFunc(s.bank.Faults(), func(fault portal.Fault) bool { return fault.Kind == portal.KindOf(err) }):
		s.log.Error("the bank answers otherwise than it is taken to: check PORTAL_URL and PORTAL_PROFILE; /readyz shows whether that is corrected",
			"error", pii.Scrub(err.Error()))
		return Differs
	}
	s.log.Warn("the bank does not answer as expected: check PORTAL_URL; the program runs, and /readyz shows whether the bank answers later",
		"error", pii.Scrub(err.Error()))
	return Silent
}

// serviceLogin returns the login for requests to the bank that no person has made.
func (s *System) serviceLogin() portal.Login {
	return s.people.service
}
