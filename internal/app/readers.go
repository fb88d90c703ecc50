package app

import (
	"context"
	"strings"

	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// reader returns a function that selects the user of the bank who reads processes for a destination: the background user for
// the team's channel, the person for direct messages, and the person who subscribed, by, for any other channel. The function
// returns false if that person is no longer in the team, or if nobody subscribed, as in a channel that was the team's before
// TEAM_CHANNEL changed. It returns a nil user for the background user.
func (s *System) reader(background portal.Login) func(id, by string) (*portal.User, bool) {
	return func(id, by string) (*portal.User, bool) {
		var person tools.Person
		var served bool
		switch user, direct := directUser(id); {
		case id != "" && id == teamDestination(s.settings):
			return nil, true
		case direct:
			person, served = s.people.inAnyWorkspace(user)
		case by != "":
			person, served = s.people.Person(context.Background(), by)
		}
		if !served || person.Login == background {
			return nil, served
		}
		return s.bank.As(person.Login, string(s.settings.TeamLang)), true
	}
}

// teamDestination returns the destination of the team's channel, "" if there is none.
func teamDestination(s settings.Settings) string {
	if s.TeamChannel == "" {
		return ""
	}
	return slackPrefix + s.TeamChannel
}

// slackPrefix begins destinations in Slack; the id of a channel or person follows.
const slackPrefix = "slack:"

// directUser returns the person to whose direct messages a destination belongs.
func directUser(id string) (user string, direct bool) {
	user, slack := strings.CutPrefix(id, slackPrefix)
	return user, slack && (strings.HasPrefix(user, "U") || strings.HasPrefix(user, "W"))
}
