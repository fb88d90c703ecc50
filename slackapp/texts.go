package slackapp

import (
	"embed"
	"fmt"

	"github.com/balcao/balcao/internal/words"
)

//go:embed words
var wordFiles embed.FS

var texts = words.Sub(wordFiles, "words")

// say returns a text of this package. args are names and values in turn.
func say(lang words.Lang, key string, args ...any) string {
	values := map[string]any{}
	for i := 0; i+1 < len(args); i += 2 {
		values[fmt.Sprint(args[i])] = args[i+1]
	}
	return texts.Say(lang, key, values)
}
