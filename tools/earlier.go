package tools

import (
	"context"
	"encoding/json"
	"reflect"
	"time"

	"github.com/balcao/balcao/internal/lisbon"
	"github.com/balcao/balcao/internal/words"
)

// Earlier is a call for the same change that was under way when another one was made.
type Earlier struct {
	Actor     string    `json:"actor"`
	At        time.Time `json:"at"`
	Own       bool      `json:"own"`       // the same actor made both
	Assistant bool      `json:"assistant"` // an assistant made it
	Outcome   string    `json:"outcome"`   // done, the kind of a failure, or "" while it is unknown
}

// Text returns who made the same request, when, and its outcome. who is the name of the caller; "" for no name.
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

// sharedOutput is the output of an earlier call, returned by one that sent nothing.
type sharedOutput struct {
	Carder
	earlier Earlier
}

// seenBy returns e as it is shown to the actor of another call.
func (e entry) seenBy(other record) *Earlier {
	return &Earlier{Actor: e.Actor, At: e.Begun, Own: e.Actor == other.Actor, Assistant: e.Assistant, Outcome: e.Outcome}
}

// sameAs reports whether two calls for the same target make the same change. Creations and deletions of one target do;
// updates may differ.
func (e entry) sameAs(intent record, effect Effect) bool {
	return e.Tool == intent.Tool && (effect != Updates || e.Fingerprint == intent.Fingerprint)
}

// output returns the output of a call that is done.
func (t *Tool) output(done record) (Carder, error) {
	output := reflect.New(t.out)
	if err := json.Unmarshal(done.Output, output.Interface()); err != nil {
		return nil, &Error{Kind: Internal, err: err}
	}
	return output.Elem().Interface().(Carder), nil
}

// share journals a call with the output of another, so that its key returns the same output again.
func (r *Runner) share(ctx context.Context, intent record, found *sharedOutput) Carder {
	_, first, err := r.Journal.Begin(ctx, intent.Key, encoded(intent), r.CallTimeout)
	if err == nil && first {
		intent.Earlier = &found.earlier
		err = r.conclude(ctx, heldCall{record: intent, token: 1}, found.Carder, nil)
	}
	if err != nil { // the next attempt reads the bank
		r.Log.WarnContext(ctx, "journalling a call with the output of another failed", "call", intent.Call, "error", err)
	}
	return *found
}
