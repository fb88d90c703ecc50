package slackapp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/internal/pause"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// A press on a card says which approval it is about and what the card showed. Both are compared with what is stored, and whose the
// approval is: of a press only Slack's signature and the person's id are trusted.

// approval is the value of the button that approves.
type approval struct {
	ID   string `json:"id"`
	Seen string `json:"seen"`
}

// approveAll is the value of the button that approves all of a card: one of its approvals, and a digest of what it shows.
type approveAll struct {
	Of   string `json:"of"`
	Seen string `json:"seen"`
}

// seenTogether is a digest of what a card shows of the approvals that can be approved together.
func seenTogether(items []approvalItem) string {
	seen := map[string]string{}
	for _, item := range items {
		if item.approvable() {
			seen[item.ID] = item.Seen
		}
	}
	return digestOf(seen)
}

func digestOf(seen map[string]string) string {
	sum := sha256.Sum256(encode(seen)) // keys are sorted
	return hex.EncodeToString(sum[:16])
}

// decoded reports whether a value was read.
func decoded(value []byte, into any) bool { return json.Unmarshal(value, into) == nil }

// approve makes the call of an approval as the card showed it.
func (a *App) approve(ctx context.Context, req *request, value string) error {
	var pressed approval
	if !decoded([]byte(value), &pressed) {
		return nil
	}
	return a.tellDecided(ctx, req, pressed.ID, a.approveShown(ctx, req, pressed))
}

// approveShown approves what a card showed. The card shows the result.
func (a *App) approveShown(ctx context.Context, req *request, shown approval) error {
	result, err := a.runner.Approve(ctx, req.actor, shown.ID, tools.Approved{Seen: shown.Seen})
	result.Close()
	return err
}

// tellDecided shows a decision: on the card, and if it failed, to the person where she is.
func (a *App) tellDecided(ctx context.Context, req *request, id string, err error) error {
	a.refreshCard(ctx, req.actor, id)
	if err == nil {
		return nil
	}
	failure := tools.AsError(err)
	if text := approvalText(req.actor.Lang, failure); text != "" {
		return a.reply(ctx, req, message{text, []slack.Block{paragraph(text)}})
	}
	return a.reply(ctx, req, a.errorMessage(req, failure))
}

// approvalText says why an approval was not made, where the usual text of the failure would mislead; else it is "".
func approvalText(lang words.Lang, failure *tools.Error) string {
	of := func(p tools.Problem) bool { return strings.HasPrefix(p.Code, "approval.") }
	at := slices.IndexFunc(failure.Problems, of)
	switch {
	case failure.Kind == tools.Unclear:
		return say(lang, "approval.unclear")
	case failure.Kind == tools.Unconfirmed && at >= 0:
		return say(lang, "approval.altered")
	case failure.Kind == tools.Invalid && at >= 0:
		return failure.Problems[at].Text
	}
	return ""
}

// isDecided reports whether a failure says that an approval is not open any more.
func isDecided(failure *tools.Error) bool {
	return failure.Kind == tools.Invalid && slices.ContainsFunc(failure.Problems, func(p tools.Problem) bool { return strings.HasPrefix(p.Code, "approval.") })
}

// refreshCard makes the card of an approval of the actor again, now. If that fails, the card is made when the approval changes, or by
// the next press.
func (a *App) refreshCard(ctx context.Context, actor tools.Actor, id string) {
	a.wakeApprovals()
	found, known, err := a.runner.Approval(ctx, id)
	if err != nil || !known || found.Owner != actor.ID {
		return
	}
	for range maxUpdateAttempts {
		if err = a.makeCard(ctx, found, true); !errors.Is(err, errCardTaken) || !pause.For(ctx, approvalPoll) {
			break
		}
	}
	if err != nil && !errors.Is(err, errUnread) {
		a.log.InfoContext(ctx, "showing a decision failed", "approval", id, "error", logged(err))
	}
}

// approveTogether approves all that a card shows, in order. A failure stops the rest.
func (a *App) approveTogether(ctx context.Context, req *request, value string) error {
	var pressed approveAll
	if !decoded([]byte(value), &pressed) {
		return nil
	}
	lang := req.actor.Lang
	one, known, err := a.runner.Approval(ctx, pressed.Of)
	if err != nil {
		return err
	}
	if !known || one.Owner != req.actor.ID {
		_, err := a.runner.Review(ctx, req.actor, pressed.Of) // which says that it is gone
		return a.tellDecided(ctx, req, pressed.Of, err)
	}
	var card approvalCard
	stored, known, err := a.store.Get(ctx, approvalCardKind, approvalGroup(one))
	if err != nil {
		return err
	}
	if !known || !decoded(stored, &card) || !card.Complete || digestOf(card.Seen) != pressed.Seen {
		a.refreshCard(ctx, req.actor, pressed.Of)
		text := say(lang, "approval.altered")
		return a.reply(ctx, req, message{text, []slack.Block{paragraph(text)}})
	}
	done := 0
	for _, id := range card.Items {
		seen, shown := card.Seen[id]
		if !shown {
			continue
		}
		if err := a.approveShown(ctx, req, approval{id, seen}); err != nil {
			failure := tools.AsError(err)
			why := approvalText(lang, failure)
			if why == "" {
				why = strings.TrimSpace(failure.What(lang) + " " + problemTexts(failure.Problems))
			}
			a.refreshCard(ctx, req.actor, id)
			text := say(lang, "approval.stopped", "done", done, "all", len(card.Seen), "why", why)
			return a.reply(ctx, req, message{text, []slack.Block{paragraph(text)}})
		}
		done++
		a.wakeApprovals()
	}
	a.refreshCard(ctx, req.actor, pressed.Of)
	return nil
}

// The modal in which a person rejects an approval.
const (
	rejectView  = "approval.reject" // its callback
	rejectBlock = "word"            // its only input
)

// askWhy opens the modal in which a person rejects an approval.
func (a *App) askWhy(ctx context.Context, req *request, id string) error {
	lang := req.actor.Lang
	found, known, err := a.runner.Approval(ctx, id)
	if err != nil {
		return err
	}
	tool, _ := a.runner.ToolOf(found)
	if !known || found.Owner != req.actor.ID || !found.Status.Open() {
		_, err := a.runner.Review(ctx, req.actor, id)
		if err == nil {
			a.refreshCard(ctx, req.actor, id)
			return a.openPast(ctx, req, id)
		}
		return a.tellDecided(ctx, req, id, err)
	}
	word := slack.NewPlainTextInputBlockElement(plain(say(lang, "approval.word_help"), maxPlaceholder), rejectBlock)
	word.Multiline, word.MaxLength = true, maxReason
	input := slack.NewInputBlock(rejectBlock, plain(say(lang, "approval.word"), maxLabel), nil, word)
	input.Optional = true
	view := modal(tool.Title(lang), say(lang, "close"), paragraph(say(lang, "approval.reject_what", "title", titleOf(lang, approvalItem{Review: tools.Review{Approval: found, Of: tool}}))), input)
	view.CallbackID, view.PrivateMetadata, view.Submit = rejectView, id, plain(say(lang, "approval.reject"), maxTitle)
	return a.open(ctx, req, view)
}

// onRejected handles the submission of that modal, and closes it.
func (a *App) onRejected(ctx context.Context, req request, i interaction) any {
	reason := ""
	for _, given := range i.View.State.Values[rejectBlock] {
		reason, _ = typedAnswer(given, "")
	}
	err := a.runner.Reject(ctx, req.actor, i.View.Metadata, prefix(reason, maxReason))
	a.wakeApprovals()
	if err == nil {
		return nil
	}
	failure := tools.AsError(err)
	if text := approvalText(req.actor.Lang, failure); text != "" {
		view := modal(say(req.actor.Lang, "app"), say(req.actor.Lang, "close"), paragraph(text))
		return slack.NewUpdateViewSubmissionResponse(&view)
	}
	return a.ackView(&req, failure)
}

// openPast shows what was asked for in an approval that is decided, and how it ended.
func (a *App) openPast(ctx context.Context, req *request, id string) error {
	if err := a.open(ctx, req, loadingView(req.actor.Lang, nil)); err != nil {
		return err
	}
	review, err := a.runner.Review(ctx, req.actor, id)
	if err != nil {
		return a.approvalTrouble(ctx, req, err)
	}
	return a.replace(ctx, req, pastView(req.actor.Lang, approvalItem{Review: review}))
}

// approvalTrouble shows why an approval cannot be opened.
func (a *App) approvalTrouble(ctx context.Context, req *request, err error) error {
	text := approvalText(req.actor.Lang, tools.AsError(err))
	if text == "" {
		return err
	}
	return a.replace(ctx, req, modal(say(req.actor.Lang, "app"), say(req.actor.Lang, "close"), paragraph(text)))
}

// waitingBlocks list what waits for a person, for her Home tab.
func (a *App) waitingBlocks(ctx context.Context, actor tools.Actor) ([]slack.Block, error) {
	if a.runner.Approvals == nil {
		return nil, nil
	}
	open, err := a.runner.OpenApprovals(ctx, actor)
	if err != nil {
		return nil, err
	}
	var blocks []slack.Block
	for _, each := range open {
		if len(blocks) > maxHomeDrafts {
			break
		}
		tool, _ := a.runner.ToolOf(each)
		if blocks == nil {
			blocks = append(blocks, header(say(actor.Lang, "home.approvals")))
		}
		item := approvalItem{Review: tools.Review{Approval: each, Of: tool}}
		text := titleOf(actor.Lang, item) + "\n"
		if each.Status.Open() {
			text += askedBy(actor.Lang, item, each.Expires)
		} else {
			text += outcomeOf(actor.Lang, item)
		}
		blocks = append(blocks, row(text, button(actReview, each.ID, say(actor.Lang, "approval.review"))))
	}
	return blocks, nil
}
