package slackapp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/slack-go/slack"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/lisbon"
	"github.com/balcao/balcao/tools"
)

// formState says which form and page a view shows. It is the only part of a draft that is not encrypted, and holds no
// personal data.
type formState struct {
	Draft string `json:"draft"`
	Page  string `json:"page"`
}

// openForm opens the form of a tool: a loading view while the trigger is valid, then the draft that the person has, or
// a new form with the given answers.
func (a *App) openForm(ctx context.Context, req *request, tool *tools.Tool, given map[string]string) error {
	if err := a.open(ctx, req, loadingView(req.actor.Lang, tool)); err != nil {
		return err
	}
	answers, notes, topic := a.resolveChoices(ctx, req.actor, tool, given)
	if err := a.checkReady(ctx, req.actor, tool, answers); err != nil {
		return err
	}
	draft, err := a.store.StartDraft(ctx, req.actor.ID, tool.Name, topic)
	if err != nil {
		return err
	}
	f := &form{tool, draft}
	resumed := f.worthKeeping()
	if !resumed {
		f.Answers, f.Notes = a.prefilled(ctx, req.actor, tool, answers), notes
		f.Page = firstPage(f)
	}
	return a.present(ctx, req, f, resumed)
}

// checkReady returns an error if the bank would refuse what the form is for, before the person fills it in.
func (a *App) checkReady(ctx context.Context, actor tools.Actor, tool *tools.Tool, answers map[string]string) error {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	return a.runner.Ready(ctx, actor, tool, answers)
}

// prefilled returns the answers that a form begins with.
func (a *App) prefilled(ctx context.Context, actor tools.Actor, tool *tools.Tool, answers map[string]string) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	return a.runner.Prefill(ctx, actor, tool, answers)
}

// resolveChoices looks up the options for given answers, so that the form shows names, and a process has one draft
// however it is named. Answers that the bank does not know, or not in time, stay as they are: the runner decides
// later. topic identifies the subject of the draft.
func (a *App) resolveChoices(ctx context.Context, actor tools.Actor, tool *tools.Tool, given map[string]string) (answers, notes map[string]string, topic string) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	answers, notes = map[string]string{}, map[string]string{}
	for _, field := range tool.Fields {
		text := given[field.Path]
		if text == "" {
			continue
		}
		if option, ok := a.runner.Option(ctx, actor, field, text, answers); ok {
			text, notes[noteLabel+field.Path] = option.Value, option.Text
		}
		answers[field.Path] = text
		if field.Refers() {
			topic = strings.TrimSpace(topic + " " + text)
		}
	}
	return answers, notes, topic
}

// firstPage skips the pages that ask only for the subject of the form, if that is given by the bank's id or was found.
func firstPage(f *form) string {
	asks := func(field tools.Field) bool {
		return !field.Refers() || f.label(field.Path) == "" && uuid.Validate(f.Answers[field.Path]) != nil
	}
	for _, page := range f.tool.Pages {
		if slices.ContainsFunc(f.tool.FieldsOn(page), asks) {
			return page
		}
	}
	return confirmPage
}

// resume opens a form where the person left it.
func (a *App) resume(ctx context.Context, req *request, draftID string) error {
	if err := a.open(ctx, req, loadingView(req.actor.Lang, nil)); err != nil {
		return err
	}
	f, err := a.formWith(ctx, req, draftID)
	if err != nil {
		return err
	}
	if f.Page != sendingPage { // what was sent may have closed the process
		if err := a.checkReady(ctx, req.actor, f.tool, f.Answers); err != nil {
			return err
		}
	}
	return a.present(ctx, req, f, true)
}

// formWith reads the form with an id.
func (a *App) formWith(ctx context.Context, req *request, draftID string) (*form, error) {
	draft, err := a.store.Draft(ctx, req.actor.ID, draftID)
	if err != nil {
		return nil, err
	}
	tool, known := a.runner.Catalogue.Named(draft.Subject)
	if !known { // the tool was removed by an update
		return nil, conversations.ErrGone
	}
	req.draft = draft.ID
	if channel := draft.Notes[noteChannel]; channel != "" { // a modal is in no channel: the form belongs to the one where it began
		req.actor.Destination = destinationIn(req.user, channel)
	}
	return &form{tool, draft}, nil
}

// present makes the person's modal the one that fills in the form, and shows the current page with notices above it.
func (a *App) present(ctx context.Context, req *request, f *form, resumed bool, notices ...string) error {
	req.draft = f.ID
	if err := a.update(ctx, f, func() {
		if f.Notes == nil {
			f.Notes = map[string]string{}
		}
		f.Notes[noteView] = req.view
		if req.responseURL != "" {
			f.Notes[noteURL] = req.responseURL
		}
		if req.channel != "" {
			f.Notes[noteChannel] = req.channel
		}
	}); err != nil {
		return err
	}
	if resumed {
		began := f.Started.In(lisbon.Zone).Format(say(req.actor.Lang, "format.time"))
		notices = append([]string{say(req.actor.Lang, "form.resumed", "time", began, "kept", f.savedSummary(req.actor.Lang))}, notices...)
	}
	view, err := a.currentView(ctx, req, f, notices...)
	if err != nil {
		return err
	}
	return a.replace(ctx, req, view)
}

// save stores the form. It returns [conversations.ErrConflict] if it was saved elsewhere since it was read.
func (a *App) save(ctx context.Context, f *form) error {
	saved, err := a.store.SaveDraft(ctx, f.Draft)
	if err == nil || errors.Is(err, conversations.ErrConflict) {
		f.Draft = saved
	}
	return err
}

// end deletes the form, also if it was saved elsewhere since it was read.
func (a *App) end(ctx context.Context, f *form) error {
	_, err := a.store.EndDraft(ctx, f.Draft)
	for errors.Is(err, conversations.ErrConflict) {
		if f.Draft, err = a.store.Draft(ctx, f.Owner, f.ID); err == nil {
			_, err = a.store.EndDraft(ctx, f.Draft)
		}
	}
	if errors.Is(err, conversations.ErrGone) {
		return nil
	}
	return err
}

// currentView returns the view of the form's page.
func (a *App) currentView(ctx context.Context, req *request, f *form, notices ...string) (slack.ModalViewRequest, error) {
	if open, err := a.isOpen(ctx, f); err != nil {
		return slack.ModalViewRequest{}, err
	} else if !open && f.Page != sendingPage {
		return a.decidedView(ctx, req, f)
	}
	a.skipOnlyChoices(ctx, req, f)
	if f.tool.Edits && !f.isSubjectPage(f.Page) {
		if err := a.loadCurrent(ctx, req, f); err != nil {
			return slack.ModalViewRequest{}, a.backToSubject(ctx, f, err)
		}
	}
	switch {
	case f.Page == confirmPage:
		return a.confirmationView(ctx, req, f, nil)
	case f.Page == sendingPage:
		return unansweredView(req.actor.Lang, f), nil
	case !slices.Contains(f.tool.Pages, f.Page): // the page was removed by an update
		f.Page = f.tool.Pages[0]
	}
	return pageView(req.actor.Lang, f, notices...), nil
}

// skipOnlyChoices advances a form past the pages that ask only for what there is one of: the property of a process that has one.
// It is looked up again when the form is shown again; the page is shown if the bank does not answer in time.
func (a *App) skipOnlyChoices(ctx context.Context, req *request, f *form) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	for f.isSubjectPage(f.Page) {
		for _, field := range f.tool.FieldsOn(f.Page) {
			option, only := a.runner.OnlyChoice(ctx, req.actor, field, f.Answers)
			if !only {
				return
			}
			answers, notes := maps.Clone(f.Answers), maps.Clone(f.Notes)
			answers[field.Path], notes[noteLabel+field.Path], notes[noteSole+f.Page] = option.Value, option.Text, "1"
			f.Answers, f.Notes = answers, notes
		}
		f.Page = pageAfter(f.tool, f.Page)
		if err := a.save(ctx, f); err != nil {
			a.log.InfoContext(ctx, "saving an only choice failed", "error", logged(err))
			return
		}
	}
}

// loadCurrent fills an editor's form with what the bank has, once. If the subject is not chosen, it goes back to the
// page that asks for it.
func (a *App) loadCurrent(ctx context.Context, req *request, f *form) error {
	about := f.subjectKey()
	switch about {
	case "":
		f.Page = firstPage(f)
		return nil
	case f.Notes[noteSubject]:
		return nil
	}
	before, labels, err := a.runner.Current(ctx, req.actor, f.tool, f.Answers)
	if err != nil {
		return err
	}
	notes := maps.Clone(f.Notes)
	maps.DeleteFunc(notes, func(key, _ string) bool {
		path, label := strings.CutPrefix(key, noteLabel)
		field, _ := f.tool.Field(path)
		return strings.HasPrefix(key, noteBefore) || label && !field.Refers()
	})
	answers := map[string]string{}
	for _, field := range f.tool.Fields {
		answers[field.Path] = visible(before[field.Path], math.MaxInt) // as the input shows it, so that an untouched field is no change
		if field.Refers() {
			answers[field.Path] = f.Answers[field.Path]
		}
		notes[noteBefore+field.Path] = visible(before[field.Path], math.MaxInt)
		if labels[field.Path] != "" {
			notes[noteLabel+field.Path] = labels[field.Path]
		}
	}
	notes[noteSubject] = about
	f.Answers, f.Notes = answers, notes
	return a.save(ctx, f)
}

// backToSubject moves a form whose subject the bank does not know, or refuses, to the page where it is chosen. It
// returns cause.
func (a *App) backToSubject(ctx context.Context, f *form, cause error) error {
	failure, page := tools.AsError(cause), f.Page
	switch failure.Kind {
	case tools.NotFound, tools.Closed:
		page = f.tool.Pages[0]
	case tools.Invalid:
		for _, p := range failure.Problems {
			if field, known := f.tool.Field(p.Path); known {
				page = field.Page
			}
		}
	}
	if page != f.Page {
		f.Page = page
		if err := a.save(ctx, f); err != nil {
			return err
		}
	}
	return cause
}

// formOf reads the form that a view belongs to. elsewhere is true if another modal has taken the form over.
func (a *App) formOf(ctx context.Context, req *request, shown view) (f *form, at formState, elsewhere bool, err error) {
	if json.Unmarshal([]byte(shown.Metadata), &at) != nil {
		return nil, at, false, fmt.Errorf("reading a view's metadata: %w", conversations.ErrGone)
	}
	if f, err = a.formWith(ctx, req, at.Draft); err != nil {
		return nil, at, false, err
	}
	return f, at, f.Notes[noteView] != req.view, nil
}

// takeOver makes this modal the one that fills in the form, and returns the view of its current page.
func (a *App) takeOver(ctx context.Context, req *request, f *form) (slack.ModalViewRequest, error) {
	f.Notes[noteView] = req.view
	f.Notes[noteTakenOver] = strconv.Itoa(f.count(noteTakenOver) + 1)
	if err := a.save(ctx, f); err != nil {
		return slack.ModalViewRequest{}, err
	}
	return a.currentView(ctx, req, f, say(req.actor.Lang, "form.elsewhere"))
}
