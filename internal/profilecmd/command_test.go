package profilecmd_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/profilecmd"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/portal/profile"
)

// files writes profiles into a folder, which becomes the current one.
func files(t *testing.T, texts map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(".", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestProfilesAreCheckedComparedAndPrinted(t *testing.T) {
	files(t, map[string]string{
		"a.toml":    "prefix = \"/a\"\n[operations.processList]\npath = \"/process\"\n",
		"b.json":    `{"prefix": "/a", "headers": {"x-client-id": "{client_id}"}}`,
		"same.toml": `prefix = "/v1"`,
		"bad.toml":  "prefix = 1\n[rules]\n\"nif.format\" = \"of\"\n",
		"rule.toml": "[rules]\n\"nif.length\" = \"warn\"\n",
	})
	for name, c := range map[string]struct {
		args           string
		environ        map[string]string
		status         int
		stdout, stderr string // patterns
	}{
		"a file that is right":         {"check a.toml", nil, 0, `^Fine: \d+ entries, of which 2 differ from the built-in profile\.\n$`, `^$`},
		"a rule that is not built in":  {"check rule.toml", nil, 0, `of which one differs`, `^$`},
		"the file of the setting":      {"check", map[string]string{"PORTAL_PROFILE": "a.toml", "LANG": "pt_PT.UTF-8"}, 0, `^Tudo bem: \d+ entradas, das quais 2 diferem`, `^$`},
		"a file that is wrong":         {"check bad.toml", nil, 1, `^$`, `^bad\.toml:1: prefix: here must be a text, not .*\nbad\.toml:3: rules\.nif\.format: .* Did you mean "off"\?\n2 things are wrong\.\n$`},
		"a file that does not exist":   {"check c.toml", nil, 1, `^$`, `^c\.toml: the file does not exist\.\nOne thing is wrong\.\n$`},
		"no file":                      {"check", nil, 2, `^$`, `^There are: slackbot profile print`},
		"a difference to the built-in": {"diff a.toml", nil, 1, `^operations\.processList\.path: "/processes" \(inferred: [^)]*\) → "/process" \(given: a\.toml:3\)\nprefix: "/v1" \(confirmed: [^)]*\) → "/a" \(given: a\.toml:1\)\n$`, `^$`},
		"a difference of two files":    {"diff a.toml b.json", nil, 1, `^headers\.x-client-id: nothing → "\{client_id\}" \(given: b\.json:1\)\noperations\.processList\.path: "/process" \(given: a\.toml:3\) → "/processes" \(inferred: [^)]*\)\n$`, `^$`},
		"no difference":                {"diff same.toml", nil, 0, `^Nothing differs\.\n$`, `^$`},
		"a difference to a wrong file": {"diff bad.toml", nil, 2, `^$`, `2 things are wrong`},
		"three files":                  {"diff a.toml a.toml a.toml", nil, 2, `^$`, `^There are`},
		"the profile of the setting":   {"print -only given", map[string]string{"PORTAL_PROFILE": "a.toml"}, 0, `(?s)\nprefix = "/a" # given: a\.toml:1\n\n\[operations\.processList\]\npath = "/process" # given: a\.toml:3\n$`, `^$`},
		"the profile of a file":        {"print -only given b.json", map[string]string{"PORTAL_PROFILE": "a.toml"}, 0, `x-client-id = "\{client_id\}" # given: b\.json:1\n`, `^$`},
		"a wrong profile":              {"print bad.toml", nil, 1, `^$`, `2 things are wrong`},
		"an unknown mark":              {"print -only certain", nil, 2, `^$`, `^There are`},
		"an unknown flag":              {"print -all", nil, 2, `^$`, `-only`},
		"help":                         {"print -h", nil, 0, `^$`, `print only the entries with this mark`},
		"an unknown command":           {"show", nil, 2, `^$`, `^There are`},
		"no command":                   {"", nil, 2, `^$`, `^There are`},
	} {
		t.Run(name, func(t *testing.T) {
			environ := map[string]string{"LANG": "en_US.UTF-8"}
			maps.Copy(environ, c.environ)
			var stdout, stderr strings.Builder
			command := profilecmd.Command{Program: settings.SlackBot, Rules: []string{"nif.length", "nif.format"}}
			if status := command.Run(strings.Fields(c.args), environ, &stdout, &stderr); status != c.status {
				t.Errorf("the status is %d", status)
			}
			if !regexp.MustCompile(c.stdout).MatchString(stdout.String()) {
				t.Errorf("it prints %s", stdout.String())
			}
			if !regexp.MustCompile(c.stderr).MatchString(stderr.String()) {
				t.Errorf("it reports %s", stderr.String())
			}
		})
	}
}

func TestWhatIsPrintedCanBeGiven(t *testing.T) {
	var stdout, stderr strings.Builder
	command := profilecmd.Command{Program: settings.MCPServer}
	if status := command.Run([]string{"print"}, nil, &stdout, &stderr); status != 0 {
		t.Fatal(stderr.String())
	}
	p, err := profile.Read("printed.toml", []byte(stdout.String()))
	if err != nil || len(p.Compare(profile.Builtin())) != 0 {
		t.Errorf("it differs: %v", err)
	}
}
