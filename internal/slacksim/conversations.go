package slacksim

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

type channel struct {
	id, name string
	im       string // the person of a direct message with the app, or ""
	members  []string
	shared   []string // the other teams that it is shared with
	invited  []string // the teams with a pending invitation
	org      bool     // shared within one organisation, not through Slack Connect
	archived bool
	created  time.Time
	messages []*message
}

func newChannels(cfg Config) map[string]*channel {
	all := []*channel{
		{id: TeamChannel, name: "equipa", members: []string{Ana, Tom, Guest}},
		{id: GeneralChannel, name: "geral", members: []string{Ana, Tom}},
		{id: SharedChannel, name: "parceiros", members: []string{Ana, Tom, Stranger}, shared: []string{StrangerTeamID}},
	}
	channels := map[string]*channel{}
	for _, c := range all {
		c.created = cfg.Now()
		if slices.Contains(cfg.BotChannels, c.id) {
			c.members = append(c.members, BotUserID)
		}
		channels[c.id] = c
	}
	return channels
}

// nonNil returns a copy of ids that JSON does not encode as null.
func nonNil(ids []string) []string { return append([]string{}, ids...) }

func (c *channel) hasMember(user string) bool { return slices.Contains(c.members, user) }

func (c *channel) info() map[string]any {
	external := len(c.shared) > 0 && !c.org
	info := map[string]any{
		"id": c.id, "created": c.created.Unix(), "is_im": c.im != "", "is_channel": c.im == "", "is_group": false,
		"is_mpim": false, "is_private": c.im != "", "is_archived": c.archived, "is_member": c.hasMember(BotUserID),
		"is_shared": len(c.shared) > 0, "is_ext_shared": external, "is_org_shared": c.org && len(c.shared) > 0,
		"is_pending_ext_shared": len(c.invited) > 0, "pending_shared": nonNil(c.invited), "pending_connected_team_ids": nonNil(c.invited),
		"context_team_id": TeamID, "shared_team_ids": append([]string{TeamID}, c.shared...),
	}
	if external {
		info["connected_team_ids"], info["conversation_host_id"] = c.shared, TeamID
	}
	if c.im != "" {
		info["user"], info["is_open"] = c.im, true
		return info
	}
	info["name"], info["name_normalized"], info["num_members"] = c.name, c.name, len(c.members)
	return info
}

// nameForApp returns channel_name, which is "directmessage" for direct messages.
func (c *channel) nameForApp() string {
	if c.im != "" {
		return "directmessage"
	}
	return c.name
}

// dm returns the direct message channel of the app and a person, and creates it if necessary. s.mu must be held.
func (s *Sim) dm(userID string) *channel {
	for _, c := range s.channels {
		if c.im == userID {
			return c
		}
	}
	c := &channel{id: "D" + userID[1:], im: userID, members: []string{userID, BotUserID}, created: s.now()}
	if other := s.users[userID]; other != nil && other.stranger {
		c.shared = []string{other.teamID}
	}
	s.channels[c.id] = c
	s.notifyChange()
	return c
}

// visibleChannels returns a person's channels by name, the direct message last. s.mu must be held.
func (s *Sim) visibleChannels(userID string) []*channel {
	var seen []*channel
	for _, c := range s.channels {
		if c.hasMember(userID) {
			seen = append(seen, c)
		}
	}
	slices.SortFunc(seen, func(a, b *channel) int {
		if (a.im == "") != (b.im == "") {
			if a.im == "" {
				return -1
			}
			return 1
		}
		if a.name < b.name {
			return -1
		}
		return 1
	})
	return seen
}

func (s *Sim) conversationInfo(a args) (response, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[a["channel"]]
	if c == nil {
		return nil, refuse("channel_not_found")
	}
	if why, refused := s.readsChannel(c); refused != nil {
		return why, refused
	}
	return response{"channel": c.info()}, nil
}

// readsChannel refuses a channel whose kind no scope of the bot includes. s.mu must be held.
func (s *Sim) readsChannel(c *channel) (response, *refusal) {
	scope := "channels:read"
	if c.im != "" {
		scope = "im:read"
	}
	if !slices.Contains(s.granted, scope) {
		return response{"needed": scope, "provided": strings.Join(s.granted, ",")}, refuse("missing_scope")
	}
	return nil, nil
}

func (s *Sim) conversationMembers(a args) (response, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[a["channel"]]
	if c == nil {
		return nil, refuse("channel_not_found")
	}
	if why, refused := s.readsChannel(c); refused != nil {
		return why, refused
	}
	return response{"members": slices.Clone(c.members), "response_metadata": map[string]any{"next_cursor": ""}}, nil
}

func (s *Sim) conversationList(a args) (response, *refusal) {
	kinds := strings.Split(cmp.Or(a["types"], "public_channel"), ",")
	for _, k := range kinds {
		if !slices.Contains([]string{"public_channel", "private_channel", "mpim", "im"}, strings.TrimSpace(k)) {
			return nil, refuse("invalid_types")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []any{}
	for _, c := range s.channels {
		kind := "public_channel"
		if c.im != "" {
			kind = "im"
		}
		if slices.Contains(kinds, kind) {
			found = append(found, c.info())
		}
	}
	slices.SortFunc(found, func(a, b any) int { return cmp.Compare(str(object(a)["id"]), str(object(b)["id"])) })
	return response{"channels": found, "response_metadata": map[string]any{"next_cursor": ""}}, nil
}

func (s *Sim) conversationOpen(a args) (response, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id := a["channel"]; id != "" {
		c := s.channels[id]
		if c == nil || c.im == "" {
			return nil, refuse("channel_not_found")
		}
		return response{"channel": map[string]any{"id": c.id}}, nil
	}
	switch people := strings.Split(a["users"], ","); {
	case a["users"] == "":
		return nil, refuse("users_list_not_supplied")
	case len(people) > 1:
		return nil, refuse("invalid_user_combination", "[ERROR] conversations of several people are not simulated")
	case s.users[people[0]] == nil:
		return nil, refuse("user_not_found")
	case s.users[people[0]].deleted:
		return nil, refuse("user_disabled")
	default:
		return response{"channel": map[string]any{"id": s.dm(people[0]).id}}, nil
	}
}
