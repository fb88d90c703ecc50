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

// confirmationView is the last page of a form: everything, for reading over, with what is wrong or odd about it. told adds
// problems that a sending met.
func (a *App) confirmationView(ctx context.Context, req *request, f *form, told []tools.Problem) (slack.ModalViewRequest, error) {
	sections, problems, err := a.runner.Summary(ctx, req.actor, f.tool, f.toForm())
	if err != nil {
		return slack.ModalViewRequest{}, a.backToSubject(ctx, f, err)
	}
	for _, p := range told {
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

// unclearBlocks warn of a sending of which nobody knows what became.
func unclearBlocks(lang words.Lang, f *form) []slack.Block {
	if f.Notes[noteUnclear] == "" {
		return nil
	}
	unclear := &tools.Error{Kind: tools.Unclear, Tool: f.tool}
	return []slack.Block{paragraph(say(lang, "form.doubt", "next", unclear.Next(lang)))}
}

// onConfirmed sends a form that its person has read over. Of any number of presses, on any number of replicas, the one
// whose save succeeds sends it.
func (a *App) onConfirmed(ctx context.Context, req request, f *form) any {
	// She was told to look first, and wants it sent again. While the runner still finds out what became of the last
	// sending, it is asked about that one; only what nobody will find out any more is sent anew.
	if doubt := f.Notes[noteUnclear]; doubt != "" {
		delete(f.Notes, noteUnclear)
		if doubt == unclearFinal {
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

// send runs the tool with what was typed and shows what came of it, in the modal and, where something changed, beside it,
// for whoever closed the modal. The draft ends only when the call is done, and the call's key is the draft and the
// attempt: whoever finds the draft still open, after a crash say, may send it again and changes nothing twice.
func (a *App) send(ctx context.Context, req *request, f *form) (slack.ModalViewRequest, error) {
	args, problems, err := a.arguments(ctx, req.actor.Lang, f.tool, f.tool.Given(f.toForm()))
	var result tools.Result
	if err == nil && len(problems) > 0 {
		err = &tools.Error{Kind: tools.Invalid, Tool: f.tool, Problems: problems}
	}
	if err == nil {
		result, err = a.run(ctx, req, tools.Request{
			Tool: f.tool, Args: args, Confirmed: f.confirmedWarnings(),
			Key: f.ID + " " + strconv.Itoa(f.attempt()),
		})
	}
	if err != nil {
		return a.sendFailed(ctx, req, f, tools.AsError(err))
	}
	if err := a.end(ctx, f); err != nil {
		a.log.WarnContext(ctx, "a form that was sent could not be ended", "call", result.ID, "error", logged(err))
	}
	told := a.resultMessage(ctx, req, result)
	req.channel, req.responseURL = f.Notes[noteChannel], f.Notes[noteURL]
	if f.tool.Effect.Writes() {
		a.replyBesideModal(ctx, req, told)
	} else {
		req.ifClosed = &told
	}
	return modal(f.tool.Title(req.actor.Lang), say(req.actor.Lang, "close"), told.Blocks...), nil
}

// sendFailed keeps a form whose sending failed, so that it can be corrected and sent again: under the same key, by which the
// runner knows what became of it. Only where the runner gave up may a person who has looked get a new one, in
// [App.onConfirmed].
func (a *App) sendFailed(ctx context.Context, req *request, f *form, failure *tools.Error) (slack.ModalViewRequest, error) {
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
	case writes && failure.Kind == tools.Busy && failure.RetryAfter == 0: // somebody else is sending it
		f.Page = sendingPage
	}
	if f.Page != before {
		if err := a.save(ctx, f); err != nil {
			a.log.WarnContext(ctx, "a form could not be reopened", "call", failure.ID, "error", logged(err))
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

// replyBesideModal tells a person where her form began what its modal tells her too, since she may have closed that.
func (a *App) replyBesideModal(ctx context.Context, req *request, m message) {
	if err := a.reply(ctx, req, m); err != nil {
		a.log.WarnContext(ctx, "a result could not be told beside its modal", "error", logged(err))
	}
}

// unansweredView is for a form that was sent by somebody who did not live to see the answer, or still waits for it.
func unansweredView(lang words.Lang, f *form) slack.ModalViewRequest {
	return modal(f.tool.Title(lang), say(lang, "close"),
		paragraph(say(lang, "form.unanswered")), buttons(button(actOutcome, f.ID, say(lang, "form.outcome"))))
}

// findOutcome finds out what became of a form that was sent.
func (a *App) findOutcome(ctx context.Context, req *request, draftID string) error {
	if err := a.open(ctx, req, waitingView(req.actor.Lang, nil, "form.sending")); err != nil {
		return err
	}
	f, err := a.formWith(ctx, req, draftID)
	if err != nil {
		return err
	}
	req.hash = ""
	if f.Page != sendingPage { // it has come back since, and may have been corrected
		return a.present(ctx, req, f, true)
	}
	view, err := a.send(ctx, req, f)
	if err != nil {
		return err
	}
	return a.replace(ctx, req, view)
}
