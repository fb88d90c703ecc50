package notifications

import (
	"embed"
	"strconv"
	"strings"
	"time"

	"github.com/balcao/balcao/internal/lisbon"
	"github.com/balcao/balcao/internal/words"
)

//go:embed words/*.toml
var wordFiles embed.FS

var book = words.Sub(wordFiles, "words")

// say returns a text; the key is followed by names and values.
func say(lang words.Lang, key string, namesAndValues ...any) string {
	args := map[string]any{}
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		args[namesAndValues[i].(string)] = namesAndValues[i+1]
	}
	return book.Say(lang, key, args)
}

// Text describes the change in a language.
func (c Change) Text(lang words.Lang) string {
	key := "change." + c.Kind
	switch c.Kind {
	case Opened, StatusChanged, BranchChanged, Acted:
		return say(lang, key, "from", plain(c.From), "to", plain(c.To))
	case BorrowerAdded, BorrowerRemoved, BorrowerChanged:
		many, err := strconv.Atoi(c.To)
		if err == nil {
			return say(lang, key, "count", many)
		}
	}
	return say(lang, "change."+Acted)
}

// maxText is how many characters of a text of the bank are shown.
const maxText = 120

// plain returns a text from outside as one line of limited length.
func plain(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if deadLetters := []rune(text); len(deadLetters) > maxText {
		return string(deadLetters[:maxText-1]) + "…"
	}
	return text
}

// moment formats a time in Lisbon.
func moment(lang words.Lang, at time.Time) string {
	return at.In(lisbon.Zone).Format(say(lang, "time.moment"))
}

func shortMoment(lang words.Lang, at time.Time) string {
	return at.In(lisbon.Zone).Format(say(lang, "time.short"))
}
