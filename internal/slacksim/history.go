package slacksim

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Limits of conversations.history and conversations.replies.
const (
	historyPage = 100 // default limit of conversations.history
	maxHistory  = 999
	maxReplies  = 1000 // also the default
)

// historyRange is the part of a conversation that a call requests.
type historyRange struct {
	oldest, latest int64 // in µs; a latest of 0 means now
	inclusive      bool
	from           int64 // the cursor: where the page begins; 0 means the first page
	limit          int
	metadata       bool
}

// parseRange parses the arguments of a call. page is the default limit, maximum the largest.
func parseRange(a args, page, maximum int) (historyRange, *refusal) {
	w := historyRange{limit: page, inclusive: a.isTrue("inclusive"), metadata: a.isTrue("include_all_metadata")}
	var ok bool
	if w.oldest, ok = parseTS(a["oldest"]); !ok {
		return w, refuse("invalid_ts_oldest")
	}
	if w.latest, ok = parseTS(a["latest"]); !ok {
		return w, refuse("invalid_ts_latest")
	}
	if text := a["limit"]; text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > maximum {
			return w, refuse("invalid_limit")
		}
		w.limit = limit
	}
	if text := a["cursor"]; text != "" {
		plain, err := base64.StdEncoding.DecodeString(text)
		digits, found := strings.CutPrefix(string(plain), "next_ts:")
		if w.from, _ = strconv.ParseInt(digits, 10, 64); err != nil || !found || w.from <= 0 {
			return w, refuse("invalid_cursor")
		}
	}
	return w, nil
}

func cursorAt(m *message) string {
	at, _ := parseTS(m.ts)
	return base64.StdEncoding.EncodeToString([]byte("next_ts:" + strconv.FormatInt(at, 10)))
}

// parseTS parses a message timestamp into microseconds; "" is 0.
func parseTS(ts string) (int64, bool) {
	if ts == "" {
		return 0, true
	}
	whole, fraction, _ := strings.Cut(ts, ".")
	if len(fraction) > 6 {
		return 0, false
	}
	at, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", 6-len(fraction)), 10, 64)
	return at, err == nil && at >= 0
}

// contains reports whether a message is between oldest and latest.
func (w historyRange) contains(m *message) bool {
	at, _ := parseTS(m.ts)
	if w.inclusive && (at == w.oldest || at == w.latest) {
		return true
	}
	return at > w.oldest && (w.latest == 0 || at < w.latest)
}

// readableChannel returns a conversation that the app may read. s.mu must be held.
func (s *Sim) readableChannel(id string) (*channel, response, *refusal) {
	c := s.channels[id]
	if c == nil {
		return nil, nil, refuse("channel_not_found")
	}
	scope := "channels:history"
	if c.im != "" {
		scope = "im:history"
	}
	if !slices.Contains(s.granted, scope) {
		return nil, response{"needed": scope, "provided": strings.Join(s.granted, ",")}, refuse("missing_scope")
	}
	if !c.hasMember(BotUserID) {
		return nil, nil, refuse("not_in_channel")
	}
	return c, nil, nil
}

// history returns the messages of a conversation without replies in threads, the newest first.
func (s *Sim) history(a args) (response, *refusal) {
	w, refused := parseRange(a, historyPage, maxHistory)
	if refused != nil {
		return nil, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, why, refused := s.readableChannel(a["channel"])
	if refused != nil {
		return why, refused
	}
	var found []*message
	for _, m := range slices.Backward(c.messages) {
		at, _ := parseTS(m.ts)
		if m.ephemeralTo == "" && m.thread == "" && w.contains(m) && (w.from == 0 || at <= w.from) {
			found = append(found, m)
		}
	}
	out := w.page(c, nil, found)
	out["pin_count"] = 0
	return out, nil
}

// threadReplies returns a thread, the oldest message first. Every page begins with the thread's first message.
func (s *Sim) threadReplies(a args) (response, *refusal) {
	w, refused := parseRange(a, maxReplies, maxReplies)
	if refused != nil {
		return nil, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, why, refused := s.readableChannel(a["channel"])
	if refused != nil {
		return why, refused
	}
	root := c.message(a["ts"])
	if root == nil || root.ephemeralTo != "" {
		return nil, refuse("thread_not_found")
	}
	var found []*message
	for _, m := range c.replies(root) {
		if at, _ := parseTS(m.ts); w.contains(m) && at >= w.from {
			found = append(found, m)
		}
	}
	return w.page(c, []*message{root}, found), nil
}

// replies returns the replies to a message, without ephemeral ones.
func (c *channel) replies(root *message) []*message {
	var replies []*message
	for _, m := range c.messages {
		if m.ephemeralTo == "" && m.thread == root.ts && m != root {
			replies = append(replies, m)
		}
	}
	return replies
}

// page returns the messages in always, then those of found up to the limit.
func (w historyRange) page(c *channel, always, found []*message) response {
	next, more := "", len(found) > w.limit
	if more {
		next, found = cursorAt(found[w.limit]), found[:w.limit]
	}
	shown := []any{}
	for _, m := range append(always, found...) {
		shown = append(shown, c.forHistory(m, w.metadata))
	}
	return response{"messages": shown, "has_more": more, "response_metadata": map[string]any{"next_cursor": next}}
}

// forHistory returns a message as the history methods do: with the counts of its thread, and with the payload of its
// metadata only if requested.
func (c *channel) forHistory(m *message, metadata bool) map[string]any {
	out := m.forApp()
	if m.metadata != nil && !metadata {
		out["metadata"] = map[string]any{"event_type": decode(m.metadata)["event_type"]}
	}
	if root := c.message(m.thread); root != nil && root != m {
		out["parent_user_id"] = root.user
	}
	replies := c.replies(m)
	if len(replies) == 0 {
		return out
	}
	users := map[string]bool{}
	for _, reply := range replies {
		users[reply.user] = true
	}
	out["thread_ts"], out["reply_count"], out["latest_reply"] = m.ts, len(replies), replies[len(replies)-1].ts
	out["reply_users"], out["reply_users_count"] = slices.Sorted(maps.Keys(users)), len(users)
	return out
}

func (s *Sim) permalink(a args) (response, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[a["channel"]]
	if c == nil {
		return nil, refuse("channel_not_found")
	}
	m := c.message(a["message_ts"])
	if m == nil || m.ephemeralTo != "" {
		return nil, refuse("message_not_found")
	}
	link := "https://" + TeamDomain + ".slack.com/archives/" + c.id + "/p" + strings.ReplaceAll(m.ts, ".", "")
	if m.thread != "" {
		link += "?thread_ts=" + m.thread + "&cid=" + c.id
	}
	return response{"channel": c.id, "permalink": link}, nil
}

// Thread is a message and its replies, the oldest first.
type Thread struct {
	Message
	Replies []Message
}

// Threads lists what everybody sees in a channel, thread by thread, the oldest first. A reply whose first message is no
// longer stored is alone.
func (s *Sim) Threads(channel string) []Thread {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[channel]
	if c == nil {
		return nil
	}
	var threads []Thread
	at := map[string]int{}
	for _, m := range c.messages {
		if m.ephemeralTo != "" {
			continue
		}
		if i, ok := at[m.thread]; ok {
			threads[i].Replies = append(threads[i].Replies, m.forUser(c.id))
			continue
		}
		at[m.ts] = len(threads)
		threads = append(threads, Thread{Message: m.forUser(c.id)})
	}
	return threads
}

// EventType returns the event_type of the message's metadata, "" if there is none.
func (m Message) EventType() string { return str(decode(m.Metadata)["event_type"]) }

// Payload returns the event_payload of the message's metadata, nil if there is none.
func (m Message) Payload() json.RawMessage {
	var metadata struct {
		Payload json.RawMessage `json:"event_payload"`
	}
	_ = json.Unmarshal(m.Metadata, &metadata)
	return metadata.Payload
}
