package main

import (
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/words"
)

// The entry in the MCP registry (https://registry.modelcontextprotocol.io).
const (
	registryName   = "io.github.balcao/balcao"
	registrySchema = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
)

// bundle is a bundle that was written.
type bundle struct {
	name string // of the file
	hash string // SHA-256, in hexadecimal
}

// serverJSON returns the entry of a version in the registry: its bundles, which are downloaded from the release of that version,
// and the server that a team runs for all.
func serverJSON(version string, bundles []bundle) object {
	var variables []object
	for _, o := range options {
		variable := object{"name": o.setting, "description": settings.Help(words.English, o.setting), "isRequired": false, "isSecret": o.sensitive}
		if o.value != "" {
			variable["default"] = o.value
		}
		variables = append(variables, variable)
	}
	packages := []object{}
	for _, b := range bundles {
		packages = append(packages, object{
			"registryType": "mcpb", "identifier": repository + "/releases/download/v" + version + "/" + b.name,
			"version": version, "fileSha256": b.hash, "transport": object{"type": "stdio"}, "environmentVariables": variables,
		})
	}
	return object{
		"$schema": registrySchema, "name": registryName, "title": title, "description": say(words.English, "bundle.description"), "version": version,
		"repository": object{"url": repository, "source": "github"}, "websiteUrl": repository,
		"packages": packages,
		"remotes": []object{{
			"type": "streamable-http", "url": "https://{host}/mcp",
			"variables": object{"host": object{"description": say(words.English, "remote.host"), "isRequired": true}},
			"headers": []object{{
				"name": "Authorization", "description": say(words.English, "remote.token"), "isRequired": true, "isSecret": true,
				"value": "Bearer {token}", "variables": object{"token": object{"description": say(words.English, "remote.token"), "isRequired": true, "isSecret": true}},
			}},
		}},
	}
}
