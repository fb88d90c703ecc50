package slacksim

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Limits of the methods that read what was written.
const (
	historyPage = 100 // messages of conversations.history, unless limit says otherwise
	maxHistory  = 999
	maxReplies  = 1000 // also without a limit
)

// span is the part of a conversation that a call asks for.
type historyRange struct {
	oldest, latest int64 // both in µs; latest is 0 for now
	inclusive      bool
	from           int64 // where the page begins, by its cursor; 0 for the first
	limit          int
	metadata       bool
}

// spanOf reads which part is wanted; page and most bound how much comes at once.
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

// micros reads a timestamp as microseconds, 0 where there is none.
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

// has tells whether a message lies between oldest and latest.
func (w historyRange) contains(m *message) bool {
	at, _ := parseTS(m.ts)
	if w.inclusive && (at == w.oldest || at == w.latest) {
		return true
	}
	return at > w.oldest && (w.latest == 0 || at < w.latest)
}

// readable finds a conversation that the app may read. Call it with s.mu held.
func (s *Sim) readableChannel(id string) (*channel, response, *refusal) {
	c := s.channels[id]
	if c == nil {
		return nil, nil, refuse("channel_not_found")
	}
	scope := "channels:history"
	if c.im != "" {
		scope = "im:history"
	}
	if !s.manifest.grants(scope) {
		return nil, response{"needed": scope, "provided": strings.Join(s.manifest.scopes(), ",")}, refuse("missing_scope")
	}
	if !c.hasMember(BotUserID) {
		return nil, nil, refuse("not_in_channel")
	}
	return c, nil, nil
}

// history gives what stands in a conversation outside its threads, the newest first.
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

// threadReplies gives a thread, the oldest first; its first message comes with every page.
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

// thread are the replies under a message, for everybody's eyes.
func (c *channel) replies(root *message) []*message {
	var replies []*message
	for _, m := range c.messages {
		if m.ephemeralTo == "" && m.thread == root.ts && m != root {
			replies = append(replies, m)
		}
	}
	return replies
}

// page gives as much of what was found as fits, after what comes with every page.
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

// read is a message as it is read back: with what it has of a thread, and of its metadata only the type unless all of
// it was asked for.
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
// longer kept stands alone.
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

// EventType and Payload are what the message's metadata say, "" and nil where there are none. Nobody sees them.
func (m Message) EventType() string { return str(decode(m.Metadata)["event_type"]) }

// Payload is documented at [ErrorMessage.EventType].
func (m Message) Payload() json.RawMessage {
	var metadata struct {
		Payload json.RawMessage `json:"event_payload"`
	}
	_ = json.Unmarshal(m.Metadata, &metadata)
	return metadata.Payload
}
