package slacksim

import (
	"slices"
	"time"
)

type user struct {
	id, handle, realName string
	locale, tz           string
	teamID               string
	guest, stranger      bool
	stack                []*view // the modals that are open, the last on top
	home                 *view
	notice               *notice
}

// notice is a line that Slack shows to one person when the app failed to answer.
type notice struct {
	ID   int    `json:"id"`
	Text string `json:"text"`
}

func newUsers(cfg Config) map[string]*user {
	all := []*user{
		{id: Ana, handle: "ana.exemplo", realName: "Ana Exemplo", locale: cfg.AnaLocale, tz: "Europe/Lisbon", teamID: TeamID},
		{id: Tom, handle: "tom.sample", realName: "Tom Sample", locale: "en-GB", tz: "Europe/London", teamID: TeamID},
		{id: Guest, handle: "convidado", realName: "Convidado Exemplo", locale: "pt-PT", tz: "Europe/Lisbon", teamID: TeamID, guest: true},
		{id: Stranger, handle: "forasteiro", realName: "Forasteiro Exemplo", tz: "Europe/Lisbon", teamID: StrangerTeamID, stranger: true},
	}
	users := map[string]*user{}
	for _, u := range all {
		users[u.id] = u
	}
	return users
}

// info is the user as users.info describes them; Slack keeps the locale of strangers to itself.
func (u *user) info(locale bool) map[string]any {
	info := map[string]any{
		"id": u.id, "team_id": u.teamID, "name": u.handle, "real_name": u.realName, "deleted": false,
		"tz": u.tz, "is_bot": false, "is_app_user": false, "is_admin": false, "is_owner": false,
		"is_restricted": u.guest, "is_ultra_restricted": false,
		"profile": map[string]any{"real_name": u.realName, "display_name": u.handle, "team": u.teamID},
	}
	if u.stranger {
		info["is_stranger"] = true
	}
	if locale && u.locale != "" {
		info["locale"] = u.locale
	}
	return info
}

// botInfo is the app's own bot user.
func (s *Sim) botInfo() map[string]any {
	return map[string]any{
		"id": BotUserID, "team_id": TeamID, "name": "balcao", "real_name": s.manifest.name(), "deleted": false,
		"is_bot": true, "is_app_user": false, "locale": "en-US",
		"profile": map[string]any{"real_name": s.manifest.name(), "bot_id": BotID, "api_app_id": AppID, "team": TeamID},
	}
}

type channel struct {
	id, name string
	im       string // the person of a direct conversation with the app, or ""
	members  []string
	shared   []string // the teams that it is shared with, beside ours
	invited  []string // the teams that were invited to share it and have not answered
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

// some is a list that JSON never shows as null.
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

// nameForApp is what Slack writes as channel_name: names of direct conversations are not given.
func (c *channel) nameForApp() string {
	if c.im != "" {
		return "directmessage"
	}
	return c.name
}

// direct finds or opens the conversation between the app and a person. Call it with s.mu held.
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

// visible lists the channels that a person sees, by name, the direct one last. Call it with s.mu held.
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

// tell shows a notice to a person. Call it with s.mu held.
func (s *Sim) showNotice(u *user, text string) {
	s.notifyChange()
	u.notice = &notice{ID: s.version, Text: text}
}
