package slackapp

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/pause"
	"github.com/balcao/balcao/tools"
)

// onSubmission handles the submission of a form's page.
func (a *App) onSubmission(ctx context.Context, req request, i interaction) any {
	if i.View.Callback == rejectView {
		return a.onRejected(ctx, req, i)
	}
	f, at, elsewhere, err := a.formOf(ctx, &req, i.View)
	switch {
	case err != nil:
		return a.ackView(&req, err)
	case elsewhere || f.Page == sendingPage:
		return a.ackViewOrUpdate(req, loadingView(req.actor.Lang, f.tool), func(ctx context.Context, req *request) (slack.ModalViewRequest, error) {
			return a.takeOver(ctx, req, f)
		})
	case at.Page == confirmPage:
		return a.onConfirmed(ctx, req, f)
	}
	inTime, cancel := context.WithDeadline(ctx, req.ackBy)
	defer cancel()
	var problems map[string]string
	if err := a.update(ctx, f, func() {
		f.collect(at.Page, i.View.State)
		f.Page = at.Page
		if problems = a.pageProblems(inTime, req.actor, f, at.Page); len(problems) == 0 {
			f.Page = pageAfter(f.tool, at.Page)
		}
	}); err != nil {
		return a.ackUnsaved(req, f, at.Page, err)
	}
	if len(problems) > 0 {
		return slack.NewErrorsViewSubmissionResponse(problems)
	}
	if f.Page == confirmPage && !f.tool.Effect.Writes() {
		return a.ackViewOrUpdate(req, waitingView(req.actor.Lang, f.tool, "form.reading"), func(ctx context.Context, req *request) (slack.ModalViewRequest, error) {
			return a.send(ctx, req, f)
		})
	}
	return a.ackViewOrUpdate(req, waitingView(req.actor.Lang, f.tool, "form.checking"), func(ctx context.Context, req *request) (slack.ModalViewRequest, error) {
		if f.tool.AsksForSubject(at.Page) {
			if err := a.checkReady(ctx, req.actor, f.tool, f.Answers); err != nil {
				return slack.ModalViewRequest{}, a.backToSubject(ctx, f, err)
			}
		}
		return a.currentView(ctx, req, f)
	})
}

// pageProblems returns what blocks a page, by path. Checks against the bank's lists that do not end in time are left
// to the confirmation page.
func (a *App) pageProblems(ctx context.Context, actor tools.Actor, f *form, page string) map[string]string {
	return blockingProblems(a.runner.CheckPage(ctx, actor, f.tool, page, f.toForm()))
}

// pageAfter returns the page after a page.
func pageAfter(tool *tools.Tool, page string) string {
	if at := slices.Index(tool.Pages, page); at >= 0 && at+1 < len(tool.Pages) {
		return tool.Pages[at+1]
	}
	return confirmPage
}

// ackUnsaved answers the submission of a page that could not be saved. The typed values stay in the modal.
func (a *App) ackUnsaved(req request, f *form, page string, err error) any {
	if errors.Is(err, conversations.ErrConflict) {
		return a.ackViewOrUpdate(req, loadingView(req.actor.Lang, f.tool), func(ctx context.Context, req *request) (slack.ModalViewRequest, error) {
			return a.takeOver(ctx, req, f)
		})
	}
	return a.ackFieldError(&req, f.tool, page, err)
}

// ackFieldError shows an error under the first field of a page. The typed values stay in the modal.
func (a *App) ackFieldError(req *request, tool *tools.Tool, page string, err error) any {
	fields := tool.FieldsOn(page)
	if len(fields) == 0 {
		return a.ackView(req, err)
	}
	t := a.describe(req, err)
	return slack.NewErrorsViewSubmissionResponse(map[string]string{fields[0].Path: fit(t.text(), maxFieldError)})
}

// ackFieldErrorLater returns a function that answers a submission that could not be handled.
func (a *App) ackFieldErrorLater(shown view) func(*request, error) any {
	return func(req *request, err error) any {
		var at formState
		tool, known := a.runner.Catalogue.Named(shown.Callback)
		if !known || json.Unmarshal([]byte(shown.Metadata), &at) != nil {
			return a.ackView(req, err)
		}
		req.draft = at.Draft
		return a.ackFieldError(req, tool, at.Page, err)
	}
}

// ackViewOrUpdate answers a submission with the view that do returns, if it is quick; else with waiting, and updates
// the modal later.
func (a *App) ackViewOrUpdate(req request, waiting slack.ModalViewRequest, do func(context.Context, *request) (slack.ModalViewRequest, error)) any {
	req.hash = "" // the answer changes it
	view, err := ackOrUpdate(a, req, waiting, func(ctx context.Context, req *request) slack.ModalViewRequest {
		var view slack.ModalViewRequest
		err := a.recovered(func() (err error) {
			view, err = do(ctx, req)
			return err
		})
		if err != nil {
			return a.errorView(req, err)
		}
		return view
	}, a.replace)
	if err != nil {
		return a.ackView(&req, err)
	}
	return slack.NewUpdateViewSubmissionResponse(&view)
}

// ackOrUpdate returns the result of do, if it is ready before the acknowledgement is due and fits into it. Else it
// returns waiting, and calls later with the result.
func ackOrUpdate[T any](a *App, req request, waiting T, do func(context.Context, *request) T, later func(context.Context, *request, T) error) (T, error) {
	ready, late := make(chan T), make(chan time.Time, 1)
	err := a.inBackground(req, func(ctx context.Context, req *request) error {
		made := do(ctx, req)
		var since time.Time
		if len(encode(made)) > maxAck {
			since = <-late
		} else {
			select {
			case ready <- made:
				return nil
			case since = <-late:
			}
		}
		// The update must not reach Slack before the acknowledgement.
		pause.For(ctx, time.Until(since.Add(ackDelay)))
		return later(ctx, req, made)
	})
	if err != nil {
		return waiting, err
	}
	timer := time.NewTimer(time.Until(req.ackBy))
	defer timer.Stop()
	select {
	case made := <-ready:
		return made, nil
	case <-timer.C:
		late <- time.Now()
		return waiting, nil
	}
}

// onPageButton handles a button of a form's page. The values of the page are kept, valid or not.
func (a *App) onPageButton(ctx context.Context, req *request, shown view, pressed action) error {
	f, at, elsewhere, err := a.formOf(ctx, req, shown)
	if err != nil {
		return err
	}
	var view slack.ModalViewRequest
	switch {
	case elsewhere || f.Page == sendingPage:
		view, err = a.takeOver(ctx, req, f)
	case pressed.ID == actRestart:
		return a.restart(ctx, req, f)
	default:
		var notices []string
		if err = a.update(ctx, f, func() {
			f.collect(at.Page, shown.State)
			if pressed.ID == actNoFiles {
				f.removeFiles(pressed.Value)
			}
			f.Page, notices = a.nextPage(ctx, req.actor, f, at.Page, pressed)
		}); err == nil {
			view, err = a.currentView(ctx, req, f, notices...)
		}
	}
	if err != nil {
		return err
	}
	return a.replace(ctx, req, view)
}

// nextPage returns the page that a button leads to, and notices why it stays on the same page.
func (a *App) nextPage(ctx context.Context, actor tools.Actor, f *form, page string, pressed action) (string, []string) {
	at := slices.Index(f.tool.Pages, page)
	switch {
	case pressed.ID == actBack && page == confirmPage:
		return f.tool.Pages[len(f.tool.Pages)-1], nil
	case pressed.ID == actBack && at > 1 && f.Notes[noteSole+f.tool.Pages[at-1]] != "":
		return f.tool.Pages[at-2], nil
	case pressed.ID == actBack && at > 0:
		return f.tool.Pages[at-1], nil
	case pressed.ID == actFix && slices.Contains(f.tool.Pages, pressed.Value):
		return pressed.Value, nil
	case pressed.ID == actSkip:
		var notices []string
		for path, text := range a.pageProblems(ctx, actor, f, page) {
			field, _ := f.tool.Field(path)
			notices = append(notices, field.Label(actor.Lang)+": "+text)
		}
		if notices == nil {
			return confirmPage, nil
		}
		slices.Sort(notices)
		return page, notices
	}
	return page, nil
}

// restart deletes the answers of the form, except its subject. One that reviews an approval is filled in again as the assistant asks.
func (a *App) restart(ctx context.Context, req *request, f *form) error {
	if err := a.end(ctx, f); err != nil {
		return err
	}
	if f.approval() != "" {
		return a.openApproval(ctx, req, f.approval())
	}
	given := map[string]string{}
	for _, field := range f.tool.Fields {
		if field.Refers() {
			given[field.Path] = f.Answers[field.Path]
		}
	}
	req.channel, req.responseURL = f.Notes[noteChannel], f.Notes[noteURL]
	return a.openForm(ctx, req, f.tool, given)
}

// onClosed handles a modal that was closed: it says what of the form is kept, if anything is. The values of the closed
// page are not delivered.
func (a *App) onClosed(ctx context.Context, req request, i interaction) any {
	var f *form
	var at formState
	for range maxUpdateAttempts {
		var elsewhere bool
		var err error
		f, at, elsewhere, err = a.formOf(ctx, &req, i.View)
		if err != nil || elsewhere || f.Page == sendingPage {
			return nil
		}
		if f.worthKeeping() {
			err = a.save(ctx, f) // extends its life by 24 hours
		} else {
			_, err = a.store.EndDraft(ctx, f.Draft)
		}
		if errors.Is(err, conversations.ErrConflict) {
			continue // a choice was saved meanwhile
		}
		if err != nil {
			a.log.InfoContext(ctx, "saving or deleting a closed form failed", "error", logged(err))
			return nil
		}
		break
	}
	if !f.worthKeeping() {
		return nil
	}
	lost := a.inBackgroundAs("reply "+req.user, req, func(ctx context.Context, req *request) error {
		req.channel, req.responseURL, req.view = f.Notes[noteChannel], f.Notes[noteURL], ""
		return a.reply(ctx, req, f.savedMessage(req.actor.Lang, at.Page))
	})
	if lost != nil {
		a.log.WarnContext(ctx, "reporting a kept form failed", "error", logged(lost))
	}
	return nil
}
