package slackapp

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// Manifest is the manifest of the Slack app as JSON, ready to paste. Its commands are those of the catalogue in each of
// langs; Slack does not translate commands. host is where Slack reaches the app, as in https://balcao.example.com; with ""
// the app uses Socket Mode. mcp declares the MCP server at the host, so that people reach the tools through Slackbot; without a
// host Slack cannot reach it.
func Manifest(catalogue *tools.Catalogue, host string, mcp bool, langs ...words.Lang) ([]byte, error) {
	address, scopes := "", botScopes
	if host != "" {
		address = strings.TrimSuffix(host, "/") + "/slack/events"
	}
	if mcp = mcp && host != ""; mcp {
		scopes = append(slices.Clone(scopes), mcpScope)
		slices.Sort(scopes)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	manifest := object{
		"display_information": object{
			"name": say(langs[0], "app"), "background_color": "#1f3a5f", "description": say(langs[0], "manifest.description"),
		},
		"features": object{
			"app_home":       object{"home_tab_enabled": true, "messages_tab_enabled": true, "messages_tab_read_only_enabled": false},
			"bot_user":       object{"display_name": say(langs[0], "app"), "always_online": true},
			"slash_commands": manifestCommands(catalogue, address, langs),
		},
		"oauth_config": object{"scopes": object{"bot": scopes}},
		"settings": object{
			"event_subscriptions": withURL(object{
				"bot_events": []string{
					"app_home_opened", "app_uninstalled", "channel_shared", "channel_unarchive", "channel_unshared", "group_unarchive", "member_joined_channel",
					"message.im", "tokens_revoked",
				},
			}, address, "request_url"),
			"interactivity":          withURL(object{"is_enabled": true}, address, "request_url", "message_menu_options_url"),
			"org_deploy_enabled":     false,
			"socket_mode_enabled":    address == "",
			"token_rotation_enabled": false,
		},
	}
	if mcp {
		manifest["mcp_servers"] = object{"balcao": object{
			"url": strings.TrimSuffix(host, "/") + "/mcp", "auth_type": "slack_identity_auth", // see [App.SignedCaller]
		}}
	}
	err := encoder.Encode(manifest)
	return out.Bytes(), err
}

// mcpScope lets Slackbot call the app's MCP server. The bot itself does not need it.
const mcpScope = "mcp:connect"

// botScopes are the scopes that the bot's token needs.
var botScopes = []string{
	"channels:history", "channels:read", "chat:write", "commands", "files:read", "files:write", "groups:history",
	"groups:read", "im:history", "im:write", "users:read",
}

type object = map[string]any

func withURL(o object, address string, names ...string) object {
	for _, name := range names {
		if address != "" {
			o[name] = address
		}
	}
	return o
}

// manifestCommands declares each command once: Slack has its name only, so that its verbs are a hint for who types it.
func manifestCommands(catalogue *tools.Catalogue, address string, langs []words.Lang) []object {
	var commands []object
	var declared []string
	for _, lang := range langs {
		for _, tool := range catalogue.ForPeople() {
			name, _ := tool.CommandName(lang)
			if slices.Contains(declared, name) {
				continue
			}
			declared = append(declared, name)
			commands = append(commands, withURL(manifestCommand(lang, name, catalogue.WithCommand(name)), address, "url"))
			if help := catalogue.CommandHelp(lang, name); help != "" {
				commands[len(commands)-1]["description"] = help
			}
		}
	}
	return commands
}

// manifestCommand declares the command of these tools, in a language.
func manifestCommand(lang words.Lang, name string, of []*tools.Tool) object {
	command := object{"command": "/" + name, "should_escape": slices.ContainsFunc(of, namesPeople)}
	var hints []string
	for _, tool := range of {
		if _, verb := tool.CommandName(lang); verb != "" {
			hints = append(hints, verb)
			continue
		}
		command["description"] = tool.Help(lang)
		if len(tool.Pages) > 0 {
			hints = append([]string{strings.ToLower(tool.Fields[0].Label(lang))}, hints...)
		}
	}
	if hints != nil {
		command["usage_hint"] = "[" + strings.Join(hints, " | ") + "]"
	}
	return command
}

// namesPeople reports whether a colleague may be named on the line of the tool's command: then Slack is to say which.
func namesPeople(tool *tools.Tool) bool {
	return slices.ContainsFunc(tool.Fields, func(f tools.Field) bool { return f.Kind.Control == tools.ControlPerson })
}
