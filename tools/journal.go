package tools

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
)

// Journal stores calls that change something, so that each is made once. One caller begins a call and holds it for the
// time of a lease. If the call is not finished when the lease expires, others may take it over. Records contain personal
// data: a journal encrypts them.
type Journal interface {
	// Look returns the record of a call, nil if it was never begun. While the call is not finished, token is that of its
	// holder, and lease the time left to them.
	Look(ctx context.Context, key string) (record []byte, token int64, lease time.Duration, err error)
	// Begin records the intent of a call before it is made: first is true for exactly one caller, who holds it with token 1.
	Begin(ctx context.Context, key string, intent []byte, lease time.Duration) (prior []byte, first bool, err error)
	// TakeOver acquires a call whose holder had token and whose lease has expired. taken is true for exactly one caller.
	TakeOver(ctx context.Context, key string, token int64, lease time.Duration) (next int64, taken bool, err error)
	// Amend replaces the record of a call that is held with token. Finish does so too, and ends the call. Both fail if the
	// call is not held with token.
	Amend(ctx context.Context, key string, token int64, record []byte) error
	Finish(ctx context.Context, key string, token int64, outcome []byte) error
	// Orphaned returns the records of up to limit calls that are not finished and that nobody holds.
	Orphaned(ctx context.Context, limit int) (records [][]byte, err error)
	Leases
}

// record is what the journal stores about a call: all that another replica needs to finish it, and later its outcome.
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
	Outcome     string          `json:"outcome,omitempty"` // done, the kind of a failure, or "" while it is unknown
	Output      json.RawMessage `json:"output,omitempty"`  // unmasked: the journal encrypts it
	Earlier     *Earlier        `json:"earlier,omitempty"` // the call that made the change, if this one sent nothing
	Approval    string          `json:"approval,omitempty"`
	Giver       string          `json:"giver,omitempty"` // of the files, if not Actor
}

const (
	done = "done"
	// alreadyDone is the outcome in the audit log of a call that got the output of another call and sent nothing.
	alreadyDone = "already_done"
	// maxAttempts bounds how often the same key may be tried again after a failure that changed nothing.
	maxAttempts = 100
	// givenUp is the age from which an unfinished call is no longer recovered; people have to check it.
	givenUp = 24 * time.Hour
)

// entry is a record as read from the journal.
type entry struct {
	record
	absent bool // never begun
	token  int64
	lease  time.Duration
}

func (e entry) orphaned() bool { return e.token > 0 && e.lease <= 0 }

// safeToRetry reports whether the call certainly changed nothing at the bank.
func (e entry) safeToRetry() bool {
	return !e.absent && e.token == 0 && e.Outcome != done && e.Outcome != string(Unclear) && e.Outcome != string(Internal)
}

// heldCall is a call that this replica holds, with the lease on what it changes.
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

// once makes the call of a key. If that call was made before, it returns the same output again. A call that failed and
// changed nothing may be made again under its key, as another attempt.
func (r *Runner) once(ctx context.Context, id string, call *Call, request Request) (Carder, error) {
	intent := record{
		Call: id, Tool: request.Tool.Name, Actor: request.Actor.ID, Assistant: request.Actor.Assistant, Lang: request.Actor.Lang,
		Fingerprint: r.Fingerprint(request.Args), Args: request.Args, Begun: r.now().UTC(),
		Approval: request.Approval, Giver: request.giver,
	}
	call.begun = intent.Begun
	for attempt := range maxAttempts {
		intent.Key = fmt.Sprintf("%s %d", callKey(request, id), attempt)
		seen, err := r.look(ctx, intent.Key)
		if err != nil { // a call that cannot be journalled is not sent
			return nil, err
		}
		if seen.absent {
			output, begun, err := r.begin(ctx, call, request, intent)
			if begun {
				return output, err
			}
			// Another replica may have begun it meanwhile and made the change because of which the checks refused this one.
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

// begin makes a call for the first time: it acquires the lease on the target, checks the call and journals it. begun is
// false if the call was not sent.
func (r *Runner) begin(ctx context.Context, call *Call, request Request, intent record) (output Carder, begun bool, err error) {
	confirm := func(found checked) error { return r.confirm(ctx, request, callKey(request, intent.Call), found) }
	subject, err := r.target(ctx, call, request)
	if err != nil { // the checks may find the same and describe it better
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

// send sends a call that is held. If the reply is lost, it looks for the effect at the bank at once. If the effect is not
// there, the request may still arrive: the call stays open until its lease expires, and is then checked again.
func (r *Runner) send(ctx, within context.Context, call *Call, request Request, in any, held heldCall) (Carder, error) {
	within = portal.BeforeWrites(within, func(ctx context.Context) error { return r.fence(ctx, held.claim) })
	output, err := request.Tool.call(within, call, in)
	switch {
	case errors.Is(err, errLost): // the intent is lost, and no replica finds it
		return nil, err
	case err != nil && held.token > 1 && notSent(err): // the caller may be gone and not repeat it
		r.release(ctx, held.claim)
		return nil, r.open(err)
	case err == nil || convert(err).Kind != Unclear:
		return r.settle(ctx, held, output, err)
	}
	if verifier, ok := request.Tool.input(request).(Verifier); ok { // in may be merged with the data of the bank, and not name what changes
		if output, found, _ := findEffect(ctx, call, verifier); found {
			return r.settle(ctx, held, output, nil)
		}
		held.Outcome = string(Unclear)
		_ = r.keep(ctx, held, r.Journal.Amend) // if it fails, others assume that the holder is still working
		return nil, r.open(err)
	}
	return r.settle(ctx, held, nil, err)
}

var errOpen = errors.New("the call stays open")

// open returns the failure of a call whose outcome is found out later, by a repeat or a recovery.
func (r *Runner) open(cause error) error {
	return &Error{Kind: Unclear, RetryAfter: whole(r.CallTimeout), err: fmt.Errorf("%w: %w", errOpen, cause)}
}

// notRecorded returns the failure of a call that was not sent because the journal did not confirm its intent. Unless it
// is certain that the intent was not written, another replica may find it and make the call.
func (r *Runner) notRecorded(cause error) error {
	if notWritten(cause) {
		return &Error{Kind: Unavailable, Store: true, err: cause}
	}
	return &Error{Kind: Unclear, Store: true, RetryAfter: whole(2 * r.CallTimeout), err: fmt.Errorf("%w: %w", errOpen, cause)}
}

// notWritten reports whether a store failed and certainly wrote nothing.
func notWritten(err error) bool {
	var sure interface{ NotWritten() bool }
	return errors.As(err, &sure) && sure.NotWritten()
}

// resume returns the outcome of a call that was begun before, from the journal or, if the journal has none, from what the
// bank shows.
func (r *Runner) resume(ctx context.Context, call *Call, request Request, seen entry, digest string) (Carder, error) {
	call.begun = seen.Begun
	switch {
	case seen.Fingerprint != digest:
		return nil, &Error{Kind: Invalid, Problems: []Problem{problem(request.Actor.Lang, "", "key_reused")}}
	case seen.Outcome == done:
		output, err := request.Tool.output(seen.record)
		if err == nil && seen.Earlier != nil {
			output = sharedOutput{output, *seen.Earlier}
		}
		return output, err
	case seen.orphaned():
		return r.takeOver(ctx, call, request, seen)
	case seen.Outcome == "": // its holder may still be working
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

// takeOver finishes a call whose lease has expired. It makes the call again only if the bank shows that it had no effect.
// A call whose effect cannot be found out now stays open for the next attempt.
func (r *Runner) takeOver(ctx context.Context, call *Call, request Request, seen entry) (Carder, error) {
	call.begun = seen.Begun
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
	case err != nil && (notSent(err) || convert(err).Kind == Internal): // only reads of the bank failed
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

// notSent reports whether a call failed for a reason that has nothing to do with the call and may pass, or is corrected.
func notSent(err error) bool {
	return slices.Contains([]ErrorKind{Busy, Unavailable, LoginRefused, Misconfigured}, convert(err).Kind)
}

// settle replaces the intent by the outcome, even after the time-out of the call: the bank has replied. A failure that
// cannot be recorded is reported as unclear, because the next attempt may make the call.
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

// conclude records the outcome of a call and ends it.
func (r *Runner) conclude(ctx context.Context, held heldCall, output Carder, failure error) (err error) {
	held.Outcome, held.Args, held.Confirmed = done, nil, nil
	if failure != nil {
		held.Outcome = string(convert(failure).Kind)
	} else if held.Output, err = pii.MarshalClear(output); err != nil {
		held.Outcome = string(Unclear)
	}
	return r.keep(ctx, held, r.Journal.Finish)
}

// keep writes the record of a call with in, unless another call has acquired its target.
func (r *Runner) keep(ctx context.Context, held heldCall, in func(context.Context, string, int64, []byte) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := r.stillHolds(ctx, held.claim, 0)
	if err == nil {
		err = in(ctx, held.Key, held.token, encoded(held.record))
	}
	if err != nil {
		r.Log.ErrorContext(ctx, "recording an outcome in the journal failed", "call", held.Call, "outcome", held.Outcome, "error", err)
	}
	return err
}

// Verifier is implemented by inputs whose effect the bank shows. Without it, a call that was sent and got no reply stays
// unclear until a person has checked.
type Verifier interface {
	// FindEffect looks for the effect at the bank and returns the output of the call; found is false if there is none.
	FindEffect(ctx context.Context, call *Call) (output Carder, found bool, err error)
	// Target returns what identifies the effect, such as a process and a tax number. Of all calls with the same target,
	// one at a time reads the bank and sends.
	Target(ctx context.Context, call *Call) ([]string, error)
}

// findEffect calls FindEffect and turns a panic into an error.
func findEffect(ctx context.Context, call *Call, in Verifier) (output Carder, found bool, err error) {
	defer func() {
		if caught := recover(); caught != nil {
			found, err = false, fmt.Errorf("a panic of type %T", caught)
		}
	}()
	return in.FindEffect(ctx, call)
}

// input returns the arguments of a request as they are sent to the bank; nil if they cannot be read.
func (t *Tool) input(request Request) any {
	in, malformed := t.decode(request.Args, request.Actor.Lang)
	if len(malformed) > 0 {
		return nil
	}
	return t.normalised(in)
}

// whole rounds up to seconds, so that a person who waits that long does not retry too early.
func whole(d time.Duration) time.Duration { return (d + time.Second - 1).Truncate(time.Second) }

func encoded(r record) []byte {
	data, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings and raw JSON marshal
	}
	return data
}
