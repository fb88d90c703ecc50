package slackapp

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// confirmationView is the last page of a form: all answers, with errors and warnings. extra has problems that a
// sending met.
func (a *App) confirmationView(ctx context.Context, req *request, f *form, extra []tools.Problem) (slack.ModalViewRequest, error) {
	sections, problems, err := a.runner.Summary(ctx, req.actor, f.tool, f.toForm())
	if err != nil {
		return slack.ModalViewRequest{}, a.backToSubject(ctx, f, err)
	}
	for _, p := range extra {
		if !slices.ContainsFunc(problems, func(q tools.Problem) bool { return q.Path == p.Path && q.Code == p.Code }) {
			problems = append(problems, p)
		}
	}
	var warned []string
	for _, p := range problems {
		if p.Severity == tools.Warns {
			warned = append(warned, p.Mark)
		}
	}
	f.Page, f.Notes[noteWarned] = confirmPage, strings.Join(warned, " ")
	if err := a.save(ctx, f); err != nil {
		return slack.ModalViewRequest{}, err
	}
	return reviewView(req.actor.Lang, f, sections, problems), nil
}

// unclearBlocks warn that the outcome of the last sending is unknown.
func unclearBlocks(lang words.Lang, f *form) []slack.Block {
	if f.Notes[noteUnclear] == "" {
		return nil
	}
	unclear := &tools.Error{Kind: tools.Unclear, Tool: f.tool}
	return []slack.Block{paragraph(say(lang, "form.unclear", "next", unclear.Next(lang)))}
}

// onConfirmed sends a form. Of several confirmations, on any replica, the one whose save succeeds sends it.
func (a *App) onConfirmed(ctx context.Context, req request, f *form) any {
	// She was asked to check first, and sends again. While the runner may still find out the outcome of the last
	// sending, the key stays; only if it gave up, the key is new.
	if unclear := f.Notes[noteUnclear]; unclear != "" {
		delete(f.Notes, noteUnclear)
		if unclear == unclearFinal {
			f.Notes[noteAttempt] = strconv.Itoa(f.attempt() + 1)
		}
	}
	f.Page, f.Notes[noteSent] = sendingPage, "yes"
	sending := waitingView(req.actor.Lang, f.tool, "form.sending")
	if err := a.save(ctx, f); errors.Is(err, conversations.ErrConflict) {
		return slack.NewUpdateViewSubmissionResponse(&sending)
	} else if err != nil {
		return a.ackView(&req, err)
	}
	return a.ackViewOrUpdate(req, sending, func(ctx context.Context, req *request) (slack.ModalViewRequest, error) { return a.send(ctx, req, f) })
}

// send runs the tool and shows the result in the modal and, after a change, where the form began too, in case the
// modal was closed. The draft ends after the call, and the call's key is the draft and the attempt: after a crash, the
// draft can be sent again and changes nothing twice.
func (a *App) send(ctx context.Context, req *request, f *form) (slack.ModalViewRequest, error) {
	args, problems, err := a.arguments(ctx, req.actor.Lang, f.tool, f.tool.Given(f.toForm()))
	var result tools.Result
	if err == nil && len(problems) > 0 {
		err = &tools.Error{Kind: tools.Invalid, Tool: f.tool, Problems: problems}
	}
	if err == nil {
		result, err = a.call(ctx, req, f, tools.Request{
			Tool: f.tool, Args: args, Confirmed: f.confirmedWarnings(),
			Key: f.ID + " " + strconv.Itoa(f.attempt()),
		})
	}
	if err != nil {
		return a.sendFailed(ctx, req, f, tools.AsError(err))
	}
	if err := a.end(ctx, f); err != nil {
		a.log.WarnContext(ctx, "deleting a form that was sent failed", "call", result.ID, "error", logged(err))
	}
	shown := a.resultMessage(ctx, req, result)
	req.channel, req.responseURL = f.Notes[noteChannel], f.Notes[noteURL]
	switch {
	case f.approval() != "": // the card shows it too
		req.ifClosed = nil
	case f.tool.Effect.Writes():
		a.replyBesideModal(ctx, req, shown)
	default:
		req.ifClosed = &shown
	}
	return modal(f.tool.Title(req.actor.Lang), say(req.actor.Lang, "close"), shown.Blocks...), nil
}

// sendFailed keeps a form whose sending failed, so that it can be corrected and sent again with the same key, by which
// the runner knows the outcome. [App.onConfirmed] changes the key only if the runner gave up.
func (a *App) sendFailed(ctx context.Context, req *request, f *form, failure *tools.Error) (slack.ModalViewRequest, error) {
	if f.approval() != "" {
		return a.approvalFailed(ctx, req, f, failure)
	}
	writes, before := f.tool.Effect.Writes(), f.Page
	f.Page = f.tool.Pages[len(f.tool.Pages)-1]
	if writes {
		f.Page = confirmPage
	}
	switch {
	case writes && (failure.Kind == tools.Unclear || failure.Kind == tools.Internal):
		f.Notes[noteUnclear] = unclearFinal
		if failure.RetryAfter > 0 {
			f.Notes[noteUnclear] = unclearOpen
		}
	case writes && failure.Kind == tools.Busy && failure.RetryAfter == 0: // another call is sending it
		f.Page = sendingPage
	}
	if f.Page != before {
		if err := a.save(ctx, f); err != nil {
			a.log.WarnContext(ctx, "reopening a form failed", "call", failure.ID, "error", logged(err))
		}
	}
	if writes && (failure.Kind == tools.Invalid || failure.Kind == tools.Unconfirmed) {
		return a.confirmationView(ctx, req, f, failure.Problems)
	}
	req.channel, req.responseURL = f.Notes[noteChannel], f.Notes[noteURL]
	if writes {
		a.replyBesideModal(ctx, req, a.errorMessage(req, failure))
	}
	return slack.ModalViewRequest{}, failure
}

// replyBesideModal sends the message of a modal where the form began, in case the modal was closed.
func (a *App) replyBesideModal(ctx context.Context, req *request, m message) {
	if err := a.reply(ctx, req, m); err != nil {
		a.log.WarnContext(ctx, "sending a result beside its modal failed", "error", logged(err))
	}
}

// unansweredView is for a form that was sent and has no result: its replica crashed, or the call is still running.
func unansweredView(lang words.Lang, f *form) slack.ModalViewRequest {
	return modal(f.tool.Title(lang), say(lang, "close"),
		paragraph(say(lang, "form.unanswered")), buttons(button(actOutcome, f.ID, say(lang, "form.outcome"))))
}

// findOutcome shows the outcome of a form that was sent.
func (a *App) findOutcome(ctx context.Context, req *request, draftID string) error {
	if err := a.open(ctx, req, waitingView(req.actor.Lang, nil, "form.sending")); err != nil {
		return err
	}
	f, err := a.formWith(ctx, req, draftID)
	if err != nil {
		return err
	}
	req.hash = ""
	if f.Page != sendingPage { // its sending failed, and it may have been corrected
		return a.present(ctx, req, f, true)
	}
	view, err := a.send(ctx, req, f)
	if err != nil {
		return err
	}
	return a.replace(ctx, req, view)
}
