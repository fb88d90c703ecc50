package slackapp

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/balcao/balcao/tools"
)

// channelLife is how long it is believed who reads a channel; an event of Slack's ends it earlier.
const channelLife = time.Minute

// Whether others than the team read a channel, as it is remembered.
const (
	readByTeam   = "team"
	readByOthers = "others"
)

// why nothing of the bank's is posted to a place; its words are the administrator's.
const (
	sharedChannel = "shared_channel"
	notOfTeam     = "not_of_team"
)

// conversationInfo is what conversations.info says of who reads a channel.
type conversationInfo struct {
	Channel struct {
		External        bool     `json:"is_ext_shared"`
		PendingExternal bool     `json:"is_pending_ext_shared"`
		Pending         []string `json:"pending_shared"`
		Teams           []string `json:"shared_team_ids"`
		Connected       []string `json:"connected_team_ids"`
		Invited         []string `json:"pending_connected_team_ids"`
	} `json:"channel"`
}

// foreign tells whether others than us read the channel, or are invited to. Each sign is enough.
func (i conversationInfo) foreign(us identity) bool {
	c := i.Channel
	return c.External || c.PendingExternal || slices.ContainsFunc(slices.Concat(c.Pending, c.Teams, c.Connected, c.Invited), func(team string) bool {
		return team != us.Team && team != us.Enterprise
	})
}

// outsiders tells whether people from outside the team read a channel, or are invited to: another company through Slack
// Connect, or another workspace of the same organisation.
func (a *App) outsiders(ctx context.Context, channel string) (bool, error) {
	if known, ok, err := a.store.Get(ctx, "channel", channel); err == nil && ok {
		return string(known) == readByOthers, nil
	}
	return a.lookUpOutsiders(ctx, channel)
}

// lookUpOutsiders asks Slack, and remembers the answer for all replicas.
func (a *App) lookUpOutsiders(ctx context.Context, channel string) (bool, error) {
	us, err := a.ourselves(ctx)
	if err != nil {
		return false, err
	}
	var found conversationInfo
	if err := a.call(ctx, "conversations.info", url.Values{"channel": {channel}}, &found); err != nil {
		return false, err
	}
	others, known := found.foreign(us), readByTeam
	if others {
		known = readByOthers
	}
	if err := a.store.Put(ctx, "channel", channel, []byte(known), channelLife); err != nil {
		a.log.WarnContext(ctx, "who reads a channel could not be remembered", "error", logged(err))
	}
	return others, nil
}

// withheld is why a place is not told what the bank says, nil where it is: people from outside the team would read it.
func (a *App) withheld(ctx context.Context, method, place string) error {
	id, known := target(place)
	if !known { // refused elsewhere
		return nil
	}
	if user, direct := person(place); direct {
		actor, err := a.known(ctx, user)
		failed, ofSlack := errors.AsType[*slackError](err)
		switch {
		case ofSlack && failed.code != "":
			return reject(failed.method, failed.code, retryDelay)
		case err != nil:
			return notSent(err)
		case actor.Guest:
			return reject(method, notOfTeam, 0)
		}
		return nil
	}
	others, err := a.outsiders(ctx, id)
	switch {
	case err != nil:
		return notSent(err)
	case others:
		return reject(method, sharedChannel, 0)
	}
	return nil
}

// readBy notes for a call of a tool that subscribes the place where a person is whether outsiders read there. What Slack
// does not show us we cannot post to either.
func (a *App) readBy(ctx context.Context, actor *tools.Actor, tool *tools.Tool) error {
	id, known := target(actor.Destination)
	if _, direct := person(actor.Destination); !tool.Subscribes || !known || direct {
		return nil
	}
	others, err := a.outsiders(ctx, id)
	if missing, is := errors.AsType[*outOfReach](err); is && missing.why == "channel_not_found" {
		return nil
	}
	actor.Outsiders = others
	return err
}

// shared hears that a channel is read by others than before.
func (a *App) shared(ctx context.Context, kind, channel string) error {
	if channel == "" {
		return nil
	}
	others, err := a.lookUpOutsiders(ctx, channel)
	if err != nil || others {
		return err
	}
	return a.reachable(ctx, kind, "", channel)
}
