package tools

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"
)

// An update of the program may remove the tool of a call that waits. Then nobody can approve it, and it ends at the next start of the
// program. A replica that was started before the call was asked for may only be older than the one that has its tool: it ends
// nothing before the time to decide is over.

// removedMost is the most approvals that are looked at for tools that were removed; those after them end when they expire.
const removedMost = 1000

// unknownFor is how long a call that was approved, and whose tool is not known, waits for a replica that makes it.
const unknownFor = 15 * time.Minute

// ToolOf returns the tool of an approval. known is false if this version of the program does not have it: then the tool has a title
// and no fields, and makes nothing.
func (r *Runner) ToolOf(a Approval) (tool *Tool, known bool) {
	if tool, known := r.Catalogue.Named(a.Tool); known {
		return tool, true
	}
	return &Tool{Spec: Spec{Name: a.Tool}, removed: true, in: reflect.TypeFor[struct{}]()}, false
}

// unknownTool returns the error of an open approval whose tool this version does not have.
func unknownTool(actor Actor) error {
	return &Error{Kind: Invalid, Problems: []Problem{problem(actor.Lang, "", "approval.unknown")}}
}

// EndRemovedApprovals ends the open approvals whose tools this version does not have. It is called once, at the start. err joins the
// errors of those that stay open.
func (r *Runner) EndRemovedApprovals(ctx context.Context) error {
	if r.Approvals == nil {
		return nil
	}
	ids, err := r.Approvals.DueApprovals(ctx, r.now().Add(max(r.ApprovalLife, ApprovalLife)), removedMost)
	errs := []error{err}
	for _, id := range ids {
		a, found, err := r.readApproval(ctx, id)
		if _, known := r.ToolOf(a); err == nil && found && !known && a.Status.Open() {
			err = r.endRemoved(ctx, a, ApprovalRemoved)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// settleUnknown ends an approval that is due and whose tool this version does not have: one that nobody could decide in time, and one
// that was approved and that no replica makes.
func (r *Runner) settleUnknown(ctx context.Context, a Approval) error {
	switch {
	case a.Status == ApprovalExpired:
		return r.endRemoved(ctx, a, ApprovalRemoved)
	case a.Status != ApprovalApproved || r.now().Before(a.Decided.Add(unknownFor)): // perhaps another replica knows it
		return nil
	}
	tool, _ := r.ToolOf(a)
	sent, err := r.look(ctx, fmt.Sprintf("%s %d", callKey(approvedRequest(a, tool), ""), 0))
	switch {
	case err != nil:
		return err
	case sent.absent:
		return r.endRemoved(ctx, a, ApprovalRemoved)
	case sent.Outcome == done:
		a.Output = sent.Output
		return r.endRemoved(ctx, a, ApprovalDone)
	}
	r.Log.WarnContext(ctx, "a call of an unknown tool was approved and may have been sent", "approval", a.ID, "actor", a.Owner)
	a.Failure = Unclear
	return r.endRemoved(ctx, a, ApprovalFailed)
}

// endRemoved ends an approval whose tool this version does not have.
func (r *Runner) endRemoved(ctx context.Context, a Approval, status ApprovalStatus) error {
	a.Status, a.Decided = status, r.now().UTC()
	if err := r.auditApproval(ctx, a, Actor{ID: a.Owner, Lang: a.Lang}, string(status)); err != nil {
		return err
	}
	_, err := r.saveApproval(ctx, &a)
	return err
}
