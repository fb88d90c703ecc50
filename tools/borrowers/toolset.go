// Package borrowers has the tools for the borrowers of a process.
package borrowers

import (
	"embed"

	"github.com/balcao/balcao/tools"
)

//go:embed words
var words embed.FS

// Toolset is the tools of this package.
var Toolset = tools.NewToolset("borrowers", words)
