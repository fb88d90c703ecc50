package mcpapp

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/tools"
)

// showApprovalFields shows a form with the problems under their fields.
func (a *App) showApprovalFields(d *decision, of tools.Review, form tools.Form, labels map[string]string, problems []tools.Problem) {
	tool, lang := of.Of, d.actor.Lang
	page := &formPage{approvalCard: askedCard(lang, of.Approval), Draft: of.Status == tools.ApprovalDraft, Edits: tool.Edits}
	page.Title = tool.Title(lang)
	for _, name := range tool.Pages {
		section := formSection{}
		for _, field := range tool.FieldsOn(name) {
			shown := a.fieldOf(d, tool, field, form, labels, problems)
			section.Fields = append(section.Fields, shown)
			if !shown.Fixed {
				section.Title = tool.PageTitle(lang, name)
			}
			if len(shown.Problems) > 0 {
				page.Wrong = append(page.Wrong, link{shown.ID(), shown.Label})
			}
			if shown.Changed {
				page.Changes = append(page.Changes, link{shown.ID(), shown.Label})
			}
		}
		if section.Fields != nil {
			page.Sections = append(page.Sections, section)
		}
	}
	for _, p := range problems {
		if field, known := tool.Field(p.Path); known && !field.Hidden() {
			continue
		}
		if p.Severity == tools.Blocks {
			page.Problems = append(page.Problems, problemText(lang, tool, p))
		}
	}
	for _, field := range tool.Fields {
		if field.Hidden() {
			page.Hidden = append(page.Hidden, hiddenInput{fieldAnswer + field.Path, form.Answers[field.Path]})
		}
		if form.Before != nil {
			page.Hidden = append(page.Hidden, hiddenInput{fieldBefore + field.Path, form.Before[field.Path]})
		}
	}
	status := http.StatusOK
	if slices.ContainsFunc(problems, func(p tools.Problem) bool { return p.Severity == tools.Blocks }) && d.r.Method == http.MethodPost {
		status = http.StatusUnprocessableEntity
	}
	d.show(status, approvalsPage{Title: "approvals.review", Form: page})
}

// fieldOf returns a field of a form with what is in it.
func (a *App) fieldOf(d *decision, tool *tools.Tool, field tools.Field, form tools.Form, labels map[string]string, problems []tools.Problem) formField {
	lang, value := d.actor.Lang, form.Answers[field.Path]
	shown := formField{
		Path: field.Path, Name: fieldAnswer + field.Path, Label: field.Label(lang), Help: field.Help(lang), Control: field.Kind.Control,
		Value: value, Text: visible(labels[field.Path]), Fixed: field.Refers() && value != "",
	}
	if shown.Text == "" {
		shown.Text = visible(value)
	}
	lacking := tool.Edits && !field.Refers() && form.Before[field.Path] == "" // an editor does not require what the bank does not have
	shown.Required = (field.Required || field.Asked) && !lacking
	for _, p := range problems {
		switch {
		case p.Path != field.Path:
		case p.Severity == tools.Blocks:
			shown.Problems = append(shown.Problems, p.Text)
		case p.Severity == tools.Warns:
			shown.Warnings = append(shown.Warnings, p.Statement())
		}
	}
	for _, other := range tool.Fields {
		shown.Refreshes = shown.Refreshes || slices.ContainsFunc(other.Dependencies(), func(f tools.Field) bool { return f.Path == field.Path })
	}
	if was := form.Before[field.Path]; form.Before != nil && !field.Refers() && was != value {
		shown.Changed, shown.Before = true, visible(was)
		if option, is := a.config.Runner.Option(d.r.Context(), d.actor, field, was, form.Before); is {
			shown.Before = visible(labelOf(option))
		}
	}
	switch {
	case shown.Fixed:
		shown.Help = ""
	case field.Kind.Control == tools.ControlFile:
		shown.Text = inClear(tools.GivenFiles(lang, value))
		shown.Files = a.config.Files != nil
		if address := d.r.PostForm.Get(fieldUpload + field.Path); strings.HasPrefix(address, uploadPath) {
			shown.Upload = address
		}
	case field.Kind.Control == tools.ControlYesNo:
		shown.Options = []tools.Option{{Value: "true", Text: d.say("approvals.yes")}, {Value: "false", Text: d.say("approvals.no")}}
	case field.Kind.Choices != nil:
		near := slices.ContainsFunc(problems, func(p tools.Problem) bool { return p.Path == field.Path && p.Code == codeNear })
		shown.Options = a.optionsOf(d, field, form, shown, near)
	}
	return shown
}

// optionsOf returns the options of a field, with what is chosen among them. It returns none of a list that cannot be read, or is too
// long: then the text is typed. near has it return the options of a long list that are near what was typed.
func (a *App) optionsOf(d *decision, field tools.Field, form tools.Form, shown formField, near bool) []tools.Option {
	options, err := a.config.Runner.AllOptions(d.r.Context(), d.actor, field, "", form.Answers)
	if err != nil || len(options) > mostOptions && !near {
		return nil
	}
	if len(options) > mostOptions {
		if options, err = a.config.Runner.AllOptions(d.r.Context(), d.actor, field, shown.Value, form.Answers); err != nil {
			return nil
		}
		return options
	}
	chosen := slices.ContainsFunc(options, func(o tools.Option) bool { return o.Value == shown.Value })
	if d.r.PostForm.Get("do") == doRefresh && field.Within != "" && !chosen { // it was of another parent
		return options
	}
	if shown.Value != "" && !chosen {
		options = append([]tools.Option{{Value: shown.Value, Text: shown.Text}}, options...)
	}
	return options
}

// openFileAddress opens an address at which the person gives a file for a field of the form.
func (a *App) openFileAddress(d *decision, tool *tools.Tool, form tools.Form, path string) {
	field, known := tool.Field(path)
	if !known || field.Kind.Control != tools.ControlFile || a.config.Files == nil {
		return
	}
	upload, err := a.config.Files.OpenUpload(context.WithoutCancel(d.r.Context()), d.actor.ID, string(d.actor.Lang), field.Kind.Accepts.MaxSize)
	if err != nil {
		a.config.Log.WarnContext(d.r.Context(), "an address for a file could not be opened", "error", pii.Scrub(err.Error()))
		d.tell(news{Kind: "failed", Title: d.say("approvals.not_done"), Text: []string{d.say("files.unavailable")}})
		return
	}
	form.Answers[path] = tools.FileRef{ID: uploads + ":" + upload.ID}.Answer()
	d.r.PostForm.Set(fieldUpload+path, uploadPath+upload.ID+"/"+upload.Secret+"/")
}
