package slackapp_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/catalogue"
)

// Every tool's form is filled in with the tool's example, over Slack and the bank's HTTP, and ends with the card that the tool
// gives for these arguments.
func TestEveryToolAnswersItsExampleInSlack(t *testing.T) {
	t.Parallel()
	for _, tool := range catalogue.New().ForPeople() {
		if tool.Example == "" || tool.NeedsDestination {
			continue // every tool has one; other tests run the tools about a destination
		}
		t.Run(tool.Name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, overHTTP)
			want := h.expected(tool)
			h.ana().runs(tool, want.Title)
			for _, op := range tool.Operations {
				if h.bank.Calls(op) == 0 {
					t.Errorf("the bank's %s was not called", op)
				}
			}
			h.checkNoRefusals()
		})
	}
}

// expected returns the card of a tool's example, of a bank of its own.
func (h *harness) expected(tool *tools.Tool) tools.Card {
	h.t.Helper()
	e := testenv.Start(h.t, testenv.Options{Runner: func(c *tools.Config) {
		c.People, c.Updates = h.people, updateList{}
	}})
	e.Actor = tools.Actor{ID: anasID, Lang: words.Portuguese}
	result, failure := e.CallConfirmed(h.t, tool.Name, tool.Example)
	if failure != nil {
		h.t.Fatalf("the example of %s: %v", tool.Name, failure)
	}
	return result.Card
}

// shows reports whether Ana sees a text in a modal or a message.
func (h *harness) shows(text string) bool {
	if view, open := h.ana().TopView(); open && strings.Contains(view.Text(), text) {
		return true
	}
	for _, channel := range []string{slacksim.TeamChannel, h.ana().DM()} {
		for _, message := range h.ana().Messages(channel) {
			if strings.Contains(message.FullText(), text) {
				return true
			}
		}
	}
	return false
}

// runs types a tool's command, fills its form in with the example and confirms, until she sees the card.
func (s user) runs(tool *tools.Tool, card string) {
	s.h.t.Helper()
	answers, before := s.answers(tool), ""
	s.types("/" + tool.Command(words.English))
	for range 12 {
		var view slacksim.View
		s.h.wait("a page, or the card «"+card+"»", func() (open bool) {
			view, open = s.TopView()
			return s.h.shows(card) || open && view.Submit != "" && view.Hash != before
		})
		if s.h.shows(card) {
			return
		}
		asked := slacksim.Values{}
		for path, text := range answers {
			if view.Has(path) {
				asked[path] = text
			}
		}
		if result := s.submits(asked); len(result.Errors) > 0 {
			s.h.t.Fatalf("submitting %v: %v", asked, result.Errors)
		}
		before = view.Hash
	}
	s.h.t.Fatalf("the form of %s has no end", tool.Name)
}

// answers are the values of a tool's example, by path. The labels of choices are replaced by ids, as a person chooses them.
func (s user) answers(tool *tools.Tool) map[string]string {
	s.h.t.Helper()
	var args map[string]any
	must(s.h.t, json.Unmarshal([]byte(tool.Example), &args))
	answers := map[string]string{}
	flatten(answers, "", args)
	actor := tools.Actor{ID: anasID, Lang: words.Portuguese}
	for path, text := range maps.Clone(answers) {
		field, known := tool.Field(path)
		if known && field.Kind.Control == tools.ControlFile {
			answers[path] = "recibo.pdf" // of which the simulated Slack makes a file
		}
		if !known || field.Kind.Choices == nil {
			continue
		}
		if _, err := strconv.Atoi(text); err == nil && field.Taxonomy != "" {
			continue
		}
		for _, lang := range words.Langs {
			actor.Lang = lang
			options, err := s.h.replica.runner.Options(s.h.ctx(), actor, field, text, answers)
			if err == nil && len(options) > 0 {
				answers[path] = options[0].Value
				break
			}
		}
	}
	return answers
}

// flatten stores the values of an object by their dotted path. Those in «set» have their path as name.
func flatten(into map[string]string, prefix string, object map[string]any) {
	for name, value := range object {
		switch value := value.(type) {
		case map[string]any:
			inner := prefix + name + "."
			if name == "set" {
				inner = prefix
			}
			flatten(into, inner, value)
		case []any:
			var texts []string
			for _, each := range value {
				texts = append(texts, fmt.Sprint(each))
			}
			into[prefix+name] = strings.Join(texts, ",")
		default:
			into[prefix+name] = fmt.Sprint(value)
		}
	}
}
