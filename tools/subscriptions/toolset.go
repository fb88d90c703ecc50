// Package subscriptions has the tools that say of which processes a channel or a person is notified, and when.
package subscriptions

import (
	"embed"

	"github.com/balcao/balcao/tools"
)

//go:embed words
var words embed.FS

// Toolset is the tools of this package.
var Toolset = tools.NewToolset("subscriptions", words)
