package slacksim

import "github.com/balcao/balcao/internal/words"

type user struct {
	id, handle, realName string
	locale, tz           string
	teamID               string
	guest, stranger      bool
	deleted              bool    // the account is deactivated
	stack                []*view // the modals that are open, the last on top
	home                 *view
	notice               *notice
}

// notice is an error that Slack shows to one person when the app failed to respond.
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

// info returns the user object of users.info. Slack does not return the locale of strangers.
func (u *user) info(locale bool) map[string]any {
	info := map[string]any{
		"id": u.id, "team_id": u.teamID, "name": u.handle, "real_name": u.realName, "deleted": u.deleted,
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

// botInfo returns the user object of the app's bot.
func (s *Sim) botInfo() map[string]any {
	return map[string]any{
		"id": BotUserID, "team_id": TeamID, "name": "balcao", "real_name": s.manifest.name(), "deleted": false,
		"is_bot": true, "is_app_user": false, "locale": "en-US",
		"profile": map[string]any{"real_name": s.manifest.name(), "bot_id": BotID, "api_app_id": AppID, "team": TeamID},
	}
}

// showNotice shows a notice to a person. s.mu must be held.
func (s *Sim) showNotice(u *user, text string) {
	s.notifyChange()
	u.notice = &notice{ID: s.version, Text: text}
}

func (s *Sim) userInfo(a args) (response, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a["user"] == BotUserID {
		return response{"user": s.botInfo()}, nil
	}
	u := s.users[a["user"]]
	if u == nil {
		return nil, refuse("user_not_found")
	}
	return response{"user": u.info(a.isTrue("include_locale"))}, nil
}

// text returns one of Slack's own texts in the person's language.
func (u *user) text(key string, args map[string]any) string {
	return book.Say(words.Match(u.locale), key, args)
}
