package slackapp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// place is where a view stands in a form: all that leaves the sealed draft, and it says nothing of anybody.
type place struct {
	Draft string `json:"draft"`
	Page  string `json:"page"`
}

// openForm opens the form of a tool: first something to look at while the trigger lives, then what was typed before, or
// a new form with what is given.
func (a *App) openForm(ctx context.Context, v *visit, tool *tools.Tool, given map[string]string) error {
	if err := a.open(ctx, v, loadingView(v.actor.Lang, tool)); err != nil {
		return err
	}
	answers, notes, topic := a.understood(ctx, v.actor, tool, given)
	draft, err := a.store.StartDraft(ctx, v.actor.ID, tool.Name, topic)
	if err != nil {
		return err
	}
	f := &form{tool, draft}
	resumed := tool.Effect.Writes() && len(f.Answers) > 0 && f.Page != ""
	if !resumed {
		f.Answers, f.Notes, f.Page = answers, notes, firstPage(tool, answers)
	}
	return a.present(ctx, v, f, resumed)
}

// understood looks up what is given for choices, so that the form shows names and one process has one draft however it
// was named. What the bank does not know, or does not tell in time, stays as it is: the runner decides later.
func (a *App) understood(ctx context.Context, actor tools.Actor, tool *tools.Tool, given map[string]string) (answers, notes map[string]string, topic string) {
	ctx, cancel := context.WithTimeout(ctx, quickCall)
	defer cancel()
	answers, notes = map[string]string{}, map[string]string{}
	for _, field := range tool.Fields {
		text := given[field.Path]
		if text == "" {
			continue
		}
		if option, ok := a.runner.Option(ctx, actor, field, text); ok {
			text, notes[noteLabel+field.Path] = option.Value, option.Text
		}
		answers[field.Path] = text
		if field.Kind == tools.Process && topic == "" {
			topic = text
		}
	}
	return answers, notes, topic
}

// firstPage skips the page that asks for nothing but a process that is given.
func firstPage(tool *tools.Tool, answers map[string]string) string {
	fields := tool.FieldsOn(tool.Pages[0])
	if len(tool.Pages) > 1 && len(fields) == 1 && fields[0].Kind == tools.Process && answers[fields[0].Path] != "" {
		return tool.Pages[1]
	}
	return tool.Pages[0]
}

// resume opens a form where its person left it.
func (a *App) resume(ctx context.Context, v *visit, draftID string) error {
	if err := a.open(ctx, v, loadingView(v.actor.Lang, nil)); err != nil {
		return err
	}
	f, err := a.formWith(ctx, v, draftID)
	if err != nil {
		return err
	}
	return a.present(ctx, v, f, true)
}

func (a *App) formWith(ctx context.Context, v *visit, draftID string) (*form, error) {
	draft, err := a.store.Draft(ctx, v.actor.ID, draftID)
	if err != nil {
		return nil, err
	}
	tool, known := tools.Named(draft.Subject)
	if !known { // an update of ours took the tool away
		return nil, conversations.ErrGone
	}
	v.draft = draft.ID
	return &form{tool, draft}, nil
}

// present makes the modal in front of the person the one that the form is filled in through, and shows where it stands.
func (a *App) present(ctx context.Context, v *visit, f *form, resumed bool) error {
	v.draft = f.ID
	if f.Notes == nil {
		f.Notes = map[string]string{}
	}
	f.Notes[noteView] = v.view
	if v.responseURL != "" {
		f.Notes[noteURL] = v.responseURL
	}
	if v.channel != "" {
		f.Notes[noteChannel] = v.channel
	}
	if err := a.save(ctx, f); err != nil {
		return err
	}
	notices := []string{}
	if resumed {
		notices = append(notices, say(v.actor.Lang, "form.resumed", "time", f.Started.In(lisbon).Format(say(v.actor.Lang, "format.time"))))
	}
	view, err := a.screen(ctx, v, f, notices...)
	if err != nil {
		return err
	}
	return a.replace(ctx, v, view)
}

var lisbon = func() *time.Location {
	if zone, err := time.LoadLocation("Europe/Lisbon"); err == nil {
		return zone
	}
	return time.UTC
}()

// save stores the form. One that somebody else saved meanwhile is not overwritten.
func (a *App) save(ctx context.Context, f *form) error {
	saved, err := a.store.SaveDraft(ctx, f.Draft)
	if err == nil || errors.Is(err, conversations.ErrConflict) {
		f.Draft = saved
	}
	return err
}

// screen is the view of the page where the form stands.
func (a *App) screen(ctx context.Context, v *visit, f *form, notices ...string) (slack.ModalViewRequest, error) {
	switch {
	case f.Page == confirmPage:
		return a.confirmation(ctx, v, f, nil)
	case f.Page == sendingPage:
		return unansweredView(v.actor.Lang, f), nil
	case !slices.Contains(f.tool.Pages, f.Page): // an update of ours took the page away
		f.Page = f.tool.Pages[0]
	}
	return pageView(v.actor.Lang, f, notices...), nil
}

// pageView is one page of a form.
func pageView(lang words.Lang, f *form, notices ...string) slack.ModalViewRequest {
	at := slices.Index(f.tool.Pages, f.Page)
	var blocks []slack.Block
	if steer := steering(lang, f, at, len(notices) > 0); steer != nil {
		blocks = append(blocks, steer)
	}
	for _, notice := range notices {
		blocks = append(blocks, paragraph(notice))
	}
	if f.Notes[noteDoubt] != "" {
		blocks = append(blocks, paragraph(say(lang, "form.doubt")))
	}
	blocks = append(blocks, small(progress(lang, f, at)))
	for _, field := range f.tool.FieldsOn(f.Page) {
		blocks = append(blocks, input(lang, field, f.Answers[field.Path], f.label(field.Path), generation(f)))
	}
	view := formView(lang, f, blocks)
	next := "form.next"
	if at == len(f.tool.Pages)-1 {
		next = "form.review"
		if !f.tool.Effect.Writes() {
			next = "form.read"
		}
	}
	view.Submit = plain(say(lang, next), maxTitle)
	return view
}

// formView is a modal that belongs to a draft.
func formView(lang words.Lang, f *form, blocks []slack.Block) slack.ModalViewRequest {
	view := modal(f.tool.Title(lang), say(lang, "close"), blocks...)
	view.CallbackID, view.NotifyOnClose = f.tool.Name, true
	view.PrivateMetadata = string(encode(place{f.ID, f.Page}))
	return view
}

func generation(f *form) string { return f.ID[:min(len(f.ID), 8)] }

func progress(lang words.Lang, f *form, at int) string {
	total, title := len(f.tool.Pages), say(lang, "form.confirm")
	if at < total {
		title = tools.PageTitle(lang, f.tool.Pages[at])
	}
	if f.tool.Effect.Writes() {
		total++
	}
	return say(lang, "form.progress", "page", at+1, "pages", total, "title", title)
}

// steering is the row of buttons above a page; nil when there is nowhere else to go.
func steering(lang words.Lang, f *form, at int, resumed bool) slack.Block {
	var row []*slack.ButtonBlockElement
	if at > 0 {
		row = append(row, button(actBack, f.ID, say(lang, "form.back")))
	}
	if f.tool.Effect.Writes() && at < len(f.tool.Pages)-1 && complete(f.tool, f.Answers) {
		row = append(row, button(actSkip, f.ID, say(lang, "form.skip")))
	}
	if resumed {
		row = append(row, button(actRestart, f.ID, say(lang, "form.restart")))
	}
	if row == nil {
		return nil
	}
	return buttons(row...)
}

func loadingView(lang words.Lang, tool *tools.Tool) slack.ModalViewRequest {
	return waitingView(lang, tool, "form.loading")
}

func waitingView(lang words.Lang, tool *tools.Tool, key string) slack.ModalViewRequest {
	title := say(lang, "app")
	if tool != nil {
		title = tool.Title(lang)
	}
	return modal(title, say(lang, "close"), paragraph(say(lang, key)))
}

// formOf finds the form that a view belongs to. elsewhere is set when another modal has carried on with it since.
func (a *App) formOf(ctx context.Context, v *visit, shown view) (f *form, at place, elsewhere bool, err error) {
	if json.Unmarshal([]byte(shown.Metadata), &at) != nil {
		return nil, at, false, fmt.Errorf("reading a view's metadata: %w", conversations.ErrGone)
	}
	if f, err = a.formWith(ctx, v, at.Draft); err != nil {
		return nil, at, false, err
	}
	return f, at, f.Notes[noteView] != v.view, nil
}

// takeOver makes this modal the one that the form is filled in through, as the form is now.
func (a *App) takeOver(ctx context.Context, v *visit, f *form) (slack.ModalViewRequest, error) {
	f.Notes[noteView] = v.view
	if err := a.save(ctx, f); err != nil {
		return slack.ModalViewRequest{}, err
	}
	return a.screen(ctx, v, f, say(v.actor.Lang, "form.elsewhere"))
}

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
	f.collect(at.Page, i.View.State)
	f.Page = at.Page
	problems := a.wrong(ctx, v.actor, f, at.Page)
	if len(problems) == 0 {
		f.Page = pageAfter(f.tool, at.Page)
	}
	if err := a.save(ctx, f); err != nil {
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
		return a.screen(ctx, v, f)
	})
}

// wrong is what stops a page, by path. What the bank's lists would add, and do not add at once, the confirmation tells.
func (a *App) wrong(ctx context.Context, actor tools.Actor, f *form, page string) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return blocking(a.runner.CheckPage(ctx, actor, f.tool, page, f.Answers))
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
	return slack.NewErrorsViewSubmissionResponse(map[string]string{fields[0].Path: cut(t.text(), maxFieldError)})
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
	ready, late := make(chan slack.ModalViewRequest), make(chan time.Time, 1)
	started := a.work(v, func(ctx context.Context, v *visit) error {
		var view slack.ModalViewRequest
		err := a.guarded(func() (err error) {
			view, err = do(ctx, v)
			return err
		})
		if err != nil {
			view = a.failureView(v, err)
		}
		var since time.Time
		if len(encode(view)) > maxAck {
			since = <-late
		} else {
			select {
			case ready <- view:
				return nil
			case since = <-late:
			}
		}
		// What we say now must not reach Slack before the answer that it is to replace.
		select {
		case <-time.After(time.Until(since.Add(settling))):
		case <-ctx.Done():
			return ctx.Err()
		}
		return a.replace(ctx, v, view)
	})
	if !started {
		return a.ackView(&v, errCrowded)
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case view := <-ready:
		return slack.NewUpdateViewSubmissionResponse(&view)
	case <-timer.C:
		late <- time.Now()
		return slack.NewUpdateViewSubmissionResponse(&waiting)
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
		f.collect(at.Page, shown.State)
		var notices []string
		f.Page, notices = a.heading(ctx, v.actor, f, at.Page, pressed)
		if err = a.save(ctx, f); err == nil {
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
	if _, err := a.store.EndDraft(ctx, f.Draft); err != nil {
		return err
	}
	given := map[string]string{}
	for _, field := range f.tool.Fields {
		if field.Kind == tools.Process {
			given[field.Path] = f.Answers[field.Path]
		}
	}
	v.channel, v.responseURL = f.Notes[noteChannel], f.Notes[noteURL]
	return a.openForm(ctx, v, f.tool, given)
}

// closing tells a person who closed a form that it is kept. A form that changes nothing is not worth keeping.
func (a *App) closing(ctx context.Context, v visit, i interaction) any {
	f, at, elsewhere, err := a.formOf(ctx, &v, i.View)
	switch {
	case err != nil || elsewhere || f.Page == sendingPage:
		return nil
	case !f.tool.Effect.Writes():
		if _, err := a.store.EndDraft(ctx, f.Draft); err != nil {
			a.log.WarnContext(ctx, "a form could not be ended", "error", logged(err))
		}
		return nil
	}
	f.collect(at.Page, i.View.State)
	if err := a.save(ctx, f); err != nil { // another window was quicker, say
		a.log.InfoContext(ctx, "a form was closed and not saved again", "error", logged(err))
		return nil
	}
	a.work(v, func(ctx context.Context, v *visit) error {
		v.channel, v.responseURL, v.view = f.Notes[noteChannel], f.Notes[noteURL], ""
		text := say(v.actor.Lang, "form.kept", "tool", f.tool.Title(v.actor.Lang))
		return a.tell(ctx, v, message{text, []slack.Block{
			paragraph(text), buttons(button(actContinue, f.ID, say(v.actor.Lang, "form.continue"))),
		}})
	})
	return nil
}

// attempt tells a form's sendings apart that may each have taken effect.
func (f *form) attempt() int {
	n, _ := strconv.Atoi(f.Notes[noteAttempt])
	return n
}

func (f *form) warned() []string { return strings.Fields(f.Notes[noteWarned]) }
