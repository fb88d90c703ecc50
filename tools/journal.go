package tools

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/balcao/balcao/internal/pii"
)

// Journal remembers calls that change something, so that each is made once. Records are sealed before they are stored.
type Journal interface {
	// Begin claims a call before it is made: first is true for one caller, who makes it. Everybody else gets what is
	// recorded so far: the first caller's intent, or the outcome.
	Begin(ctx context.Context, key string, intent []byte, lease time.Duration) (prior []byte, first bool, err error)
	// Finish records the outcome in place of the intent.
	Finish(ctx context.Context, key string, outcome []byte) error
}

// record is what the journal holds of a call: without an outcome it is an intent.
type record struct {
	Call    string          `json:"call"`
	Tool    string          `json:"tool"`
	Actor   string          `json:"actor"`
	Digest  string          `json:"digest"` // of the arguments
	Until   time.Time       `json:"until"`  // when the call has ended, one way or the other
	Outcome string          `json:"outcome,omitempty"`
	Output  json.RawMessage `json:"output,omitempty"` // in the clear: the journal seals it
}

const (
	done = "done"
	// maxAttempts bounds how often the same key may be tried again after a failure that changed nothing.
	maxAttempts = 100
)

// once makes the call that a key stands for, unless it was made already: then it gives the same answer again. A call
// that failed and changed nothing may be made again under its key, as a further attempt.
func (r *Runner) once(ctx context.Context, id string, call *Call, request Request, perform func() (Carder, error)) (Carder, error) {
	intent := record{
		Call: id, Tool: request.Tool.Name, Actor: request.Actor.ID,
		Digest: r.Digest(request.Args), Until: r.now().Add(writeTimeout),
	}
	for attempt := range maxAttempts {
		key := fmt.Sprintf("%s %s %s %d", intent.Actor, intent.Tool, cmp.Or(request.Key, id), attempt)
		prior, first, err := r.Journal.Begin(ctx, key, encoded(intent), writeTimeout)
		if err != nil { // what cannot be journalled is not sent
			return nil, &Error{Kind: Unavailable, err: err}
		}
		if first {
			output, err := perform()
			r.record(ctx, key, intent, output, err)
			return output, err
		}
		var before record
		if err := json.Unmarshal(prior, &before); err != nil {
			return nil, &Error{Kind: Internal, err: err}
		}
		if !changedNothing(before.Outcome) {
			return r.replay(ctx, call, request, before, intent)
		}
	}
	return nil, &Error{Kind: Busy}
}

// record puts the outcome in the place of the intent, even when the call's time is up: the bank has answered.
func (r *Runner) record(ctx context.Context, key string, outcome record, output Carder, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	outcome.Outcome = done
	if err != nil {
		outcome.Outcome = string(convert(err).Kind)
	} else if outcome.Output, err = pii.MarshalClear(output); err != nil {
		outcome.Outcome = string(Unclear)
	}
	if err := r.Journal.Finish(ctx, key, encoded(outcome)); err != nil {
		r.Log.ErrorContext(ctx, "an outcome is missing from the journal", "call", outcome.Call, "error", err)
	}
}

// changedNothing tells the outcomes of which it is certain that nothing is different at the bank.
func changedNothing(outcome string) bool {
	return outcome != "" && outcome != done && outcome != string(Unclear) && outcome != string(Internal)
}

// replay answers a call that was begun before from what the journal holds of it, and where that does not say what
// became of it, from what the bank holds. It never makes the call again.
func (r *Runner) replay(ctx context.Context, call *Call, request Request, before, intent record) (Carder, error) {
	switch {
	case before.Digest != intent.Digest:
		return nil, &Error{Kind: Invalid, Problems: []Problem{problem(request.Actor.Lang, "", "key_reused")}}
	case before.Outcome == done:
		output := reflect.New(request.Tool.out)
		if err := json.Unmarshal(before.Output, output.Interface()); err != nil {
			return nil, &Error{Kind: Internal, err: err}
		}
		return output.Elem().Interface().(Carder), nil
	case before.Outcome == "" && r.now().Before(before.Until):
		return nil, &Error{Kind: Busy}
	}
	// Who made the call is gone, or never learnt what became of it.
	unclear := &Error{Kind: Unclear}
	in, malformed := request.Tool.decode(request.Args, request.Actor.Lang)
	if len(malformed) > 0 {
		return nil, unclear
	}
	return recognised(ctx, call, request.Tool.normalised(in), unclear)
}

// Recogniser is implemented by inputs whose effect can be seen at the bank. Where it cannot, a call that was sent and
// not answered stays unclear until a person has looked.
type Recogniser interface {
	// Recognise gives the output of a call that took hold, looking for its effect; found is false when it is not there.
	Recognise(ctx context.Context, call *Call) (output Carder, found bool, err error)
}

// recognised looks whether a call that ended unclear took hold all the same. What is not there yet may still come, so
// that a call is never found to have failed.
func recognised(ctx context.Context, call *Call, in any, unclear error) (Carder, error) {
	recogniser, ok := in.(Recogniser)
	if !ok {
		return nil, unclear
	}
	output, found, err := recogniser.Recognise(ctx, call)
	if err != nil || !found {
		return nil, unclear
	}
	return output, nil
}

func encoded(r record) []byte {
	data, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings and raw JSON marshal
	}
	return data
}
