package main

import (
	"cmp"
	"crypto/rand"
	"embed"
	"fmt"
	"net"

	"github.com/balcao/balcao/internal/app"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/sandbox"
)

// simulate makes the simulated workspace, reached at base and delivering to the bot there, and fills in the settings by
// which the bot reaches it. Secrets that are not set are new each time.
func simulate(s *settings.Settings, base string) *slacksim.Sim {
	s.SlackBotToken = cmp.Or(s.SlackBotToken, "xoxb-"+rand.Text())
	s.SlackSigningSecret = cmp.Or(s.SlackSigningSecret, rand.Text()+rand.Text())
	workspace := slacksim.New(slacksim.Config{
		BaseURL: base, RequestURL: base + "/slack/events", Manifest: manifest,
		BotToken: s.SlackBotToken, SigningSecret: s.SlackSigningSecret,
		AppToken: cmp.Or(s.SlackAppToken, "xapp-"+rand.Text()),
	})
	s.SlackAPIURL = base + "/api/"
	s.TeamChannel = cmp.Or(s.TeamChannel, slacksim.TeamChannel)
	s.AdminUser = cmp.Or(s.AdminUser, slacksim.Ana)
	if s.PortalURL == settings.Sandbox && len(s.PortalUsers) == 0 {
		s.PortalUsers = map[string]string{
			slacksim.TeamID + "/" + slacksim.Ana: sandbox.BrokerA.Users[0],
			slacksim.TeamID + "/" + slacksim.Tom: sandbox.BrokerA.Users[1],
		}
	}
	return workspace
}

// callBack has a sandbox bank, which is within the same program, call back at base.
func callBack(s *settings.Settings, base string) {
	if s.PortalURL != settings.Sandbox || s.CallbackURL != "" {
		return
	}
	s.CallbackURL = base
	if len(s.CallbackTokens) == 0 {
		s.CallbackTokens = []string{rand.Text() + rand.Text()}
	}
}

// reached is where a listener is reached from this machine.
func reached(listener net.Listener) string {
	addr, ok := listener.Addr().(*net.TCPAddr)
	if ok && addr.IP.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d", addr.Port)
	}
	return "http://" + listener.Addr().String()
}

// places is where things are reached, "" for what is not there, and what was said there.
type places struct {
	bot, slack, slackAPI, mcp, bank string
	said                            startAnswers
}

//go:embed words
var wordFiles embed.FS

var book = words.Sub(wordFiles, "words")

// sayer gives a text of the program's; what follows the key are names and values.
type sayer func(key string, namesAndValues ...any) string

// speaker says the program's texts in the language of the environment.
func speaker(environ map[string]string) sayer {
	lang := settings.Lang(environ)
	return func(key string, namesAndValues ...any) string {
		args := map[string]any{}
		for i := 0; i+1 < len(namesAndValues); i += 2 {
			args[namesAndValues[i].(string)] = namesAndValues[i+1]
		}
		return book.Say(lang, key, args)
	}
}

func (p places) text(say sayer) string {
	text := say("started") + "\n"
	type line struct {
		key, url string
		said     app.Answer
	}
	lines := []line{{"place.slack", p.slack, ""}, {"place.mcp", p.mcp, ""}, {"place.bank", p.bank, p.said.bank}, {"place.bot", p.bot + "/slack/events", ""}}
	if p.slack == "" {
		lines[0] = line{"place.slack-api", p.slackAPI, p.said.slack}
	}
	for _, line := range lines {
		if line.url == "" {
			continue
		}
		text += "  " + say(line.key) + "  " + line.url
		if line.said != "" {
			text += "  " + say("answer."+string(line.said))
		}
		text += "\n"
	}
	if p.slack != "" {
		text += say("try") + "\n"
	}
	return text
}
