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

// A form is saved with each submitted page, and with each choice on a page, when Slack reports all values of the page.
// Slack does not report text that is typed afterwards and lost with a closed modal; [form.savedMessage] says so.

// maxUpdateAttempts is how often a change is applied again after a conflict.
const maxUpdateAttempts = 8

// update changes the form and saves it. If the same page has saved a choice meanwhile, the change is applied to that
// version. If another window or page has saved it, update returns [conversations.ErrConflict].
func (a *App) update(ctx context.Context, f *form, change func()) error {
	page, view := f.Page, f.Notes[noteView]
	var err error
	for range maxUpdateAttempts {
		change()
		if err = a.save(ctx, f); !errors.Is(err, conversations.ErrConflict) || f.Page != page || f.Notes[noteView] != view {
			return err
		}
	}
	return err
}

// choosesInForm reports whether an action is a choice in an input of a form.
func (a *App) choosesInForm(i interaction) bool {
	tool, known := a.runner.Catalogue.Named(i.View.Callback)
	if !known || len(i.Actions) == 0 {
		return false
	}
	_, isField := tool.Field(i.Actions[0].Block)
	return isField
}

// onChoice saves the values of a page in which something was chosen. The page is redrawn only if it shows a choice that was
// within the one before: the county of another district. A failure is not shown, since the submission brings the same values.
func (a *App) onChoice(ctx context.Context, req request, i interaction) any {
	forgotten, err := a.saveChoice(ctx, &req, i.View, i.Actions[0])
	if err == nil && forgotten {
		err = a.inBackground(req, func(ctx context.Context, req *request) error {
			f, at, elsewhere, err := a.formOf(ctx, req, i.View)
			if err != nil || elsewhere || f.Page != at.Page {
				return err
			}
			return a.replace(ctx, req, pageView(req.actor.Lang, f))
		})
	}
	if err != nil {
		a.log.InfoContext(ctx, "saving a choice failed", "error", logged(err))
	}
	return nil
}

// saveChoice saves a choice and the values around it, unless a newer one was saved. It reports whether an answer that the page
// shows was forgotten.
func (a *App) saveChoice(ctx context.Context, req *request, shown view, chosen action) (forgotten bool, err error) {
	for range maxUpdateAttempts {
		f, at, elsewhere, err := a.formOf(ctx, req, shown)
		switch {
		case err != nil:
			return false, err
		case elsewhere || f.Page != at.Page || !strings.HasPrefix(chosen.ID, generation(f)): // the page was submitted or is outdated
			return false, nil
		case chosen.At != "" && chosen.At <= f.Notes[noteChosen]: // a later choice was saved, with this one
			return false, nil
		}
		before := f.Answers
		f.collect(at.Page, shown.State.with(chosen))
		f.Notes[noteChosen] = chosen.At
		if err := a.save(ctx, f); !errors.Is(err, conversations.ErrConflict) {
			return slices.ContainsFunc(f.tool.FieldsOn(at.Page), func(field tools.Field) bool {
				return field.Within != "" && before[field.Path] != "" && f.Answers[field.Path] == ""
			}), err
		}
	}
	return false, conversations.ErrConflict
}

// with returns the values around a choice. Empty inputs are left out, since Slack may report an input as empty that
// shows its initial value.
func (s state) with(chosen action) state {
	held := state{Values: map[string]map[string]answer{}}
	for block, inputs := range s.Values {
		for id, given := range inputs { // a block has one element
			if given.Chosen != nil || given.User != nil || given.Value != nil && *given.Value != "" || len(given.Files) > 0 {
				held.Values[block] = map[string]answer{id: given}
			}
		}
	}
	held.Values[chosen.Block] = map[string]answer{chosen.ID: {Chosen: chosen.Chosen, User: chosen.User}}
	return held
}

// savedSummary says how many fields of the form are saved and on which pages, "" if none are.
func (f *form) savedSummary(lang words.Lang) string {
	var pages []string
	count := 0
	for i, page := range f.tool.Pages {
		typed := slices.DeleteFunc(f.tool.FieldsOn(page), func(field tools.Field) bool { return !f.isEdited(field) })
		if count += len(typed); len(typed) > 0 {
			pages = append(pages, strconv.Itoa(i+1))
		}
	}
	if count == 0 {
		return ""
	}
	list := pages[0]
	if last := len(pages) - 1; last > 0 {
		list = strings.Join(pages[:last], ", ") + say(lang, "list.and") + pages[last]
	}
	return say(lang, "form.pages", "count", len(pages), "list", list) + " (" + say(lang, "form.fields", "count", count) + ")"
}

// savedMessage returns what is saved, and what is not, for a person who closed a form at a page.
func (f *form) savedMessage(lang words.Lang, closed string) message {
	text := say(lang, "form.kept", "tool", f.tool.Title(lang), "kept", f.savedSummary(lang))
	if at := slices.Index(f.tool.Pages, closed); at >= 0 && slices.ContainsFunc(f.tool.FieldsOn(closed), isTextField) {
		text += "\n" + say(lang, "form.not_kept", "page", at+1, "next", nextLabel(lang, f.tool, at))
	}
	return message{text, []slack.Block{
		paragraph(text), buttons(button(actContinue, f.ID, say(lang, "form.continue"))),
	}}
}
