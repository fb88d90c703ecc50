package messages

import (
	"strings"
	"time"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// Message is a message as it is shown: its text is from outside, with identifiers masked.
type Message struct {
	Number  int       `json:"number,omitzero"` // from 1 for the oldest; 0 if the bank does not count them
	From    From      `json:"from" pii:"open"`
	Who     string    `json:"who,omitempty" pii:"contact"` // masked
	When    time.Time `json:"when,omitzero"`
	Subject string    `json:"subject" pii:"contact"`
	Text    string    `json:"text" pii:"contact"`
	Cut     bool      `json:"cut,omitzero"` // the text is longer: read_message has all of it
}

// From is who wrote a message.
type From string

// The writers.
const (
	FromBank      From = "bank"
	FromYou       From = "you"
	FromColleague From = "broker" // another user of the broker
	FromSomebody  From = "unknown"
)

// shown returns a message as it is shown to a call's actor, its text cut to at most limit characters.
func shown(call *tools.Call, message portal.Message, limit int) Message {
	text, cut := clipped(tools.CleanLines(message.Text.Reveal()), limit)
	m := Message{
		Number: message.Number, From: writer(call, message), When: message.CreationDate.Time,
		Subject: tools.Clean(message.Subject.Reveal()), Text: text, Cut: cut,
	}
	if m.From == FromColleague || m.From == FromSomebody {
		m.Who = masked(message.UserName)
	}
	return m
}

// clipped cuts a text at a limit of characters, at the end of a word if one is near.
func clipped(text string, limit int) (string, bool) {
	runes := []rune(text)
	if len(runes) <= limit {
		return text, false
	}
	kept := string(runes[:limit-1])
	if space := strings.LastIndexAny(kept, " \n"); space > len(kept)*3/4 {
		kept = kept[:space]
	}
	return strings.TrimSpace(kept) + "…", true
}

// writer returns who wrote a message. The bank may say so, or only the name of the user.
func writer(call *tools.Call, message portal.Message) From {
	own := strings.EqualFold(message.UserName.Reveal(), call.Bank.Username())
	switch {
	case own && !message.UserName.IsZero():
		return FromYou
	case message.SentByBank != nil && *message.SentByBank:
		return FromBank
	case message.SentByBank != nil:
		return FromColleague
	}
	return FromSomebody
}

// masked returns the mask of a user's name, which may be an e-mail address.
func masked(name pii.Name) string {
	if strings.Contains(name.Reveal(), "@") {
		return pii.New[pii.Email](name.Reveal()).String()
	}
	return name.String()
}

// writerText says who wrote a message.
func (m Message) writerText(say tools.Say) string {
	text := say("from." + string(m.From))
	if m.Who != "" {
		text += " (" + m.Who + ")"
	}
	return text
}
