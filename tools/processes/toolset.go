// Package processes has the tools for the broker's processes.
package processes

import (
	"embed"

	"github.com/balcao/balcao/tools"
)

//go:embed words
var words embed.FS

// Toolset is the tools of this package.
var Toolset = tools.NewToolset("processes", words)
