package slacksim

import (
	"context"
	"errors"
	"strings"

	"github.com/balcao/balcao/internal/pause"
)

// Event sends an event to the app in the background, with Slack's retries; see WaitEvents. inner is the value of "event".
// Nothing is sent if the manifest does not subscribe to its type.
func (s *Sim) Event(inner map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.event(inner)
}

// maxPending bounds the events in delivery. Further events are dropped, as Slack drops those over its limit.
const maxPending = 1000

// event is Event with s.mu held.
func (s *Sim) event(inner map[string]any) {
	kind := str(inner["type"])
	if kind == "message" {
		kind = "message." + str(inner["channel_type"])
	}
	if !s.manifest.subscribes(kind) || s.pending >= maxPending || s.ctx.Err() != nil {
		return
	}
	p := jsonPayload("event_callback", map[string]any{
		"token": verificationToken, "team_id": TeamID, "api_app_id": AppID, "type": "event_callback", "event": inner,
		"event_id": newID("Ev"), "event_time": s.now().Unix(), "event_context": randomHex(8), "is_ext_shared_channel": s.isExternal(inner["channel"]),
		"authorizations": []any{map[string]any{
			"enterprise_id": nil, "team_id": TeamID, "user_id": BotUserID, "is_bot": true, "is_enterprise_install": false,
		}},
	})
	s.pending++
	s.work.Go(func() {
		s.sendEvent(p)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.pending--
		s.notifyChange()
	})
}

// isExternal reports whether a channel is shared with another company. s.mu must be held.
func (s *Sim) isExternal(channel any) bool {
	c := s.channels[str(channel)]
	return c != nil && len(c.shared) > 0 && !c.org
}

// sendEvent delivers an event until it is acknowledged or no retries are left.
func (s *Sim) sendEvent(p payload) {
	done := s.send(s.ctx, p, 0, "")
	for i, delay := range s.cfg.RetryDelays {
		if done.Failure == "" || done.noRetry {
			return
		}
		if !pause.For(s.ctx, delay) {
			return
		}
		done = s.send(s.ctx, p, i+1, done.Failure)
	}
}

// WaitEvents waits until every event is acknowledged or has used up its retries.
func (s *Sim) WaitEvents(ctx context.Context) error {
	_, err := wait(ctx, s, func() (struct{}, bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return struct{}{}, s.pending == 0
	})
	return err
}

// postAsUser posts a person's message. The app gets an event for direct messages and mentions.
func (s *Sim) postAsUser(_ context.Context, userID, channelID, text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[channelID]
	switch {
	case c == nil || !c.hasMember(userID):
		return errors.New("slacksim: the person is not in that channel")
	case c.archived:
		return errors.New("slacksim: the channel is archived")
	case strings.TrimSpace(text) == "" || len(text) > maxMessageText:
		return errors.New("slacksim: the text is empty or too long")
	}
	m := &message{user: userID, text: text}
	s.add(c, m)
	inner := map[string]any{
		"type": "message", "channel": c.id, "user": userID, "text": text, "ts": m.ts, "event_ts": m.ts,
		"client_msg_id": randomHex(16), "team": TeamID,
	}
	switch {
	case c.im != "":
		inner["channel_type"] = "im"
	case strings.Contains(text, "<@"+BotUserID+">") && c.hasMember(BotUserID):
		inner["type"] = "app_mention"
	default:
		return nil
	}
	s.event(inner)
	return nil
}

// openHome sends app_home_opened.
func (s *Sim) openHome(userID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[userID]
	if u == nil {
		return errors.New("slacksim: there is no such person")
	}
	inner := map[string]any{
		"type": "app_home_opened", "user": userID, "channel": s.dm(userID).id, "tab": "home", "event_ts": s.timestamp(),
	}
	if u.home != nil {
		inner["view"] = u.home.forApp()
	}
	s.event(inner)
	return nil
}
