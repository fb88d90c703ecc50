package slacksim

import (
	"embed"

	"github.com/balcao/balcao/internal/words"
)

// wordFiles holds the texts of Slack's own error messages.
//
//go:embed words
var wordFiles embed.FS

var book = words.Sub(wordFiles, "words")
