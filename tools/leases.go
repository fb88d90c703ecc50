package tools

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/balcao/balcao/internal/pause"
)

// Leases prevent two calls from changing the same thing at the bank at once, on all replicas.
type Leases interface {
	// Acquire gives a call, named by its key in the journal, the lease on a target. token is 0 while another call has it,
	// for as long as left. other is that call or, if token is not 0, the one that had the lease last, "" for none.
	Acquire(ctx context.Context, subject, call string, lease time.Duration) (token int64, other string, left time.Duration, err error)
	// Hold reports whether no other call has acquired the target since, and extends the lease to at least least.
	Hold(ctx context.Context, subject string, token int64, least time.Duration) (held bool, err error)
	// Release ends a lease. It does nothing if another call has the lease.
	Release(ctx context.Context, subject string, token int64) error
	// Epoch returns an identifier that changes when the journal has lost its data. For the time of rest after that, left is
	// more than 0, and nothing may be sent: requests sent before may still arrive at the bank.
	Epoch(ctx context.Context, rest time.Duration) (epoch string, left time.Duration, err error)
}

var (
	errLost   = errors.New("the journal has lost its data")
	errFenced = errors.New("another call holds the subject")
)

// heldTarget is the lease that a call has while it reads the bank, sends and records.
type heldTarget struct {
	epoch  string // of the journal when the call began
	target string // "" for a call whose effect the bank does not show: nobody knows which calls have the same
	token  int64
	until  time.Time // the end of sending
}

// sending limits reading and sending to the first half of the lease. A request on its way to the bank then has the second
// half to arrive, before another replica may assume that it never will.
func (c heldTarget) sending(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithDeadline(ctx, c.until)
}

// target returns a fingerprint of what a call changes, "" if the bank does not show its effect.
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

// epoch returns the epoch of the journal. It fails while requests from before a loss of data may be on their way.
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

// The pauses between two attempts to acquire a lease.
const (
	shortestPause = 20 * time.Millisecond
	longestPause  = 250 * time.Millisecond
)

// acquire waits until a call has the lease on its target. If another call that was under way meanwhile made the same
// change, acquire returns the output of that call, and this one sends nothing. It waits no longer than half the time-out
// of a call, and does not wait for a call whose outcome is unclear.
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
	waitUntil, delay := held.until, shortestPause
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
		case other.absent: // its holder is reading the bank
		case key == mine.Key: // another replica is making this call, unless it is taken over
			if mine.token == 0 {
				return held, nil, failure
			}
		default:
			failure.Earlier = other.seenBy(mine.record)
			if other.Outcome == string(Unclear) { // it stays unclear until its lease expires
				if failure.Earlier.Outcome = ""; other.sameAs(mine.record, request.Tool.Effect) {
					failure.Kind, failure.Earlier.Outcome = Unclear, string(Unclear)
				}
				return held, nil, failure
			}
		}
		if time.Now().After(waitUntil) || !pause.For(ctx, delay) {
			return held, nil, failure
		}
		delay = min(delay*3/2, longestPause)
	}
}

// unknown reports whether the call is not finished.
func (e entry) unknown() bool { return !e.absent && e.token > 0 }

// doneBy looks for a call among others that made the same change: in the journal and, if alone, at the bank. alone means
// that no other call can be sending any more.
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

// fence is called right before a request is sent to the bank. It fails if the call no longer has its lease, or if the
// journal has lost its data: others may have begun the same since, and the bank has to be read again.
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

// stillHolds returns an error if the call no longer has its lease.
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

// release ends the lease. If that fails, the lease expires.
func (r *Runner) release(ctx context.Context, held heldTarget) {
	if held.token == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := r.Journal.Release(ctx, held.target, held.token); err != nil {
		r.Log.WarnContext(ctx, "releasing a lease failed; it will expire", "error", err)
	}
}
