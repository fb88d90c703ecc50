package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/settings"
)

func TestATokenIsPrintedForAPersonWithItsEntry(t *testing.T) {
	const users = "T0123/U0456=mcp:ana@mediadora.example=ana@mediadora.example"
	for name, c := range map[string]struct {
		args    []string
		users   string
		code    int
		message string // on stderr
	}{
		"a person in Slack":            {[]string{"T0123/U0456"}, users, 0, ""},
		"a person at the issuer":       {[]string{"-until", "2099-06-30", "mcp:Ana@mediadora.example"}, users, 0, ""},
		"without settings":             {[]string{"T9/U9"}, "", 0, ""},
		"a person who is not listed":   {[]string{"T9/U9"}, users, 0, "PORTAL_USERS"},
		"nobody":                       {nil, users, 2, "mcp-token"},
		"an e-mail without its prefix": {[]string{"ana@mediadora.example"}, users, 2, "mcp-token"},
		"everybody":                    {[]string{"*"}, users, 2, "mcp-token"},
		"two people":                   {[]string{"T0123/U0456", "T9/U9"}, users, 2, "mcp-token"},
		"a day that is over":           {[]string{"-until", "2020-06-30", "T0123/U0456"}, users, 2, "2027-06-30"},
		"no day":                       {[]string{"-until", "soon", "T0123/U0456"}, users, 2, "2027-06-30"},
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), append([]string{"mcp-token"}, c.args...), map[string]string{"LANG": "en", "PORTAL_USERS": c.users}, &stdout, &stderr)
		if code != c.code || !strings.Contains(stderr.String(), c.message) || c.message == "" && stderr.Len() > 0 {
			t.Errorf("%s: exits with %d, and says %q", name, code, stderr.String())
		}
		if code != 0 {
			if stdout.Len() > 0 {
				t.Errorf("%s: prints %q", name, stdout.String())
			}
			continue
		}
		lines := strings.Split(stdout.String(), "\n")
		token, entry := strings.TrimSpace(lines[1]), strings.TrimSpace(lines[3])
		var tokens settings.PersonalTokens
		if err := tokens.UnmarshalText([]byte(entry)); err != nil || tokens[0].Hash != settings.HashOfToken(token) || strings.Contains(entry, token) {
			t.Errorf("%s: prints %q, %v", name, stdout.String(), err)
		}
	}
}
