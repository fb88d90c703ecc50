package tools

import (
	"context"
	"fmt"
	"slices"

	"github.com/balcao/balcao/internal/pii"
)

// Section is a page of a form filled in, for reading over before it is sent.
type Section struct {
	Page  string
	Title string
	Facts []ReviewFact
}

// ReviewFact is one labelled value of a review: in clear, since a person cannot verify what is masked. Only what she alone
// sees may reveal it; printed, logged or marshalled it hides itself.
type ReviewFact struct {
	Label string
	Value pii.Private
}

// Summary shows what was typed in a whole form, with the problems and warnings that a call would meet, checked with the
// bank. Of an editor's form it shows what changes, from what to what. Errors are [*Error].
func (r *Runner) Summary(ctx context.Context, actor Actor, tool *Tool, form Form) ([]Section, []Problem, error) {
	call, err := r.callIn(ctx, actor, tool, form)
	if err != nil {
		return nil, nil, err
	}
	args, malformed := tool.Args(tool.Given(form), actor.Lang)
	in, worse := tool.decode(args, actor.Lang)
	if in == nil {
		return nil, append(malformed, worse...), nil
	}
	found, err := r.check(ctx, call, tool, in, append(malformed, worse...))
	if err == nil {
		err = r.showing(ctx, actor, tool, form.Answers)
	}
	if err != nil {
		failure := convert(err)
		failure.Tool = tool
		failure.explain(actor, tool)
		return nil, nil, failure
	}
	return r.sections(ctx, actor, tool, found, form), found.problems, nil
}

// callIn returns the call of a form.
func (r *Runner) callIn(ctx context.Context, actor Actor, tool *Tool, form Form) (*Call, error) {
	call, err := r.enter(ctx, actor, tool)
	if err != nil || form.Approval == "" {
		return call, err
	}
	a, err := r.ownApproval(ctx, actor, form.Approval)
	if err != nil {
		return nil, r.explained(ctx, actor, tool, err)
	}
	call.approved, call.giver = true, a.Asker
	return call, nil
}

// sections returns the facts of an input by page: of an editor's, what changes.
func (r *Runner) sections(ctx context.Context, actor Actor, tool *Tool, found checked, form Form) []Section {
	fields := tool.Fields
	if found.before != nil {
		about := slices.DeleteFunc(slices.Clone(tool.Fields), func(f Field) bool { return !f.Refers() })
		fields = append(about, found.changes...)
	}
	var sections []Section
	for _, page := range tool.Pages {
		section := Section{Page: page, Title: tool.PageTitle(actor.Lang, page)}
		for _, field := range fields {
			if text := r.fact(ctx, actor, field, found, form); field.Page == page && text != "" {
				section.Facts = append(section.Facts, ReviewFact{field.Label(actor.Lang), pii.New[pii.Private](text)})
			}
		}
		if section.Facts != nil {
			sections = append(sections, section)
		}
	}
	return sections
}

// fact is a field's line in a summary, in clear; "" for a field that is not given.
func (r *Runner) fact(ctx context.Context, actor Actor, field Field, found checked, form Form) string {
	render := func(in any) string { return r.inClear(ctx, actor, field, in, form.Answers) }
	if found.before != nil && !field.Refers() {
		was, is := fieldChange(actor.Lang, found, render)
		return was + "\n→ " + is
	}
	return render(found.in)
}

// shown returns the value of a field as others may see it: what its choice is called, or personal data masked. It is "" for
// none.
func (r *Runner) shown(ctx context.Context, actor Actor, field Field, in any, answers map[string]string) string {
	option, value := r.chosen(ctx, actor, field, in, answers)
	if value == nil {
		return option.Text
	}
	return field.masked(actor.Lang, value)
}

// inClear returns the value of a field as the person who typed it, or may change it, reviews it.
func (r *Runner) inClear(ctx context.Context, actor Actor, field Field, in any, answers map[string]string) string {
	option, value := r.chosen(ctx, actor, field, in, answers)
	switch {
	case value != nil:
		return field.Kind.clear(actor.Lang, value)
	case !option.Clear.IsZero():
		return option.Clear.Reveal()
	}
	return option.Text
}

// chosen returns the option that an input has in a field, or the value of one that is not chosen. Both are empty for none.
func (r *Runner) chosen(ctx context.Context, actor Actor, field Field, in any, answers map[string]string) (option Option, value any) {
	if text := saidOf(field, in); text != "" {
		return Option{Text: text}, nil
	}
	held, given := field.Value(in)
	if !given {
		return Option{}, nil
	}
	text := fmt.Sprint(held.Interface())
	switch option, ok := r.Option(ctx, actor, field, text, answers); {
	case ok:
		return option, nil
	case r.noItem(field, text):
		return Option{}, nil
	case field.Taxonomy != "":
		return Option{Text: unexplained(actor.Lang, text)}, nil
	}
	return Option{}, held.Interface()
}
