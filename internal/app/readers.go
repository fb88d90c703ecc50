package app

import (
	"context"
	"strings"

	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// reader says with whose eyes a place is told: the team's channel with those of the background user, a person's direct
// messages with that person's, and any other channel with those of whoever had it subscribe. Who is no longer served is
// told nothing, and nothing is told in that person's name; nor is what nobody subscribed to, such as all of a channel
// that was the team's before TEAM_CHANNEL named another.
func (s *System) reader(background portal.Login) func(place, by string) (*portal.User, bool) {
	return func(place, by string) (*portal.User, bool) {
		var person tools.Person
		var served bool
		switch user, direct := directUser(place); {
		case place != "" && place == teamPlace(s.settings):
			return nil, true
		case direct:
			person, served = personOf(s.people, user)
		case by != "":
			person, served = s.people.Person(context.Background(), by)
		}
		if !served || person.Login == background {
			return nil, served
		}
		return s.bank.As(person.Login, string(s.settings.TeamLang)), true
	}
}

// teamPlace is the place of the team's channel, "" where there is none.
func teamPlace(s settings.Settings) string {
	if s.TeamChannel == "" {
		return ""
	}
	return slackPlace + s.TeamChannel
}

// slackPlace is how the places in Slack begin: a channel's or a person's id follows.
const slackPlace = "slack:"

// directUser gives the person whose direct messages a place is.
func directUser(place string) (user string, direct bool) {
	user, slack := strings.CutPrefix(place, slackPlace)
	return user, slack && (strings.HasPrefix(user, "U") || strings.HasPrefix(user, "W"))
}

// personOf finds a person of the team by the id in Slack, in whichever workspace. Where two workspaces know different
// people by it, it is nobody.
func personOf(team tools.Team, user string) (found tools.Person, ok bool) {
	for actor, person := range team {
		if !strings.HasPrefix(actor, slackPlace) || !strings.HasSuffix(actor, "/"+user) {
			continue
		}
		if ok && found != person {
			return tools.Person{}, false
		}
		found, ok = person, true
	}
	if !ok {
		found, ok = team[""]
	}
	return found, ok
}
