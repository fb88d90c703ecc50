package slacksim

import (
	"encoding/json"
	"slices"
)

// manifest holds the parts of an app's manifest that the workspace uses.
type manifest struct {
	DisplayInformation struct {
		Name string `json:"name"`
	} `json:"display_information"`
	Features struct {
		SlashCommands []manifestCommand `json:"slash_commands"`
	} `json:"features"`
	OAuth struct {
		Scopes struct {
			Bot []string `json:"bot"`
		} `json:"scopes"`
	} `json:"oauth_config"`
	Settings struct {
		EventSubscriptions struct {
			BotEvents []string `json:"bot_events"`
		} `json:"event_subscriptions"`
	} `json:"settings"`
	given bool
}

type manifestCommand struct {
	Command     string `json:"command"`
	Description string `json:"description"`
	UsageHint   string `json:"usage_hint"`
	Escape      bool   `json:"should_escape"` // users and channels are sent as ids
}

func readManifest(raw []byte) manifest {
	var m manifest
	if len(raw) == 0 {
		return m
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		panic("slacksim: the manifest: " + err.Error())
	}
	m.given = true
	return m
}

func (m manifest) name() string {
	if m.DisplayInformation.Name == "" {
		return "Balcão"
	}
	return m.DisplayInformation.Name
}

func (m manifest) hasCommand(command string) bool {
	return !m.given || slices.ContainsFunc(m.Features.SlashCommands, func(c manifestCommand) bool { return c.Command == command })
}

// escapesCommand reports whether a command has should_escape.
func (m manifest) escapesCommand(command string) bool {
	return slices.ContainsFunc(m.Features.SlashCommands, func(c manifestCommand) bool { return c.Command == command && c.Escape })
}

// scopes returns the scopes of the bot that an installation grants. A manifest without scopes grants all that are known here.
func (m manifest) scopes() []string {
	if len(m.OAuth.Scopes.Bot) == 0 {
		return []string{
			"channels:history", "channels:read", "chat:write", "commands", filesRead, "files:write", "groups:history", "groups:read", "im:history",
			"im:read", "im:write", "users:read",
		}
	}
	return m.OAuth.Scopes.Bot
}

func (m manifest) subscribes(event string) bool {
	return !m.given || slices.Contains(m.Settings.EventSubscriptions.BotEvents, event)
}
