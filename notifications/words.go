package notifications

import (
	"cmp"
	"embed"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/lisbon"
	"github.com/balcao/balcao/internal/words"
)

//go:embed words/*.toml
var wordFiles embed.FS

var texts = words.Sub(wordFiles, "words")

// say returns a text; the key is followed by names and values.
func say(lang words.Lang, key string, namesAndValues ...any) string {
	args := map[string]any{}
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		args[namesAndValues[i].(string)] = namesAndValues[i+1]
	}
	return texts.Say(lang, key, args)
}

// Text describes the change in a language.
func (c Change) Text(lang words.Lang) string {
	key := "change." + c.Kind
	switch c.Kind {
	case Opened, StatusChanged, BranchChanged, ProcessMade, Acted:
		return say(lang, key, "from", plain(c.From), "to", plain(c.To))
	case ESISIssued, Approved, Rejected:
		return say(lang, key)
	case BorrowerAdded, BorrowerRemoved, BorrowerChanged, PropertyValued, BankWrote:
		return say(lang, key, "count", count1(c.To))
	case SomebodyWrote:
		if c.From == "" {
			return say(lang, "change.somebody_wrote_unnamed", "count", count1(c.To))
		}
		return say(lang, key, "count", count1(c.To), "who", plain(c.From))
	case DocumentAsked, DocumentArrived, DocumentAccepted, DocumentRefused, DocumentRemoved:
		if c.To == "" {
			return say(lang, key+"_untyped")
		}
		return say(lang, key, "count", count1(c.From), "type", plain(c.To))
	}
	return say(lang, "change."+Acted)
}

// count1 returns the number in a text, 1 if there is none.
func count1(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 1
	}
	return n
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

// Texts says what changed, one text for each change. states are the bank's descriptions of the statuses of processes by id, in the
// language of the reader; a status that is not among them is described as the bank described it when it was read.
func (u Update) Texts(lang words.Lang, states map[int32]string) []string {
	texts := make([]string, 0, len(u.Changes))
	for _, change := range u.Changes {
		if u.Simulation == uuid.Nil && change.Kind == StatusChanged {
			change.From = cmp.Or(states[u.StatusBefore], change.From)
		}
		if u.Simulation == uuid.Nil && (change.Kind == StatusChanged || change.Kind == Opened) {
			change.To = cmp.Or(states[u.Snapshot.StatusID], change.To)
		}
		texts = append(texts, change.Text(lang))
	}
	return texts
}
