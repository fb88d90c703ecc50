package tools

import (
	"context"
	"strconv"
	"strings"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

// MaxOptions is how many options one answer holds: what Slack takes.
const MaxOptions = 100

// Option is one value that a choice may take.
type Option struct {
	Value string
	Text  string
	Note  string      // what tells two alike apart; may be ""
	Clear pii.Private `json:"-"` // Text unmasked, for a review
}

// Options lists the values that a Choice, Process, Borrower or Taxonomy field may take and that match what a person has
// typed so far, at most 100. answers holds the rest of the form: whose borrower is meant, for one. Errors are [*Error].
func (r *Runner) Options(ctx context.Context, actor Actor, field Field, query string, answers map[string]string) ([]Option, error) {
	options, err := r.options(ctx, actor, field, query, answers)
	if err != nil {
		failure := convert(err)
		failure.Tool = field.tool
		failure.explain(actor, field.tool)
		return nil, failure
	}
	return options[:min(len(options), MaxOptions)], nil
}

func (r *Runner) options(ctx context.Context, actor Actor, field Field, query string, answers map[string]string) ([]Option, error) {
	call, err := r.admit(ctx, actor, field.tool, Reads)
	if err == nil {
		err = r.lookedUp(ctx, actor, field, answers)
	}
	if err != nil {
		return nil, err
	}
	var options []Option
	switch field.Kind {
	case Choice:
		items, err := call.Taxonomy(ctx, field.Taxonomy)
		if err != nil {
			return nil, err
		}
		for _, item := range MatchItems(items, query) {
			options = append(options, Option{Value: strconv.Itoa(int(item.ID)), Text: item.Description})
		}
	case Taxonomy:
		for _, key := range portal.Taxonomies() {
			if strings.Contains(Fold(string(key)), Fold(query)) {
				options = append(options, Option{Value: string(key), Text: string(key)})
			}
		}
	case Process:
		page, err := call.Bank.ListProcesses(ctx, portal.ProcessQuery{Text: pii.New[pii.Name](query), Limit: MaxOptions})
		if err != nil {
			return nil, err
		}
		for _, process := range page.Processes {
			options = append(options, processOption(process))
		}
	case Borrower:
		process, err := call.Process(ctx, processAmong(field, answers))
		if err != nil {
			return nil, err
		}
		borrowers, err := call.Borrowers(ctx, process.ID)
		if err != nil {
			return nil, err
		}
		for _, borrower := range borrowers {
			if option := BorrowerOption(borrower); strings.Contains(Fold(option.Text+" "+option.Note), Fold(query)) {
				options = append(options, option)
			}
		}
	}
	return options, nil
}

func processOption(process portal.ProcessSummary) Option {
	return Option{
		Value: process.ProcessUniqueID.String(),
		Text:  FormatNumber(process.ProcessNumber) + " · " + process.KeyBorrowerName.String(),
		Note:  process.ProcessStatusDescription,
	}
}

func BorrowerOption(borrower portal.Borrower) Option {
	role := borrower.BorrowerTypeDescription
	option := Option{Value: borrower.BorrowerUniqueID.String(), Text: role, Note: role, Clear: pii.New[pii.Private](role)}
	if p := borrower.Personal; p != nil && !p.Name.IsZero() {
		option.Text = p.Name.String() + " · " + p.TaxID.String()
		option.Clear = pii.New[pii.Private](p.Name.Reveal() + " · " + p.TaxID.Reveal())
	}
	return option
}

// processAmong gives the process that a form is about.
func processAmong(field Field, answers map[string]string) ProcessRef {
	for _, each := range field.tool.Fields {
		if each.Kind == Process {
			return ProcessRef(answers[each.Path])
		}
	}
	return ""
}

// Option finds the option with this value, to show in a form that is filled in already; see [Runner.Options].
func (r *Runner) Option(ctx context.Context, actor Actor, field Field, value string, answers map[string]string) (option Option, ok bool) {
	call, err := r.admit(ctx, actor, field.tool, Reads)
	if err != nil || value == "" {
		return Option{}, false
	}
	switch field.Kind {
	case Process:
		process, err := call.Process(ctx, ProcessRef(value))
		return Option{Value: process.ID.String(), Text: FormatNumber(process.Number), Note: process.Status}, err == nil
	case Choice:
		items, err := call.Taxonomy(ctx, field.Taxonomy)
		for _, item := range items {
			if strconv.Itoa(int(item.ID)) == value {
				return Option{Value: value, Text: item.Description}, err == nil
			}
		}
	case Borrower:
		if r.lookedUp(ctx, actor, field, answers) != nil {
			return Option{}, false
		}
		_, borrower, err := call.Borrower(ctx, processAmong(field, answers), BorrowerRef(value))
		return BorrowerOption(borrower), err == nil
	case Taxonomy:
		return Option{Value: value, Text: value}, true
	}
	return Option{}, false
}
