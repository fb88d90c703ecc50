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

// What is kept of a form: what is sent page by page, and between two pages what Slack reports with each choice, which is
// all that stands in the page by then. What is typed after that is lost with a window that is closed, since Slack tells
// nothing of it; its person is told so.

// maxAmends is how often a change is made again over what the same page reported meanwhile.
const maxAmends = 8

// update changes the form and saves it. Where the same page has reported a choice meanwhile, the change is made again over
// that; what another window or another page has saved is a conflict.
func (a *App) update(ctx context.Context, f *form, change func()) error {
	page, view := f.Page, f.Notes[noteView]
	var err error
	for range maxAmends {
		change()
		if err = a.save(ctx, f); !errors.Is(err, conversations.ErrConflict) || f.Page != page || f.Notes[noteView] != view {
			return err
		}
	}
	return err
}

// choosesInForm tells whether an action is a choice in an input of a form.
func (a *App) choosesInForm(i interaction) bool {
	tool, known := a.runner.Catalogue.Named(i.View.Callback)
	if !known || len(i.Actions) == 0 {
		return false
	}
	_, isField := tool.Field(i.Actions[0].Block)
	return isField
}

// onChoice keeps what stands on a page in which something was chosen, before Slack hears that we know of it. The page is
// not drawn anew, and nobody is told: not of a failure either, since all of it comes again with the page.
func (a *App) onChoice(ctx context.Context, req request, i interaction) any {
	if err := a.saveChoice(ctx, &req, i.View, i.Actions[0]); err != nil {
		a.log.InfoContext(ctx, "a choice is not kept before its page is sent", "error", logged(err))
	}
	return nil
}

func (a *App) saveChoice(ctx context.Context, req *request, shown view, chosen action) error {
	for range maxAmends {
		f, at, elsewhere, err := a.formOf(ctx, req, shown)
		switch {
		case err != nil:
			return err
		case elsewhere || f.Page != at.Page || chosen.ID != generation(f): // the page was sent, or is out of date
			return nil
		case chosen.At != "" && chosen.At <= f.Notes[noteChosen]: // overtaken by a later choice, which told of this one too
			return nil
		}
		f.collect(at.Page, shown.State.with(chosen))
		f.Notes[noteChosen] = chosen.At
		if err := a.save(ctx, f); !errors.Is(err, conversations.ErrConflict) {
			return err
		}
	}
	return conversations.ErrConflict
}

// with is the state around a choice: an input beside it that holds nothing is left out, since Slack may say that of one
// which shows what it began with.
func (s state) with(chosen action) state {
	held := state{Values: map[string]map[string]answer{}}
	for block, inputs := range s.Values {
		if given := inputs[chosen.ID]; given.Chosen != nil || given.User != nil || given.Value != nil && *given.Value != "" {
			held.Values[block] = map[string]answer{chosen.ID: given}
		}
	}
	held.Values[chosen.Block] = map[string]answer{chosen.ID: {Chosen: chosen.Chosen, User: chosen.User}}
	return held
}

// savedSummary says how much of the form is kept, and on which pages; "" for nothing.
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

// savedMessage tells a person who closed a form at a page what was kept of it and what was not.
func (f *form) savedMessage(lang words.Lang, closed string) message {
	text := say(lang, "form.kept", "tool", f.tool.Title(lang), "kept", f.savedSummary(lang))
	if at := slices.Index(f.tool.Pages, closed); at >= 0 && slices.ContainsFunc(f.tool.FieldsOn(closed), isTextField) {
		text += "\n" + say(lang, "form.not_kept", "page", at+1, "next", nextLabel(lang, f.tool, at))
	}
	return message{text, []slack.Block{
		paragraph(text), buttons(button(actContinue, f.ID, say(lang, "form.continue"))),
	}}
}
