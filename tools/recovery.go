package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/balcao/balcao/internal/pii"
)

// A round of [Runner.Recover] is short enough for another replica to notice what this one leaves behind.
const (
	recoveredAtOnce = 4
	recoveredMost   = 40
)

// Recover finishes calls that were begun and that nobody holds any more: their replica died, or the bank's answer was
// lost and the lease is over. Each is finished as it was begun, in the name of who asked for it, who must still be
// allowed to. finished counts those of which the outcome is known now; err joins what kept others open.
func (r *Runner) Recover(ctx context.Context) (finished int, err error) {
	abandoned, err := r.Journal.Orphaned(ctx, recoveredMost)
	errs := make([]error, len(abandoned)+1)
	errs[len(abandoned)] = err
	ends := make([]bool, len(abandoned))
	var group errgroup.Group
	group.SetLimit(recoveredAtOnce)
	for i, data := range abandoned {
		group.Go(func() error {
			ends[i], errs[i] = r.recoverCall(ctx, data)
			return nil
		})
	}
	_ = group.Wait() // the errors are in errs
	for _, end := range ends {
		if end {
			finished++
		}
	}
	return finished, errors.Join(errs...)
}

// NoticeLoss notices when the journal has lost its data, though nobody asks for anything, so that replicas that begin
// later and know of nothing send nothing too soon.
func (r *Runner) NoticeLoss(ctx context.Context) {
	_, _, _ = r.Journal.Epoch(ctx, r.CallTimeout) // who asks for something hears of a failure
}

// recoverCall finishes one call. Its outcome goes to the log and to the audit trail as that of any other.
func (r *Runner) recoverCall(ctx context.Context, data []byte) (finished bool, err error) {
	defer func() {
		if caught := recover(); caught != nil {
			finished, err = false, fmt.Errorf("a panic of type %T", caught)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, r.CallTimeout)
	defer cancel()
	var left record
	if err := json.Unmarshal(data, &left); err != nil {
		return false, errors.New("an intent is not understood")
	}
	seen, err := r.look(ctx, left.Key)
	if err != nil || !seen.abandoned() { // somebody was faster
		return false, err
	}
	tool, known := r.Catalogue.Named(seen.Tool)
	if !known { // a newer release's, perhaps: it is for another replica
		_, _, err := r.Journal.TakeOver(ctx, seen.Key, seen.token, r.CallTimeout)
		return false, errors.Join(fmt.Errorf("call %s is of an unknown tool", seen.Call), err)
	}
	request := Request{Tool: tool, Actor: Actor{ID: seen.Actor, Lang: seen.Lang}, Args: seen.Args}
	started := r.now()
	call, err := r.takeOverAs(ctx, request, seen)
	if errors.Is(err, errOpen) {
		return false, fmt.Errorf("call %s: %s", seen.Call, pii.Scrub(err.Error()))
	}
	_ = r.finish(ctx, seen.Call, call, request, started, done, err) // its answer is in the journal: nobody waits for it here
	return true, nil
}

// takeOverAs takes a call over in the name of its actor. What an actor may do no longer is not done, nor looked at:
// nobody knows then what became of it.
func (r *Runner) takeOverAs(ctx context.Context, request Request, seen entry) (*Call, error) {
	call, err := r.admit(ctx, request.Actor, request.Tool, request.Tool.Effect)
	if err == nil {
		_, err = r.takeOver(ctx, call, request, seen)
		return call, err
	}
	token, taken, err := r.Journal.TakeOver(ctx, seen.Key, seen.token, r.CallTimeout)
	if err != nil || !taken {
		return nil, errors.Join(errOpen, err)
	}
	_, err = r.settle(ctx, heldCall{record: seen.record, token: token}, nil, &Error{Kind: Unclear})
	return nil, err
}
