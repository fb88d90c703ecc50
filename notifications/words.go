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

// say gives a text; what follows the key are names and values.
func say(lang words.Lang, key string, namesAndValues ...any) string {
	args := map[string]any{}
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		args[namesAndValues[i].(string)] = namesAndValues[i+1]
	}
	return book.Say(lang, key, args)
}

// Text says what changed.
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

// maxText is how much of a text of the bank's is shown.
const maxText = 120

// plain makes of a text from outside one line that fits.
func plain(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if deadLetters := []rune(text); len(deadLetters) > maxText {
		return string(deadLetters[:maxText-1]) + "…"
	}
	return text
}

// moment is a point in time as the clocks of Lisbon show it.
func moment(lang words.Lang, at time.Time) string {
	return at.In(lisbon.Zone).Format(say(lang, "time.moment"))
}

func shortMoment(lang words.Lang, at time.Time) string {
	return at.In(lisbon.Zone).Format(say(lang, "time.short"))
}
