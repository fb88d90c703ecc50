package tools

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
)

// Editor is implemented by inputs that change a record of the bank. A field that the input leaves out keeps its value: the
// checks and the tool's function get the whole record.
type Editor interface {
	// Current reads the bank and gives the input that would change nothing, with its version.
	Current(ctx context.Context, call *Call) (any, error)
	editing() Editing
}

// Editing has the arguments of an editor beside its fields; inputs embed it.
type Editing struct {
	Version string   `json:"version,omitzero" page:"-" pii:"open"` // as it was read: shows whether somebody else changed it since
	Clear   []string `json:"clear,omitzero" page:"-" pii:"open"`   // paths of fields to empty
}

const pathClear = "clear"

//lint:ignore U1000 it is promoted to the outputs of toolsets, which implement Editor by it
func (e Editing) editing() Editing { return e }

// Form is what a person has filled in so far, by path.
type Form struct {
	Answers map[string]string
	Before  map[string]string // what an editor's fields held when its form was opened; nil for other tools
	// Approval is the id of the approval that the person reviews in the form, whose files her assistant gave; "" for none.
	Approval string
}

func (f Form) answer(path string) string { return strings.TrimSpace(f.Answers[path]) }

// changed reports whether a field of an editor's form was changed.
func (f Form) changed(path string) bool { return f.answer(path) != f.Before[path] }

// Current returns the values that an editor's form begins with, once the form has what it is about, and the texts of the
// options among them. Errors are [*Error].
func (r *Runner) Current(ctx context.Context, actor Actor, tool *Tool, answers map[string]string) (before, labels map[string]string, err error) {
	before, labels, err = r.current(ctx, actor, tool, answers)
	if err != nil {
		failure := convert(err)
		failure.Tool = tool
		return nil, nil, failure
	}
	return before, labels, nil
}

func (r *Runner) current(ctx context.Context, actor Actor, tool *Tool, answers map[string]string) (before, labels map[string]string, err error) {
	call, err := r.enter(ctx, actor, tool)
	if err != nil {
		return nil, nil, err
	}
	args, _ := tool.Args(answers, actor.Lang)
	in, _ := tool.decode(args, actor.Lang)
	if in == nil {
		return nil, nil, errors.New("what a form is about is not understood")
	}
	current, err := in.(Editor).Current(ctx, call)
	if err == nil {
		err = r.showing(ctx, actor, tool, answers)
	}
	if err != nil {
		return nil, nil, err
	}
	call.ReadAhead(ctx, tool.Fields)
	before, labels = tool.answersOf(current, actor.Lang), map[string]string{}
	for _, field := range tool.Fields {
		if field.Refers() || field.Kind.Choices == nil || before[field.Path] == "" {
			continue
		}
		if option, _ := r.chosen(ctx, actor, field, current, before); option.Text != "" {
			labels[field.Path] = option.Text
		} else if r.noItem(field, before[field.Path]) {
			delete(before, field.Path)
		}
	}
	return before, labels, nil
}

// Prefiller is implemented by inputs of which a form can fill in more than it was opened with.
type Prefiller interface {
	// Prefill returns the input with what is known already.
	Prefill(ctx context.Context, call *Call) (any, error)
}

// Prefill returns the answers that a form is opened with, and those that follow from them. If the bank cannot be read, nothing
// is added.
func (r *Runner) Prefill(ctx context.Context, actor Actor, tool *Tool, answers map[string]string) map[string]string {
	args, _ := tool.Args(answers, actor.Lang)
	in, _ := tool.decode(args, actor.Lang)
	filler, fills := in.(Prefiller)
	if !fills {
		return answers
	}
	call, err := r.enter(ctx, actor, tool)
	if err != nil {
		return answers
	}
	filled, err := filler.Prefill(ctx, call)
	if err == nil {
		err = r.showing(ctx, actor, tool, answers)
	}
	if err != nil {
		r.Log.InfoContext(ctx, "a form was not filled in", "tool", tool.Name, "error", pii.Scrub(err.Error()))
		return answers
	}
	return tool.answersOf(filled, actor.Lang)
}

// answersOf returns the values of an input as a form shows them, by path.
func (t *Tool) answersOf(in any, lang words.Lang) map[string]string {
	answers := map[string]string{}
	for _, field := range t.Fields {
		value, given := field.Value(in)
		if !given {
			continue
		}
		clear, err := pii.MarshalClear(value.Interface())
		if err != nil {
			continue // left empty, and so left as it is
		}
		text := string(clear)
		if clear[0] == '"' {
			_ = json.Unmarshal(clear, &text)
		}
		if field.Kind.Typed != nil {
			text = field.Kind.Typed(lang, text)
		}
		answers[field.Path] = strings.TrimSpace(text)
	}
	return answers
}

// Given returns the answers of a form that become arguments: of an editor's form, those that were changed.
func (t *Tool) Given(form Form) map[string]string {
	if !t.Edits {
		return form.Answers
	}
	given := map[string]string{}
	var cleared []string
	for _, field := range t.Fields {
		was, is := form.Before[field.Path], form.answer(field.Path)
		switch {
		case field.Hidden():
			given[field.Path] = was
		case field.Refers():
			given[field.Path] = is
		case is == "" && was != "":
			cleared = append(cleared, field.Path)
		case form.changed(field.Path):
			given[field.Path] = is
		}
	}
	given[pathClear] = strings.Join(cleared, ",")
	return given
}

// Merge applies changes to the values of the bank. The result has every field, and not which of them were changed.
func (t *Tool) Merge(current, changes any) any {
	whole := reflect.New(t.in).Elem()
	whole.Set(reflect.ValueOf(current))
	cleared := changes.(Editor).editing().Clear
	for _, field := range t.Fields {
		if field.Refers() || field.Hidden() {
			continue
		}
		if _, given := field.Value(changes); given {
			whole.FieldByIndex(field.index).Set(reflect.ValueOf(changes).FieldByIndex(field.index))
		} else if slices.Contains(cleared, field.Path) {
			whole.FieldByIndex(field.index).SetZero()
		}
	}
	return whole.Interface()
}

// Changed returns the fields that differ.
func (t *Tool) Changed(before, after any) []Field {
	return slices.DeleteFunc(slices.Clone(t.Fields), func(f Field) bool {
		if f.Hidden() {
			return true
		}
		was, wasGiven := f.Value(before)
		is, isGiven := f.Value(after)
		switch {
		case wasGiven != isGiven:
			return false
		case !isGiven:
			return true
		}
		return f.Kind.equal(was.Interface(), is.Interface())
	})
}

// edit applies an editor's changes to the bank's record. An unknown borrower is a problem of the input; found.before stays
// nil then.
func (r *Runner) edit(ctx context.Context, call *Call, tool *Tool, changes any, found *checked) error {
	before, err := changes.(Editor).Current(ctx, call)
	if failure := (*Error)(nil); errors.As(err, &failure) && failure.Kind == Invalid {
		found.problems = joined(found.problems, failure.Problems)
		return nil
	}
	if err != nil {
		return err
	}
	found.before, found.in, found.sent = before, tool.Merge(before, changes), tool.Merge(before, found.sent)
	found.changes = tool.Changed(before, found.sent)
	return nil
}

// ofChanges returns the problems of an editor's changes themselves.
func (r *Runner) ofChanges(ctx context.Context, call *Call, tool *Tool, changes any, found checked) (problems []Problem) {
	lang, editing := call.Actor.Lang, changes.(Editor).editing()
	optional := func(path string) bool {
		field, known := tool.Field(path)
		return known && !field.Required && !field.Refers() && !field.Hidden()
	}
	for _, path := range editing.Clear {
		if !optional(path) {
			problems = append(problems, problem(lang, pathClear, "edit.clear"))
			break
		}
	}
	switch {
	case len(found.changes) > 0 && call.Actor.Assistant: // a form shows them
		problems = append(problems, warning(lang, "", "edit.changes", "changes", r.listed(ctx, call.Actor, found)))
	case len(found.changes) == 0 && !blocked(found.problems) && !blocked(problems): // else what is wrong is why
		problems = append(problems, problem(lang, "", "edit.nothing"))
	}
	if editing.Version != "" && editing.Version != found.before.(Editor).editing().Version {
		problems = append(problems, warning(lang, "", "edit.meanwhile"))
	}
	return problems
}

// listed returns the changes as text, masked.
func (r *Runner) listed(ctx context.Context, actor Actor, found checked) string {
	var lines []string
	for _, field := range found.changes {
		was, is := fieldChange(actor.Lang, found, func(in any) string { return r.shown(ctx, actor, field, in, nil) })
		what := was + " → " + is
		if was == is { // masks hide what differs
			what = engineWords.Say(actor.Lang, "edit.masked", map[string]any{"value": is})
		}
		lines = append(lines, field.Label(actor.Lang)+": "+what)
	}
	return strings.Join(lines, "; ")
}

// fieldChange returns what a field was and what it becomes, as render shows the field of an input.
func fieldChange(lang words.Lang, found checked, render func(in any) string) (was, is string) {
	rendered := func(in any) string {
		if text := render(in); text != "" {
			return text
		}
		return engineWords.Say(lang, "edit.empty", nil)
	}
	return rendered(found.before), rendered(found.sent)
}

// DowngradeExisting lowers the severity of problems that existed before the changes, so that they do not prevent the
// correction of another field. A field that is changed has to be right.
func DowngradeExisting(before, after []Problem, changed func(path string) bool) []Problem {
	lighter := map[Severity]Severity{Blocks: Warns, Warns: Hints, Hints: Hints}
	weighed := slices.Clone(after)
	for i, p := range weighed {
		if !changed(p.Path) && slices.ContainsFunc(before, func(q Problem) bool { return q.Path == p.Path && q.Code == p.Code }) {
			weighed[i].Severity = lighter[p.Severity]
			if p.Severity == Warns {
				weighed[i].Text = p.Statement()
			}
		}
	}
	return weighed
}

// InFields returns a function that reports whether a path is that of one of the fields.
func InFields(fields []Field) func(path string) bool {
	return func(path string) bool {
		return slices.ContainsFunc(fields, func(f Field) bool { return f.Path == path })
	}
}
