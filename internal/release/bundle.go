package main

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/words"
)

// What the bundle and the entry in the registry say of Balcão. The texts for people are in the translation files.
const (
	title      = "Balcão"
	repository = "https://github.com/balcao/balcao"
	docs       = repository + "/blob/main/docs/clients.md"
	license    = "Apache-2.0"
)

// localized are the files with the texts of a bundle in another language than English.
const localized = "mcpb-resources/${locale}.json"

// object is a JSON object.
type object = map[string]any

// offered is what a server offers, as it says itself.
type offered struct {
	Tools []struct {
		Name        string `json:"name"`
		Title       string `json:"title"`
		Description string `json:"description"`
	} `json:"tools"`
}

// option is a setting that a person fills in where she installs the bundle.
type option struct {
	setting   string // the environment variable
	value     string // by default
	sensitive bool
}

// options are the settings of the server on a person's own machine. Those without a value would be passed on as placeholders,
// so that each has one; without any settings it uses the sandbox bank.
var options = []option{
	{setting: "PORTAL_URL", value: settings.Sandbox},
	{setting: "PORTAL_CLIENT_ID"},
	{setting: "PORTAL_CLIENT_SECRET", sensitive: true},
	{setting: "PORTAL_BROKER_UID"},
	{setting: "PORTAL_USERNAME"},
	{setting: "PORTAL_PROFILE"},
	{setting: "REDIS_URL", value: settings.Memory, sensitive: true},
	{setting: "STATE_KEY", sensitive: true},
	{setting: "MCP_TOOLS"},
}

// bundleManifest returns the manifest of the bundle for a platform, by the specification 0.3 of MCP bundles.
func bundleManifest(version string, p platform, server offered) object {
	config, env := object{}, object{}
	for _, o := range options {
		name := strings.ToLower(o.setting)
		config[name] = object{
			"type": "string", "title": o.setting, "description": settings.Help(words.English, o.setting),
			"required": false, "default": o.value, "sensitive": o.sensitive,
		}
		env[o.setting] = "${user_config." + name + "}"
	}
	config["read_only"] = object{"type": "boolean", "title": say(words.English, "read_only.title"), "description": say(words.English, "read_only.help"), "required": false, "default": false}
	tools := []object{}
	for _, tool := range server.Tools {
		tools = append(tools, object{"name": tool.Name, "description": tool.Description})
	}
	return object{
		"manifest_version": "0.3",
		"name":             "balcao", "display_name": title, "version": version,
		"description": say(words.English, "bundle.description"), "long_description": say(words.English, "bundle.long_description"),
		"author":     object{"name": title, "url": repository},
		"repository": object{"type": "git", "url": repository + ".git"}, "homepage": repository, "documentation": docs, "support": repository + "/issues",
		"license": license, "icon": iconName, "keywords": []string{"broker", "home loans", "Banco CTT", "Portugal"},
		"localization": object{"resources": localized, "default_locale": string(words.English)},
		"server": object{
			"type": "binary", "entry_point": p.program(),
			"mcp_config": object{"command": "${__dirname}/" + p.program(), "args": []string{"-open", "-read-only=${user_config.read_only}"}, "env": env},
		},
		// What is offered also depends on the settings, and on what the person may do.
		"tools": tools, "tools_generated": true, "prompts_generated": true,
		"compatibility": object{"platforms": []string{p.node()}},
		"user_config":   config,
	}
}

// translation returns the texts of a bundle in a language, which replace those of the manifest.
func translation(lang words.Lang) object {
	return object{"display_name": title, "description": say(lang, "bundle.description"), "long_description": say(lang, "bundle.long_description")}
}

// iconName is the name of the icon in a bundle.
const iconName = "icon.png"

// writeBundle writes a bundle: a ZIP file with the manifest, the program and the icon. Its bytes depend on nothing else.
func writeBundle(out io.Writer, manifest object, p platform, program string, icon []byte) error {
	archive := zip.NewWriter(out)
	add := func(name string, mode os.FileMode, content io.Reader) error {
		header := &zip.FileHeader{Name: name, Method: zip.Deflate}
		header.SetMode(mode)
		file, err := archive.CreateHeader(header)
		if err == nil {
			_, err = io.Copy(file, content)
		}
		if err != nil {
			return fmt.Errorf("adding %s: %w", name, err)
		}
		return nil
	}
	if err := add("manifest.json", 0o644, strings.NewReader(encoded(manifest))); err != nil {
		return err
	}
	for _, lang := range words.Langs {
		name := strings.ReplaceAll(localized, "${locale}", string(lang))
		if err := add(name, 0o644, strings.NewReader(encoded(translation(lang)))); err != nil {
			return err
		}
	}
	if err := add(iconName, 0o644, strings.NewReader(string(icon))); err != nil {
		return err
	}
	binary, err := os.Open(program)
	if err != nil {
		return err
	}
	defer func() { _ = binary.Close() }()
	if err := add(p.program(), 0o755, binary); err != nil {
		return err
	}
	return archive.Close()
}

// encoded returns an object as JSON for people to read.
func encoded(o object) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(o); err != nil {
		panic(err) // texts and booleans
	}
	return text.String()
}
