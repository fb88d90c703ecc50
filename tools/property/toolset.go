// Package property has the tools for the property that a process is about.
package property

import (
	"embed"

	"github.com/balcao/balcao/tools"
)

//go:embed words
var words embed.FS

// Toolset is the tools of this package.
var Toolset = tools.NewToolset("property", words)
