package tools

import (
	"context"

	"github.com/balcao/balcao/internal/pii"
)

// MaxOptions is the most options that one call of [Runner.Options] returns, and the most that Slack takes.
const MaxOptions = 100

// Option is one value that a field may take.
type Option struct {
	Value string
	Text  string
	Note  string      // distinguishes options with the same text; may be ""
	Clear pii.Private `json:"-"` // Text unmasked, for a review
}

// Options returns the options of a field that match what a person has typed so far, at most [MaxOptions]. answers holds
// the other fields of the form, by path: the choices may depend on them. Errors are [*Error].
func (r *Runner) Options(ctx context.Context, actor Actor, field Field, query string, answers map[string]string) ([]Option, error) {
	options, err := r.AllOptions(ctx, actor, field, query, answers)
	return options[:min(len(options), MaxOptions)], err
}

// AllOptions is Options of which there may be more than [MaxOptions], for a form that has them all in it.
func (r *Runner) AllOptions(ctx context.Context, actor Actor, field Field, query string, answers map[string]string) ([]Option, error) {
	options, err := r.options(ctx, actor, field, query, answers)
	if err != nil {
		failure := convert(err)
		failure.Tool = field.tool
		failure.explain(actor, field.tool)
		return nil, failure
	}
	return options, nil
}

func (r *Runner) options(ctx context.Context, actor Actor, field Field, query string, answers map[string]string) ([]Option, error) {
	call, err := r.admit(ctx, actor, field.tool, Reads)
	if err == nil && field.Kind.Audit >= AuditLists {
		err = r.recordLookup(ctx, actor, field, answers)
	}
	if err != nil {
		return nil, err
	}
	if field.Kind.Choices == nil {
		return nil, nil
	}
	return field.Kind.Choices.List(ctx, call, field, query, answers)
}

// Option returns the option with this value, for a form that is filled in already; see [Runner.Options]. ok is false if
// there is none, or if it may not be shown.
func (r *Runner) Option(ctx context.Context, actor Actor, field Field, value string, answers map[string]string) (option Option, ok bool) {
	if field.Kind.Choices == nil || value == "" {
		return Option{}, false
	}
	call, err := r.admit(ctx, actor, field.tool, Reads)
	if err == nil && field.Kind.Audit >= AuditOptions {
		err = r.recordLookup(ctx, actor, field, answers)
	}
	if err != nil {
		return Option{}, false
	}
	return field.Kind.Choices.Find(ctx, call, field, value, answers)
}
