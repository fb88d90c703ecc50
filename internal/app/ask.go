package app

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

// AskedWithin is how long a start waits for the systems outside to answer.
const AskedWithin = 5 * time.Second

// Answer is what came of asking a system outside whether it serves us.
type Answer string

// The answers. Their words are answer.<answer>.
const (
	Answers Answer = "answers"
	Refuses Answer = "refuses" // it is there, and does not take our credentials
	Silent  Answer = "silent"
)

// AskBank logs in at the bank once and reads a list that tells of nobody. What it answers decides nothing: the bank may
// come up later, and /readyz shows whether it has.
func (s *System) AskBank(ctx context.Context) Answer {
	ctx, cancel := context.WithTimeout(ctx, AskedWithin)
	defer cancel()
	_, err := s.bank.As(s.itself(), string(s.settings.TeamLang)).Taxonomy(ctx, "notificationTypes")
	switch {
	case err == nil:
		s.log.Info("the bank answers", "setting", "PORTAL_URL")
		return Answers
	case ctx.Err() == context.Canceled:
		return Silent
	case portal.KindOf(err) == portal.Unauthorized:
		s.log.Warn("the bank answers and refuses the login: check PORTAL_CLIENT_ID, PORTAL_CLIENT_SECRET, PORTAL_BROKER_UID and PORTAL_USERNAME",
			"error", pii.Scrub(err.Error()))
		return Refuses
	}
	s.log.Warn("the bank does not answer as it should: check PORTAL_URL; the program runs, and /readyz shows whether it answers later",
		"error", pii.Scrub(err.Error()))
	return Silent
}

// itself is the bank's user as whom Balcão acts where no person asks.
func (s *System) itself() portal.Login {
	return portal.Login{BrokerUID: uuid.MustParse(s.settings.PortalBrokerUID), Username: s.settings.PortalUsername}
}
