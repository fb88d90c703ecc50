package slacksim

import (
	"embed"
	"encoding/json"
	"io/fs"
	"slices"
)

//go:embed words/*.toml
var wordsEmbedded embed.FS

func wordFiles() fs.FS {
	sub, err := fs.Sub(wordsEmbedded, "words")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}

// manifest is what the workspace needs to know of an app's manifest.
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
	Escape      bool   `json:"should_escape"` // people and channels come as ids
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

// escapes tells whether a command wants people, channels and links as ids and addresses.
func (m manifest) escapesCommand(command string) bool {
	return slices.ContainsFunc(m.Features.SlashCommands, func(c manifestCommand) bool { return c.Command == command && c.Escape })
}

func (m manifest) scopes() []string { return m.OAuth.Scopes.Bot }

// grants tells whether the app asked for a scope. A manifest that names none grants all.
func (m manifest) grants(scope string) bool {
	return len(m.scopes()) == 0 || slices.Contains(m.scopes(), scope)
}

func (m manifest) subscribes(event string) bool {
	return !m.given || slices.Contains(m.Settings.EventSubscriptions.BotEvents, event)
}
