package settings

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/balcao/balcao/internal/words"
)

var (
	// A token is a part of a path; 32 random characters cannot be guessed.
	callbackToken = regexp.MustCompile(`^[A-Za-z0-9_-]{32,200}$`)
	slackChannel  = regexp.MustCompile(`^[CG][A-Z0-9]{2,30}$`)
	slackUser     = regexp.MustCompile(`^[UW][A-Z0-9]{2,30}$`)
)

// checkCallbacks checks the settings of notifications. All are optional; a CALLBACK_URL requires CALLBACK_TOKENS and, with a
// real bank, PORTAL_PARTNER_UID.
func (s *Settings) checkCallbacks() (problems Problems) {
	for i, token := range s.CallbackTokens {
		s.CallbackTokens[i] = strings.TrimSpace(token)
	}
	s.CallbackTokens = slices.DeleteFunc(s.CallbackTokens, func(token string) bool { return token == "" })
	s.CallbackURL = strings.TrimSuffix(s.CallbackURL, "/")
	if s.CallbackURL != "" {
		problems = require(map[string]string{"CALLBACK_TOKENS": strings.Join(s.CallbackTokens, "")})
		if s.PortalURL != Sandbox {
			problems = append(problems, require(map[string]string{"PORTAL_PARTNER_UID": s.PortalPartnerUID})...)
		}
	}
	for name, right := range map[string]bool{
		"CALLBACK_URL":    s.CallbackURL == "" || isPublic(s.CallbackURL),
		"CALLBACK_TOKENS": !slices.ContainsFunc(s.CallbackTokens, func(token string) bool { return !callbackToken.MatchString(token) }),
		"TEAM_CHANNEL":    s.TeamChannel == "" || slackChannel.MatchString(s.TeamChannel),
		"TEAM_LANG":       slices.Contains(words.Langs, s.TeamLang),
		"ADMIN_USER":      s.AdminUser == "" || slackUser.MatchString(s.AdminUser),
	} {
		if !right {
			problems = append(problems, Problem{Name: name, What: "wrong"})
		}
	}
	return problems
}

// isPublic reports whether an address can be given to others: unencrypted only on this machine.
func isPublic(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && Loopback(u.Hostname())
}
