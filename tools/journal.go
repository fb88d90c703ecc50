package tools

import (
	"context"
	"encoding/json"
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
	Outcome string          `json:"outcome,omitempty"`
	Output  json.RawMessage `json:"output,omitempty"` // in the clear: the journal seals it
}

const done = "done"

// once makes the call that a key stands for, unless it was made already: then it gives the same answer again.
func (r *Runner) once(ctx context.Context, id string, request Request, perform func() (Carder, error)) (Carder, error) {
	key := request.Key
	if key == "" {
		key = id
	}
	key = request.Actor.ID + " " + request.Tool.Name + " " + key
	intent := record{Call: id, Tool: request.Tool.Name, Actor: request.Actor.ID, Digest: r.Digest(request.Args)}
	prior, first, err := r.Journal.Begin(ctx, key, encoded(intent), writeTimeout)
	switch {
	case err != nil: // what cannot be journalled is not sent
		return nil, &Error{Kind: Unavailable, err: err}
	case !first:
		return request.Tool.replay(prior, intent)
	}
	output, err := perform()
	outcome := intent
	if err == nil {
		outcome.Outcome = done
		outcome.Output, err = pii.MarshalClear(output)
	} else {
		outcome.Outcome = string(convert(err).Kind)
	}
	// The bank has answered: the outcome is recorded even when the call's time is up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if lost := r.Journal.Finish(ctx, key, encoded(outcome)); lost != nil {
		r.Log.ErrorContext(ctx, "an outcome is missing from the journal", "call", id, "error", lost)
	}
	return output, err
}

// replay answers a call that was begun before from what the journal holds of it.
func (t *Tool) replay(prior []byte, intent record) (Carder, error) {
	var before record
	if err := json.Unmarshal(prior, &before); err != nil {
		return nil, &Error{Kind: Internal, err: err}
	}
	switch before.Outcome {
	case "":
		return nil, &Error{Kind: Busy}
	case done:
		if before.Digest != intent.Digest {
			return nil, &Error{Kind: Refused}
		}
		output := reflect.New(t.out)
		if err := json.Unmarshal(before.Output, output.Interface()); err != nil {
			return nil, &Error{Kind: Internal, err: err}
		}
		return output.Elem().Interface().(Carder), nil
	default:
		return nil, &Error{Kind: ErrorKind(before.Outcome)}
	}
}

func encoded(r record) []byte {
	data, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings and raw JSON marshal
	}
	return data
}
