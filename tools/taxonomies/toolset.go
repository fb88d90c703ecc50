// Package taxonomies has the tools for the bank's lists of choices.
package taxonomies

import (
	"embed"

	"github.com/balcao/balcao/tools"
)

//go:embed words
var words embed.FS

// Toolset is the tools of this package.
var Toolset = tools.NewToolset("taxonomies", words)
