package tools

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/validation"
)

// FieldChecker is implemented by inputs with rules across their fields.
type FieldChecker interface {
	// CheckFields asks nothing of the bank but its lists.
	CheckFields(ctx context.Context, call *Call) []Problem
}

// BankChecker is implemented by inputs with rules that need the bank's records.
type BankChecker interface {
	CheckBank(ctx context.Context, call *Call) ([]Problem, error)
}

// checked is an input with the result of the checks.
type checked struct {
	given    any     // as the call gives it: of an editor's, what it changes
	in       any     // whole, as it was given: a phone's extension, which the normal form drops, is a warning
	sent     any     // whole, as the bank gets it: what is given in its normal form, and what stays to the letter
	before   any     // of an editor's: what the bank holds; else nil
	changes  []Field // of an editor's: those that before and sent differ in
	problems []Problem
}

// check checks a whole input and sets the marks of its warnings. malformed are the problems of the values left out of it.
func (r *Runner) check(ctx context.Context, call *Call, tool *Tool, in any, malformed []Problem) (checked, error) {
	found, err := r.examine(ctx, call, tool, in, malformed)
	for i, p := range found.problems {
		if p.Severity == Warns {
			found.problems[i].Mark = r.mark(p)
		}
	}
	return found, err
}

// examine checks an input in itself, and with the bank if it has no blocking problem. A process that is closed for the
// tool is reported before anything else.
func (r *Runner) examine(ctx context.Context, call *Call, tool *Tool, in any, malformed []Problem) (checked, error) {
	unread := call.readyFor(ctx, tool, in)
	if unread != nil && convert(unread).Kind == Closed {
		return checked{}, unread
	}
	found := checked{given: in, in: in, sent: tool.normalised(in), problems: joined(malformed, r.forPeople(call, tool, in))}
	look := func(in any) []Problem {
		return slices.Concat(r.fieldProblems(ctx, call, in), r.checkChoices(ctx, call, tool, in))
	}
	if !tool.Edits {
		found.problems = joined(found.problems, look(in))
	} else {
		if unread != nil {
			return found, unread
		}
		if err := r.edit(ctx, call, tool, in, &found); err != nil || found.before == nil {
			return found, err
		}
		found.problems = joined(found.problems, DowngradeExisting(look(found.before), look(found.in), InFields(found.changes)))
		found.problems = append(found.problems, r.ofChanges(ctx, call, tool, in, found)...)
	}
	checker, ok := found.in.(BankChecker)
	if !ok || blocked(found.problems) {
		return found, nil
	}
	if unread != nil {
		return found, unread
	}
	problems, err := checker.CheckBank(ctx, call)
	found.problems = append(found.problems, problems...)
	return found, err
}

func blocked(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return p.Severity == Blocks })
}

// forPeople returns the problems of fields that an assistant gave and only people may give.
func (r *Runner) forPeople(call *Call, tool *Tool, in any) (problems []Problem) {
	for _, field := range tool.Fields {
		if _, given := field.Value(in); given && field.People && call.Actor.Assistant {
			problems = append(problems, problem(call.Actor.Lang, field.Path, "only_people"))
		}
	}
	return problems
}

// joined appends problems to those of malformed values. A value that was left out as malformed is not also missing.
func joined(malformed []Problem, others ...[]Problem) []Problem {
	misread := func(p Problem) bool {
		return slices.ContainsFunc(malformed, func(m Problem) bool {
			return m.Path == p.Path || strings.HasPrefix(p.Path, m.Path+".") && m.Code == "args.not_object"
		})
	}
	return append(malformed, slices.DeleteFunc(slices.Concat(others...), misread)...)
}

func (r *Runner) fieldProblems(ctx context.Context, call *Call, in any) []Problem {
	problems := ProblemsOf(r.Checks.Struct(in), call.Actor.Lang)
	if checker, ok := in.(FieldChecker); ok {
		problems = append(problems, checker.CheckFields(ctx, call)...)
	}
	return problems
}

// checkChoices compares what is given with the bank's lists.
func (r *Runner) checkChoices(ctx context.Context, call *Call, tool *Tool, in any) []Problem {
	var problems []Problem
	for _, field := range tool.Fields {
		if value, given := field.Value(in); given && field.Kind.Check != nil {
			problems = append(problems, field.Kind.Check(ctx, call, field, value)...)
		}
	}
	return append(problems, call.checkChain(ctx, tool, in)...)
}

// pageTimeout is the most time that the check of a page takes: Slack waits three seconds for the answer.
const pageTimeout = time.Second

// CheckPage checks one page of a form, without reading anything but lists from the bank and the beginnings of files. It returns
// the problems of the page's own fields. In an editor's form, problems that existed before are downgraded.
func (r *Runner) CheckPage(ctx context.Context, actor Actor, tool *Tool, page string, form Form) []Problem {
	ctx, cancel := context.WithTimeout(ctx, pageTimeout)
	defer cancel()
	look := func(answers map[string]string) (in any, call *Call, problems []Problem) {
		args, malformed := tool.Args(answers, actor.Lang)
		in, worse := tool.decode(args, actor.Lang)
		problems = append(malformed, worse...)
		call, err := r.callIn(ctx, actor, tool, form)
		if err != nil || in == nil {
			return nil, nil, problems
		}
		return in, call, joined(problems, r.fieldProblems(ctx, call, in))
	}
	in, call, problems := look(form.Answers)
	if form.Before != nil {
		_, _, existing := look(form.Before)
		problems = DowngradeExisting(existing, problems, form.changed)
	}
	for _, field := range tool.FieldsOn(page) {
		if in == nil || !field.Kind.Quick {
			continue
		}
		if value, given := field.Value(in); given {
			problems = append(problems, field.Kind.Check(ctx, call, field, value)...)
		}
	}
	on := InFields(tool.FieldsOn(page))
	return slices.DeleteFunc(problems, func(p Problem) bool { return !on(p.Path) })
}

func ProblemsOf(report validation.Report, lang words.Lang) []Problem {
	severities := map[validation.Severity]Severity{validation.Error: Blocks, validation.Warning: Warns, validation.Hint: Hints}
	var problems []Problem
	for _, p := range report {
		statement := p
		statement.Severity = validation.Hint
		problems = append(problems, Problem{
			Path: p.Path, Code: p.Code, Severity: severities[p.Severity], Text: p.Text(lang), statement: statement.Text(lang),
		})
	}
	return problems
}

// decide returns an error if a problem blocks, or if a warning has no mark among the confirmed.
func decide(problems []Problem, confirmed []string) error {
	var kind ErrorKind
	for _, p := range problems {
		switch {
		case p.Severity == Blocks:
			kind = Invalid
		case p.Severity == Warns && kind == "" && !slices.Contains(confirmed, p.Mark):
			kind = Unconfirmed
		}
	}
	if kind == "" {
		return nil
	}
	return &Error{Kind: kind, Problems: problems}
}

// Value returns the field's value in an input. given is false if it is absent.
func (f Field) Value(in any) (value reflect.Value, given bool) {
	value = reflect.ValueOf(in)
	for _, i := range f.index {
		if value = value.Field(i); value.Kind() != reflect.Pointer {
			continue
		}
		if value.IsNil() {
			return value, false
		}
		value, given = value.Elem(), true
	}
	return value, given || !value.IsZero()
}
