// Package simulations has the tools for simulations of loans.
package simulations

import (
	"embed"

	"github.com/balcao/balcao/tools"
)

//go:embed words
var words embed.FS

// Toolset is the tools of this package.
var Toolset = tools.NewToolset("simulations", words)
