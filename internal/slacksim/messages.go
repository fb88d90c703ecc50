package slacksim

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/time/rate"
)

type message struct {
	ts, thread  string
	user        string
	text        string
	blocks      json.RawMessage // nil without blocks
	ephemeralTo string          // the only person who sees it, or ""
	edited      bool
	files       []*file
	metadata    json.RawMessage
	unfurls     bool
	stateByUser map[string]State // by user
}

func (m *message) visibleTo(user string) bool { return m.ephemeralTo == "" || m.ephemeralTo == user }

func (m *message) forUser(channel string) Message {
	seen := Message{
		Channel: channel, TS: m.ts, ThreadTS: m.thread, User: m.user, Text: m.text, Blocks: slices.Clone(m.blocks),
		Ephemeral: m.ephemeralTo != "", Edited: m.edited, Unfurls: m.unfurls,
		Metadata: slices.Clone(m.metadata),
	}
	for _, f := range m.files {
		seen.Files = append(seen.Files, f.forUser())
	}
	return seen
}

// forApp returns the message object that the app gets.
func (m *message) forApp() map[string]any {
	out := map[string]any{"type": "message", "ts": m.ts, "user": m.user, "text": m.text, "team": TeamID}
	if m.user == BotUserID {
		out["bot_id"], out["app_id"] = BotID, AppID
	}
	if m.blocks != nil {
		out["blocks"] = m.blocks
	}
	if m.thread != "" {
		out["thread_ts"] = m.thread
	}
	if m.metadata != nil {
		out["metadata"] = m.metadata
	}
	if m.edited {
		out["edited"] = map[string]any{"user": m.user, "ts": m.ts}
	}
	return out
}

// add appends a message to a channel. s.mu must be held.
func (s *Sim) add(c *channel, m *message) {
	m.ts = s.timestamp()
	c.messages = append(c.messages, m)
	if over := len(c.messages) - s.cfg.MaxMessages; over > 0 {
		c.messages = slices.Delete(c.messages, 0, over)
	}
	s.notifyChange()
}

func (c *channel) message(ts string) *message {
	for _, m := range slices.Backward(c.messages) {
		if m.ts == ts {
			return m
		}
	}
	return nil
}

// content parses the text, blocks and metadata of a message. Text is required even with blocks, because notifications and
// screen readers use it; Slack only warns of its absence.
func content(a args) (*message, *refusal) {
	m := &message{user: BotUserID, text: a["text"]}
	if a.has("attachments") && a["attachments"] != "[]" && a["attachments"] != "null" {
		return nil, refuse("invalid_attachments", pointerProblem("/attachments", "attachments are not simulated"))
	}
	if strings.TrimSpace(m.text) == "" {
		return nil, refuse("no_text")
	}
	if utf8.RuneCountInString(m.text) > maxMessageText {
		return nil, refuse("msg_too_long")
	}
	if raw := a["blocks"]; raw != "" {
		if list(decodeAny([]byte(raw))) == nil || !json.Valid([]byte(raw)) {
			return nil, refuse("invalid_blocks_format")
		}
		problems, tooLong := checkMessage([]byte(raw))
		if len(problems) > 0 {
			return nil, refuse("invalid_blocks", problems...)
		}
		if tooLong {
			return nil, refuse("msg_blocks_too_long")
		}
		m.blocks = withIDs(json.RawMessage(raw))
	}
	if raw := a["metadata"]; raw != "" {
		details := decode([]byte(raw))
		if str(details["event_type"]) == "" || object(details["event_payload"]) == nil || !json.Valid([]byte(raw)) {
			return nil, refuse("invalid_metadata_format")
		}
		if len(raw) > maxMetadataSize {
			return nil, refuse("metadata_too_large")
		}
		m.metadata = json.RawMessage(raw)
	}
	return m, nil
}

// channelToPost returns the channel for a message: one that the bot has joined, or a person's direct message channel.
// s.mu must be held.
func (s *Sim) channelToPost(id string) (*channel, *refusal) {
	if s.users[id] != nil {
		return s.dm(id), nil
	}
	c := s.channels[id]
	switch {
	case c == nil:
		return nil, refuse("channel_not_found")
	case c.archived:
		return nil, refuse("is_archived")
	case !c.hasMember(BotUserID):
		return nil, refuse("not_in_channel")
	}
	return c, nil
}

func (s *Sim) postMessage(a args) (response, *refusal) {
	m, refused := content(a)
	if refused != nil {
		return nil, refused
	}
	s.mu.Lock()
	c, refused := s.channelToPost(a["channel"])
	if refused == nil && a["thread_ts"] != "" && c.message(a["thread_ts"]) == nil {
		refused = refuse("thread_not_found")
	}
	s.mu.Unlock()
	if refused != nil {
		return nil, refused
	}
	if r := s.cfg.Rate; r.MessagesPerSecond > 0 {
		if refused := s.checkRate("messages "+c.id, rate.Limit(r.MessagesPerSecond), r.Burst); refused != nil {
			return nil, refused
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m.thread = a["thread_ts"]
	m.unfurls = a.isTrue("unfurl_links") || a["unfurl_media"] != "false" // media are unfurled by default
	s.add(c, m)
	return response{"channel": c.id, "ts": m.ts, "message": m.forApp()}, nil
}

func (s *Sim) postEphemeral(a args) (response, *refusal) {
	m, refused := content(a)
	if refused != nil {
		return nil, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[a["channel"]]
	switch {
	case c == nil:
		return nil, refuse("channel_not_found")
	case c.archived:
		return nil, refuse("is_archived")
	case !c.hasMember(BotUserID):
		return nil, refuse("not_in_channel")
	case s.users[a["user"]] == nil:
		return nil, refuse("user_not_found")
	case !c.hasMember(a["user"]):
		return nil, refuse("user_not_in_channel")
	}
	m.ephemeralTo, m.thread = a["user"], a["thread_ts"]
	s.add(c, m)
	return response{"message_ts": m.ts}, nil
}

// ownMessage returns a message of the app that can be changed; ephemeral ones cannot. s.mu must be held.
func (s *Sim) ownMessage(a args, otherwise string) (*channel, *message, *refusal) {
	c := s.channels[a["channel"]]
	if c == nil {
		return nil, nil, refuse("channel_not_found")
	}
	m := c.message(a["ts"])
	switch {
	case c.archived:
		return nil, nil, refuse("is_inactive")
	case !c.hasMember(BotUserID):
		return nil, nil, refuse("not_in_channel")
	case m == nil || m.ephemeralTo != "":
		return nil, nil, refuse("message_not_found")
	case m.user != BotUserID:
		return nil, nil, refuse(otherwise)
	}
	return c, m, nil
}

func (s *Sim) updateMessage(a args) (response, *refusal) {
	updated, refused := content(a)
	if refused != nil {
		return nil, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, m, refused := s.ownMessage(a, "cant_update_message")
	if refused != nil {
		return nil, refused
	}
	m.replaceContent(updated, a.has("blocks"))
	s.notifyChange()
	return response{"channel": c.id, "ts": m.ts, "text": m.text, "message": m.forApp()}, nil
}

// replaceContent gives a message new content. Without blocks in the call the old blocks stay.
func (m *message) replaceContent(updated *message, blocks bool) {
	m.text, m.edited = updated.text, true
	if blocks {
		m.blocks, m.stateByUser = updated.blocks, nil
	}
	if updated.metadata != nil {
		m.metadata = updated.metadata
	}
}

func (s *Sim) deleteMessage(a args) (response, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, m, refused := s.ownMessage(a, "cant_delete_message")
	if refused != nil {
		return nil, refused
	}
	c.remove(m)
	s.notifyChange()
	return response{"channel": c.id, "ts": m.ts}, nil
}

func (c *channel) remove(m *message) {
	c.messages = slices.DeleteFunc(c.messages, func(other *message) bool { return other == m })
}
