package slackapp_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/finding"
	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/slackapp"
	"github.com/balcao/balcao/tools/catalogue"
)

// diagnosed runs all checks and returns their findings.
func diagnosed(t *testing.T, config slackapp.DiagnosisConfig) (all []finding.Finding) {
	t.Helper()
	d := slackapp.Diagnose(config)
	defer d.Close()
	for _, check := range d.Checks() {
		for _, f := range check.Run(t.Context()) {
			all = append(all, f)
			if check.Vital && f.Status != finding.OK {
				return all
			}
		}
	}
	return all
}

func subscribed(ids ...string) func(context.Context) ([]destination.Settings, error) {
	var all []destination.Settings
	for _, id := range ids {
		all = append(all, destination.Settings{ID: "slack:" + id, Subscriptions: []destination.Subscription{{Kind: destination.ScopeAll}}})
	}
	return func(context.Context) ([]destination.Settings, error) { return all, nil }
}

func TestADiagnosisFindsWhatIsWrongInSlack(t *testing.T) {
	t.Parallel()
	const ana, tom = slacksim.TeamID + "/" + slacksim.Ana, slacksim.TeamID + "/" + slacksim.Tom
	type config = slackapp.DiagnosisConfig
	for name, c := range map[string]struct {
		slack  func(*slacksim.Sim)
		config func(*config)
		wrong  []string
	}{
		"nothing":           {nil, nil, nil},
		"nothing over HTTP": {nil, func(c *config) { c.AppToken = "" }, nil},
		"little is set": {nil, func(c *config) { c.TeamChannel, c.AdminUser, c.Users, c.Destinations = "", "", nil, nil },
			[]string{"not_tried slack.channel.unset", "not_tried slack.subscriptions_unknown", "not_tried slack.admin.unset"}},
		"a revoked token":        {(*slacksim.Sim).Revoke, nil, []string{"fail slack.token_revoked"}},
		"another token":          {nil, func(c *config) { c.BotToken = "xoxb-another" }, []string{"fail slack.token_invalid"}},
		"the app's token":        {nil, func(c *config) { c.BotToken = slacksim.DefaultAppToken }, []string{"fail slack.token_invalid"}},
		"another app token":      {nil, func(c *config) { c.AppToken = "xapp-another" }, []string{"fail slack.app_token_invalid"}},
		"Socket Mode is off":     {fails("apps.connections.open", "socket_mode_disabled"), nil, []string{"fail slack.socket_off"}},
		"no connections:write":   {fails("apps.connections.open", "missing_scope"), nil, []string{"fail slack.socket_scope"}},
		"Slack has a problem":    {fails("auth.test", "fatal_error"), nil, []string{"fail slack.answer"}},
		"something else answers": {func(s *slacksim.Sim) { s.Fail("auth.test", 1, slacksim.Failure{Status: 404}) }, nil, []string{"fail slack.not_slack"}},
		"Slack limits our rate":  {fails("auth.test", "ratelimited"), nil, []string{"not_tried slack.ratelimited"}},
		"three scopes are missing": {func(s *slacksim.Sim) {
			s.Grant("channels:history", "channels:read", "chat:write", "commands", "groups:history", "groups:read", "im:history", "users:read")
		}, nil, []string{"fail slack.scope.files:read", "fail slack.scope.files:write", "fail slack.scope.im:write"}},
		"people cannot be read": {func(s *slacksim.Sim) {
			s.Grant("channels:history", "channels:read", "chat:write", "commands", "files:read", "files:write", "groups:history", "groups:read", "im:history", "im:write")
		}, nil, []string{"fail slack.scope.users:read", "not_tried slack.no_scope_for_it", "not_tried slack.users_left", "not_tried slack.no_scope_for_it"}},
		"our clock is an hour late":     {nil, func(c *config) { c.Now = func() time.Time { return time.Now().Add(-time.Hour) } }, []string{"fail slack.clock_wrong"}},
		"our clock is two minutes fast": {nil, func(c *config) { c.Now = func() time.Time { return time.Now().Add(2 * time.Minute) } }, []string{"warn slack.clock_differs"}},
		"no such channel":               {nil, func(c *config) { c.TeamChannel = "C0NONE" }, []string{"fail slack.channel.unknown"}},
		"not in the channel":            {nil, func(c *config) { c.TeamChannel = slacksim.GeneralChannel }, []string{"fail slack.channel.not_in_it"}},
		"a shared channel":              {func(s *slacksim.Sim) { s.Share(slacksim.TeamChannel, false) }, nil, []string{"fail slack.channel.shared"}},
		"an archived channel": {func(s *slacksim.Sim) {
			_ = s.User(slacksim.Ana).Archive(context.Background(), slacksim.TeamChannel)
		}, nil, []string{"fail slack.channel.archived"}},
		"a subscribed channel without the bot": {nil, func(c *config) {
			c.Destinations = subscribed(slacksim.TeamChannel, slacksim.GeneralChannel, slacksim.Tom)
		},
			[]string{"warn slack.channel.not_in_it"}},
		"what is subscribed is unknown": {nil, func(c *config) {
			c.Destinations = func(context.Context) ([]destination.Settings, error) { return nil, errors.New("no Redis") }
		}, []string{"not_tried slack.subscriptions_unknown"}},
		"a person has left": {func(s *slacksim.Sim) { s.Deactivate(slacksim.Tom) }, func(c *config) { c.Users = []string{ana, tom} }, []string{"warn slack.user.deactivated"}},
		"people who are not served": {nil, func(c *config) {
			c.Users = []string{ana, "T0BALCAO/U0NONE", "T0BALCAO/" + slacksim.Guest, "T0ALHEIO/" + slacksim.Stranger, "T0BALCAO/" + slacksim.BotUserID, "T0OTHER/" + slacksim.Tom}
		}, []string{"fail slack.user.guest", "fail slack.user.bot", "fail slack.user.guest", "fail slack.user.unknown", "fail slack.user.other_team"}},
		"the administrator has left":       {func(s *slacksim.Sim) { s.Deactivate(slacksim.Tom) }, func(c *config) { c.AdminUser = slacksim.Tom }, []string{"fail slack.user.deactivated"}},
		"Slack stops after the first call": {func(s *slacksim.Sim) { s.Fail("users.info", 1, slacksim.Failure{Drop: true}) }, nil, []string{"fail slack.unreachable", "not_tried slack.users_left"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := declaring(t, false)
			if c.slack != nil {
				c.slack(sim)
			}
			config := slackapp.DiagnosisConfig{
				BotToken: slacksim.DefaultBotToken, AppToken: slacksim.DefaultAppToken, APIURL: sim.APIURL(),
				TeamChannel: slacksim.TeamChannel, AdminUser: slacksim.Ana, Users: []string{ana}, Destinations: subscribed(),
			}
			if c.config != nil {
				c.config(&config)
			}
			var wrong []string
			for _, f := range diagnosed(t, config) {
				if f.Status != finding.OK {
					wrong = append(wrong, string(f.Status)+" "+f.Code)
				}
			}
			if !slices.Equal(wrong, c.wrong) {
				t.Errorf("got %q, want %q", wrong, c.wrong)
			}
			for _, request := range sim.Requests() {
				if !slices.Contains([]string{"auth.test", "apps.connections.open", "conversations.info", "users.info"}, request.Method) {
					t.Errorf("it calls %s, which may change something", request.Method)
				}
			}
		})
	}
}

// declaring is a Slack whose app declares an MCP server, or not.
func declaring(t *testing.T, mcp bool) *slacksim.Sim {
	t.Helper()
	made, err := slackapp.Manifest(catalogue.New(), "https://balcao.example.com", mcp, words.Langs...)
	must(t, err)
	sim := slacksim.New(slacksim.Config{Manifest: made})
	server := httptest.NewServer(sim)
	sim.SetBaseURL(server.URL)
	t.Cleanup(func() { sim.Close(); server.Close() })
	return sim
}

func TestADiagnosisComparesTheHostsOfTheServerForAssistants(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		undeclared, socket bool
		hosts              []string
		host               string
		want               string
	}{
		"one host":                     {hosts: []string{"balcao.example.com"}, host: "balcao.example.com", want: "ok slack.mcp balcao.example.com"},
		"several":                      {hosts: []string{"mcp.example.com", "balcao.example.com"}, host: "Balcao.example.com", want: "ok slack.mcp mcp.example.com, balcao.example.com"},
		"no address":                   {hosts: []string{"balcao.example.com"}, want: "ok slack.mcp balcao.example.com"},
		"no host":                      {want: "fail slack.mcp_no_host"},
		"an address with another host": {hosts: []string{"mcp.example.com"}, host: "balcao.example.com", want: "fail slack.mcp_other_host balcao.example.com mcp.example.com"},
		"Socket Mode":                  {socket: true, hosts: []string{"balcao.example.com"}, want: "warn slack.mcp_socket"},
		"no server is declared":        {undeclared: true, want: "ok slack.mcp_undeclared"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := slackapp.DiagnosisConfig{BotToken: slacksim.DefaultBotToken, APIURL: declaring(t, !c.undeclared).APIURL(), MCPHosts: c.hosts, MCPHost: c.host}
			if c.socket {
				config.AppToken = slacksim.DefaultAppToken
			}
			var got []string
			for _, f := range diagnosed(t, config) {
				if strings.HasPrefix(f.Code, "slack.mcp") {
					parts := []any{f.Status, f.Code}
					for _, arg := range []string{"host", "hosts"} {
						if f.Args[arg] != nil {
							parts = append(parts, f.Args[arg])
						}
					}
					got = append(got, strings.TrimSpace(fmt.Sprintln(parts...)))
				}
			}
			if len(got) != 1 || got[0] != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func fails(method, code string) func(*slacksim.Sim) {
	return func(s *slacksim.Sim) { s.Fail(method, 1, slacksim.Failure{Error: code}) }
}

func TestADiagnosisOfASlackThatDoesNotAnswerSaysSo(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(nil)
	url := server.URL
	server.Close()
	found := diagnosed(t, slackapp.DiagnosisConfig{BotToken: slacksim.DefaultBotToken, APIURL: url + "/api/"})
	if len(found) != 1 || found[0].Status != finding.Fail || found[0].Code != "slack.unreachable" {
		t.Errorf("got %+v", found)
	}
}
