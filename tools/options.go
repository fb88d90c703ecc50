package tools

import (
	"context"
	"strconv"
	"strings"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

// maxOptions is how many options one answer holds: what Slack takes.
const maxOptions = 100

// Option is one value that a choice may take.
type Option struct {
	Value string
	Text  string
	Note  string // what tells two alike apart; may be ""
}

// Options lists the values that a Choice, Process or Taxonomy field may take and that match what a person has typed so
// far, at most 100. Errors are [*Error].
func (r *Runner) Options(ctx context.Context, actor Actor, field Field, query string) ([]Option, error) {
	options, err := r.options(ctx, actor, field, query)
	if err != nil {
		failure := convert(err)
		failure.Tool = field.tool
		return nil, failure
	}
	return options[:min(len(options), maxOptions)], nil
}

func (r *Runner) options(ctx context.Context, actor Actor, field Field, query string) ([]Option, error) {
	call, err := r.admit(ctx, actor, Reads)
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
		for _, item := range matching(items, query) {
			options = append(options, Option{Value: strconv.Itoa(int(item.ID)), Text: item.Description})
		}
	case Taxonomy:
		for _, key := range portal.Taxonomies() {
			if strings.Contains(folded(string(key)), folded(query)) {
				options = append(options, Option{Value: string(key), Text: string(key)})
			}
		}
	case Process:
		page, err := call.Bank.ListProcesses(ctx, portal.ProcessQuery{Text: pii.New[pii.Name](query), Limit: maxOptions})
		if err != nil {
			return nil, err
		}
		for _, process := range page.Processes {
			options = append(options, processOption(process))
		}
	}
	return options, nil
}

func processOption(process portal.ProcessSummary) Option {
	return Option{
		Value: process.ProcessUniqueID.String(),
		Text:  number(process.ProcessNumber) + " · " + process.KeyBorrowerName.String(),
		Note:  process.ProcessStatusDescription,
	}
}

// Option finds the option with this value, to show in a form that is filled in already.
func (r *Runner) Option(ctx context.Context, actor Actor, field Field, value string) (option Option, ok bool) {
	call, err := r.admit(ctx, actor, Reads)
	if err != nil || value == "" {
		return Option{}, false
	}
	switch field.Kind {
	case Process:
		process, err := call.Process(ctx, ProcessRef(value))
		return Option{Value: process.ID.String(), Text: number(process.Number), Note: process.Status}, err == nil
	case Choice:
		items, err := call.Taxonomy(ctx, field.Taxonomy)
		for _, item := range items {
			if strconv.Itoa(int(item.ID)) == value {
				return Option{Value: value, Text: item.Description}, err == nil
			}
		}
	case Taxonomy:
		return Option{Value: value, Text: value}, true
	}
	return Option{}, false
}
