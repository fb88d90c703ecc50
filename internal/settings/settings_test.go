package settings_test

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/words"
)

func whole(t *testing.T) map[string]string {
	t.Helper()
	key, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"PORTAL_URL": "https://bank.example/api", "PORTAL_CLIENT_ID": "id", "PORTAL_CLIENT_SECRET": "secret",
		"PORTAL_BROKER_UID": "3f2b8a52-6f0e-4f0c-9a1b-0a0b0c0d0e0f", "PORTAL_USERNAME": "ana@mediadora.example",
		"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "s", "REDIS_URL": "redis://127.0.0.1:6379", "STATE_KEY": key,
	}
}

func TestAWholeEnvironmentIsTakenAsItIs(t *testing.T) {
	s, err := settings.Load(settings.SlackBot, whole(t))
	if err != nil {
		t.Fatal(err)
	}
	if s.Addr != "127.0.0.1:8080" || s.SlackAPIURL != "https://slack.com/api/" || s.CallTimeout != time.Minute || s.Keys == nil {
		t.Errorf("defaults: %q %q %s", s.Addr, s.SlackAPIURL, s.CallTimeout)
	}
}

func TestAPlaygroundNeedsNothing(t *testing.T) {
	for _, program := range []settings.Program{settings.SlackBot, settings.MCPServer} {
		if _, err := settings.Load(program, settings.Playground(map[string]string{"REDIS_URL": ""})); err != nil {
			t.Errorf("%s: %v", program, err)
		}
	}
}

func TestEverythingMissingOrWrongIsToldAtOnceWithHowToGetIt(t *testing.T) {
	_, err := settings.Load(settings.SlackBot, map[string]string{"PORTAL_BROKER_UID": "7", "REDIS_URL": "localhost:6379", "SLACK_APP_TOKEN": "xoxb-2"})
	var problems settings.Problems
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	want := "settings: PORTAL_BROKER_UID wrong, PORTAL_CLIENT_ID missing, PORTAL_CLIENT_SECRET missing, PORTAL_URL missing, " +
		"PORTAL_USERNAME missing, REDIS_URL wrong, SLACK_APP_TOKEN wrong, SLACK_BOT_TOKEN missing, STATE_KEY missing"
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	for _, lang := range words.Langs {
		if text := problems.Text(lang); strings.Count(text, "\n") != 1+2*len(problems) || strings.Contains(text, "no value") {
			t.Errorf("%s: %s", lang, text)
		}
	}
}

func TestEachRule(t *testing.T) {
	for name, c := range map[string]struct {
		program settings.Program
		change  map[string]string
		want    string
	}{
		"Socket Mode needs no signing secret":           {settings.SlackBot, map[string]string{"SLACK_SIGNING_SECRET": "", "SLACK_APP_TOKEN": "xapp-1"}, ""},
		"one of the two is needed":                      {settings.SlackBot, map[string]string{"SLACK_SIGNING_SECRET": ""}, "settings: SLACK_SIGNING_SECRET missing"},
		"an assistant's server needs no Slack":          {settings.MCPServer, map[string]string{"SLACK_BOT_TOKEN": ""}, ""},
		"a server that others reach needs a token":      {settings.MCPServer, map[string]string{"ADDR": ":8081"}, "settings: MCP_HOSTS missing, MCP_TOKEN missing"},
		"the simulated Slack stays on this machine":     {settings.SlackBot, map[string]string{"SLACK_API_URL": "simulated", "ADDR": "0.0.0.0:80"}, "settings: ADDR simulated"},
		"a key that is none is told without showing it": {settings.SlackBot, map[string]string{"STATE_KEY": "hunter2"}, "settings: STATE_KEY wrong"},
		"who acts as whom must be pairs":                {settings.SlackBot, map[string]string{"PORTAL_USERS": "ana"}, "settings: PORTAL_USERS wrong"},
		"a call's time is a duration":                   {settings.MCPServer, map[string]string{"CALL_TIMEOUT": "soon"}, "settings: CALL_TIMEOUT wrong"},
		"a call may take some time":                     {settings.MCPServer, map[string]string{"CALL_TIMEOUT": "2s"}, ""},
		"a call is not over at once":                    {settings.MCPServer, map[string]string{"CALL_TIMEOUT": "1999ms"}, "settings: CALL_TIMEOUT wrong"},
		"nor does it last for ever":                     {settings.MCPServer, map[string]string{"CALL_TIMEOUT": "61s"}, "settings: CALL_TIMEOUT wrong"},
		"two that are not understood are both told":     {settings.MCPServer, map[string]string{"CALL_TIMEOUT": "soon", "PORTAL_USERS": "ana"}, "settings: CALL_TIMEOUT wrong, PORTAL_USERS wrong"},
		"an address is host and port":                   {settings.SlackBot, map[string]string{"ADDR": "8080"}, "settings: ADDR wrong"},
		"a file of operations must be there":            {settings.SlackBot, map[string]string{"PORTAL_OPERATIONS": "no/such/file"}, "settings: PORTAL_OPERATIONS wrong"},
	} {
		environ := whole(t)
		maps.Copy(environ, c.change)
		_, err := settings.Load(c.program, environ)
		if got := text(err); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
