package mcpapp

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/balcao/balcao/tools"
)

// The names of the inputs of a form: a prefix and the path of a field.
const (
	fieldAnswer = "is."
	fieldBefore = "was." // what an editor's field held when its form was opened
	fieldUpload = "at."  // the address at which a file of a field is given
)

// What is asked for with a form.
const (
	doCheck   = "check"   // shows what would be done
	doRefresh = "refresh" // shows the choices that depend on an answer
	doEdit    = "edit"    // shows the form again
	doApprove = "approve"
	doLeave   = "leave" // keeps the form as it is
	doAnew    = "anew"  // shows it as the assistant asked
	doFile    = "file " // and a path: opens an address for a file
)

// mostOptions is the most options that a form has in it; of a longer list the person types the text.
const mostOptions = 500

// Where she typed no option of such a list, she chooses among those that are near, if they are not too many.
const (
	mostNear = 50
	codeNear = "approvals.near" // of a problem
)

// formPage is the form of an approval.
type formPage struct {
	approvalCard
	Sections []formSection
	Hidden   []hiddenInput
	Draft    bool
	Edits    bool   // it shows what the bank has
	Wrong    []link // to the fields that are missing or wrong
	Changes  []link // to the fields in which it differs from what the bank has
}

// formSection is a page of a tool's form.
type formSection struct {
	Title  string // "" if the labels say what it would
	Fields []formField
}

type hiddenInput struct{ Name, Value string }

// formField is a field with what is in it.
type formField struct {
	Path, Name, Label, Help string
	Control                 tools.Control
	Value                   string
	Text                    string // of what is fixed or chosen
	Fixed                   bool   // it says what the call is about
	Required                bool
	Refreshes               bool // other choices depend on it
	Options                 []tools.Option
	Problems                []string
	Warnings                []string
	Changed                 bool   // the bank has something else
	Before                  string // what the bank has
	Files                   bool   // a file can be given
	Upload                  string // the address at which one is given
}

// ID is the id of the input.
func (f formField) ID() string { return "f-" + strings.ReplaceAll(f.Path, ".", "-") }

// showApprovalForm shows the form of an approval, filled in as the assistant asked.
func (a *App) showApprovalForm(d *decision) {
	review, form, labels, err := a.config.Runner.ReviewForm(d.r.Context(), d.actor, d.r.PathValue("id"))
	if err != nil {
		d.tell(d.failed(a.titleOf(d, err), err))
		d.back()
		return
	}
	if !review.Status.Open() {
		d.back()
		return
	}
	for _, field := range review.Of.Fields {
		form.Answers[field.Path] = asInput(field, form.Answers[field.Path])
		if form.Before != nil {
			form.Before[field.Path] = asInput(field, form.Before[field.Path])
		}
		if !field.Refers() {
			continue
		}
		if option, is := a.config.Runner.Option(d.r.Context(), d.actor, field, form.Answers[field.Path], form.Answers); is {
			labels[field.Path] = labelOf(option)
		}
	}
	left, asLeft := d.session.left(review.Approval)
	if asLeft {
		d.tell(news{Kind: "ended", Title: d.say("approvals.as_left")})
		form, labels = left, a.labelsOf(d, review.Of, left)
	}
	problems := review.Problems
	if review.Status == tools.ApprovalDraft || asLeft { // what is missing is under the fields from the start
		if checked, unread, err := a.reviewed(d, review, form); err == nil {
			problems = withoutRepeated(append(unread, checked.Problems...))
		}
	}
	a.showApprovalFields(d, review, form, labels, problems)
}

// asInput returns a text as an input of a browser has it, so that a field that was not touched is no change.
func asInput(field tools.Field, text string) string {
	if field.Kind.Control == tools.ControlLines {
		return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	}
	return strings.TrimSpace(strings.NewReplacer("\r", "", "\n", "").Replace(text))
}

// reviewed checks a form as it would be approved. problems are those of the answers that cannot be read; then there is no review.
func (a *App) reviewed(d *decision, of tools.Review, form tools.Form) (review tools.Review, problems []tools.Problem, err error) {
	args, problems := of.Of.Args(of.Of.Given(form), d.actor.Lang)
	review, err = a.config.Runner.ReviewArgs(d.r.Context(), d.actor, of.ID, args)
	return review, problems, err
}

// submitApprovalForm takes a form that was sent: it shows it again, shows what would be done, or does it.
func (a *App) submitApprovalForm(d *decision) {
	approval, tool, open := a.openApproval(d)
	if !open {
		d.tell(news{Kind: "failed", Title: d.say("approvals.not_done"), Text: []string{d.say("approvals.over")}})
		d.back()
		return
	}
	of := tools.Review{Approval: approval, Of: tool}
	form, unresolved := a.formOf(d, tool)
	do := d.r.PostForm.Get("do")
	if do == doAnew {
		d.session.forget(of.ID)
		http.Redirect(d.w, d.r, approvalPath+"form/"+url.PathEscape(of.ID), http.StatusSeeOther)
		return
	}
	if path, file := strings.CutPrefix(do, doFile); file {
		a.openFileAddress(d, tool, form, path)
	}
	d.session.keep(approval, form)
	if do == doLeave {
		d.back()
		return
	}
	if do != doCheck && do != doApprove {
		a.showApprovalFields(d, of, form, a.labelsOf(d, tool, form), unresolved)
		return
	}
	review, unread, err := a.reviewed(d, of, form)
	unread = append(unresolved, unread...)
	switch {
	case err != nil:
		d.tell(d.failed(a.titleOf(d, err), err))
		a.showApprovalFields(d, of, form, a.labelsOf(d, tool, form), unread)
	case len(unread) > 0 || review.Seen == "":
		a.showApprovalFields(d, of, form, a.labelsOf(d, tool, form), withoutRepeated(append(unread, review.Problems...)))
	case do == doApprove && d.r.PostForm.Get("seen") == review.Seen:
		args, _ := tool.Args(tool.Given(form), d.actor.Lang)
		if a.approve(d, of.ID, tools.Approved{Args: args, Seen: review.Seen}) {
			d.session.forget(of.ID)
		}
		d.back()
	default:
		card := reviewCard(d.actor.Lang, review)
		card.Altered = do == doApprove
		d.show(http.StatusOK, approvalsPage{Title: "approvals.confirm", Confirm: &card, Form: &formPage{approvalCard: card, Hidden: hiddenOf(tool, form)}})
	}
}

// openApproval returns an approval of the person that she can still decide, and its tool.
func (a *App) openApproval(d *decision) (approval tools.Approval, tool *tools.Tool, open bool) {
	waiting, err := a.config.Runner.OpenApprovals(d.r.Context(), d.actor)
	at := slices.IndexFunc(waiting, func(each tools.Approval) bool { return each.ID == d.r.PathValue("id") && each.Status.Open() })
	if err != nil || at < 0 {
		return approval, nil, false
	}
	tool, open = a.config.Runner.ToolOf(waiting[at])
	return waiting[at], tool, open
}

// withoutRepeated returns the problems without a second one of the same field that follows from the first.
func withoutRepeated(problems []tools.Problem) []tools.Problem {
	var kept []tools.Problem
	for _, p := range problems {
		if !slices.ContainsFunc(kept, func(k tools.Problem) bool { return k.Path == p.Path && k.Path != "" && k.Severity == tools.Blocks }) {
			kept = append(kept, p)
		}
	}
	return kept
}

// formOf reads a form that was sent. Where a person typed the text of an option, it is found; the problems are those of texts that
// name none, which stay as they are.
func (a *App) formOf(d *decision, tool *tools.Tool) (form tools.Form, problems []tools.Problem) {
	form.Answers = map[string]string{}
	if tool.Edits {
		form.Before = map[string]string{}
	}
	for _, field := range tool.Fields {
		form.Answers[field.Path] = asInput(field, d.r.PostForm.Get(fieldAnswer+field.Path))
		if tool.Edits {
			form.Before[field.Path] = asInput(field, d.r.PostForm.Get(fieldBefore+field.Path))
		}
	}
	for _, field := range tool.Fields {
		typed := form.Answers[field.Path]
		if field.Kind.Choices == nil || field.Refers() || typed == "" {
			continue
		}
		if _, is := a.config.Runner.Option(d.r.Context(), d.actor, field, typed, form.Answers); is {
			continue
		}
		options, err := a.config.Runner.AllOptions(d.r.Context(), d.actor, field, typed, form.Answers)
		if at := slices.IndexFunc(options, func(o tools.Option) bool { return tools.Fold(o.Text) == tools.Fold(typed) }); err == nil && at >= 0 {
			form.Answers[field.Path] = options[at].Value
		} else if _, reads := field.Kind.Parse(typed); !reads {
			code := "approvals.choose"
			if len(options) > 0 && len(options) <= mostNear {
				code = codeNear
			}
			problems = append(problems, tools.Problem{Path: field.Path, Code: code, Severity: tools.Blocks, Text: d.say(code)})
		}
	}
	return form, problems
}

// labelsOf returns the texts of the options among the answers.
func (a *App) labelsOf(d *decision, tool *tools.Tool, form tools.Form) map[string]string {
	labels := map[string]string{}
	for _, field := range tool.Fields {
		if option, is := a.config.Runner.Option(d.r.Context(), d.actor, field, form.Answers[field.Path], form.Answers); is {
			labels[field.Path] = labelOf(option)
		}
	}
	return labels
}

// labelOf returns the text of an option in clear.
func labelOf(option tools.Option) string {
	if !option.Clear.IsZero() {
		return inClear(option.Clear)
	}
	return option.Text
}

// hiddenOf returns the whole form as inputs that are not shown.
func hiddenOf(tool *tools.Tool, form tools.Form) (hidden []hiddenInput) {
	for _, field := range tool.Fields {
		hidden = append(hidden, hiddenInput{fieldAnswer + field.Path, form.Answers[field.Path]})
		if form.Before != nil {
			hidden = append(hidden, hiddenInput{fieldBefore + field.Path, form.Before[field.Path]})
		}
	}
	return hidden
}
