// Package documents has the tools for the documents of a process.
package documents

import (
	"embed"

	"github.com/balcao/balcao/tools"
)

//go:embed words
var words embed.FS

// Toolset is the tools of this package.
var Toolset = tools.NewToolset("documents", words)
