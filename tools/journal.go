package tools

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
)

// Journal remembers calls that change something, so that each is made once. A call is begun by one, who holds it for
// the time of a lease; while it is not finished, others may take it over once the lease is over. Records hold personal
// data: a journal seals them.
type Journal interface {
	// Look gives what is recorded of a call: nil of one that was never begun. While it is not finished, token is that of
	// its holder, and lease what is left to them.
	Look(ctx context.Context, key string) (record []byte, token int64, lease time.Duration, err error)
	// Begin records the intent of a call before it is made: first is true for one caller, who holds it under the token 1.
	Begin(ctx context.Context, key string, intent []byte, lease time.Duration) (prior []byte, first bool, err error)
	// TakeOver lets one caller hold a call that token holds no longer.
	TakeOver(ctx context.Context, key string, token int64, lease time.Duration) (next int64, taken bool, err error)
	// Amend replaces the record of a call that token holds, and Finish does so for good. They fail when it does not.
	Amend(ctx context.Context, key string, token int64, record []byte) error
	Finish(ctx context.Context, key string, token int64, outcome []byte) error
	// Orphaned gives the records of calls that are not finished and that nobody holds, limit of them at most.
	Orphaned(ctx context.Context, limit int) (records [][]byte, err error)
	Leases
}

// record is what the journal holds of a call: all that another replica needs to finish it, and later its outcome.
type record struct {
	Key         string          `json:"key"`
	Call        string          `json:"call"`
	Tool        string          `json:"tool"`
	Actor       string          `json:"actor"`
	Assistant   bool            `json:"assistant,omitempty"`
	Lang        words.Lang      `json:"lang"`
	Fingerprint string          `json:"digest"` // of the arguments
	Args        json.RawMessage `json:"args,omitempty"`
	Confirmed   []string        `json:"confirmed,omitempty"` // marks
	Begun       time.Time       `json:"begun"`
	Outcome     string          `json:"outcome,omitempty"` // done, the kind of a failure, or "" while nobody knows
	Output      json.RawMessage `json:"output,omitempty"`  // in the clear: the journal seals it
	Earlier     *Earlier        `json:"earlier,omitempty"` // whose outcome it is, of a call that sent nothing itself
}

const (
	done = "done"
	// alreadyDone is what the audit trail says of a call that got the output of another and sent nothing.
	alreadyDone = "already_done"
	// maxAttempts bounds how often the same key may be tried again after a failure that changed nothing.
	maxAttempts = 100
	// givenUp is the age at which a call that still nobody could finish is left to people.
	givenUp = 24 * time.Hour
)

// entry is what the journal was seen to hold of a call.
type entry struct {
	record
	absent bool // never begun
	token  int64
	lease  time.Duration
}

func (e entry) abandoned() bool { return e.token > 0 && e.lease <= 0 }

// safeToRetry tells the outcomes of which it is certain that nothing is different at the bank.
func (e entry) safeToRetry() bool {
	return !e.absent && e.token == 0 && e.Outcome != done && e.Outcome != string(Unclear) && e.Outcome != string(Internal)
}

// heldCall is a call that this replica holds, with the subject that it changes.
type heldCall struct {
	record
	token int64
	claim heldTarget
}

func (r *Runner) look(ctx context.Context, key string) (entry, error) {
	data, token, lease, err := r.Journal.Look(ctx, key)
	if err != nil {
		return entry{}, &Error{Kind: Unavailable, Store: true, err: err}
	}
	seen := entry{absent: data == nil, token: token, lease: lease}
	if seen.absent {
		return seen, nil
	}
	if err := json.Unmarshal(data, &seen.record); err != nil {
		return entry{}, &Error{Kind: Internal, err: err}
	}
	seen.Key = key
	return seen, nil
}

// once makes the call that a key stands for, unless it was made already: then it gives the same answer again. A call
// that failed and changed nothing may be made again under its key, as a further attempt.
func (r *Runner) once(ctx context.Context, id string, call *Call, request Request) (Carder, error) {
	intent := record{
		Call: id, Tool: request.Tool.Name, Actor: request.Actor.ID, Assistant: request.Actor.Assistant, Lang: request.Actor.Lang,
		Fingerprint: r.Fingerprint(request.Args), Args: request.Args, Begun: r.now().UTC(),
	}
	for attempt := range maxAttempts {
		intent.Key = fmt.Sprintf("%s %d", callKey(request, id), attempt)
		seen, err := r.look(ctx, intent.Key)
		if err != nil { // what cannot be journalled is not sent
			return nil, err
		}
		if seen.absent {
			output, begun, err := r.begin(ctx, call, request, intent)
			if begun {
				return output, err
			}
			// Whoever began it meanwhile may have done already what the checks have just refused.
			if seen, _ = r.look(ctx, intent.Key); seen.Key == "" {
				return nil, err
			}
		}
		if !seen.safeToRetry() {
			return r.resume(ctx, call, request, seen, intent.Fingerprint)
		}
	}
	return nil, &Error{Kind: Busy}
}

// begin makes a call for the first time, once its subject is its own, it is accepted, and it is in the journal. begun is
// false when it was not sent.
func (r *Runner) begin(ctx context.Context, call *Call, request Request, intent record) (output Carder, begun bool, err error) {
	confirm := func(found checked) error { return r.confirm(ctx, request, callKey(request, intent.Call), found) }
	subject, err := r.target(ctx, call, request)
	if err != nil { // perhaps for what the checks find too, and say better
		_, refused := r.accept(ctx, call, request, confirm)
		return nil, false, cmp.Or(refused, err)
	}
	held, earlier, err := r.acquire(ctx, call, request, heldCall{record: intent}, subject)
	if err != nil {
		return nil, false, err
	}
	if earlier != nil {
		return r.share(ctx, intent, earlier), true, nil
	}
	within, cancel := held.sending(ctx)
	defer cancel()
	found, err := r.accept(within, call, request, confirm)
	if err != nil {
		r.release(ctx, held)
		return nil, false, err
	}
	if err := r.announce(ctx, intent.Call, call, request); err != nil {
		r.release(ctx, held)
		return nil, false, err
	}
	if err := r.noteAddresses(ctx, request, found); err != nil {
		r.release(ctx, held)
		return nil, false, err
	}
	intent.Confirmed = marks(found.problems)
	_, first, err := r.Journal.Begin(ctx, intent.Key, encoded(intent), r.CallTimeout)
	switch {
	case err != nil:
		if notWritten(err) {
			r.release(ctx, held)
		}
		return nil, false, r.notRecorded(err)
	case !first:
		r.release(ctx, held)
		return nil, false, &Error{Kind: Busy}
	}
	output, err = r.send(ctx, within, call, request, found.sent, heldCall{intent, 1, held})
	return output, true, err
}

// send makes a call that is held. Where its answer is lost, it looks at the bank at once; what is not there yet may
// still come, so that the call stays open until the lease is over, and is then looked at again.
func (r *Runner) send(ctx, within context.Context, call *Call, request Request, in any, held heldCall) (Carder, error) {
	within = portal.BeforeWrites(within, func(ctx context.Context) error { return r.fence(ctx, held.claim) })
	output, err := request.Tool.call(within, call, in)
	switch {
	case errors.Is(err, errLost): // the intent is gone, and nobody else finds it
		return nil, err
	case err != nil && held.token > 1 && notSent(err): // who asked for it may not be there to ask again
		r.release(ctx, held.claim)
		return nil, r.open(err)
	case err == nil || convert(err).Kind != Unclear:
		return r.settle(ctx, held, output, err)
	}
	if verifier, ok := request.Tool.input(request).(Verifier); ok { // in may be whole, and not tell what it changes
		if output, found, _ := findEffect(ctx, call, verifier); found {
			return r.settle(ctx, held, output, nil)
		}
		held.Outcome = string(Unclear)
		_ = r.keep(ctx, held, r.Journal.Amend) // without it, others take the holder for still at work
		return nil, r.open(err)
	}
	return r.settle(ctx, held, nil, err)
}

var errOpen = errors.New("the call stays open")

// open is the failure of a call of which the journal finds out later what became.
func (r *Runner) open(cause error) error {
	return &Error{Kind: Unclear, RetryAfter: whole(r.CallTimeout), err: fmt.Errorf("%w: %w", errOpen, cause)}
}

// notRecorded is the failure of a call that was not sent, because the journal did not confirm its intent. Unless it is
// certain that the intent was not written, somebody may find it there and carry the call out.
func (r *Runner) notRecorded(cause error) error {
	if notWritten(cause) {
		return &Error{Kind: Unavailable, Store: true, err: cause}
	}
	return &Error{Kind: Unclear, Store: true, RetryAfter: whole(2 * r.CallTimeout), err: fmt.Errorf("%w: %w", errOpen, cause)}
}

// notWritten tells failures of a store that certainly wrote nothing.
func notWritten(err error) bool {
	var sure interface{ NotWritten() bool }
	return errors.As(err, &sure) && sure.NotWritten()
}

// resume answers a call that was begun before from what the journal holds of it and, where that does not say what
// became of it, from what the bank holds.
func (r *Runner) resume(ctx context.Context, call *Call, request Request, seen entry, digest string) (Carder, error) {
	switch {
	case seen.Fingerprint != digest:
		return nil, &Error{Kind: Invalid, Problems: []Problem{problem(request.Actor.Lang, "", "key_reused")}}
	case seen.Outcome == done:
		output, err := request.Tool.output(seen.record)
		if err == nil && seen.Earlier != nil {
			output = sharedOutput{output, *seen.Earlier}
		}
		return output, err
	case seen.abandoned():
		return r.takeOver(ctx, call, request, seen)
	case seen.Outcome == "": // whoever makes it may live
		return nil, &Error{Kind: Busy, RetryAfter: whole(seen.lease)}
	}
	unclear := &Error{Kind: Unclear, RetryAfter: whole(seen.lease)}
	verifier, ok := request.Tool.input(request).(Verifier)
	if !ok {
		return nil, unclear
	}
	output, found, err := findEffect(ctx, call, verifier)
	if !found {
		unclear.err = err
		return nil, unclear
	}
	if seen.token > 0 {
		return r.settle(ctx, heldCall{seen.record, seen.token, heldTarget{}}, output, nil)
	}
	r.changed(ctx, request.Tool, seen.Actor, output)
	return output, nil
}

// takeOver finishes a call whose holder is gone, or never learnt what became of it. It is made again only when the bank
// shows that it did not take hold. What cannot be found out now stays open for the next who looks.
func (r *Runner) takeOver(ctx context.Context, call *Call, request Request, seen entry) (Carder, error) {
	token, taken, err := r.Journal.TakeOver(ctx, seen.Key, seen.token, r.CallTimeout)
	switch {
	case err != nil:
		return nil, r.open(err)
	case !taken:
		return nil, &Error{Kind: Busy, RetryAfter: whole(r.CallTimeout), err: errOpen}
	}
	held := heldCall{record: seen.record, token: token}
	verifier, ok := request.Tool.input(request).(Verifier)
	if !ok || r.now().Sub(seen.Begun) > givenUp {
		return r.settle(ctx, held, nil, &Error{Kind: Unclear})
	}
	subject, err := r.target(ctx, call, request)
	if err != nil {
		return nil, r.open(err)
	}
	claimed, earlier, err := r.acquire(ctx, call, request, held, subject)
	if err != nil {
		return nil, r.open(err)
	}
	if earlier != nil {
		return r.settle(ctx, held, earlier.Carder, nil)
	}
	held.claim = claimed
	within, cancel := claimed.sending(ctx)
	defer cancel()
	output, found, err := findEffect(within, call, verifier)
	if found {
		return r.settle(ctx, held, output, nil)
	}
	if err != nil {
		r.release(ctx, claimed)
		return nil, r.open(err)
	}
	accepted, err := r.accept(within, call, request, func(found checked) error { return decide(found.problems, seen.Confirmed) })
	switch {
	case err != nil && (notSent(err) || convert(err).Kind == Internal): // of the bank, which was only asked
		r.release(ctx, claimed)
		return nil, r.open(err)
	case err != nil:
		return r.settle(ctx, held, nil, err)
	}
	if err := r.announce(ctx, held.Call, call, request); err != nil {
		r.release(ctx, claimed)
		return nil, r.open(err)
	}
	return r.send(ctx, within, call, request, accepted.sent, held)
}

// notSent tells failures that say nothing of the call, but of the bank's day: tomorrow it may go well.
func notSent(err error) bool {
	kind := convert(err).Kind
	return kind == Busy || kind == Unavailable
}

// settle records the outcome in the place of the intent, even when the call's time is up: the bank has answered. A
// failure that cannot be recorded is told as unclear, because whoever finds the call open makes it again.
func (r *Runner) settle(ctx context.Context, held heldCall, output Carder, failure error) (Carder, error) {
	err := r.conclude(ctx, held, output, failure)
	r.release(ctx, held.claim)
	if err != nil && failure != nil {
		return nil, r.open(failure)
	}
	if tool, known := r.Catalogue.Named(held.Tool); known && failure == nil {
		r.changed(ctx, tool, held.Actor, output)
	}
	return output, failure
}

// conclude records what became of a call, for good.
func (r *Runner) conclude(ctx context.Context, held heldCall, output Carder, failure error) (err error) {
	held.Outcome, held.Args, held.Confirmed = done, nil, nil
	if failure != nil {
		held.Outcome = string(convert(failure).Kind)
	} else if held.Output, err = pii.MarshalClear(output); err != nil {
		held.Outcome = string(Unclear)
	}
	return r.keep(ctx, held, r.Journal.Finish)
}

// keep writes what the holder of a call knows of it, and nothing once another call holds its subject.
func (r *Runner) keep(ctx context.Context, held heldCall, in func(context.Context, string, int64, []byte) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := r.stillHolds(ctx, held.claim, 0)
	if err == nil {
		err = in(ctx, held.Key, held.token, encoded(held.record))
	}
	if err != nil {
		r.Log.ErrorContext(ctx, "an outcome is missing from the journal", "call", held.Call, "outcome", held.Outcome, "error", err)
	}
	return err
}

// Verifier is implemented by inputs whose effect can be seen at the bank. Where it cannot, a call that was sent and
// not answered stays unclear until a person has looked.
type Verifier interface {
	// FindEffect gives the output of a call that took hold, looking for its effect; found is false when it is not there.
	FindEffect(ctx context.Context, call *Call) (output Carder, found bool, err error)
	// Selector is what its effect is recognised by, such as a process and a tax number. Of all calls with the same
	// subject one at a time looks at the bank and sends.
	Target(ctx context.Context, call *Call) ([]string, error)
}

// findEffect keeps panics of a look from taking the program along.
func findEffect(ctx context.Context, call *Call, in Verifier) (output Carder, found bool, err error) {
	defer func() {
		if caught := recover(); caught != nil {
			found, err = false, fmt.Errorf("a panic of type %T", caught)
		}
	}()
	return in.FindEffect(ctx, call)
}

// input is what a request's arguments say, as the bank gets it; nil when they say nothing.
func (t *Tool) input(request Request) any {
	in, malformed := t.decode(request.Args, request.Actor.Lang)
	if len(malformed) > 0 {
		return nil
	}
	return t.normalised(in)
}

// whole rounds up to seconds: what people are told to wait should not be a moment too short.
func whole(d time.Duration) time.Duration { return (d + time.Second - 1).Truncate(time.Second) }

func encoded(r record) []byte {
	data, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings and raw JSON marshal
	}
	return data
}
