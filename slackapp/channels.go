package slackapp

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/balcao/balcao/tools"
)

// channelLife is how long it is cached who reads a channel. An event of Slack's renews it earlier.
const channelLife = time.Minute

// Whether others than the team read a channel, as it is cached.
const (
	readByTeam   = "team"
	readByOthers = "others"
)

// Reasons why nothing of the bank's is posted to a destination; their words are the administrator's.
const (
	sharedChannel = "shared_channel"
	notOfTeam     = "not_of_team"
)

// channelInfo is what conversations.info says of who reads a channel.
type channelInfo struct {
	External        bool     `json:"is_ext_shared"`
	PendingExternal bool     `json:"is_pending_ext_shared"`
	Pending         []string `json:"pending_shared"`
	Teams           []string `json:"shared_team_ids"`
	Connected       []string `json:"connected_team_ids"`
	Invited         []string `json:"pending_connected_team_ids"`
}

// readByOutsiders reports whether anybody but us reads the channel, or is invited to. Each sign is enough.
func (c channelInfo) readByOutsiders(us identity) bool {
	return c.External || c.PendingExternal || slices.ContainsFunc(slices.Concat(c.Pending, c.Teams, c.Connected, c.Invited), func(team string) bool {
		return team != us.Team && team != us.Enterprise
	})
}

// outsiders reports whether people from outside the team read a channel, or are invited to: another company through Slack
// Connect, or another workspace of the same organisation.
func (a *App) outsiders(ctx context.Context, channel string) (bool, error) {
	if cached, ok, err := a.store.Get(ctx, "channel", channel); err == nil && ok {
		return string(cached) == readByOthers, nil
	}
	return a.lookUpOutsiders(ctx, channel)
}

// lookUpOutsiders asks Slack, and caches the answer for all replicas.
func (a *App) lookUpOutsiders(ctx context.Context, channel string) (bool, error) {
	us, err := a.slack.identity(ctx)
	if err != nil {
		return false, err
	}
	info, err := a.slack.channelInfo(ctx, channel)
	if err != nil {
		return false, err
	}
	outsiders, readers := info.readByOutsiders(us), readByTeam
	if outsiders {
		readers = readByOthers
	}
	if err := a.store.Put(ctx, "channel", channel, []byte(readers), channelLife); err != nil {
		a.log.WarnContext(ctx, "caching who reads a channel failed", "error", logged(err))
	}
	return outsiders, nil
}

// checkReaders returns an error if people from outside the team would read what method posts to a destination.
func (a *App) checkReaders(ctx context.Context, method, dest string) error {
	id, known := slackID(dest)
	if !known { // messageID refuses it
		return nil
	}
	if user, direct := userID(dest); direct {
		actor, err := a.person(ctx, user)
		switch {
		case err != nil:
			return notSent(err)
		case actor.Guest:
			return classify(method, notOfTeam, 0)
		}
		return nil
	}
	outsiders, err := a.outsiders(ctx, id)
	switch {
	case err != nil:
		return notSent(err)
	case outsiders:
		return classify(method, sharedChannel, 0)
	}
	return nil
}

// setOutsiders sets, for a tool that subscribes the actor's channel, whether outsiders read it. We cannot post to a channel
// that Slack does not show us, so that one counts as read by the team.
func (a *App) setOutsiders(ctx context.Context, actor *tools.Actor, tool *tools.Tool) error {
	id, known := slackID(actor.Destination)
	if _, direct := userID(actor.Destination); !tool.Subscribes || !known || direct {
		return nil
	}
	outsiders, err := a.outsiders(ctx, id)
	if missing, ok := errors.AsType[*unreachableError](err); ok && missing.reason == "channel_not_found" {
		return nil
	}
	actor.Outsiders = outsiders
	return err
}

// sharingChanged handles the event that other people than before read a channel.
func (a *App) sharingChanged(ctx context.Context, eventType, channel string) error {
	if channel == "" {
		return nil
	}
	outsiders, err := a.lookUpOutsiders(ctx, channel)
	if err != nil || outsiders {
		return err
	}
	return a.reportReachable(ctx, eventType, "", channel)
}
