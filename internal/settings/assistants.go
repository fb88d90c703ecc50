package settings

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// The most that the shares of callers may be.
const (
	mostCalls      = 100_000 // a minute
	mostConcurrent = 64      // which is all that the server does at once
)

// ServesAssistants reports whether callers of /mcp have to prove who they are.
func (s *Settings) ServesAssistants() bool {
	return s.MCPToken != "" || len(s.MCPTokens) > 0 || s.MCPIssuer != ""
}

// checkAssistants checks the settings of the server for assistants. Tokens are compared with PORTAL_USERS only if that was read.
func (s *Settings) checkAssistants(usersRead bool) (problems Problems) {
	wrong := func(name, what string) { problems = append(problems, Problem{Name: name, What: what}) }
	if s.MCPURL = strings.TrimSuffix(s.MCPURL, "/"); s.MCPURL != "" && !isPublic(s.MCPURL) {
		wrong("MCP_URL", "wrong")
	}
	for i, origin := range s.MCPOrigins {
		if s.MCPOrigins[i] = strings.TrimSpace(origin); !isOrigin(s.MCPOrigins[i]) {
			problems = append(problems, Problem{Name: "MCP_ORIGINS", What: "wrong", Entry: i + 1})
		}
	}
	if s.MCPRate < 1 || s.MCPRate > mostCalls {
		wrong("MCP_RATE", "wrong")
	}
	if s.MCPConcurrent < 1 || s.MCPConcurrent > mostConcurrent {
		wrong("MCP_CONCURRENT", "wrong")
	}
	problems = append(problems, s.checkIssuer()...)
	if usersRead {
		problems = append(problems, s.checkTokens(time.Now())...)
	}
	return problems
}

// checkIssuer checks the settings of OAuth. With an issuer there must be somebody whom its tokens are for.
func (s *Settings) checkIssuer() (problems Problems) {
	if s.MCPIssuer == "" {
		if s.MCPAudience != "" {
			problems = append(problems, Problem{Name: "MCP_ISSUER", What: "missing"})
		}
		return problems
	}
	problems = require(map[string]string{"MCP_URL": s.MCPURL})
	if !isPublic(s.MCPIssuer) {
		problems = append(problems, Problem{Name: "MCP_ISSUER", What: "wrong"})
	}
	if s.MCPAudience == "" {
		s.MCPAudience = s.MCPURL + "/mcp"
	}
	if strings.ContainsFunc(s.MCPAudience, func(c rune) bool { return unicode.IsSpace(c) || unicode.IsControl(c) }) {
		problems = append(problems, Problem{Name: "MCP_AUDIENCE", What: "wrong"})
	}
	if !slices.ContainsFunc(s.PortalUsers, func(p Person) bool {
		return slices.ContainsFunc(p.Accounts, func(account string) bool { return strings.HasPrefix(account, mcpPrefix) })
	}) {
		problems = append(problems, Problem{Name: "PORTAL_USERS", What: "nobody-at-issuer"})
	}
	if u, err := url.Parse(s.MCPURL); err == nil && !Loopback(u.Hostname()) && !slices.ContainsFunc(s.MCPHosts, func(host string) bool {
		return strings.EqualFold(strings.TrimSpace(host), u.Hostname())
	}) {
		s.Warnings = append(s.Warnings, Warning{"MCP_HOSTS", "without-url"})
	}
	if _, everybody := s.PortalUsers.Find(EverybodyAtIssuer); everybody {
		s.Warnings = append(s.Warnings, Warning{"PORTAL_USERS", "everybody-at-issuer"})
	}
	return problems
}

// checkTokens refuses tokens of people who are not in PORTAL_USERS, and warns of tokens that have expired.
func (s *Settings) checkTokens(now time.Time) (problems Problems) {
	for i, token := range s.MCPTokens {
		if _, listed := s.PortalUsers.Find(token.Account); !listed {
			problems = append(problems, Problem{Name: "MCP_TOKENS", What: "unlisted", Entry: i + 1})
		}
	}
	if slices.ContainsFunc(s.MCPTokens, func(t PersonalToken) bool { return t.Expired(now) }) {
		s.Warnings = append(s.Warnings, Warning{"MCP_TOKENS", "expired"})
	}
	return problems
}

// An origin as browsers send it.
var originForm = regexp.MustCompile(`^https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[1-9][0-9]{0,4})?$`)

// isOrigin reports whether a text is an origin that may be allowed: encrypted, except on this machine.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	if err != nil || !originForm.MatchString(text) {
		return false
	}
	port := u.Port()
	return u.Scheme == "https" && port != "443" || u.Scheme == "http" && port != "80" && Loopback(u.Hostname())
}
