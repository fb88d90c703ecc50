package slackapp

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/tools"
)

const (
	maxSearches = 2               // under way for one person in one select: what she typed last counts
	listLife    = 5 * time.Minute // that a list serves while the bank does not answer
)

// errLate says that the bank has not answered within an acknowledgement's time.
var errLate = errors.New("the bank has not answered yet")

// choices answers an external select. It is no [slack.OptionsResponse]: that one leaves an empty list out, and Slack
// wants to see it.
type choices struct {
	Options []*slack.OptionBlockObject `json:"options"`
}

// suggest finds the options that match what a person has typed in a select. What the bank does not tell in time is there
// for her next keystroke; until then she sees what matches of the list before, or why there is nothing.
func (a *App) suggest(ctx context.Context, v visit, i interaction) choices {
	found := choices{Options: []*slack.OptionBlockObject{}}
	tool, known := tools.Named(i.View.Callback)
	if !known {
		return found
	}
	field, known := tool.Field(i.BlockID)
	if !known {
		return found
	}
	var options []tools.Option
	answers := map[string]string{}
	err := a.guarded(func() (err error) {
		if v.actor, err = a.actor(ctx, v.user, v.channel); err != nil {
			return err
		}
		if !a.runner.Permits(ctx, v.actor, tool) {
			return &tools.Error{Kind: tools.Forbidden, Tool: tool.Name}
		}
		if field.Kind == tools.Borrower { // whose list depends on the process
			f, _, _, err := a.formOf(ctx, &v, i.View)
			if err != nil {
				return err
			}
			answers = f.Answers
		}
		options, err = a.search(v, tool, field, i.Value, answers)
		return err
	})
	if err != nil {
		a.log.WarnContext(ctx, "a list of options is not complete", "tool", tool.Name, "field", field.Path, "error", logged(err))
		options = a.instead(ctx, v, tool, field, i.Value, answers, err)
	}
	if err == nil && !field.Required && i.Value == "" {
		options = append([]tools.Option{none(v.actor.Lang)}, options...)
	}
	for _, each := range options[:min(len(options), maxOptions)] {
		if each.Text != "" && each.Value != "" && len(each.Value) <= maxOptionValue {
			found.Options = append(found.Options, option(each))
		}
	}
	return found
}

// search asks for the options that match, for as long as the visit can wait, and keeps them however late they come.
func (a *App) search(v visit, tool *tools.Tool, field tools.Field, typed string, answers map[string]string) ([]tools.Option, error) {
	list := listOf(v, tool, field, answers)
	if !a.searches.begin(list) {
		return nil, errCrowded
	}
	type answer struct {
		options []tools.Option
		err     error
	}
	told := make(chan answer, 1)
	err := a.work(v, func(ctx context.Context, v *visit) error {
		defer a.searches.end(list)
		var found answer
		found.err = a.guarded(func() (err error) {
			found.options, err = a.runner.Options(ctx, v.actor, field, typed, answers)
			return err
		})
		told <- found
		if len(found.options) > 0 {
			if err := a.store.Put(ctx, "options", list, encode(found.options), listLife); err != nil {
				a.log.WarnContext(ctx, "a list of options could not be kept", "error", logged(err))
			}
		}
		return nil
	})
	if err != nil {
		a.searches.end(list)
		return nil, err
	}
	timer := time.NewTimer(time.Until(v.due))
	defer timer.Stop()
	select {
	case found := <-told:
		return found.options, found.err
	case <-timer.C:
		return nil, errLate
	}
}

// instead is what a search that failed offers: what matches of the list that a search of hers found last, or an option
// that says why there is nothing. Who may not search is not shown what she once found either.
func (a *App) instead(ctx context.Context, v visit, tool *tools.Tool, field tools.Field, typed string, answers map[string]string, failure error) []tools.Option {
	reason := func(text string) []tools.Option { return []tools.Option{{Value: unanswered, Text: text}} }
	if tools.AsError(failure).Kind == tools.Forbidden {
		return reason(say(v.actor.Lang, "field.forbidden"))
	}
	if matching := a.listBefore(ctx, v, tool, field, typed, answers); matching != nil {
		return matching
	}
	if errors.Is(failure, errLate) {
		return reason(say(v.actor.Lang, "field.late"))
	}
	return reason(say(v.actor.Lang, "field.failed"))
}

// listBefore is what matches of the list that a search of hers found last.
func (a *App) listBefore(ctx context.Context, v visit, tool *tools.Tool, field tools.Field, typed string, answers map[string]string) (matching []tools.Option) {
	var kept []tools.Option
	if list, ok, err := a.store.Get(ctx, "options", listOf(v, tool, field, answers)); err == nil && ok {
		_ = json.Unmarshal(list, &kept) // written by another version: as good as none
	}
	for _, each := range kept {
		if strings.Contains(strings.ToLower(each.Text+" "+each.Note), strings.ToLower(strings.TrimSpace(typed))) {
			matching = append(matching, each)
		}
	}
	return matching
}

// listOf names what a person's searches in a select have in common.
func listOf(v visit, tool *tools.Tool, field tools.Field, answers map[string]string) string {
	common := []string{v.actor.ID, string(v.actor.Lang), tool.Name, field.Path}
	for _, other := range tool.Fields {
		if other.Kind == tools.Process && field.Kind == tools.Borrower {
			common = append(common, answers[other.Path])
		}
	}
	return strings.Join(common, " ")
}

// searches counts those under way, so that typing fast at a slow bank takes nobody's turn.
type searches struct {
	mu    sync.Mutex
	under map[string]int
}

func (s *searches) begin(list string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.under[list] == maxSearches {
		return false
	}
	s.under[list]++
	return true
}

func (s *searches) end(list string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.under[list]--; s.under[list] == 0 {
		delete(s.under, list)
	}
}
