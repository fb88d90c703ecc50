package mcpapp

import (
	"embed"

	"github.com/balcao/balcao/internal/words"
)

// The door's own texts. What it says of tools and fields are theirs.
//
//go:embed words
var wordFiles embed.FS

var book = words.Sub(wordFiles, "words")
