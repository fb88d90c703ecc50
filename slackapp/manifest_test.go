package slackapp_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/balcao/balcao/tools/catalogue"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

var update = flag.Bool("update", false, "write the manifest anew from the catalogue")

const (
	manifestFile = "../cmd/slackbot/manifest.json"
	address      = "https://balcao.example.com/slack/events" // to be replaced by whoever installs the app
)

type object = map[string]any

// manifest is the app's manifest for the catalogue. Slack does not translate commands: they are described in the
// team's language.
func manifest() []byte {
	var commands []object
	for _, tool := range catalogue.New().Tools() {
		name, sub, isSub := strings.Cut(tool.Command, " ")
		command := object{
			"command": "/" + name, "url": address, "should_escape": false,
			"description": tool.Help(words.Portuguese),
		}
		if len(tool.Pages) > 0 {
			command["usage_hint"] = "[" + strings.ToLower(tool.Fields[0].Label(words.Portuguese)) + "]"
		}
		if isSub { // Slack knows the first word only
			if tool != catalogue.New().Subcommands(name)[0] {
				continue
			}
			for _, other := range catalogue.New().Subcommands(name)[1:] {
				sub += " | " + strings.TrimPrefix(other.Command, name+" ")
			}
			command["should_escape"] = namesPeople(name)
			command["description"], command["usage_hint"] = catalogue.New().CommandHelp(words.Portuguese, name), "["+sub+"]"
		}
		commands = append(commands, command)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(object{
		"display_information": object{
			"name": "Balcão", "background_color": "#1f3a5f",
			"description": "Os processos de crédito habitação no banco, sem sair do Slack.",
		},
		"features": object{
			"app_home":       object{"home_tab_enabled": true, "messages_tab_enabled": true, "messages_tab_read_only_enabled": false},
			"bot_user":       object{"display_name": "Balcão", "always_online": true},
			"slash_commands": commands,
		},
		"oauth_config": object{"scopes": object{"bot": []string{
			"channels:history", "channels:read", "chat:write", "commands", "files:write", "groups:history", "groups:read",
			"im:history", "im:write", "users:read",
		}}},
		"settings": object{
			"event_subscriptions": object{
				"request_url": address,
				"bot_events": []string{
					"app_home_opened", "app_uninstalled", "channel_shared", "channel_unarchive", "channel_unshared", "group_unarchive", "member_joined_channel",
					"message.im", "tokens_revoked",
				},
			},
			"interactivity":          object{"is_enabled": true, "request_url": address, "message_menu_options_url": address},
			"org_deploy_enabled":     false,
			"socket_mode_enabled":    false,
			"token_rotation_enabled": false,
		},
	}); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// namesPeople reports whether a subcommand takes a colleague: then Slack must escape names.
func namesPeople(command string) bool {
	for _, tool := range catalogue.New().Subcommands(command) {
		for _, field := range tool.Fields {
			if field.Kind.Control == tools.ControlPerson {
				return true
			}
		}
	}
	return false
}

func TestTheManifestIsWhatTheCatalogueWants(t *testing.T) {
	t.Parallel()
	want := manifest()
	if *update {
		if err := os.WriteFile(manifestFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(manifestFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from the catalogue: go test ./slackapp -run Manifest -update", manifestFile)
	}
}

func TestTheManifestPassesSlacksSchema(t *testing.T) {
	t.Parallel()
	compiler := jsonschema.NewCompiler()
	compiler.UseRegexpEngine(withLookahead)
	schema, err := compiler.Compile("testdata/slack-manifest.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(manifest()))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(document); err != nil {
		t.Error(err)
	}
}

// withLookahead replaces the one pattern of the schema that Go's regular expressions do not support.
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
