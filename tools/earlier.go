package tools

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"time"

	"github.com/balcao/balcao/internal/words"
)

// Earlier is a call for the same thing that was under way when another one came.
type Earlier struct {
	Actor     string    `json:"actor"`
	At        time.Time `json:"at"`
	Own       bool      `json:"own"`       // the same actor made both
	Assistant bool      `json:"assistant"` // made it
	Outcome   string    `json:"outcome"`   // done, the kind of a failure, or "" while nobody knows
}

// Text says who asked for the same when, and what came of it. who names them; "" leaves them without a name.
func (e Earlier) Text(lang words.Lang, who string) string {
	key := "earlier.open"
	switch e.Outcome {
	case done:
		key = "earlier.done"
	case string(Unclear):
		key = "earlier.unclear"
	}
	switch {
	case e.Own:
		who = book.Say(lang, "earlier.you", nil)
	case who == "" && e.Assistant:
		who = book.Say(lang, "earlier.assistant", nil)
	case who == "":
		who = book.Say(lang, "earlier.colleague", nil)
	}
	return book.Say(lang, key, map[string]any{"who": who, "at": e.At.In(lisbon).Format("15:04"), "own": e.Own})
}

// shared is an output that an earlier call gave to this one, which sent nothing.
type shared struct {
	Carder
	earlier Earlier
}

// seenBy tells of a call to the actor of another.
func (e entry) seenBy(other record) *Earlier {
	return &Earlier{Actor: e.Actor, At: e.Begun, Own: e.Actor == other.Actor, Assistant: e.Assistant, Outcome: e.Outcome}
}

// sameAs tells whether two calls for the same subject ask for the same. A creation and a deletion are all said by their
// subject; an update is not.
func (e entry) sameAs(intent record, effect Effect) bool {
	return e.Tool == intent.Tool && (effect != Updates || e.Digest == intent.Digest)
}

// output is what a call that is done gave.
func (t *Tool) output(done record) (Carder, error) {
	output := reflect.New(t.out)
	if err := json.Unmarshal(done.Output, output.Interface()); err != nil {
		return nil, &Error{Kind: Internal, err: err}
	}
	return output.Elem().Interface().(Carder), nil
}

// The pauses between two looks at a subject that another call holds.
const (
	shortestPause = 20 * time.Millisecond
	longestPause  = 250 * time.Millisecond
)

// claim waits until the subject of a call is its own. Where another call for it that was under way meanwhile did what
// this one asks for, that one's output comes back, and this call has nothing to send. It does not wait longer than half
// a call's time, nor for what nobody knows the outcome of.
func (r *Runner) claim(ctx context.Context, call *Call, request Request, mine hold, subject string) (held claim, found *shared, err error) {
	held.subject = subject
	if held.epoch, err = r.epoch(ctx); err != nil {
		return held, nil, err
	}
	held.until = time.Now().Add(r.CallTimeout / 2)
	if subject == "" {
		return held, nil, nil
	}
	var others []string // the calls that were under way meanwhile
	patience, pause := held.until, shortestPause
	for {
		held.until = time.Now().Add(r.CallTimeout / 2)
		token, key, left, err := r.Journal.Acquire(ctx, subject, mine.Key, r.CallTimeout)
		if err != nil {
			return held, nil, &Error{Kind: Unavailable, Store: true, err: err}
		}
		held.token = token
		other, err := r.look(ctx, key)
		if key != mine.Key && (token == 0 || other.unknown()) && !slices.Contains(others, key) {
			others = append(others, key)
		}
		if err == nil {
			found, err = r.doneBy(ctx, call, request, mine.record, others, token > 0)
		}
		switch {
		case err != nil || found != nil:
			r.release(ctx, held)
			return held, found, err
		case token > 0:
			return held, nil, nil
		}
		failure := &Error{Kind: Busy, RetryAfter: whole(left)}
		switch {
		case other.free: // its holder looks at the bank
		case key == mine.Key: // another replica is at this very call, unless it is taken over
			if mine.token == 0 {
				return held, nil, failure
			}
		default:
			failure.Earlier = other.seenBy(mine.record)
			if other.Outcome == string(Unclear) && other.sameAs(mine.record, request.Tool.Effect) {
				failure.Kind = Unclear
				return held, nil, failure
			}
		}
		if time.Now().After(patience) || !wait(ctx, pause) {
			return held, nil, failure
		}
		pause = min(pause*3/2, longestPause)
	}
}

// unknown tells a call of which nobody knows what became.
func (e entry) unknown() bool { return !e.free && e.token > 0 }

// doneBy looks for a call among others that did what this one asks for: in the journal and, once nobody else can be
// sending any more, at the bank.
func (r *Runner) doneBy(ctx context.Context, call *Call, request Request, intent record, others []string, alone bool) (*shared, error) {
	for _, key := range others {
		other, err := r.look(ctx, key)
		if err != nil {
			return nil, err
		}
		if other.free || !other.sameAs(intent, request.Tool.Effect) {
			continue
		}
		if other.Outcome == done {
			output, err := request.Tool.output(other.record)
			if err != nil {
				return nil, err
			}
			return &shared{output, *other.seenBy(intent)}, nil
		}
		if !alone || !other.unknown() {
			continue
		}
		output, found, err := recognise(ctx, call, request.Tool.input(request).(Recogniser))
		if err != nil {
			return nil, err
		}
		if found {
			other.Outcome = done
			return &shared{output, *other.seenBy(intent)}, nil
		}
	}
	return nil, nil
}

// share records in the journal that a call gets the output of another, so that its key gives the same answer again.
func (r *Runner) share(ctx context.Context, intent record, found *shared) Carder {
	_, first, err := r.Journal.Begin(ctx, intent.Key, encoded(intent), r.CallTimeout)
	if err == nil && first {
		intent.Earlier = &found.earlier
		err = r.conclude(ctx, hold{record: intent, token: 1}, found.Carder, nil)
	}
	if err != nil { // whoever finds the call open looks at the bank
		r.Log.WarnContext(ctx, "a call that another has made is missing from the journal", "call", intent.Call, "error", err)
	}
	return *found
}

// wait tells whether ctx goes on after a pause.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
