package slackapp

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// What an assistant asks for is reviewed in the form of its tool, as a draft of its own. Confirming it approves.

// openApproval opens the form of an approval, filled in as the assistant asks and as the person has changed it since. One that is
// decided is shown as it was.
func (a *App) openApproval(ctx context.Context, req *request, id string) error {
	lang := req.actor.Lang
	if err := a.open(ctx, req, loadingView(lang, nil)); err != nil {
		return err
	}
	review, filled, labels, err := a.runner.ReviewForm(ctx, req.actor, id)
	switch {
	case err != nil:
		return a.approvalTrouble(ctx, req, err)
	case !review.Status.Open():
		return a.openPast(ctx, req, id)
	}
	if err := a.checkReady(ctx, req.actor, review.Of, filled.Answers); err != nil {
		return err
	}
	draft, err := a.store.StartDraft(ctx, req.actor.ID, review.Of.Name, "approval "+id)
	if err != nil {
		return err
	}
	f, notices := &form{review.Of, draft}, []string(nil)
	resumed := f.approval() != "" && f.worthKeeping()
	switch {
	case !resumed:
		f.fill(review, filled, labels)
	case f.Notes[noteDigest] != review.Digest:
		notices = append(notices, say(lang, "approval.corrected"))
	}
	if missing := f.labelsOf(lang, review.Missing); review.Status == tools.ApprovalDraft && missing != "" && !resumed {
		notices = append(notices, say(lang, "approval.missing", "fields", missing))
	}
	return a.present(ctx, req, f, resumed, notices...)
}

// fill fills in the form of an approval as the assistant asks.
func (f *form) fill(review tools.Review, filled tools.Form, labels map[string]string) {
	answers := map[string]string{}
	notes := map[string]string{noteApproval: review.ID, noteAsker: oneLine(review.Client, maxClient), noteDigest: review.Digest}
	for _, field := range f.tool.Fields {
		if text := visible(filled.Answers[field.Path], math.MaxInt); text != "" {
			answers[field.Path], notes[noteAsked+field.Path] = text, text
		} else {
			notes[noteAsked+field.Path] = ""
		}
		if f.tool.Edits {
			notes[noteBefore+field.Path] = visible(filled.Before[field.Path], math.MaxInt)
		}
		if labels[field.Path] != "" {
			notes[noteLabel+field.Path] = labels[field.Path]
		}
	}
	f.Answers, f.Notes = answers, notes
	if f.tool.Edits {
		f.Notes[noteSubject] = f.subjectKey()
	}
	f.Page = f.firstToReview(review)
}

// firstToReview is the page on which a review starts: of a draft, the first with something missing or wrong; of changes, the first
// with one.
func (f *form) firstToReview(review tools.Review) string {
	for _, page := range f.tool.Pages {
		if slices.ContainsFunc(f.tool.FieldsOn(page), func(field tools.Field) bool {
			if review.Status == tools.ApprovalDraft {
				return slices.Contains(review.Missing, field.Path)
			}
			return f.tool.Edits && !field.Refers() && !field.Hidden() && f.Answers[field.Path] != f.Notes[noteBefore+field.Path]
		}) {
			return page
		}
	}
	return firstPage(f)
}

// labelsOf names fields in the order of the form.
func (f *form) labelsOf(lang words.Lang, paths []string) string {
	var labels []string
	for _, field := range f.tool.Fields {
		if slices.Contains(paths, field.Path) {
			labels = append(labels, field.Label(lang))
		}
	}
	return strings.Join(labels, ", ")
}

// approval is the id of the approval that the form reviews, "" for a form of the person's own.
func (f *form) approval() string { return f.Notes[noteApproval] }

// submit is the text of the button that confirms the form.
func (f *form) submit(lang words.Lang) string {
	if f.approval() != "" {
		return say(lang, "approval.approve")
	}
	return f.tool.Submit(lang)
}

// approvalLine says that a form reviews what an assistant asks for.
func approvalLine(lang words.Lang, f *form) []slack.Block {
	if f.approval() == "" {
		return nil
	}
	return []slack.Block{contextLine(say(lang, "approval.in_form", "client", f.Notes[noteAsker], "button", say(lang, "approval.approve")))}
}

// call makes the call of a form: as the person's own, or by approving what the assistant asks for.
func (a *App) call(ctx context.Context, req *request, f *form, request tools.Request) (tools.Result, error) {
	if f.approval() == "" {
		return a.run(ctx, req, request)
	}
	result, err := a.runner.Approve(ctx, req.actor, f.approval(), tools.Approved{Args: request.Args, Confirmed: request.Confirmed})
	a.wakeApprovals()
	return result, err
}

// approvalFailed returns the view of a form whose approval failed, and keeps the form if it can be sent again.
func (a *App) approvalFailed(ctx context.Context, req *request, f *form, failure *tools.Error) (slack.ModalViewRequest, error) {
	switch {
	case isDecided(failure):
		return a.decidedView(ctx, req, f)
	case failure.Kind == tools.Unclear: // the call goes on, and the card says what came of it
		if err := a.end(ctx, f); err != nil {
			a.log.WarnContext(ctx, "deleting a form that was sent failed", "call", failure.ID, "error", logged(err))
		}
		return modal(f.tool.Title(req.actor.Lang), say(req.actor.Lang, "close"), paragraph(say(req.actor.Lang, "approval.unclear"))), nil
	}
	f.Page = confirmPage
	if err := a.save(ctx, f); err != nil {
		a.log.WarnContext(ctx, "reopening a form failed", "call", failure.ID, "error", logged(err))
	}
	if failure.Kind == tools.Invalid || failure.Kind == tools.Unconfirmed {
		return a.confirmationView(ctx, req, f, failure.Problems)
	}
	return slack.ModalViewRequest{}, failure
}

// isOpen reports whether the person can still decide on what a form reviews.
func (a *App) isOpen(ctx context.Context, f *form) (bool, error) {
	if f.approval() == "" {
		return true, nil
	}
	found, known, err := a.runner.Approval(ctx, f.approval())
	return known && found.Status.Open(), err
}

// decidedView says that what a form reviews was decided elsewhere, or withdrawn. What the person has typed can go on as her own
// request, unless it was made.
func (a *App) decidedView(ctx context.Context, req *request, f *form) (slack.ModalViewRequest, error) {
	lang := req.actor.Lang
	found, known, err := a.runner.Approval(ctx, f.approval())
	if err != nil {
		return slack.ModalViewRequest{}, err
	}
	text := say(lang, "approval.over")
	if known && !found.Status.Open() {
		text = outcomeOf(lang, approvalItem{Review: tools.Review{Approval: found, Of: f.tool}})
	}
	blocks := []slack.Block{paragraph(text)}
	made := known && slices.Contains([]tools.ApprovalStatus{tools.ApprovalApproved, tools.ApprovalDone}, found.Status)
	if !made && f.worthKeeping() {
		blocks = append(blocks, paragraph(say(lang, "approval.own_why")), buttons(button(actOwn, f.ID, say(lang, "approval.own"))))
	} else if err := a.end(ctx, f); err != nil {
		return slack.ModalViewRequest{}, err
	}
	return modal(f.tool.Title(lang), say(lang, "close"), blocks...), nil
}

// makeOwn turns a form whose approval is over into one of the person's own.
func (a *App) makeOwn(ctx context.Context, req *request, draftID string) error {
	if err := a.open(ctx, req, loadingView(req.actor.Lang, nil)); err != nil {
		return err
	}
	f, err := a.formWith(ctx, req, draftID)
	if err != nil {
		return err
	}
	open, err := a.isOpen(ctx, f)
	if err != nil {
		return err
	}
	if !open {
		for key := range f.Notes {
			if key == noteApproval || strings.HasPrefix(key, noteAsked) {
				delete(f.Notes, key)
			}
		}
		if f.Page == sendingPage {
			f.Page = confirmPage
		}
		if err := a.save(ctx, f); errors.Is(err, conversations.ErrConflict) {
			return a.makeOwn(ctx, req, draftID)
		} else if err != nil {
			return err
		}
	}
	return a.present(ctx, req, f, false)
}
