package tools

import (
	"context"
	"fmt"
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
// with the bank. Errors are [*Error].
func (r *Runner) Summary(ctx context.Context, actor Actor, tool *Tool, answers map[string]string) ([]Section, []Problem, error) {
	call, err := r.admit(ctx, actor, tool.Effect)
	if err != nil {
		return nil, nil, err
	}
	args, malformed := tool.Args(answers, actor.Lang)
	in, worse := tool.decode(args, actor.Lang)
	if in == nil {
		return nil, append(malformed, worse...), nil
	}
	problems, err := r.problems(ctx, call, tool, in, append(malformed, worse...))
	if err != nil {
		failure := convert(err)
		failure.Tool = tool.Name
		return nil, nil, failure
	}
	var sections []Section
	for _, page := range tool.Pages {
		section := Section{Page: page, Title: PageTitle(actor.Lang, page)}
		for _, field := range tool.FieldsOn(page) {
			if value, given := field.value(in); given {
				section.Facts = append(section.Facts, Fact{field.Label(actor.Lang), r.shown(ctx, actor, field, value.Interface())})
			}
		}
		if section.Facts != nil {
			sections = append(sections, section)
		}
	}
	return sections, problems, nil
}

// shown is a value for eyes: the option's text for a choice, the mask for personal data. A birth date's mask is an age,
// which says so.
func (r *Runner) shown(ctx context.Context, actor Actor, field Field, value any) string {
	text := fmt.Sprint(value)
	if option, ok := r.Option(ctx, actor, field, text); ok {
		return option.Text
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
