package tools

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/shopspring/decimal"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/validation"
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
		failure.Tool = tool
		failure.explain(actor, tool)
		return nil, nil, failure
	}
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
	return sections, found.problems, nil
}

// fact is a field's line in a summary, in clear; "" for a field that is not given.
func (r *Runner) fact(ctx context.Context, actor Actor, field Field, found checked, form Form) string {
	render := func(value any) string { return r.inClear(ctx, actor, field, value, form.Answers) }
	if found.before != nil && !field.Refers() {
		was, is := fieldChange(actor.Lang, field, found, render)
		return was + "\n→ " + is
	}
	value, given := field.Value(found.in)
	if !given {
		return ""
	}
	return render(value.Interface())
}

// none is the id of a choice that was not made, in the bank's own samples, where the list has no such id.
const none = "0"

// shown is a value for eyes: the option's text for a choice, the mask for personal data. A birth date's mask is an age,
// which says so. No choice is "".
func (r *Runner) shown(ctx context.Context, actor Actor, field Field, value any, answers map[string]string) string {
	if text, ok := r.chosen(ctx, actor, field, value, answers); ok {
		return text
	}
	text := fmt.Sprint(value)
	if _, birth := value.(pii.BirthDate); birth {
		if age, err := strconv.Atoi(text); err == nil {
			return engineWords.Say(actor.Lang, "age", map[string]any{"count": age})
		}
	}
	if _, masked := value.(pii.Classed); !masked && field.Class != pii.Open {
		return pii.Scrub(text)
	}
	return text
}

// chosen is the text of a value that stands for one: of an option, and of yes and no.
func (r *Runner) chosen(ctx context.Context, actor Actor, field Field, value any, answers map[string]string) (text string, ok bool) {
	text = fmt.Sprint(value)
	if option, ok := r.Option(ctx, actor, field, text, answers); ok {
		return option.Text, true
	}
	if field.Kind == Choice && text == none {
		return "", true
	}
	if answer, ok := value.(bool); ok {
		return yesOrNo(actor.Lang, answer), true
	}
	return "", false
}

// inClear is a value as the person who typed it, or may change it, reads it over.
func (r *Runner) inClear(ctx context.Context, actor Actor, field Field, value any, answers map[string]string) string {
	switch v := value.(type) {
	case pii.Money:
		amount, _ := v.Reveal()
		return euros(actor.Lang, amount)
	case pii.Flag:
		answer, _ := v.Reveal()
		return yesOrNo(actor.Lang, answer)
	case BorrowerRef:
		if option, ok := r.Option(ctx, actor, field, string(v), answers); ok {
			return option.Clear.Reveal()
		}
	case interface{ Reveal() string }:
		text := v.Reveal()
		if date, err := validation.ParseDate(text); err == nil && field.Kind == Date {
			return written(date, engineWords.Say(actor.Lang, "format.day", nil))
		}
		return text
	}
	if text, ok := r.chosen(ctx, actor, field, value, answers); ok {
		return text
	}
	return fmt.Sprint(value)
}

func yesOrNo(lang words.Lang, answer bool) string {
	if answer {
		return engineWords.Say(lang, "yes", nil)
	}
	return engineWords.Say(lang, "no", nil)
}

// euros is an amount as people write it, with all its decimal places and at least two.
func euros(lang words.Lang, amount decimal.Decimal) string {
	places := max(2, int(-amount.Exponent()))
	text := message.NewPrinter(language.Make(string(lang))).Sprint(number.Decimal(amount.InexactFloat64(), number.Scale(places)))
	return engineWords.Say(lang, "format.euros", map[string]any{"amount": text})
}
