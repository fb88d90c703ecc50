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

// submission answers a press on a form's button.
func (a *App) submission(ctx context.Context, v visit, i interaction) any {
	f, at, elsewhere, err := a.formOf(ctx, &v, i.View)
	switch {
	case err != nil:
		return a.ackView(&v, err)
	case elsewhere || f.Page == sendingPage:
		return a.soon(v, loadingView(v.actor.Lang, f.tool), func(ctx context.Context, v *visit) (slack.ModalViewRequest, error) {
			return a.takeOver(ctx, v, f)
		})
	case at.Page == confirmPage:
		return a.confirmed(ctx, v, f)
	}
	inTime, cancel := context.WithDeadline(ctx, v.due)
	defer cancel()
	var problems map[string]string
	if err := a.amend(ctx, f, func() {
		f.collect(at.Page, i.View.State)
		f.Page = at.Page
		if problems = a.wrong(inTime, v.actor, f, at.Page); len(problems) == 0 {
			f.Page = pageAfter(f.tool, at.Page)
		}
	}); err != nil {
		return a.keepTyping(v, f, at.Page, err)
	}
	if len(problems) > 0 {
		return slack.NewErrorsViewSubmissionResponse(problems)
	}
	if f.Page == confirmPage && !f.tool.Effect.Writes() {
		return a.soon(v, waitingView(v.actor.Lang, f.tool, "form.reading"), func(ctx context.Context, v *visit) (slack.ModalViewRequest, error) {
			return a.send(ctx, v, f)
		})
	}
	return a.soon(v, waitingView(v.actor.Lang, f.tool, "form.checking"), func(ctx context.Context, v *visit) (slack.ModalViewRequest, error) {
		if f.choosesProcess(at.Page) {
			if err := a.ready(ctx, v.actor, f.tool, f.Answers); err != nil {
				return slack.ModalViewRequest{}, a.astray(ctx, f, err)
			}
		}
		return a.screen(ctx, v, f)
	})
}

// wrong is what stops a page, by path. What the bank's lists would add, and do not add in time, the confirmation tells.
func (a *App) wrong(ctx context.Context, actor tools.Actor, f *form, page string) map[string]string {
	return blocking(a.runner.CheckPage(ctx, actor, f.tool, page, f.filled()))
}

func pageAfter(tool *tools.Tool, page string) string {
	if at := slices.Index(tool.Pages, page); at >= 0 && at+1 < len(tool.Pages) {
		return tool.Pages[at+1]
	}
	return confirmPage
}

// keepTyping answers a page that could not be saved so that what stands in it stays there.
func (a *App) keepTyping(v visit, f *form, page string, err error) any {
	if errors.Is(err, conversations.ErrConflict) {
		return a.soon(v, loadingView(v.actor.Lang, f.tool), func(ctx context.Context, v *visit) (slack.ModalViewRequest, error) {
			return a.takeOver(ctx, v, f)
		})
	}
	return a.underFirstField(&v, f.tool, page, err)
}

// underFirstField tells an error on a page without touching what is typed there.
func (a *App) underFirstField(v *visit, tool *tools.Tool, page string, err error) any {
	fields := tool.FieldsOn(page)
	if len(fields) == 0 {
		return a.ackView(v, err)
	}
	t := a.troubleOf(v, err)
	return slack.NewErrorsViewSubmissionResponse(map[string]string{fields[0].Path: fit(t.text(), maxFieldError)})
}

// unserved answers a submission that could not even be looked at.
func (a *App) unserved(shown view) func(*visit, error) any {
	return func(v *visit, err error) any {
		var at place
		tool, known := tools.Named(shown.Callback)
		if !known || json.Unmarshal([]byte(shown.Metadata), &at) != nil {
			return a.ackView(v, err)
		}
		v.draft = at.Draft
		return a.underFirstField(v, tool, at.Page, err)
	}
}

// soon answers a submission with a view: the one that do makes, when it is quick, else waiting, and that one later.
func (a *App) soon(v visit, waiting slack.ModalViewRequest, do func(context.Context, *visit) (slack.ModalViewRequest, error)) any {
	v.hash = "" // the answer itself changes it
	view, err := sooner(a, v, waiting, func(ctx context.Context, v *visit) slack.ModalViewRequest {
		var view slack.ModalViewRequest
		err := a.guarded(func() (err error) {
			view, err = do(ctx, v)
			return err
		})
		if err != nil {
			return a.failureView(v, err)
		}
		return view
	}, a.replace)
	if err != nil {
		return a.ackView(&v, err)
	}
	return slack.NewUpdateViewSubmissionResponse(&view)
}

// sooner gives what do makes, when it is quick and fits into an acknowledgement; else it gives waiting, and later shows
// what do makes.
func sooner[T any](a *App, v visit, waiting T, do func(context.Context, *visit) T, later func(context.Context, *visit, T) error) (T, error) {
	ready, late := make(chan T), make(chan time.Time, 1)
	err := a.work(v, func(ctx context.Context, v *visit) error {
		made := do(ctx, v)
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
		// What we say now must not reach Slack before the acknowledgement that it follows.
		pause.For(ctx, time.Until(since.Add(settling)))
		return later(ctx, v, made)
	})
	if err != nil {
		return waiting, err
	}
	timer := time.NewTimer(time.Until(v.due))
	defer timer.Stop()
	select {
	case made := <-ready:
		return made, nil
	case <-timer.C:
		late <- time.Now()
		return waiting, nil
	}
}

// steer follows a button of a form's page. What stands in the page is kept, be it right or wrong.
func (a *App) steer(ctx context.Context, v *visit, shown view, pressed action) error {
	f, at, elsewhere, err := a.formOf(ctx, v, shown)
	if err != nil {
		return err
	}
	var view slack.ModalViewRequest
	switch {
	case elsewhere || f.Page == sendingPage:
		view, err = a.takeOver(ctx, v, f)
	case pressed.ID == actRestart:
		return a.restart(ctx, v, f)
	default:
		var notices []string
		if err = a.amend(ctx, f, func() {
			f.collect(at.Page, shown.State)
			f.Page, notices = a.heading(ctx, v.actor, f, at.Page, pressed)
		}); err == nil {
			view, err = a.screen(ctx, v, f, notices...)
		}
	}
	if err != nil {
		return err
	}
	return a.replace(ctx, v, view)
}

// heading is the page that a button leads to, and why it does not where it does not.
func (a *App) heading(ctx context.Context, actor tools.Actor, f *form, page string, pressed action) (string, []string) {
	at := slices.Index(f.tool.Pages, page)
	switch {
	case pressed.ID == actBack && page == confirmPage:
		return f.tool.Pages[len(f.tool.Pages)-1], nil
	case pressed.ID == actBack && at > 0:
		return f.tool.Pages[at-1], nil
	case pressed.ID == actFix && slices.Contains(f.tool.Pages, pressed.Value):
		return pressed.Value, nil
	case pressed.ID == actSkip:
		var notices []string
		for path, text := range a.wrong(ctx, actor, f, page) {
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

// restart throws away what was typed, except what the form is about.
func (a *App) restart(ctx context.Context, v *visit, f *form) error {
	if err := a.end(ctx, f); err != nil {
		return err
	}
	given := map[string]string{}
	for _, field := range f.tool.Fields {
		if field.Refers() {
			given[field.Path] = f.Answers[field.Path]
		}
	}
	v.channel, v.responseURL = f.Notes[noteChannel], f.Notes[noteURL]
	return a.openForm(ctx, v, f.tool, given)
}

// closing tells a person who closed a form what of it is kept, if that is worth it. What stood in the page is not known.
func (a *App) closing(ctx context.Context, v visit, i interaction) any {
	var f *form
	var at place
	for range maxAmends {
		var elsewhere bool
		var err error
		f, at, elsewhere, err = a.formOf(ctx, &v, i.View)
		if err != nil || elsewhere || f.Page == sendingPage {
			return nil
		}
		if f.worthKeeping() {
			err = a.save(ctx, f) // for another 24 hours
		} else {
			_, err = a.store.EndDraft(ctx, f.Draft)
		}
		if errors.Is(err, conversations.ErrConflict) {
			continue // a choice came in
		}
		if err != nil {
			a.log.InfoContext(ctx, "a form was closed and neither kept nor ended", "error", logged(err))
			return nil
		}
		break
	}
	if !f.worthKeeping() {
		return nil
	}
	told := a.workAs("told "+v.user, v, func(ctx context.Context, v *visit) error {
		v.channel, v.responseURL, v.view = f.Notes[noteChannel], f.Notes[noteURL], ""
		return a.tell(ctx, v, f.keptMessage(v.actor.Lang, at.Page))
	})
	if told != nil {
		a.log.WarnContext(ctx, "nobody was told that a form is kept", "error", logged(told))
	}
	return nil
}
