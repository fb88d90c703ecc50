package main

import (
	"cmp"
	"crypto/rand"
	"embed"
	"fmt"
	"net"

	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/sandbox"
)

// simulate returns a simulated workspace that is served at base and delivers to the bot there, and fills in the settings
// with which the bot uses it. Secrets that are not set are generated.
func simulate(s *settings.Settings, base string) *slacksim.Sim {
	s.SlackBotToken = cmp.Or(s.SlackBotToken, "xoxb-"+rand.Text())
	s.SlackSigningSecret = cmp.Or(s.SlackSigningSecret, rand.Text()+rand.Text())
	workspace := slacksim.New(slacksim.Config{
		BaseURL: base, RequestURL: base + "/slack/events", Manifest: playgroundManifest(),
		BotToken: s.SlackBotToken, SigningSecret: s.SlackSigningSecret,
		AppToken: cmp.Or(s.SlackAppToken, "xapp-"+rand.Text()),
	})
	s.SlackAPIURL = base + "/api/"
	s.TeamChannel = cmp.Or(s.TeamChannel, slacksim.TeamChannel)
	s.AdminUser = cmp.Or(s.AdminUser, slacksim.Ana)
	if s.PortalURL == settings.Sandbox && len(s.PortalUsers) == 0 {
		s.PortalUsers = settings.People{
			{Accounts: []string{slacksim.TeamID + "/" + slacksim.Ana}, User: sandbox.BrokerA.Users[0]},
			{Accounts: []string{slacksim.TeamID + "/" + slacksim.Tom}, User: sandbox.BrokerA.Users[1]},
		}
	}
	return workspace
}

// setCallbacks has the sandbox bank of this process send its callbacks to base.
func setCallbacks(s *settings.Settings, base string) {
	if s.PortalURL != settings.Sandbox || s.CallbackURL != "" {
		return
	}
	s.CallbackURL = base
	if len(s.CallbackTokens) == 0 {
		s.CallbackTokens = []string{rand.Text() + rand.Text()}
	}
}

// baseURL returns the URL under which this machine reaches a listener.
func baseURL(listener net.Listener) string {
	addr, ok := listener.Addr().(*net.TCPAddr)
	if ok && addr.IP.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d", addr.Port)
	}
	return "http://" + listener.Addr().String()
}

//go:embed words
var wordFiles embed.FS

var texts = words.Sub(wordFiles, "words")

// translator returns a text of the program. After the key come names and values of its arguments.
type translator func(key string, namesAndValues ...any) string

// newTranslator returns a translator into the language of the environment.
func newTranslator(environ map[string]string) translator {
	lang := settings.Lang(environ)
	return func(key string, namesAndValues ...any) string {
		args := map[string]any{}
		for i := 0; i+1 < len(namesAndValues); i += 2 {
			args[namesAndValues[i].(string)] = namesAndValues[i+1]
		}
		return texts.Say(lang, key, args)
	}
}
