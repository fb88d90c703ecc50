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

// confirmation is the last page of a form: everything, for reading over, with what is wrong or odd about it. told adds
// problems that a sending met.
func (a *App) confirmation(ctx context.Context, v *visit, f *form, told []tools.Problem) (slack.ModalViewRequest, error) {
	sections, problems, err := a.runner.Summary(ctx, v.actor, f.tool, f.filled())
	if err != nil {
		return slack.ModalViewRequest{}, a.astray(ctx, f, err)
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
	return reviewView(v.actor.Lang, f, sections, problems), nil
}

// doubtBlocks warn of a sending of which nobody knows what became.
func doubtBlocks(lang words.Lang, f *form) []slack.Block {
	if f.Notes[noteDoubt] == "" {
		return nil
	}
	unclear := &tools.Error{Kind: tools.Unclear, Tool: f.tool.Name}
	return []slack.Block{paragraph(say(lang, "form.doubt", "next", unclear.Next(lang)))}
}

// confirmed sends a form that its person has read over. Of any number of presses, on any number of replicas, the one
// whose save succeeds sends it.
func (a *App) confirmed(ctx context.Context, v visit, f *form) any {
	// She was told to look first, and wants it sent again. While the runner still finds out what became of the last
	// sending, it is asked about that one; only what nobody will find out any more is sent anew.
	if doubt := f.Notes[noteDoubt]; doubt != "" {
		delete(f.Notes, noteDoubt)
		if doubt == doubtSettled {
			f.Notes[noteAttempt] = strconv.Itoa(f.attempt() + 1)
		}
	}
	f.Page, f.Notes[noteSent] = sendingPage, "yes"
	sending := waitingView(v.actor.Lang, f.tool, "form.sending")
	if err := a.save(ctx, f); errors.Is(err, conversations.ErrConflict) {
		return slack.NewUpdateViewSubmissionResponse(&sending)
	} else if err != nil {
		return a.ackView(&v, err)
	}
	return a.soon(v, sending, func(ctx context.Context, v *visit) (slack.ModalViewRequest, error) { return a.send(ctx, v, f) })
}

// send runs the tool with what was typed and shows what came of it, in the modal and, where something changed, beside it,
// for whoever closed the modal. The draft ends only when the call is done, and the call's key is the draft and the
// attempt: whoever finds the draft still open, after a crash say, may send it again and changes nothing twice.
func (a *App) send(ctx context.Context, v *visit, f *form) (slack.ModalViewRequest, error) {
	args, problems, err := a.arguments(ctx, v.actor.Lang, f.tool, f.tool.Given(f.filled()))
	var result tools.Result
	if err == nil && len(problems) > 0 {
		err = &tools.Error{Kind: tools.Invalid, Tool: f.tool.Name, Problems: problems}
	}
	if err == nil {
		result, err = a.run(ctx, v, tools.Request{
			Tool: f.tool, Args: args, Confirmed: f.warned(),
			Key: f.ID + " " + strconv.Itoa(f.attempt()),
		})
	}
	if err != nil {
		return a.unsent(ctx, v, f, tools.AsError(err))
	}
	if err := a.end(ctx, f); err != nil {
		a.log.WarnContext(ctx, "a form that was sent could not be ended", "call", result.ID, "error", logged(err))
	}
	told := a.handOver(ctx, v, result)
	v.channel, v.responseURL = f.Notes[noteChannel], f.Notes[noteURL]
	if f.tool.Effect.Writes() {
		a.tellBeside(ctx, v, told)
	} else {
		v.instead = &told
	}
	return modal(f.tool.Title(v.actor.Lang), say(v.actor.Lang, "close"), told.Blocks...), nil
}

// unsent keeps a form whose sending failed, so that it can be corrected and sent again: under the same key, by which the
// runner knows what became of it. Only where the runner gave up may a person who has looked get a new one, in
// [App.confirmed].
func (a *App) unsent(ctx context.Context, v *visit, f *form, failure *tools.Error) (slack.ModalViewRequest, error) {
	writes, before := f.tool.Effect.Writes(), f.Page
	f.Page = f.tool.Pages[len(f.tool.Pages)-1]
	if writes {
		f.Page = confirmPage
	}
	switch {
	case writes && (failure.Kind == tools.Unclear || failure.Kind == tools.Internal):
		f.Notes[noteDoubt] = doubtSettled
		if failure.RetryAfter > 0 {
			f.Notes[noteDoubt] = doubtOpen
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
		return a.confirmation(ctx, v, f, failure.Problems)
	}
	v.channel, v.responseURL = f.Notes[noteChannel], f.Notes[noteURL]
	if writes {
		a.tellBeside(ctx, v, a.errorMessage(v, failure))
	}
	return slack.ModalViewRequest{}, failure
}

// tellBeside tells a person where her form began what its modal tells her too, since she may have closed that.
func (a *App) tellBeside(ctx context.Context, v *visit, m message) {
	if err := a.tell(ctx, v, m); err != nil {
		a.log.WarnContext(ctx, "a result could not be told beside its modal", "error", logged(err))
	}
}

// unansweredView is for a form that was sent by somebody who did not live to see the answer, or still waits for it.
func unansweredView(lang words.Lang, f *form) slack.ModalViewRequest {
	return modal(f.tool.Title(lang), say(lang, "close"),
		paragraph(say(lang, "form.unanswered")), buttons(button(actOutcome, f.ID, say(lang, "form.outcome"))))
}

// outcome finds out what became of a form that was sent.
func (a *App) outcome(ctx context.Context, v *visit, draftID string) error {
	if err := a.open(ctx, v, waitingView(v.actor.Lang, nil, "form.sending")); err != nil {
		return err
	}
	f, err := a.formWith(ctx, v, draftID)
	if err != nil {
		return err
	}
	v.hash = ""
	if f.Page != sendingPage { // it has come back since, and may have been corrected
		return a.present(ctx, v, f, true)
	}
	view, err := a.send(ctx, v, f)
	if err != nil {
		return err
	}
	return a.replace(ctx, v, view)
}
