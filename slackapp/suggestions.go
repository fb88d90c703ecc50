package slackapp

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

const (
	maxSearches = 2               // running for one person in one select
	optionsLife = 5 * time.Minute // how long options are cached
)

// errBankSlow is returned when the bank has not answered in time for the acknowledgement.
var errBankSlow = errors.New("the bank did not answer in time")

// optionsReply answers an external select. [slack.OptionsResponse] leaves out an empty list, which Slack requires.
type optionsReply struct {
	Options []*slack.OptionBlockObject `json:"options"`
}

// suggest returns the options that match what a person typed in a select. Options that come late are cached for her
// next keystroke; until then she sees matching ones of the last list, or why there are none.
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
		if len(field.Dependencies()) > 0 {
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
		a.log.WarnContext(ctx, "reading options failed", "tool", tool.Name, "field", field.Path, "error", logged(err))
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

// search reads the matching options, for as long as the acknowledgement can wait, and caches them even if they come
// later.
func (a *App) search(req request, tool *tools.Tool, field tools.Field, typed string, answers map[string]string) ([]tools.Option, error) {
	list := searchKey(req, tool, field, answers)
	if !a.searches.start(list) {
		return nil, errOverloaded
	}
	type answer struct {
		options []tools.Option
		err     error
	}
	done := make(chan answer, 1)
	err := a.inBackground(req, func(ctx context.Context, req *request) error {
		defer a.searches.finished(list)
		var found answer
		found.err = a.recovered(func() (err error) {
			found.options, err = a.runner.Options(ctx, req.actor, field, typed, answers)
			return err
		})
		done <- found
		if len(found.options) > 0 {
			if err := a.store.Put(ctx, "options", list, encode(found.options), optionsLife); err != nil {
				a.log.WarnContext(ctx, "caching options failed", "error", logged(err))
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
	case found := <-done:
		return found.options, found.err
	case <-timer.C:
		return nil, errBankSlow
	}
}

// fallbackOptions returns what a select offers after a failed search: matching options of the person's last search, or
// one option that says why there are none. A person without permission gets no cached options.
func (a *App) fallbackOptions(ctx context.Context, req request, tool *tools.Tool, field tools.Field, typed string, answers map[string]string, failure error) []tools.Option {
	reason := func(text string) []tools.Option { return []tools.Option{{Value: unanswered, Text: text}} }
	lang, kind := req.actor.Lang, tools.AsError(failure).Kind
	if kind == tools.Forbidden {
		return reason(say(lang, "field.forbidden"))
	}
	if matching := a.cachedOptions(ctx, req, tool, field, typed, answers); matching != nil {
		return matching
	}
	return reason(whyNoOptions(lang, failure))
}

// whyNoOptions says why a list has no options, and what to do. Only what passes by itself is worth another try.
func whyNoOptions(lang words.Lang, failure error) string {
	_, ofTool := errors.AsType[*tools.Error](failure)
	switch kind := tools.AsError(failure).Kind; {
	case tools.AsError(failure).ReadingList():
		return say(lang, "field.reading")
	case errors.Is(failure, errBankSlow):
		return say(lang, "field.late")
	case errors.Is(failure, conversations.ErrGone):
		return say(lang, "field.gone")
	case errors.Is(failure, errOverloaded), storeFailed(failure):
		return say(lang, "field.failed")
	case !ofTool:
		return say(lang, "field.unreadable")
	case kind == tools.NotFound, kind == tools.Invalid:
		return say(lang, "field.subject")
	case kind == tools.LoginRefused:
		return say(lang, "field.login_refused")
	case kind == tools.Refused:
		return say(lang, "field.refused")
	case kind == tools.Misconfigured, kind == tools.Internal:
		return say(lang, "field.unreadable")
	}
	return say(lang, "field.failed")
}

// cachedOptions returns the matching options of the person's last search.
func (a *App) cachedOptions(ctx context.Context, req request, tool *tools.Tool, field tools.Field, typed string, answers map[string]string) (matching []tools.Option) {
	var kept []tools.Option
	if list, ok, err := a.store.Get(ctx, "options", searchKey(req, tool, field, answers)); err == nil && ok {
		_ = json.Unmarshal(list, &kept) // of another version: ignored
	}
	for _, each := range kept {
		if strings.Contains(strings.ToLower(each.Text+" "+each.Note), strings.ToLower(strings.TrimSpace(typed))) {
			matching = append(matching, each)
		}
	}
	return matching
}

// searchKey is the cache key of a person's searches in a select.
func searchKey(req request, tool *tools.Tool, field tools.Field, answers map[string]string) string {
	common := []string{req.actor.ID, string(req.actor.Lang), tool.Name, field.Path}
	for _, other := range field.Dependencies() {
		common = append(common, answers[other.Path])
	}
	return strings.Join(common, " ")
}

// searchLimiter limits the searches that run at the same time, so that fast typing does not fill the person's queue.
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
