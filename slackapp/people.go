package slackapp

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

const (
	personLife    = time.Hour   // how long what Slack says of a person is cached
	personTimeout = time.Second // to ask Slack about a person, who may be waiting
)

// actor returns who a person is, and the destinations for what she subscribes to in the channel where she is. A person
// whom Slack does not identify is not served.
func (a *App) actor(ctx context.Context, user, channel string) (tools.Actor, error) {
	actor, err := a.person(ctx, user)
	actor.Destination, actor.Direct = destinationIn(user, channel), destinationIn(user, "")
	return actor, err
}

// destinationIn is the channel, or the person's direct messages if she is there, in the Home tab or in a modal opened
// from it.
func destinationIn(user, channel string) string {
	if channel == "" || strings.HasPrefix(channel, "D") {
		return "slack:" + user
	}
	return "slack:" + channel
}

// person returns a person's identity, name, language and whether she is a guest. It asks Slack, or reads the cache that
// all replicas share.
func (a *App) person(ctx context.Context, user string) (tools.Actor, error) {
	var actor tools.Actor
	cached, ok, err := a.store.Get(ctx, "person", user)
	if err != nil { // Slack has it too
		a.log.WarnContext(ctx, "reading a cached person failed", "error", logged(err))
	}
	if ok && json.Unmarshal(cached, &actor) == nil {
		return actor, nil
	}
	ctx, cancel := context.WithTimeout(ctx, personTimeout)
	defer cancel()
	us, err := a.slack.identity(ctx)
	if err != nil {
		return actor, err
	}
	info, err := a.slack.userInfo(ctx, user)
	if err != nil {
		return actor, err
	}
	actor = tools.Actor{
		ID:    "slack:" + info.Team + "/" + user,
		Name:  info.Name,
		Lang:  words.Match(info.Locale),
		Guest: info.Restricted || info.UltraRestricted || info.Stranger || info.Team != us.Team,
	}
	if err := a.store.Put(ctx, "person", user, encode(actor), personLife); err != nil {
		a.log.WarnContext(ctx, "caching a person failed", "error", logged(err))
	}
	return actor, nil
}

// colleague returns the actor whom a select or a mention names, "" if that is nobody of the team.
func (a *App) colleague(ctx context.Context, named string) (actor string, err error) {
	id := mentionedUser(named)
	if user, ok := userID(named); ok {
		id = user
	}
	if _, ok := userID("slack:" + id); !ok {
		return "", nil
	}
	found, err := a.person(ctx, id)
	if failed, ok := errors.AsType[*slackError](err); ok && (failed.code == "user_not_found" || failed.code == "user_not_visible") {
		return "", nil
	}
	if err != nil || found.Guest {
		return "", err
	}
	return found.ID, nil
}

// slackIDPattern matches a channel or a person, as Slack names them.
var slackIDPattern = regexp.MustCompile(`^[CDGUW][A-Z0-9]+$`)

// slackID returns Slack's id in a destination or an actor: C0TEAM of "slack:C0TEAM", U0ANA of "slack:T0TEAM/U0ANA".
func slackID(dest string) (id string, ok bool) {
	rest, ours := strings.CutPrefix(dest, "slack:")
	id = rest[strings.LastIndexByte(rest, '/')+1:]
	return id, ours && slackIDPattern.MatchString(id)
}

// userID is [slackID] for a person.
func userID(dest string) (user string, ok bool) {
	id, ok := slackID(dest)
	return id, ok && (id[0] == 'U' || id[0] == 'W')
}
