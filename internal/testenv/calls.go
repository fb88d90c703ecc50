package testenv

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/tools"
)

// Call calls a tool by its name. It confirms the warnings whose codes [Confirmed] gave as a front end does, with a second
// call.
func (e *Env) Call(t testing.TB, name, args string, change ...func(*tools.Request)) (tools.Result, *tools.Error) {
	t.Helper()
	request := e.Request(t, name, args, change...)
	codes := request.Confirmed
	request.Confirmed = nil
	result, err := e.Run(t.Context(), request)
	if refused := tools.AsError(err); err != nil && refused.Kind == tools.Unconfirmed && codes != nil {
		request.Confirmed, request.Confirmation = Confirmation(refused, codes)
		result, err = e.Run(t.Context(), request)
	}
	if err == nil {
		return result, nil
	}
	var failure *tools.Error
	if !errors.As(err, &failure) {
		t.Fatalf("%s failed with %T", name, err)
	}
	return result, failure
}

// Request returns a call of a tool by e.Actor, changed by change.
func (e *Env) Request(t testing.TB, name, args string, change ...func(*tools.Request)) tools.Request {
	t.Helper()
	tool, ok := e.Catalogue.Named(name)
	if !ok {
		t.Fatalf("no tool has the name %s", name)
	}
	request := tools.Request{Tool: tool, Actor: e.Actor, Args: json.RawMessage(args)}
	for _, c := range change {
		c(&request)
	}
	return request
}

// MustCall calls a tool and fails the test if the call fails.
func (e *Env) MustCall(t testing.TB, name, args string, change ...func(*tools.Request)) tools.Result {
	t.Helper()
	result, failure := e.Call(t, name, args, change...)
	if failure != nil {
		t.Fatalf("%s %s: %v", name, args, failure)
	}
	return result
}

// CallConfirmed calls a tool and confirms whatever it warns of.
func (e *Env) CallConfirmed(t testing.TB, name, args string, change ...func(*tools.Request)) (tools.Result, *tools.Error) {
	t.Helper()
	result, failure := e.Call(t, name, args, change...)
	if failure == nil || failure.Kind != tools.Unconfirmed {
		return result, failure
	}
	var codes []string
	for _, problem := range failure.Problems {
		if problem.Severity == tools.Warns {
			codes = append(codes, problem.Code)
		}
	}
	return e.Call(t, name, args, append(change, Confirmed(codes...))...)
}

// WantCard calls a tool, and requires success and a card that contains every text of want.
func (e *Env) WantCard(t testing.TB, name, args string, want ...string) tools.Result {
	t.Helper()
	result := e.MustCall(t, name, args)
	shown := fmt.Sprint(result.Card.Title, result.Card.Text, result.Card.Facts, result.Card.Table.Rows)
	for _, text := range want {
		if !strings.Contains(shown, text) {
			t.Errorf("%s %s: %q is not in %s", name, args, text, shown)
		}
	}
	return result
}

// WantProblem calls a tool and requires it to refuse the arguments with exactly one problem, which has this code.
func (e *Env) WantProblem(t testing.TB, name, args, code string, change ...func(*tools.Request)) {
	t.Helper()
	_, failure := e.Call(t, name, args, change...)
	if failure == nil || failure.Kind != tools.Invalid || len(failure.Problems) != 1 || failure.Problems[0].Code != code {
		t.Errorf("%s %s: got %v, want %s", name, args, failure, code)
	}
}

// Confirmation returns what a person gives back who confirms the warnings that have these codes: their marks, or the
// confirmation of all warnings if there are no others.
func Confirmation(refused *tools.Error, codes []string) (marks []string, confirmation string) {
	confirmation = refused.Confirmation
	for _, p := range refused.Problems {
		if slices.Contains(codes, p.Code) {
			marks = append(marks, p.Mark)
		} else if p.Severity == tools.Warns {
			confirmation = ""
		}
	}
	return marks, confirmation
}

// Problems returns the problems of a failure as sorted strings of their path, code and severity.
func Problems(failure *tools.Error) (found []string) {
	if failure == nil {
		return nil
	}
	for _, p := range failure.Problems {
		found = append(found, strings.TrimSpace(p.Path+" "+p.Code+" "+string(p.Severity)))
	}
	slices.Sort(found)
	return found
}

// Confirmed lets [Env.Call] confirm warnings with these codes.
func Confirmed(codes ...string) func(*tools.Request) {
	return func(r *tools.Request) { r.Confirmed = codes }
}

// By lets another actor call.
func By(actor string) func(*tools.Request) { return func(r *tools.Request) { r.Actor.ID = actor } }

// WithKey gives the call a key, under which it is made once.
func WithKey(key string) func(*tools.Request) { return func(r *tools.Request) { r.Key = key } }

// AsAssistant lets an assistant call for the actor.
func AsAssistant(r *tools.Request) { r.Actor.Assistant = true }
