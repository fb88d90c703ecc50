package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/balcao/balcao/internal/pii"
)

// A round of [Runner.Recover] is short, so that other replicas soon see what it has not finished.
const (
	recoveredAtOnce = 4
	recoveredMost   = 40
)

// Recover finishes calls that were begun and that nobody holds any more: their replica crashed, or the reply of the bank
// was lost and the lease has expired. Each is finished as its actor, who must still be permitted to make it. finished is
// the number of calls whose outcome is now known; err joins the errors of those that stay open.
func (r *Runner) Recover(ctx context.Context) (finished int, err error) {
	orphaned, err := r.Journal.Orphaned(ctx, recoveredMost)
	errs := make([]error, len(orphaned)+1)
	errs[len(orphaned)] = err
	ends := make([]bool, len(orphaned))
	var group errgroup.Group
	group.SetLimit(recoveredAtOnce)
	for i, data := range orphaned {
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

// NoticeLoss detects that the journal has lost its data while no call is made, so that replicas which start later send
// nothing too soon.
func (r *Runner) NoticeLoss(ctx context.Context) {
	_, _, _ = r.Journal.Epoch(ctx, r.CallTimeout) // the next call reports a failure
}

// recoverCall finishes one call. Its outcome is logged and audited like that of any other call.
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
	if err != nil || !seen.orphaned() { // another replica was faster
		return false, err
	}
	tool, known := r.Catalogue.Named(seen.Tool)
	if !known { // perhaps of a newer release: another replica finishes it
		_, _, err := r.Journal.TakeOver(ctx, seen.Key, seen.token, r.CallTimeout)
		return false, errors.Join(fmt.Errorf("call %s is of an unknown tool", seen.Call), err)
	}
	request := Request{Tool: tool, Actor: Actor{ID: seen.Actor, Lang: seen.Lang}, Args: seen.Args, Approval: seen.Approval, giver: seen.Giver}
	started := r.now()
	call, err := r.takeOverAs(ctx, request, seen)
	defer call.closeFiles()
	if errors.Is(err, errOpen) {
		return false, fmt.Errorf("call %s: %s", seen.Call, pii.Scrub(err.Error()))
	}
	if err == nil {
		call.dropFiles(ctx)
	}
	_ = r.finish(ctx, seen.Call, call, request, started, done, err) // the output is in the journal: nobody waits for it here
	return true, nil
}

// takeOverAs takes a call over as its actor. If the actor may no longer make it, the bank is neither called nor read, and
// the outcome stays unclear.
func (r *Runner) takeOverAs(ctx context.Context, request Request, seen entry) (*Call, error) {
	call, err := r.admit(ctx, request.Actor, request.Tool, request.Tool.Effect)
	if err == nil {
		call.recovered, call.approved, call.giver = true, seen.Approval != "", seen.Giver
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
