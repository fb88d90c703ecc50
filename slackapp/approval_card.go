package slackapp

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/internal/lisbon"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// approvalItem is an approval as its card shows it.
type approvalItem struct {
	tools.Review
	failure *tools.Error // why what it would do cannot be shown; nil if it can
	unread  bool         // because the bank does not answer now, or this version does not have its tool
	whole   bool         // the card has all values
	hidden  bool         // the card has no room for it
}

// transientKinds are the failures that pass by themselves.
var transientKinds = []tools.ErrorKind{tools.Busy, tools.Unavailable, tools.Cancelled, tools.Internal, tools.LoginRefused}

// itemOf returns an approval as the card of its owner shows it.
func (a *App) itemOf(ctx context.Context, actor tools.Actor, now tools.Approval, tool *tools.Tool) approvalItem {
	review, err := a.runner.Outcome(ctx, actor, now.ID)
	if err == nil && review.Status.Open() {
		review, err = a.runner.Review(ctx, actor, now.ID)
	}
	if err == nil {
		return approvalItem{Review: review}
	}
	failure := tools.AsError(err)
	a.log.InfoContext(ctx, "reviewing an approval failed", "approval", now.ID, "error", logged(err))
	_, known := a.runner.ToolOf(now) // else a newer replica may show it
	return approvalItem{
		Review: tools.Review{Approval: now, Of: tool}, failure: failure, unread: now.Status.Open() && (!known || slices.Contains(transientKinds, failure.Kind)),
	}
}

// approvable reports whether the person can approve what the card shows with one press.
func (i approvalItem) approvable() bool {
	return i.Status == tools.ApprovalWaits && i.Seen != "" && i.failure == nil && i.whole && !i.hidden
}

// together reports whether all that waits can be approved with one press. What deletes is approved by itself.
func together(items []approvalItem) bool {
	waiting := 0
	for _, item := range items {
		if item.Status.Open() {
			if waiting++; !item.approvable() || item.Of.Effect == tools.Deletes {
				return false
			}
		}
	}
	return waiting > 1
}

// layOut decides what of each item fits into a message, those that wait first: all values, or none of them.
func layOut(items []approvalItem) {
	blocks, characters := maxCardBlocks, maxCardText
	var order []*approvalItem
	for _, open := range []bool{true, false} {
		for i := range items {
			if items[i].Status.Open() == open {
				order = append(order, &items[i])
			}
		}
	}
	for _, item := range order {
		item.whole = fitsWhole(item.Sections, item.Problems)
		needBlocks, need := briefBlocks, briefText
		if !item.Status.Open() || item.failure != nil {
			item.whole, needBlocks = false, decidedBlocks
		}
		if item.whole {
			more, text := sizeOf(item.Sections, item.Problems)
			if needBlocks+more > blocks || need+text > characters {
				item.whole = false
			} else {
				needBlocks, need = needBlocks+more, need+text
			}
		}
		item.hidden = needBlocks > blocks || need > characters
		if !item.hidden {
			blocks, characters = blocks-needBlocks, characters-need
		}
	}
}

// What a card has room for. Slack takes 50 blocks, and about 13,000 characters in all.
const (
	maxCardBlocks = 44   // without those around the items
	maxCardText   = 9000 // characters
	briefBlocks   = 5    // of an item without its values
	briefText     = 700  // cut to that
	decidedBlocks = 3    // of an item that does not wait
)

// sizeOf returns the blocks and characters of values and problems.
func sizeOf(sections []tools.Section, problems []tools.Problem) (blocks, characters int) {
	for _, section := range sections {
		blocks += (len(section.Facts) + maxFacts/2 - 1) / (maxFacts / 2)
		characters += utf8.RuneCountInString(section.Title) + 2
		for _, fact := range section.Facts {
			characters += utf8.RuneCountInString(fact.Label) + lengthInClear(fact.Value)
		}
	}
	for _, p := range problems {
		blocks++
		characters += maxSmall/5 + utf8.RuneCountInString(p.Text) + lengthInClear(p.Clear)
	}
	return blocks, characters
}

// approvalMessage is a card. Its text, which notifications show, has no values.
func approvalMessage(lang words.Lang, items []approvalItem) message {
	if len(items) == 1 {
		return oneApproval(lang, items[0])
	}
	return severalApprovals(lang, items)
}

// titleOf names what an approval is for: «Novo proponente · processo 1042».
func titleOf(lang words.Lang, item approvalItem) string {
	title := item.Of.Title(lang)
	if about := aboutOf(lang, item); about != "" {
		title += " · " + about
	}
	return title
}

// aboutOf is the process or simulation by its number, "" where it is given in another way.
func aboutOf(lang words.Lang, item approvalItem) string {
	at := slices.IndexFunc(item.Of.Fields, isSubject)
	if at < 0 || item.About == "" || !integerPattern.MatchString(item.About) {
		return ""
	}
	return strings.ToLower(item.Of.Fields[at].Label(lang)) + " " + item.About
}

// clock is a time of day, with the day if that is another than now's.
func clock(lang words.Lang, at, now time.Time) string {
	at, now = at.In(lisbon.Zone), now.In(lisbon.Zone)
	if at.YearDay() == now.YearDay() && at.Year() == now.Year() {
		return at.Format("15:04")
	}
	return at.Format(say(lang, "format.time"))
}

// askedBy says which assistant asks, since when and until when.
func askedBy(lang words.Lang, item approvalItem, until time.Time) string {
	now := time.Now()
	line := say(lang, "approval.asked_by", "client", oneLine(item.Client, maxClient), "time", clock(lang, item.Asked, now))
	if item.Status.Open() {
		line += " · " + say(lang, "approval.until", "time", clock(lang, until, now))
	}
	return line
}

// oneApproval is the card of one approval. The first line says what would happen, or what has.
func oneApproval(lang words.Lang, item approvalItem) message {
	title := titleOf(lang, item)
	if item.Card.Title != "" {
		card, next := shownCard{Card: item.Card}, stepButtons(item.Card.Next)
		card.Next = nil
		blocks := append(card.blocks(lang), contextLine(outcomeOf(lang, item)+" "+askedBy(lang, item, item.Expires)))
		return message{card.text(), append(blocks, buttons(append(next, button(actReview, item.ID, say(lang, "approval.review")))...))}
	}
	blocks := []slack.Block{header(title), contextLine(askedBy(lang, item, item.Expires))}
	blocks = append(blocks, itemBlocks(lang, item, true)...)
	text := say(lang, "approval.notice", "title", title)
	if !item.Status.Open() {
		text = title + "\n" + outcomeOf(lang, item)
	} else if item.whole {
		blocks = append(blocks, contextLine(say(lang, "approval.clear")))
	}
	return message{text, blocks}
}

// severalApprovals is the card of the approvals of one assistant on one process, in order.
func severalApprovals(lang words.Lang, items []approvalItem) message {
	waiting, until := 0, time.Time{}
	for _, item := range items {
		if item.Status.Open() {
			if waiting++; until.IsZero() || item.Expires.Before(until) {
				until = item.Expires
			}
		}
	}
	title := say(lang, "approval.several", "count", waiting)
	if waiting == 0 {
		title = say(lang, "approval.settled", "count", len(items))
	}
	if about := aboutOf(lang, items[0]); about != "" {
		title += " · " + about
	}
	who := items[0]
	if waiting > 0 {
		who = items[slices.IndexFunc(items, func(i approvalItem) bool { return i.Status.Open() })]
	}
	blocks, hidden, whole := []slack.Block{header(title), contextLine(askedBy(lang, who, until))}, 0, false
	var next []tools.Step
	all := together(items)
	for n, item := range items {
		if item.hidden {
			hidden++
			continue
		}
		whole = whole || item.whole && item.Status.Open()
		name := "*" + escaped(say(lang, "approval.numbered", "number", n+1, "title", item.Of.Title(lang)), maxHeader) + "*"
		blocks = append(blocks, slack.NewDividerBlock(), slack.NewSectionBlock(mrkdwn(name), nil, nil))
		blocks = append(blocks, itemBlocks(lang, item, !all)...)
		for _, step := range item.Card.Next {
			if !slices.ContainsFunc(next, func(other tools.Step) bool { return other.Label == step.Label }) {
				next = append(next, step)
			}
		}
	}
	blocks = append(blocks, moreBlocks(lang, hidden)...)
	text := say(lang, "approval.notice", "title", title)
	switch {
	case waiting == 0:
		blocks, text = append(blocks, stepBlocks(next)...), title
	case all:
		approve := button(actApproveAll, string(encode(approveAll{items[0].ID, seenTogether(items)})), say(lang, "approval.approve_all", "count", waiting))
		approve.Style = slack.StylePrimary
		blocks = append(blocks, slack.NewDividerBlock(), buttons(approve))
	}
	if whole {
		blocks = append(blocks, contextLine(say(lang, "approval.clear")))
	}
	return message{text, blocks}
}

// itemBlocks show what an approval would do with its buttons, or what became of it without values. first is set if its first button is
// the one that most people press.
func itemBlocks(lang words.Lang, item approvalItem, first bool) []slack.Block {
	if !item.Status.Open() {
		text := outcomeOf(lang, item)
		if item.Card.Title != "" {
			text += "\n" + strings.TrimSpace(item.Card.Title+". "+item.Card.Text)
		}
		return []slack.Block{row(cut(text, briefText), button(actReview, item.ID, say(lang, "approval.review")))}
	}
	var blocks []slack.Block
	approve, review := button(actApprove, string(encode(approval{item.ID, item.Seen})), say(lang, "approval.approve")), button(actReview, item.ID, say(lang, "approval.review"))
	reject := button(actReject, item.ID, say(lang, "approval.reject"))
	choices := []*slack.ButtonBlockElement{approve, review, reject}
	if item.Altered {
		blocks = append(blocks, paragraph(say(lang, "approval.changed_meanwhile")))
	}
	if item.Failure != "" {
		failed := &tools.Error{Kind: item.Failure, Tool: item.Of}
		blocks = append(blocks, paragraph(say(lang, "approval.failed_before", "what", failed.What(lang))))
	}
	switch {
	case item.failure != nil:
		text := approvalText(lang, item.failure)
		if text == "" {
			text = strings.TrimSpace(item.failure.What(lang) + " " + problemTexts(item.failure.Problems))
		}
		blocks = append(blocks, paragraph(text))
		choices = choices[1:]
	case item.Status == tools.ApprovalDraft || item.Seen == "":
		blocks = append(blocks, paragraph(say(lang, "approval.incomplete")))
		review = button(actReview, item.ID, say(lang, "approval.finish"))
		choices = []*slack.ButtonBlockElement{review, reject}
	case !item.whole:
		blocks = append(blocks, paragraph(say(lang, "approval.long")))
		choices = []*slack.ButtonBlockElement{review, reject}
	}
	if item.whole {
		blocks = append(blocks, clearBlocks(lang, item)...)
	}
	switch {
	case item.Of.Effect == tools.Deletes:
		approve.Style = slack.StyleDanger
	case first && item.failure == nil:
		choices[0].Style = slack.StylePrimary
	}
	return append(blocks, buttons(choices...))
}

// problemTexts joins the texts of problems.
func problemTexts(problems []tools.Problem) string {
	var texts []string
	for _, p := range problems {
		texts = append(texts, p.Text)
	}
	return strings.Join(texts, " ")
}

// outcomeOf says how far an approval is that is not open, or how it ended.
func outcomeOf(lang words.Lang, item approvalItem) string {
	at := item.Decided
	if at.IsZero() {
		at = item.Expires
	}
	text := say(lang, "approval."+string(item.Status), "time", clock(lang, at, time.Now()), "word", item.Reason)
	if item.Status == tools.ApprovalFailed {
		failed := &tools.Error{Kind: item.Failure, Tool: item.Of, Problems: item.Review.Approval.Problems}
		text += " " + strings.TrimSpace(failed.What(lang)+" "+problemTexts(item.Review.Approval.Problems))
	}
	if len(item.Changed) > 0 {
		var labels []string
		for _, path := range item.Changed {
			label := path
			if field, known := item.Of.Field(path); known {
				label = field.Label(lang)
			}
			labels = append(labels, label)
		}
		text += " " + say(lang, "approval.changed", "fields", strings.Join(labels, ", "))
	}
	return text
}
