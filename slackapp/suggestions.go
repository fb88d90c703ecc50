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
	optionsLife = 5 * time.Minute // that a list serves while the bank does not answer
)

// errBankSlow says that the bank has not answered within an acknowledgement's time.
var errBankSlow = errors.New("the bank has not answered yet")

// optionsReply answers an external select. It is no [slack.OptionsResponse]: that one leaves an empty list out, and Slack
// wants to see it.
type optionsReply struct {
	Options []*slack.OptionBlockObject `json:"options"`
}

// suggest finds the options that match what a person has typed in a select. What the bank does not tell in time is there
// for her next keystroke; until then she sees what matches of the list before, or why there is nothing.
func (a *App) suggest(ctx context.Context, req request, i interaction) optionsReply {
	found := optionsReply{Options: []*slack.OptionBlockObject{}}
	tool, known := a.runner.Catalogue.Named(i.View.Callback)
	if !known {
		return found
	}
	field, known := tool.Field(i.BlockID)
	if !known {
		return found
	}
	var options []tools.Option
	answers := map[string]string{}
	err := a.recovered(func() (err error) {
		if req.actor, err = a.actor(ctx, req.user, req.channel); err != nil {
			return err
		}
		if !a.runner.Permits(ctx, req.actor, tool) {
			return &tools.Error{Kind: tools.Forbidden, Tool: tool}
		}
		if field.Kind == tools.Borrower { // whose list depends on the process
			f, _, _, err := a.formOf(ctx, &req, i.View)
			if err != nil {
				return err
			}
			answers = f.Answers
		}
		options, err = a.search(req, tool, field, i.Value, answers)
		return err
	})
	if err != nil {
		a.log.WarnContext(ctx, "a list of options is not complete", "tool", tool.Name, "field", field.Path, "error", logged(err))
		options = a.fallbackOptions(ctx, req, tool, field, i.Value, answers, err)
	}
	if err == nil && !field.Required && i.Value == "" {
		options = append([]tools.Option{none(req.actor.Lang)}, options...)
	}
	for _, each := range options[:min(len(options), maxOptions)] {
		if each.Text != "" && each.Value != "" && len(each.Value) <= maxOptionValue {
			found.Options = append(found.Options, option(each))
		}
	}
	return found
}

// search asks for the options that match, for as long as the visit can wait, and keeps them however late they come.
func (a *App) search(req request, tool *tools.Tool, field tools.Field, typed string, answers map[string]string) ([]tools.Option, error) {
	list := searchKey(req, tool, field, answers)
	if !a.searches.start(list) {
		return nil, errOverloaded
	}
	type answer struct {
		options []tools.Option
		err     error
	}
	told := make(chan answer, 1)
	err := a.inBackground(req, func(ctx context.Context, req *request) error {
		defer a.searches.finished(list)
		var found answer
		found.err = a.recovered(func() (err error) {
			found.options, err = a.runner.Options(ctx, req.actor, field, typed, answers)
			return err
		})
		told <- found
		if len(found.options) > 0 {
			if err := a.store.Put(ctx, "options", list, encode(found.options), optionsLife); err != nil {
				a.log.WarnContext(ctx, "a list of options could not be kept", "error", logged(err))
			}
		}
		return nil
	})
	if err != nil {
		a.searches.finished(list)
		return nil, err
	}
	timer := time.NewTimer(time.Until(req.ackBy))
	defer timer.Stop()
	select {
	case found := <-told:
		return found.options, found.err
	case <-timer.C:
		return nil, errBankSlow
	}
}

// ifClosed is what a search that failed offers: what matches of the list that a search of hers found last, or an option
// that says why there is nothing. Who may not search is not shown what she once found either.
func (a *App) fallbackOptions(ctx context.Context, req request, tool *tools.Tool, field tools.Field, typed string, answers map[string]string, failure error) []tools.Option {
	reason := func(text string) []tools.Option { return []tools.Option{{Value: unanswered, Text: text}} }
	if tools.AsError(failure).Kind == tools.Forbidden {
		return reason(say(req.actor.Lang, "field.forbidden"))
	}
	if matching := a.cachedOptions(ctx, req, tool, field, typed, answers); matching != nil {
		return matching
	}
	if errors.Is(failure, errBankSlow) {
		return reason(say(req.actor.Lang, "field.late"))
	}
	return reason(say(req.actor.Lang, "field.failed"))
}

// cachedOptions is what matches of the list that a search of hers found last.
func (a *App) cachedOptions(ctx context.Context, req request, tool *tools.Tool, field tools.Field, typed string, answers map[string]string) (matching []tools.Option) {
	var kept []tools.Option
	if list, ok, err := a.store.Get(ctx, "options", searchKey(req, tool, field, answers)); err == nil && ok {
		_ = json.Unmarshal(list, &kept) // written by another version: as good as none
	}
	for _, each := range kept {
		if strings.Contains(strings.ToLower(each.Text+" "+each.Note), strings.ToLower(strings.TrimSpace(typed))) {
			matching = append(matching, each)
		}
	}
	return matching
}

// searchKey names what a person's searches in a select have in common.
func searchKey(req request, tool *tools.Tool, field tools.Field, answers map[string]string) string {
	common := []string{req.actor.ID, string(req.actor.Lang), tool.Name, field.Path}
	for _, other := range tool.Fields {
		if other.Kind == tools.Process && field.Kind == tools.Borrower {
			common = append(common, answers[other.Path])
		}
	}
	return strings.Join(common, " ")
}

// searchLimiter counts those under way, so that typing fast at a slow bank takes nobody's turn.
type searchLimiter struct {
	mu      sync.Mutex
	running map[string]int
}

func (s *searchLimiter) start(list string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[list] == maxSearches {
		return false
	}
	s.running[list]++
	return true
}

func (s *searchLimiter) finished(list string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[list]--; s.running[list] == 0 {
		delete(s.running, list)
	}
}
