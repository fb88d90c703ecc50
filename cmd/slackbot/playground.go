package main

import (
	"embed"

	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/slacksim"
)

// simulate makes the simulated workspace, reached at base and delivering to the bot there, and fills in the settings by
// which the bot reaches it.
func simulate(s *settings.Settings, base string) *slacksim.Sim {
	workspace := slacksim.New(slacksim.Config{
		BaseURL: base, RequestURL: base + "/slack/events", Manifest: manifest,
		BotToken: s.SlackBotToken, SigningSecret: s.SlackSigningSecret, AppToken: s.SlackAppToken,
	})
	s.SlackAPIURL = base + "/api/"
	if s.SlackBotToken == "" {
		s.SlackBotToken = slacksim.DefaultBotToken
	}
	if s.SlackSigningSecret == "" {
		s.SlackSigningSecret = slacksim.DefaultSigningSecret
	}
	if s.PortalURL == settings.Sandbox && len(s.PortalUsers) == 0 {
		s.PortalUsers = map[string]string{
			slacksim.TeamID + "/" + slacksim.Ana: sandbox.BrokerA.Users[0],
			slacksim.TeamID + "/" + slacksim.Tom: sandbox.BrokerA.Users[1],
		}
	}
	return workspace
}

// places is where things are reached, "" for what is not there.
type places struct{ bot, slack, mcp, bank string }

//go:embed words
var wordFiles embed.FS

var book = words.Sub(wordFiles, "words")

// speaker says the program's texts in the language of the environment.
func speaker(environ map[string]string) func(key string) string {
	lang := settings.Lang(environ)
	return func(key string) string { return book.Say(lang, key, nil) }
}

func (p places) text(say func(string) string) string {
	text := say("started") + "\n"
	for _, place := range []struct{ key, url string }{
		{"place.slack", p.slack}, {"place.mcp", p.mcp}, {"place.bank", p.bank}, {"place.bot", p.bot + "/slack/events"},
	} {
		if place.url != "" {
			text += "  " + say(place.key) + "  " + place.url + "\n"
		}
	}
	if p.slack != "" {
		text += say("try") + "\n"
	}
	return text
}
