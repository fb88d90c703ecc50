package slackapp

import (
	"cmp"
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/slack-go/slack"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/tools"
)

// message is the notice as a channel reads it. Nothing in it but the mention, and the names of whom and what it is
// about, is taken for more than text.
func noticeMessage(n destination.Notice, names map[string]string) message {
	lead := escaped(n.Text, maxText)
	if slices.ContainsFunc(n.Facts, func(fact [2]string) bool { return fact[1] == n.Text }) { // who reads the facts needs it no second time
		lead = ""
	}
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
	facts := noticeFields(n, names)
	blocks = append(blocks, fieldBlocks("", facts)...)
	blocks = append(blocks, moreBlocks(n.Lang, len(n.Facts)-len(facts))...)
	var lines []string
	for _, line := range n.Lines {
		lines = append(lines, "• "+escaped(strings.Join(strings.Fields(line), " "), maxFact)+"\n")
	}
	blocks = append(blocks, lineBlocks(n.Lang, lines)...)
	if n.Card && n.Process != uuid.Nil {
		blocks = append(blocks, stepBlocks(tools.StepsOn(n.Process, n.Status, n.Lang))...)
	}
	if n.Undo != "" {
		blocks = append(blocks, stepBlocks([]tools.Step{tools.UndoStep(n.Undo, n.Lang)})...)
	}
	if blocks == nil {
		blocks = []slack.Block{paragraph("")}
	}
	return message{strings.TrimSpace(n.Title + "\n" + n.Text), blocks}
}

// fields are as many facts as there is room for, in mrkdwn.
func noticeFields(n destination.Notice, names map[string]string) []string {
	var fields []string
	total := 0
	for _, fact := range n.Facts[:min(len(n.Facts), maxNoticeFacts)] {
		text := factText(tools.Fact{Label: fact[0], Value: fact[1]})
		if name, known := names[fact[1]]; known {
			text = "*" + escaped(fact[0], maxCell) + "*\n" + name
		}
		if total += utf8.RuneCountInString(text); total > maxTable {
			break
		}
		fields = append(fields, text)
	}
	return fields
}

// names are what to show, in mrkdwn, for the person and the place that stand among the facts. A person is not mentioned,
// which would call her: who cannot be named is nobody.
func (a *App) names(ctx context.Context, n destination.Notice) map[string]string {
	names := map[string]string{}
	for _, one := range []string{n.Owner, n.About} {
		user, isPerson := person(one)
		id, known := target(one)
		switch {
		case isPerson:
			names[one] = escaped(cmp.Or(a.personName(ctx, user), nothing), maxCell)
		case known:
			names[one] = "<#" + id + ">"
		}
	}
	return names
}

// calledNames are the names of people in Slack, kept for a while.
type calledNames struct {
	mu    sync.Mutex
	until time.Time
	names map[string]string
}

// personName is what a person is called in Slack, "" while Slack does not say.
func (a *App) personName(ctx context.Context, user string) string {
	a.called.mu.Lock()
	defer a.called.mu.Unlock()
	if now := time.Now(); now.After(a.called.until) || len(a.called.names) >= maxNames {
		a.called.names, a.called.until = map[string]string{}, now.Add(personLife)
	}
	if name, known := a.called.names[user]; known {
		return name
	}
	var found struct {
		User struct {
			Name string `json:"real_name"`
		} `json:"user"`
	}
	ctx, cancel := context.WithTimeout(ctx, personBudget)
	defer cancel()
	if err := a.call(ctx, "users.info", url.Values{"user": {user}}, &found); err != nil {
		a.log.WarnContext(ctx, "a person is not named in a notice", "error", err)
		return ""
	}
	a.called.names[user] = found.User.Name
	return found.User.Name
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
