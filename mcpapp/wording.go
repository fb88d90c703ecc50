package mcpapp

import (
	"embed"

	"github.com/balcao/balcao/internal/words"
)

// wordFiles holds the texts of this package. Those of tools and fields are in their toolsets.
//
//go:embed words
var wordFiles embed.FS

var book = words.Sub(wordFiles, "words")
