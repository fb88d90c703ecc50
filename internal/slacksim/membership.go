package slacksim

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// builtInCommands are Slack's own commands. /unarchive is a menu item in Slack, not a command.
var builtInCommands = map[string]func(s *Sim, userID string, c *channel, rest string) error{
	"/invite":    (*Sim).invite,
	"/remove":    (*Sim).remove,
	"/archive":   func(s *Sim, userID string, c *channel, _ string) error { return s.archive(userID, c, true) },
	"/unarchive": func(s *Sim, userID string, c *channel, _ string) error { return s.archive(userID, c, false) },
}

// Invite adds the app's bot to a channel, as "/invite @Balcão" does.
func (u *User) Invite(ctx context.Context, channel string) error {
	return u.Command(ctx, channel, "/invite @"+u.sim.manifest.name())
}

// Remove removes the app's bot from a channel.
func (u *User) Remove(ctx context.Context, channel string) error {
	return u.Command(ctx, channel, "/remove @"+u.sim.manifest.name())
}

// Archive archives a channel: nothing can be posted there any more.
func (u *User) Archive(ctx context.Context, channel string) error {
	return u.Command(ctx, channel, "/archive")
}

// Unarchive makes an archived channel active again.
func (u *User) Unarchive(ctx context.Context, channel string) error {
	return u.Command(ctx, channel, "/unarchive")
}

// Share shares a channel with another company, whose people read it from now on. With org it is shared with another
// workspace of the same organisation instead.
func (s *Sim) Share(channel string, org bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[channel]
	c.shared, c.invited, c.org = []string{StrangerTeamID}, nil, org
	s.event(map[string]any{"type": "channel_shared", "connected_team_id": StrangerTeamID, "channel": c.id, "event_ts": s.timestamp()})
	s.notifyChange()
}

// InviteCompany adds a pending invitation for another company to a channel. Slack sends no event for it.
func (s *Sim) InviteCompany(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels[channel].invited = []string{StrangerTeamID}
	s.notifyChange()
}

// Unshare ends the sharing of a channel.
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

// Revoke revokes the bot's token, as uninstalling the app does, and sends tokens_revoked.
func (s *Sim) Revoke() { s.setRevoked(true) }

// Restore makes the bot's token valid again.
func (s *Sim) Restore() { s.setRevoked(false) }

// Grant replaces the scopes of the bot's token, as of an app that was installed with another manifest.
func (s *Sim) Grant(scopes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.granted = scopes
}

// Deactivate deactivates a person's account.
func (s *Sim) Deactivate(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[user].deleted = true
	s.notifyChange()
}

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

// isBotName reports whether a mention is that of the app's bot.
func (s *Sim) isBotName(mention string) bool {
	name := strings.TrimPrefix(strings.TrimSpace(mention), "@")
	return strings.EqualFold(name, s.manifest.name()) || name == "balcao" || name == "<@"+BotUserID+">"
}

// invite adds the bot to a channel. s.mu must be held, as for remove and archive.
func (s *Sim) invite(userID string, c *channel, mention string) error {
	switch {
	case !s.isBotName(mention) || c.im != "":
		return errors.New("slacksim: only the app can be invited, and only to channels")
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
		return errors.New("slacksim: only the app can be removed, and only from channels")
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
		return errors.New("slacksim: a direct message cannot be archived")
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
