package slackapp

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// pageView is one page of a form.
func pageView(lang words.Lang, f *form, notices ...string) slack.ModalViewRequest {
	at := slices.Index(f.tool.Pages, f.Page)
	var blocks []slack.Block
	if row := pageButtons(lang, f, at, len(notices) > 0 && (f.approval() == "" || f.worthKeeping())); row != nil {
		blocks = append(blocks, row)
	}
	for _, notice := range notices {
		blocks = append(blocks, paragraph(notice))
	}
	blocks = append(blocks, approvalLine(lang, f)...)
	blocks = append(blocks, unclearBlocks(lang, f)...)
	blocks = append(blocks, contextLine(progress(lang, f, at)))
	if subject := f.subject(f.Page); subject != "" {
		blocks = append(blocks, contextLine(subject))
	}
	for _, field := range f.tool.FieldsOn(f.Page) {
		field.Required = f.isRequired(field)
		blocks = append(blocks, input(lang, field, f.Answers[field.Path], f.label(field.Path), f.elementID(field), f.tool.Effect.Writes() || field.HasWithin()))
		blocks = append(blocks, keptFiles(lang, field, f.Answers[field.Path])...)
	}
	next := nextLabel(lang, f.tool, at)
	if f.tool.Effect.Writes() && slices.ContainsFunc(f.tool.FieldsOn(f.Page), isTextField) {
		blocks = append(blocks, contextLine(say(lang, "form.unsent", "next", next)))
	}
	view := formView(lang, f, blocks)
	view.Submit = plain(next, maxTitle)
	return view
}

// isTextField reports whether a field is typed, not chosen.
func isTextField(field tools.Field) bool { return !controlOf(field).chosen }

// nextLabel is the text of the button that submits a page.
func nextLabel(lang words.Lang, tool *tools.Tool, at int) string {
	next := "form.next"
	if at == len(tool.Pages)-1 {
		next = "form.review"
		switch {
		case tool.Effect == tools.Remembers:
			next = "form.keep"
		case !tool.Effect.Writes():
			next = "form.read"
		}
	}
	return say(lang, next)
}

// formView is a modal that belongs to a form.
func formView(lang words.Lang, f *form, blocks []slack.Block) slack.ModalViewRequest {
	view := modal(f.tool.Title(lang), say(lang, "close"), blocks...)
	view.CallbackID, view.NotifyOnClose = f.tool.Name, true
	view.PrivateMetadata = string(encode(formState{f.ID, f.Page}))
	return view
}

// generation is part of the inputs' ids; see [input].
func generation(f *form) string {
	return strings.Join([]string{f.ID[:min(len(f.ID), 8)], f.Notes[noteTakenOver], f.Notes[noteSubject]}, " ")
}

// elementID is the id of a field's element. It is another one when what the field is within has changed, so that Slack does not
// keep a choice that is forgotten.
func (f *form) elementID(field tools.Field) string {
	above := fnv.New32a()
	for at := field; at.Within != ""; at, _ = f.tool.Field(at.Within) {
		fmt.Fprintln(above, f.Answers[at.Within])
	}
	id := generation(f) + f.emptied(field)
	if field.Within != "" {
		id += fmt.Sprintf(" %x", above.Sum32())
	}
	return id
}

func progress(lang words.Lang, f *form, at int) string {
	total, title := len(f.tool.Pages), say(lang, "form.confirm")
	if at < total {
		title = f.tool.PageTitle(lang, f.tool.Pages[at])
	}
	if f.tool.Effect.Writes() {
		total++
	}
	if total == 1 {
		return title
	}
	return say(lang, "form.progress", "page", at+1, "pages", total, "title", title)
}

// pageButtons is the row of buttons above a page, nil if there is none.
func pageButtons(lang words.Lang, f *form, at int, resumed bool) slack.Block {
	var row []*slack.ButtonBlockElement
	if at > 0 {
		row = append(row, button(actBack, f.ID, say(lang, "form.back")))
	}
	if f.tool.Effect.Writes() && at < len(f.tool.Pages)-1 && f.complete() {
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
