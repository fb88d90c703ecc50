package tools

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"unicode"

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

// shown is a value for eyes: the option's text for a choice, the mask for personal data.
func (r *Runner) shown(ctx context.Context, actor Actor, field Field, value any) string {
	text := plain(value)
	if option, ok := r.Option(ctx, actor, field, text); ok {
		return option.Text
	}
	if _, masked := value.(pii.Classed); !masked && field.Class != pii.Open {
		return pii.Scrub(text)
	}
	return text
}

// clean makes text from outside fit to be shown: one paragraph without personal data, and without characters that are
// invisible or turn the direction of writing.
func clean(text string) string {
	text = strings.Map(func(c rune) rune {
		switch {
		case unicode.IsSpace(c):
			return ' '
		case unicode.Is(unicode.C, c):
			return -1
		}
		return c
	}, text)
	runes := []rune(strings.TrimSpace(text))
	return pii.Scrub(string(runes[:min(len(runes), 500)]))
}

var digitsOnly = regexp.MustCompile(`^\d{1,18}$`)

func isNumber(s string) bool { return digitsOnly.MatchString(s) }
