package tools

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/balcao/balcao/internal/pause"
)

// Leases keep two calls from changing the same thing at the bank at once, whoever makes them and at whichever replica.
type Leases interface {
	// Acquire lets one call, named by its key in the journal, hold a subject for the time of a lease. token is 0 while
	// another call holds it, for as long as left. other is that call or, once the subject is ours, the one that held it
	// last, "" when there was none.
	Acquire(ctx context.Context, subject, call string, lease time.Duration) (token int64, other string, left time.Duration, err error)
	// Hold tells whether nobody has claimed the subject since, and keeps the lease for at least that much longer.
	Hold(ctx context.Context, subject string, token int64, least time.Duration) (held bool, err error)
	// Release ends a lease before its time. It does nothing to that of another.
	Release(ctx context.Context, subject string, token int64) error
	// Epoch is another one after the journal has lost its data. Then, for the time of rest, left is more than 0, and
	// nothing may be sent: what was sent before may be on its way to the bank still.
	Epoch(ctx context.Context, rest time.Duration) (epoch string, left time.Duration, err error)
}

var (
	errLost   = errors.New("the journal has lost its data")
	errFenced = errors.New("another call holds the subject")
)

// heldTarget is what a call holds while it looks at the bank, sends and records.
type heldTarget struct {
	epoch  string    // of the journal when the call began
	target string    // "" for a call whose effect cannot be seen at the bank: nobody knows which calls have the same
	token  int64     //
	until  time.Time // the end of sending
}

// sending bounds looking and sending to the first half of the lease: what is on the way to the bank then has the other
// half to arrive, before anybody may believe that it never will.
func (c heldTarget) sending(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithDeadline(ctx, c.until)
}

// target is a keyed digest of what a call changes, "" where its effect cannot be seen at the bank.
func (r *Runner) target(ctx context.Context, call *Call, request Request) (string, error) {
	in, ok := request.Tool.input(request).(Verifier)
	if !ok {
		return "", nil
	}
	parts, err := in.Target(ctx, call)
	if err != nil {
		return "", err
	}
	return r.Fingerprint(fmt.Appendf(nil, "subject %q", parts)), nil
}

// epoch names the time since the journal last lost its data. It fails while what was sent before may be on its way.
func (r *Runner) epoch(ctx context.Context) (string, error) {
	epoch, rest, err := r.Journal.Epoch(ctx, r.CallTimeout)
	switch {
	case err != nil:
		return "", &Error{Kind: Unavailable, Store: true, err: err}
	case rest > 0:
		return "", &Error{Kind: Unavailable, Store: true, RetryAfter: whole(rest), err: errLost}
	}
	return epoch, nil
}

// The pauses between two looks at a subject that another call holds.
const (
	shortestPause = 20 * time.Millisecond
	longestPause  = 250 * time.Millisecond
)

// acquire waits until the subject of a call is its own. Where another call for it that was under way meanwhile did what
// this one asks for, that one's output comes back, and this call has nothing to send. It does not wait longer than half
// a call's time, nor for what nobody knows the outcome of.
func (r *Runner) acquire(ctx context.Context, call *Call, request Request, mine heldCall, subject string) (held heldTarget, found *sharedOutput, err error) {
	held.target = subject
	if held.epoch, err = r.epoch(ctx); err != nil {
		return held, nil, err
	}
	held.until = time.Now().Add(r.CallTimeout / 2)
	if subject == "" {
		return held, nil, nil
	}
	var others []string // the calls that were under way meanwhile
	patience, delay := held.until, shortestPause
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
		case other.absent: // its holder looks at the bank
		case key == mine.Key: // another replica is at this very call, unless it is taken over
			if mine.token == 0 {
				return held, nil, failure
			}
		default:
			failure.Earlier = other.seenBy(mine.record)
			if other.Outcome == string(Unclear) { // it stays so until its lease is over
				if failure.Earlier.Outcome = ""; other.sameAs(mine.record, request.Tool.Effect) {
					failure.Kind, failure.Earlier.Outcome = Unclear, string(Unclear)
				}
				return held, nil, failure
			}
		}
		if time.Now().After(patience) || !pause.For(ctx, delay) {
			return held, nil, failure
		}
		delay = min(delay*3/2, longestPause)
	}
}

// unknown tells a call of which nobody knows what became.
func (e entry) unknown() bool { return !e.absent && e.token > 0 }

// doneBy looks for a call among others that did what this one asks for: in the journal and, once nobody else can be
// sending any more, at the bank.
func (r *Runner) doneBy(ctx context.Context, call *Call, request Request, intent record, others []string, alone bool) (*sharedOutput, error) {
	for _, key := range others {
		other, err := r.look(ctx, key)
		if err != nil {
			return nil, err
		}
		if other.absent || !other.sameAs(intent, request.Tool.Effect) {
			continue
		}
		if other.Outcome == done {
			output, err := request.Tool.output(other.record)
			if err != nil {
				return nil, err
			}
			return &sharedOutput{output, *other.seenBy(intent)}, nil
		}
		if !alone || !other.unknown() {
			continue
		}
		output, found, err := findEffect(ctx, call, request.Tool.input(request).(Verifier))
		if err != nil {
			return nil, err
		}
		if found {
			other.Outcome = done
			return &sharedOutput{output, *other.seenBy(intent)}, nil
		}
	}
	return nil, nil
}

// fence is asked right before a request to the bank goes out. It keeps back who is not the holder any more, and whose
// intent and lease the journal has lost: others may have begun the same since, and the bank has to be looked at again.
func (r *Runner) fence(ctx context.Context, held heldTarget) error {
	epoch, err := r.epoch(ctx)
	switch {
	case err != nil:
		return err
	case epoch != held.epoch:
		return &Error{Kind: Unavailable, Store: true, RetryAfter: whole(r.CallTimeout), err: errLost}
	}
	return r.stillHolds(ctx, held, r.CallTimeout/2)
}

// stillHolds fails for who is not the holder of a subject any more.
func (r *Runner) stillHolds(ctx context.Context, held heldTarget, least time.Duration) error {
	if held.target == "" {
		return nil
	}
	switch ours, err := r.Journal.Hold(ctx, held.target, held.token, least); {
	case err != nil:
		return &Error{Kind: Unavailable, Store: true, err: err}
	case !ours:
		return &Error{Kind: Busy, RetryAfter: whole(r.CallTimeout), err: errFenced}
	}
	return nil
}

// release lets others have the subject. What is not released runs out.
func (r *Runner) release(ctx context.Context, held heldTarget) {
	if held.token == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := r.Journal.Release(ctx, held.target, held.token); err != nil {
		r.Log.WarnContext(ctx, "a lease is not released and runs out", "error", err)
	}
}
