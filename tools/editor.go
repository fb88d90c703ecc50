package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
)

// Editor is implemented by inputs that change what the bank holds. What such an input leaves out stays as it is: checks
// look at the whole, and the tool's function gets the whole.
type Editor interface {
	// Current reads the bank and gives the input that would change nothing, with its version.
	Current(ctx context.Context, call *Call) (any, error)
	editing() Editing
}

// Editing is what an editor's input has beside its fields; inputs embed it.
type Editing struct {
	Version string   `json:"version,omitzero" page:"-" pii:"open"` // as it was read: tells whether somebody else changed it since
	Clear   []string `json:"clear,omitzero" page:"-" pii:"open"`   // paths of fields to empty
}

const pathClear = "clear"

func (e Editing) editing() Editing { return e }

// Form is what a person has filled in so far, by path.
type Form struct {
	Answers map[string]string
	Before  map[string]string // what an editor's fields held when its form was opened; nil for other tools
}

// Current reads what an editor's form is filled in with, once it is known what it is about, and the texts of the options
// chosen there. Errors are [*Error].
func (r *Runner) Current(ctx context.Context, actor Actor, tool *Tool, answers map[string]string) (before, labels map[string]string, err error) {
	before, labels, err = r.current(ctx, actor, tool, answers)
	if err != nil {
		failure := convert(err)
		failure.Tool = tool.Name
		return nil, nil, failure
	}
	return before, labels, nil
}

func (r *Runner) current(ctx context.Context, actor Actor, tool *Tool, answers map[string]string) (before, labels map[string]string, err error) {
	call, err := r.admit(ctx, actor, tool.Effect)
	if err != nil {
		return nil, nil, err
	}
	args, _ := tool.Args(answers, actor.Lang)
	in, _ := tool.decode(args, actor.Lang)
	if in == nil {
		return nil, nil, errors.New("what a form is about is not understood")
	}
	current, err := in.(Editor).Current(ctx, call)
	if err != nil {
		return nil, nil, err
	}
	before, labels = tool.texts(current), map[string]string{}
	for _, field := range tool.Fields {
		if text := before[field.Path]; field.Kind == Choice && text != "" {
			if option, ok := r.Option(ctx, actor, field, text, before); ok {
				labels[field.Path] = option.Text
			}
		}
	}
	return before, labels, nil
}

// texts is an input as a form shows it, by path.
func (t *Tool) texts(in any) map[string]string {
	texts := map[string]string{}
	for _, field := range t.Fields {
		value, given := field.value(in)
		if !given || field.Kind == Choice && value.Int() == 0 { // 0 is «none» in the bank's own samples
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
		texts[field.Path] = strings.TrimSpace(text)
	}
	return texts
}

// Given is what a form says of itself: of an editor's, what was changed in it.
func (t *Tool) Given(form Form) map[string]string {
	if !t.Edits {
		return form.Answers
	}
	given := map[string]string{}
	var cleared []string
	for _, field := range t.Fields {
		was, is := form.Before[field.Path], strings.TrimSpace(form.Answers[field.Path])
		switch {
		case field.Hidden():
			given[field.Path] = was
		case field.Refers():
			given[field.Path] = is
		case is == "" && was != "":
			cleared = append(cleared, field.Path)
		case is != was:
			given[field.Path] = is
		}
	}
	given[pathClear] = strings.Join(cleared, ",")
	return given
}

// over lays changes over what the bank holds.
func (t *Tool) over(current, changes any) any {
	whole := reflect.New(t.in).Elem()
	whole.Set(reflect.ValueOf(current))
	for _, path := range changes.(Editor).editing().Clear {
		if field, known := t.Field(path); known {
			whole.FieldByIndex(field.index).SetZero()
		}
	}
	for _, field := range t.Fields {
		if _, given := field.value(changes); given && !field.Refers() && !field.Hidden() {
			whole.FieldByIndex(field.index).Set(reflect.ValueOf(changes).FieldByIndex(field.index))
		}
	}
	return whole.Interface()
}

// changed lists the fields that differ.
func (t *Tool) changed(before, after any) []Field {
	return slices.DeleteFunc(slices.Clone(t.Fields), func(f Field) bool {
		if f.Hidden() {
			return true
		}
		was, wasGiven := f.value(before)
		is, isGiven := f.value(after)
		switch {
		case wasGiven != isGiven:
			return false
		case !isGiven:
			return true
		}
		if euros, ok := was.Interface().(pii.Money); ok {
			a, _ := euros.Reveal()
			b, _ := is.Interface().(pii.Money).Reveal()
			return a.Equal(b)
		}
		return reflect.DeepEqual(was.Interface(), is.Interface())
	})
}

// edited is what an editor's changes would make of what the bank holds, with what is wrong about the changes themselves.
func (r *Runner) edited(ctx context.Context, call *Call, tool *Tool, changes any) (before, after any, problems []Problem, err error) {
	before, err = changes.(Editor).Current(ctx, call)
	var failure *Error
	switch {
	case errors.As(err, &failure) && failure.Kind == Invalid:
		return nil, nil, failure.Problems, nil
	case err != nil:
		return nil, nil, nil, err
	}
	after, lang, editing := tool.over(before, changes), call.Actor.Lang, changes.(Editor).editing()
	for _, path := range editing.Clear {
		if field, known := tool.Field(path); !known || field.Required || field.Refers() || field.Hidden() {
			problems = append(problems, problem(lang, pathClear, "edit.clear"))
			break
		}
	}
	changed := tool.changed(before, after)
	if len(changed) == 0 && len(problems) == 0 {
		problems = append(problems, problem(lang, "", "edit.nothing"))
	}
	if editing.Version != "" && editing.Version != before.(Editor).editing().Version {
		problems = append(problems, doubt(lang, "", "edit.meanwhile"))
	}
	if call.Actor.Assistant { // a form shows them
		problems = append(problems, doubt(lang, "", "edit.changes", "changes", r.listed(ctx, call.Actor, changed, before, after)))
	}
	return before, after, problems, nil
}

// listed says what changes, masked.
func (r *Runner) listed(ctx context.Context, actor Actor, changed []Field, before, after any) string {
	var lines []string
	for _, field := range changed {
		lines = append(lines, field.Label(actor.Lang)+": "+r.change(ctx, actor, field, before, after))
	}
	return strings.Join(lines, "; ")
}

// change is what a field was and what it becomes, for eyes.
func (r *Runner) change(ctx context.Context, actor Actor, field Field, before, after any) string {
	shown := func(in any) string {
		value, given := field.value(in)
		if !given {
			return book.Say(actor.Lang, "edit.empty", nil)
		}
		return r.shown(ctx, actor, field, value.Interface(), nil)
	}
	was, is := shown(before), shown(after)
	if was == is { // masks hide what differs
		return book.Say(actor.Lang, "edit.masked", map[string]any{"value": is})
	}
	return fmt.Sprintf("%s → %s", was, is)
}

// since weighs problems that were there before the changes less than those that came with them: what a borrower's file
// lacks anyway must not keep anybody from correcting a phone number.
func since(before, after []Problem) []Problem {
	lighter := map[Severity]Severity{Blocks: Warns, Warns: Hints, Hints: Hints}
	weighed := slices.Clone(after)
	for i, p := range weighed {
		if slices.ContainsFunc(before, func(q Problem) bool { return q.Path == p.Path && q.Code == p.Code }) {
			weighed[i].Severity = lighter[p.Severity]
		}
	}
	return weighed
}

// doubt is a warning.
func doubt(lang words.Lang, path, code string, args ...any) Problem {
	p := problem(lang, path, code, args...)
	p.Severity = Warns
	return p
}
