package main

import (
	"context"
	"net/url"
	"strings"

	"github.com/balcao/balcao/internal/app"
	"github.com/balcao/balcao/internal/doctor"
	"github.com/balcao/balcao/internal/finding"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/slackapp"
	"github.com/balcao/balcao/tools/catalogue"
)

// newDoctor returns the doctor of this program.
func newDoctor(options ...settings.Option) doctor.Program {
	return doctor.Program{
		Name:     settings.SlackBot,
		Settings: append(options, settings.KnownToolsets(catalogue.New().Selectable()...), settings.KnownRules(app.RuleCodes()...)),
		Parts: func(setup doctor.Setup) []doctor.Part {
			redis := doctor.NewRedis(setup)
			return append([]doctor.Part{redis.Part, slackPart(setup, redis), doctor.NewBank(setup)}, doctor.NewIssuer(setup)...)
		},
	}
}

// hostsOf returns the hosts of MCP_HOSTS and that of MCP_URL, "" if it has none, without those that are this machine.
func hostsOf(s settings.Settings) (hosts []string, host string) {
	for _, each := range s.MCPHosts {
		if each = strings.ToLower(strings.TrimSpace(each)); !settings.Loopback(each) {
			hosts = append(hosts, each)
		}
	}
	if address, err := url.Parse(s.MCPURL); err == nil && !settings.Loopback(address.Hostname()) {
		host = address.Hostname()
	}
	return hosts, host
}

// slackPart returns the part that checks Slack. The people and channels who are notified are read from Redis.
func slackPart(setup doctor.Setup, redis doctor.Redis) doctor.Part {
	s := setup.Settings
	part := doctor.Part{Name: "slack", Blocked: setup.Blocked("SLACK_API_URL", "SLACK_BOT_TOKEN")}
	if s.SlackAPIURL == settings.Simulated {
		part.Checks = []finding.Check{{Subject: "SLACK_API_URL", AtStart: true, Run: func(context.Context) []finding.Finding {
			return finding.One(finding.OK, "slack.simulated")
		}}}
		return part
	}
	var users []string
	for _, person := range s.PortalUsers {
		users = append(users, person.InSlack()...)
	}
	hosts, host := hostsOf(s)
	diagnosis := slackapp.Diagnose(slackapp.DiagnosisConfig{
		BotToken: s.SlackBotToken, SigningSecret: s.SlackSigningSecret, AppToken: s.SlackAppToken, APIURL: s.SlackAPIURL,
		TeamChannel: s.TeamChannel, AdminUser: s.AdminUser, Destinations: redis.Destinations,
		Users: users, MCPHosts: hosts, MCPHost: host,
	})
	part.Checks, part.Close = diagnosis.Checks(), diagnosis.Close
	return part
}
