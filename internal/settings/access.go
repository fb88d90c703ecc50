package settings

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/balcao/balcao/internal/words"
)

// Everybody stands in PORTAL_USERS for all who are not listed there.
const Everybody = "*"

// slackPerson is a person as PORTAL_USERS names one: team/user.
var slackPerson = regexp.MustCompile(`^[TE][A-Z0-9]{1,30}/[UW][A-Z0-9]{1,30}$`)

// Playing tells whether nobody but who sits at this machine can be meant: bank and Slack are ours.
func (s *Settings) Playing() bool { return s.PortalURL == Sandbox && s.SlackAPIURL == Simulated }

// checkUsers looks at who acts as whom, and at what that was read from. Outside the playground somebody has decided it.
func (s *Settings) checkUsers(from string) (problems Problems) {
	if len(s.PortalUsers) == 0 && !s.Playing() {
		return Problems{{"PORTAL_USERS", "missing"}}
	}
	users := map[string]string{}
	for person, user := range s.PortalUsers {
		person, user = strings.TrimSpace(person), strings.TrimSpace(user)
		if user == "" || person != Everybody && !slackPerson.MatchString(person) {
			return Problems{{"PORTAL_USERS", "wrong"}}
		}
		users[person] = user
	}
	if len(users) > 0 && len(users) < len(strings.Split(from, ",")) { // somebody acts as two
		return Problems{{"PORTAL_USERS", "wrong"}}
	}
	s.PortalUsers = users
	if users[Everybody] != "" {
		s.Warnings = append(s.Warnings, Warning{"PORTAL_USERS", "everybody"})
	}
	return nil
}

// checkSecrets refuses the secrets of our own choice that can be guessed. That of the bank is not ours to choose.
func (s *Settings) checkSecrets() (problems Problems) {
	for name, secrets := range map[string][]string{
		"MCP_TOKEN": {s.MCPToken}, "SLACK_SIGNING_SECRET": {s.SlackSigningSecret}, "CALLBACK_TOKENS": s.CallbackTokens,
	} {
		for _, secret := range secrets {
			if secret != "" && weak(secret) {
				problems = append(problems, Problem{name, "weak"})
				break
			}
		}
	}
	if s.PortalClientSecret != "" && weak(s.PortalClientSecret) {
		s.Warnings = append(s.Warnings, Warning{"PORTAL_CLIENT_SECRET", "weak"})
	}
	return problems
}

// checkNetwork warns of what goes over a network where others can read and change it.
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

// leaves tells whether an address, or another that it lists as Redis has it, is of another machine.
func leaves(u *url.URL) bool {
	for _, addr := range append(u.Query()["addr"], u.Host) {
		if !Loopback((&url.URL{Host: addr}).Hostname()) {
			return true
		}
	}
	return false
}

// Warning is a setting with which a program starts, and that somebody should know of.
type Warning struct {
	Name string // of the environment variable
	What string // plain, weak, memory or everybody
}

// Text says what a warning is about, without the setting's value.
func (w Warning) Text(lang words.Lang) string {
	return book.Say(lang, "warning."+w.What, map[string]any{"name": w.Name})
}
