package slackapp_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/slackapp"
	"github.com/balcao/balcao/tools/catalogue"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/balcao/balcao/internal/words"
)

var update = flag.Bool("update", false, "write the golden manifests")

// languages are the manifests that can be printed, by the name of their golden file.
var languages = map[string][]words.Lang{
	"pt": {words.Portuguese}, "en": {words.English}, "both": {words.Portuguese, words.English},
}

func manifest(t testing.TB, host string, langs ...words.Lang) []byte {
	t.Helper()
	made, err := slackapp.Manifest(catalogue.New(), host, true, langs...)
	must(t, err)
	return made
}

func TestTheManifestIsGolden(t *testing.T) {
	t.Parallel()
	for name, langs := range languages {
		file, want := "testdata/manifest."+name+".json", manifest(t, "https://balcao.example.com", langs...)
		if *update {
			must(t, os.WriteFile(file, want, 0o644))
		}
		got, err := os.ReadFile(file)
		must(t, err)
		if !bytes.Equal(got, want) {
			t.Errorf("%s is out of date: run script/update", file)
		}
	}
}

func TestTheManifestPassesSlacksSchemaAndLimits(t *testing.T) {
	t.Parallel()
	compiler := jsonschema.NewCompiler()
	compiler.UseRegexpEngine(withLookahead)
	schema, err := compiler.Compile("testdata/slack-manifest.schema.json")
	must(t, err)
	name := regexp.MustCompile(`^/[a-z][a-z0-9_-]{0,31}$`)
	for _, host := range []string{"https://balcao.example.com", ""} {
		for lang, langs := range languages {
			made := manifest(t, host, langs...)
			document, err := jsonschema.UnmarshalJSON(bytes.NewReader(made))
			must(t, err)
			if err := schema.Validate(document); err != nil {
				t.Errorf("%s %q: %v", lang, host, err)
			}
			var parts struct {
				Features struct {
					Commands []struct{ Command, Description string } `json:"slash_commands"`
				}
			}
			must(t, json.Unmarshal(made, &parts))
			if most := 20 * len(langs); len(parts.Features.Commands) > most || len(parts.Features.Commands) == 0 {
				t.Errorf("%s: %d commands, over %d", lang, len(parts.Features.Commands), most)
			}
			for _, command := range parts.Features.Commands {
				if !name.MatchString(command.Command) || command.Description == "" {
					t.Errorf("%s: Slack does not take the command %+v", lang, command)
				}
			}
			if socket := strings.Contains(string(made), `"socket_mode_enabled": true`); socket != (host == "") || host == "" && strings.Contains(string(made), "http") {
				t.Errorf("%s %q: Socket Mode %v", lang, host, socket)
			}
		}
	}
}

func TestTheManifestDeclaresTheMCPServerWhereSlackReachesIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		host     string
		mcp, has bool
	}{
		{"https://balcao.example.com/", true, true},
		{"https://balcao.example.com", false, false},
		{"", true, false},
	} {
		made, err := slackapp.Manifest(catalogue.New(), c.host, c.mcp, words.Portuguese)
		must(t, err)
		var parts struct {
			Servers map[string]struct {
				URL  string `json:"url"`
				Auth string `json:"auth_type"`
			} `json:"mcp_servers"`
			OAuth struct{ Scopes struct{ Bot []string } } `json:"oauth_config"`
		}
		must(t, json.Unmarshal(made, &parts))
		server, declared := parts.Servers["balcao"]
		if declared != c.has || slices.Contains(parts.OAuth.Scopes.Bot, "mcp:connect") != c.has {
			t.Errorf("%+v: %+v, scopes %v", c, parts.Servers, parts.OAuth.Scopes.Bot)
		}
		if c.has && (server.URL != "https://balcao.example.com/mcp" || server.Auth != "slack_identity_auth") {
			t.Errorf("got %+v", server)
		}
	}
}

// withLookahead reads the one pattern of the schema that Go's expressions cannot say: what a name may not begin with.
func withLookahead(pattern string) (jsonschema.Regexp, error) {
	const lookahead = `(?![\.\-])`
	compiled, err := regexp.Compile(strings.Replace(pattern, lookahead, "", 1))
	return expression{compiled, strings.Contains(pattern, lookahead)}, err
}

type expression struct {
	*regexp.Regexp
	cannotBegin bool // with a point or a hyphen
}

func (e expression) MatchString(s string) bool {
	return !(e.cannotBegin && strings.IndexAny(s, ".-") == 0) && e.Regexp.MatchString(s)
}
