package slackapp

import (
	"regexp"
	"strings"

	"github.com/google/uuid"
	"github.com/slack-go/slack"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// Notice is what a place is told of itself, rather than for having been asked.
type Notice struct {
	ID      string // tells it apart from every other: where it was posted, it is found again by it
	Process uuid.UUID
	Lang    words.Lang
	Title   string
	Text    string      // a sentence, for notifications and screen readers too
	Facts   [][2]string // labels and values
	Lines   []string
	Mention string // the actor to mention, "" for nobody
	Card    bool   // the live card of the process: it wants the process's buttons
}

// message is the notice as a channel reads it. Nothing in it but the mention is taken for more than text.
func (n Notice) message() message {
	lead := escaped(n.Text, maxText)
	if user, ok := person(n.Mention); ok {
		lead = strings.TrimSpace("<@" + user + "> " + lead)
	}
	var blocks []slack.Block
	switch title := strings.Join(strings.Fields(n.Title), " "); {
	case title == "":
	case n.Card:
		blocks = append(blocks, header(title))
	default: // a heading would be loud in a thread
		lead = strings.TrimSpace("*" + escaped(title, maxHeader) + "*\n" + lead)
	}
	if lead != "" {
		blocks = append(blocks, slack.NewSectionBlock(mrkdwn(lead), nil, nil))
	}
	var facts []tools.Fact
	for _, fact := range n.Facts[:min(len(n.Facts), maxNoticeFacts)] {
		facts = append(facts, tools.Fact{Label: fact[0], Value: fact[1]})
	}
	facts = fitting(facts)
	blocks = append(blocks, factBlocks("", facts)...)
	blocks = append(blocks, moreBlocks(n.Lang, len(n.Facts)-len(facts))...)
	var lines []string
	for _, line := range n.Lines {
		lines = append(lines, "• "+escaped(strings.Join(strings.Fields(line), " "), maxFact)+"\n")
	}
	blocks = append(blocks, lineBlocks(n.Lang, lines)...)
	if n.Card && n.Process != uuid.Nil {
		blocks = append(blocks, stepBlocks(tools.StepsOn(n.Process, n.Lang))...)
	}
	if blocks == nil {
		blocks = []slack.Block{paragraph("")}
	}
	return message{strings.TrimSpace(n.Title + "\n" + n.Text), blocks}
}

// slackID is a channel or a person, as Slack names them.
var slackID = regexp.MustCompile(`^[CDGUW][A-Z0-9]+$`)

// target reads a place or an actor, "slack:C0TEAM" or "slack:T0TEAM/U0ANA": whom or what it names in Slack.
func target(place string) (id string, ok bool) {
	rest, ours := strings.CutPrefix(place, "slack:")
	id = rest[strings.LastIndexByte(rest, '/')+1:]
	return id, ours && slackID.MatchString(id)
}

// person is a target that is a person.
func person(actor string) (user string, ok bool) {
	id, ok := target(actor)
	return id, ok && (id[0] == 'U' || id[0] == 'W')
}
