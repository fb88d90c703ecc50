package tools

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/validation"
)

// Checker is implemented by inputs with rules across their fields, or rules that want the bank's data.
type Checker interface {
	// Check reports every problem at once; an error says that the bank could not be asked.
	Check(ctx context.Context, call *Call) (validation.Report, error)
}

// PageChecker is implemented by inputs with rules across fields that need nothing but the fields.
type PageChecker interface {
	CheckFields() validation.Report
}

// problems checks an input whole.
func (r *Runner) problems(ctx context.Context, call *Call, tool *Tool, in any) ([]Problem, error) {
	report := r.Checks.Struct(in)
	problems := told(report, call.Actor.Lang)
	choices, err := r.checkChoices(ctx, call, tool, in)
	if err != nil {
		return nil, err
	}
	problems = append(problems, choices...)
	if checker, ok := in.(Checker); ok && !report.HasErrors() {
		report, err := checker.Check(ctx, call)
		if err != nil {
			return nil, err
		}
		problems = append(problems, told(report, call.Actor.Lang)...)
	}
	return problems, nil
}

// checkChoices looks every id up in the bank's list: wrong when the list is fresh, doubtful when there is none.
func (r *Runner) checkChoices(ctx context.Context, call *Call, tool *Tool, in any) ([]Problem, error) {
	var problems []Problem
	for _, field := range tool.Fields {
		id, given := field.value(in)
		if field.Kind != Choice || !given {
			continue
		}
		items, fresh, err := call.taxonomy(ctx, field.Taxonomy)
		switch known := err == nil && slices.ContainsFunc(items, func(item portal.TaxonomyItem) bool { return int64(item.ID) == id.Int() }); {
		case known:
		case fresh:
			problems = append(problems, problem(call.Actor.Lang, field.Path, "taxonomy.unknown"))
		default:
			doubt := problem(call.Actor.Lang, field.Path, "taxonomy.unconfirmed")
			doubt.Severity = Warns
			problems = append(problems, doubt)
		}
	}
	return problems, nil
}

// CheckPage checks what a person typed on one page of a form, without asking the bank. answers holds everything typed
// so far; only problems of the page's own fields come back.
func (r *Runner) CheckPage(actor Actor, tool *Tool, page string, answers map[string]string) []Problem {
	args, problems := tool.Args(answers, actor.Lang)
	if in, malformed := tool.decode(args, actor.Lang); malformed != nil {
		problems = append(problems, malformed...)
	} else {
		report := r.Checks.Struct(in)
		if checker, ok := in.(PageChecker); ok {
			report = report.With(checker.CheckFields())
		}
		problems = append(problems, told(report, actor.Lang)...)
	}
	on := tool.FieldsOn(page)
	return slices.DeleteFunc(problems, func(p Problem) bool {
		return !slices.ContainsFunc(on, func(f Field) bool { return f.Path == p.Path })
	})
}

func told(report validation.Report, lang words.Lang) []Problem {
	severities := map[validation.Severity]Severity{validation.Error: Blocks, validation.Warning: Warns, validation.Hint: Hints}
	var problems []Problem
	for _, p := range report {
		problems = append(problems, Problem{Path: p.Path, Code: p.Code, Severity: severities[p.Severity], Text: p.Text(lang)})
	}
	return problems
}

// verdict makes problems an error: what blocks always, warnings until each is confirmed.
func verdict(problems []Problem, confirmed []string) error {
	var kind ErrorKind
	for _, p := range problems {
		switch {
		case p.Severity == Blocks:
			kind = Invalid
		case p.Severity == Warns && kind == "" && !slices.Contains(confirmed, p.Code):
			kind = Unconfirmed
		}
	}
	if kind == "" {
		return nil
	}
	return &Error{Kind: kind, Problems: problems}
}

// value finds the field's value in an input; given is false when it is absent.
func (f Field) value(in any) (value reflect.Value, given bool) {
	value = reflect.ValueOf(in)
	for _, i := range f.index {
		value = value.Field(i)
		if value.Kind() == reflect.Pointer {
			if value.IsNil() {
				return value, false
			}
			value = value.Elem()
		}
	}
	return value, !value.IsZero() || value.Kind() == reflect.Int32
}

func panicked(caught any) error { return fmt.Errorf("a panic of type %T", caught) }

// asProblems gives an error that is nothing but problems, or nil.
func asProblems(err error) *Error {
	failure := AsError(err)
	if err == nil || failure.Kind != Invalid && failure.Kind != Unconfirmed {
		return nil
	}
	return failure
}

// plain is a value as text: the number behind a choice, the mask of personal data.
func plain(value any) string { return fmt.Sprint(value) }
