package slacksim

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// command sends a slash command and shows the app's direct response.
func (s *Sim) command(ctx context.Context, userID, channelID, line string) error {
	name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
	s.mu.Lock()
	u, c := s.users[userID], s.channels[channelID]
	if u == nil || c == nil || !c.hasMember(userID) {
		s.mu.Unlock()
		return &AppError{"channel_not_found", "the person is not in that channel"}
	}
	if do := builtInCommands[name]; do != nil {
		defer s.mu.Unlock()
		return do(s, userID, c, text)
	}
	if !strings.HasPrefix(name, "/") || !s.manifest.hasCommand(name) {
		s.showNotice(u, u.text("dispatch_unknown_command", map[string]any{"command": name}))
		s.mu.Unlock()
		return &AppError{"dispatch_unknown_command", name + " is not in the manifest"}
	}
	if s.manifest.escapesCommand(name) {
		text = s.escapeEntities(text)
	}
	form := url.Values{
		"token": {verificationToken}, "team_id": {TeamID}, "team_domain": {TeamDomain}, "channel_id": {c.id},
		"channel_name": {c.nameForApp()}, "user_id": {u.id}, "user_name": {u.handle}, "command": {name},
		"text": {strings.TrimSpace(text)}, "api_app_id": {AppID}, "is_enterprise_install": {"false"},
		"response_url": {s.newResponseURL(u.id, c.id, "")}, "trigger_id": {s.newTrigger(u.id, false)},
	}
	s.mu.Unlock()
	done := s.send(ctx, formPayload("slash_commands", form), 0, "")
	err := done.appError()
	if err == nil && len(done.Body) > 0 {
		err = s.showCommandResponse(u, c, done)
	}
	if failed := (*AppError)(nil); errors.As(err, &failed) {
		s.mu.Lock()
		s.showNotice(u, u.text(failed.Code, map[string]any{"command": name}))
		s.mu.Unlock()
	}
	return err
}

// escapePattern matches what Slack replaces in the text of a command with should_escape.
var escapePattern = regexp.MustCompile(`[&<>]|[@#][\p{L}\p{N}._-]+|https?://\S+`)

// escapeEntities replaces the users, channels and links in a command's text as Slack does. s.mu must be held.
func (s *Sim) escapeEntities(text string) string {
	return escapePattern.ReplaceAllStringFunc(text, func(found string) string {
		switch found[0] {
		case '&':
			return "&amp;"
		case '<':
			return "&lt;"
		case '>':
			return "&gt;"
		case 'h':
			return "<" + found + ">"
		case '@':
			for _, u := range s.users {
				if u.handle == found[1:] {
					return "<@" + u.id + "|" + u.handle + ">"
				}
			}
		case '#':
			for _, c := range s.channels {
				if c.im == "" && c.name == found[1:] {
					return "<#" + c.id + "|" + c.name + ">"
				}
			}
		}
		return found
	})
}

// showCommandResponse shows the message in the direct response to a command.
func (s *Sim) showCommandResponse(u *user, c *channel, done DeliveryResult) error {
	a, ok := jsonArgs(done.Body)
	if !ok {
		a = args{"text": string(done.Body)}
	}
	if len(a) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if refused := s.applyResponse(&responseURL{user: u.id, channel: c.id}, a); refused != nil {
		return &AppError{"dispatch_failed", fmt.Sprint("the direct response: ", refused.code, refused.messages)}
	}
	return nil
}
