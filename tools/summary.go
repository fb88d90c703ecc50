package tools

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/balcao/balcao/internal/pii"
)

// Section is a page of a form filled in, for reading over before it is sent. Personal data is masked.
type Section struct {
	Page  string
	Title string
	Facts []Fact
}

// Summary shows what was typed in a whole form, masked, with the problems and warnings that a call would meet, checked
// with the bank. Of an editor's form it shows what changes. Errors are [*Error].
func (r *Runner) Summary(ctx context.Context, actor Actor, tool *Tool, form Form) ([]Section, []Problem, error) {
	call, err := r.enter(ctx, actor, tool)
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
		failure.Tool = tool.Name
		return nil, nil, failure
	}
	fields := tool.Fields
	if found.before != nil {
		about := slices.DeleteFunc(slices.Clone(tool.Fields), func(f Field) bool { return !f.Refers() })
		fields = append(about, found.changes...)
	}
	var sections []Section
	for _, page := range tool.Pages {
		section := Section{Page: page, Title: PageTitle(actor.Lang, page)}
		for _, field := range fields {
			if text := r.fact(ctx, actor, tool, field, found, form); field.Page == page && text != "" {
				section.Facts = append(section.Facts, Fact{field.Label(actor.Lang), text})
			}
		}
		if section.Facts != nil {
			sections = append(sections, section)
		}
	}
	return sections, found.problems, nil
}

// fact is a field's line in a summary, "" for a field that is not given.
func (r *Runner) fact(ctx context.Context, actor Actor, tool *Tool, field Field, found checked, form Form) string {
	if found.before != nil && !field.Refers() {
		return r.change(ctx, actor, field, found.before, found.sent)
	}
	value, given := field.value(found.in)
	if !given {
		return ""
	}
	return r.shown(ctx, actor, field, value.Interface(), form.Answers)
}

// none is the id of a choice that was not made, in the bank's own samples, where the list has no such id.
const none = "0"

// shown is a value for eyes: the option's text for a choice, the mask for personal data. A birth date's mask is an age,
// which says so. No choice is "".
func (r *Runner) shown(ctx context.Context, actor Actor, field Field, value any, answers map[string]string) string {
	text := fmt.Sprint(value)
	if option, ok := r.Option(ctx, actor, field, text, answers); ok {
		return option.Text
	}
	if field.Kind == Choice && text == none {
		return ""
	}
	switch value {
	case true:
		return book.Say(actor.Lang, "yes", nil)
	case false:
		return book.Say(actor.Lang, "no", nil)
	}
	if _, birth := value.(pii.BirthDate); birth {
		if age, err := strconv.Atoi(text); err == nil {
			return book.Say(actor.Lang, "age", map[string]any{"count": age})
		}
	}
	if _, masked := value.(pii.Classed); !masked && field.Class != pii.Open {
		return pii.Scrub(text)
	}
	return text
}
