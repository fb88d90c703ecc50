package slackapp

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

const (
	personLife   = time.Hour   // that a person's language and standing are believed
	personBudget = time.Second // to ask Slack for them, while she waits
)

// team is the workspace that our token belongs to, asked for once.
type team struct {
	mu sync.Mutex
	id string
}

// actor finds out who a person is: her language, and whether she is of the team; and where she is told what moves from
// the channel that she is in. Who cannot be placed is not served.
func (a *App) actor(ctx context.Context, user, channel string) (tools.Actor, error) {
	actor, err := a.known(ctx, user)
	actor.Destination, actor.Direct = placeIn(user, channel), placeIn(user, "")
	return actor, err
}

// placeIn is where people are told what moves: the channel, or the person's direct messages when she is there, in the
// Home tab or in a modal that was opened from it.
func placeIn(user, channel string) string {
	if channel == "" || strings.HasPrefix(channel, "D") {
		return "slack:" + user
	}
	return "slack:" + channel
}

// known is who she is, wherever she is.
func (a *App) known(ctx context.Context, user string) (tools.Actor, error) {
	var actor tools.Actor
	known, ok, err := a.store.Get(ctx, "person", user)
	if err != nil { // Slack knows too
		a.log.WarnContext(ctx, "a person could not be recalled", "error", logged(err))
	}
	if ok && json.Unmarshal(known, &actor) == nil {
		return actor, nil
	}
	ctx, cancel := context.WithTimeout(ctx, personBudget)
	defer cancel()
	ours, err := a.ourTeam(ctx)
	if err != nil {
		return actor, err
	}
	info, err := a.quick.GetUserInfoContext(ctx, user)
	if err != nil {
		return actor, slackFailed("users.info", err)
	}
	actor = tools.Actor{
		ID:    "slack:" + info.TeamID + "/" + user,
		Name:  info.RealName,
		Lang:  words.Match(info.Locale),
		Guest: info.IsRestricted || info.IsUltraRestricted || info.IsStranger || info.TeamID != ours,
	}
	if err := a.store.Put(ctx, "person", user, encode(actor), personLife); err != nil {
		a.log.WarnContext(ctx, "a person could not be remembered", "error", logged(err))
	}
	return actor, nil
}

func (a *App) ourTeam(ctx context.Context) (string, error) {
	a.team.mu.Lock()
	defer a.team.mu.Unlock()
	if a.team.id == "" {
		us, err := a.quick.AuthTestContext(ctx)
		if err != nil {
			return "", slackFailed("auth.test", err)
		}
		a.team.id = us.TeamID
	}
	return a.team.id, nil
}
