package tools

import (
	"context"
	"encoding/json"
	"reflect"
	"time"

	"github.com/balcao/balcao/internal/lisbon"
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
	case who != "":
	case e.Assistant:
		who = engineWords.Say(lang, "earlier.assistant", nil)
	default:
		who = engineWords.Say(lang, "earlier.colleague", nil)
	}
	return engineWords.Say(lang, key, map[string]any{"who": who, "at": e.At.In(lisbon.Zone).Format("15:04"), "own": e.Own})
}

// sharedOutput is an output that an earlier call gave to this one, which sent nothing.
type sharedOutput struct {
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
	return e.Tool == intent.Tool && (effect != Updates || e.Fingerprint == intent.Fingerprint)
}

// output is what a call that is done gave.
func (t *Tool) output(done record) (Carder, error) {
	output := reflect.New(t.out)
	if err := json.Unmarshal(done.Output, output.Interface()); err != nil {
		return nil, &Error{Kind: Internal, err: err}
	}
	return output.Elem().Interface().(Carder), nil
}

// share records in the journal that a call gets the output of another, so that its key gives the same answer again.
func (r *Runner) share(ctx context.Context, intent record, found *sharedOutput) Carder {
	_, first, err := r.Journal.Begin(ctx, intent.Key, encoded(intent), r.CallTimeout)
	if err == nil && first {
		intent.Earlier = &found.earlier
		err = r.conclude(ctx, heldCall{record: intent, token: 1}, found.Carder, nil)
	}
	if err != nil { // whoever finds the call open looks at the bank
		r.Log.WarnContext(ctx, "a call that another has made is missing from the journal", "call", intent.Call, "error", err)
	}
	return *found
}
