package settings

import (
	"net/url"

	"github.com/balcao/balcao/internal/words"
)

// Playing reports whether both the bank and Slack are simulated.
func (s *Settings) Playing() bool { return s.PortalURL == Sandbox && s.SlackAPIURL == Simulated }

// checkUsers requires PORTAL_USERS outside the playground.
func (s *Settings) checkUsers() (problems Problems) {
	if len(s.PortalUsers) == 0 && !s.Playing() {
		return Problems{{Name: "PORTAL_USERS", What: "missing"}}
	}
	if _, everybody := s.PortalUsers.Find(Everybody); everybody {
		s.Warnings = append(s.Warnings, Warning{"PORTAL_USERS", "everybody"})
	}
	return nil
}

// checkSecrets refuses weak secrets, except that of the bank, which the operator does not choose.
func (s *Settings) checkSecrets() (problems Problems) {
	for name, secrets := range map[string][]string{
		"MCP_TOKEN": {s.MCPToken}, "SLACK_SIGNING_SECRET": {s.SlackSigningSecret}, "CALLBACK_TOKENS": s.CallbackTokens,
	} {
		for _, secret := range secrets {
			if secret != "" && weak(secret) {
				problems = append(problems, Problem{Name: name, What: "weak"})
				break
			}
		}
	}
	if s.PortalClientSecret != "" && weak(s.PortalClientSecret) {
		s.Warnings = append(s.Warnings, Warning{"PORTAL_CLIENT_SECRET", "weak"})
	}
	return problems
}

// checkNetwork warns of unencrypted connections to other hosts, and of state in memory while the bank is real.
func (s *Settings) checkNetwork() {
	for _, each := range []struct{ name, address, scheme string }{
		{"PORTAL_URL", s.PortalURL, "http"}, {"SLACK_API_URL", s.SlackAPIURL, "http"},
		{"CALLBACK_URL", s.CallbackURL, "http"}, {"REDIS_URL", s.RedisURL, "redis"},
	} {
		if u, err := url.Parse(each.address); err == nil && u.Scheme == each.scheme && leaves(u) {
			s.Warnings = append(s.Warnings, Warning{each.name, "plain"})
		}
	}
	if s.RedisURL == Memory && s.PortalURL != Sandbox {
		s.Warnings = append(s.Warnings, Warning{"REDIS_URL", "memory"})
	}
}

// leaves reports whether an address, or one of its addr parameters for Redis, is on another machine.
func leaves(u *url.URL) bool {
	for _, addr := range append(u.Query()["addr"], u.Host) {
		if !Loopback((&url.URL{Host: addr}).Hostname()) {
			return true
		}
	}
	return false
}

// Warning is a setting with which the program starts and that the operator should check.
type Warning struct {
	Name string // of the environment variable
	What string // plain, weak, memory, expired, without-url, everybody or everybody-at-issuer
}

// Text returns the warning without the value of the setting.
func (w Warning) Text(lang words.Lang) string {
	return texts.Say(lang, "warning."+w.What, map[string]any{"name": w.Name})
}
