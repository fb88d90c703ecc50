package slacksim

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// What a person does to a channel with Slack's own commands. Unarchiving has none in Slack, where it is in a menu.
var builtInCommands = map[string]func(s *Sim, userID string, c *channel, rest string) error{
	"/invite":    (*Sim).invite,
	"/remove":    (*Sim).remove,
	"/archive":   func(s *Sim, userID string, c *channel, _ string) error { return s.archive(userID, c, true) },
	"/unarchive": func(s *Sim, userID string, c *channel, _ string) error { return s.archive(userID, c, false) },
}

// Invite brings the app's bot into a channel that this person is in, as "/invite @Balcão" does.
func (u *User) Invite(ctx context.Context, channel string) error {
	return u.Command(ctx, channel, "/invite @"+u.sim.manifest.name())
}

// Remove sends the app's bot out of a channel.
func (u *User) Remove(ctx context.Context, channel string) error {
	return u.Command(ctx, channel, "/remove @"+u.sim.manifest.name())
}

// Archive closes a channel: nothing can be written there any more.
func (u *User) Archive(ctx context.Context, channel string) error {
	return u.Command(ctx, channel, "/archive")
}

// Unarchive opens it again.
func (u *User) Unarchive(ctx context.Context, channel string) error {
	return u.Command(ctx, channel, "/unarchive")
}

// Share has another company accept an invitation to a channel: its people read there from now on. With org the channel is
// shared with another workspace of the same organisation instead.
func (s *Sim) Share(channel string, org bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[channel]
	c.shared, c.invited, c.org = []string{StrangerTeamID}, nil, org
	s.event(map[string]any{"type": "channel_shared", "connected_team_id": StrangerTeamID, "channel": c.id, "event_ts": s.timestamp()})
	s.notifyChange()
}

// InviteCompany invites another company to share a channel. It has not answered yet, and Slack tells the app nothing.
func (s *Sim) InviteCompany(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels[channel].invited = []string{StrangerTeamID}
	s.notifyChange()
}

// Unshare makes a channel the workspace's alone again.
func (s *Sim) Unshare(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[channel]
	c.shared, c.invited, c.org = nil, nil, false
	s.event(map[string]any{
		"type": "channel_unshared", "previously_connected_team_id": StrangerTeamID, "channel": c.id, "is_ext_shared": false, "event_ts": s.timestamp(),
	})
	s.notifyChange()
}

// Revoke takes the bot's token away, as uninstalling the app does, and tells the app so.
func (s *Sim) Revoke() { s.setRevoked(true) }

// Restore makes the bot's token good again.
func (s *Sim) Restore() { s.setRevoked(false) }

func (s *Sim) setRevoked(revoked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoked = revoked
	if revoked {
		s.event(map[string]any{"type": "tokens_revoked", "tokens": map[string]any{"oauth": []string{}, "bot": []string{BotUserID}}, "event_ts": s.timestamp()})
	}
	s.notifyChange()
}

func (s *Sim) isRevoked() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revoked
}

// names tells whether a mention is of the app's bot.
func (s *Sim) isBotName(mention string) bool {
	name := strings.TrimPrefix(strings.TrimSpace(mention), "@")
	return strings.EqualFold(name, s.manifest.name()) || name == "balcao" || name == "<@"+BotUserID+">"
}

// invite and remove are called with s.mu held.
func (s *Sim) invite(userID string, c *channel, mention string) error {
	switch {
	case !s.isBotName(mention) || c.im != "":
		return errors.New("slacksim: only the app is invited here, and only into channels")
	case c.archived:
		return errors.New("slacksim: the channel is archived")
	case c.hasMember(BotUserID):
		return nil
	}
	c.members = append(c.members, BotUserID)
	s.event(map[string]any{
		"type": "member_joined_channel", "user": BotUserID, "channel": c.id, "channel_type": "C", "team": TeamID,
		"inviter": userID, "event_ts": s.timestamp(),
	})
	s.notifyChange()
	return nil
}

func (s *Sim) remove(_ string, c *channel, mention string) error {
	if !s.isBotName(mention) || c.im != "" {
		return errors.New("slacksim: only the app is removed here, and only from channels")
	}
	if !c.hasMember(BotUserID) {
		return nil
	}
	c.members = slices.DeleteFunc(c.members, func(id string) bool { return id == BotUserID })
	s.event(map[string]any{
		"type": "member_left_channel", "user": BotUserID, "channel": c.id, "channel_type": "C", "team": TeamID,
		"event_ts": s.timestamp(),
	})
	s.notifyChange()
	return nil
}

func (s *Sim) archive(userID string, c *channel, archived bool) error {
	if c.im != "" {
		return errors.New("slacksim: a direct conversation is not archived")
	}
	if c.archived == archived {
		return nil
	}
	kind := "channel_archive"
	if !archived {
		kind = "channel_unarchive"
	}
	c.archived = archived
	s.event(map[string]any{"type": kind, "channel": c.id, "user": userID, "event_ts": s.timestamp()})
	s.notifyChange()
	return nil
}
