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
)

// Approved says what a person approves.
type Approved struct {
	Seen string // that of the [Review] which she was shown
	// Args are the arguments of a form in which she reviewed and perhaps changed the call, as she was shown them by
	// [Runner.ReviewArgs]; without Seen, Confirmed has the marks of the warnings. Without Args the call is made as it was asked for.
	Args      json.RawMessage
	Confirmed []string
}

// Approve makes the call of an approval, once, as the person who approves it. If what she was shown is no longer so, nothing is
// done, and the error has the kind Unconfirmed: she has to be shown it again. If another replica is making the call, the error has
// the kind Busy. Errors are [*Error].
func (r *Runner) Approve(ctx context.Context, actor Actor, id string, given Approved) (Result, error) {
	a, tool, err := r.approve(ctx, actor, id, given)
	if err != nil {
		return Result{}, r.explained(ctx, actor, tool, err)
	}
	return r.makeApproved(ctx, a, tool)
}

// approve records the decision. Of several callers one succeeds.
func (r *Runner) approve(ctx context.Context, actor Actor, id string, given Approved) (Approval, *Tool, error) {
	a, err := r.ownApproval(ctx, actor, id)
	if err != nil {
		return a, nil, err
	}
	tool, known := r.ToolOf(a)
	if err := r.notOpen(actor, a); err != nil {
		return a, tool, err
	}
	if !known {
		return a, tool, unknownTool(actor)
	}
	if given.Args == nil || given.Seen != "" {
		review, in, err := r.toReview(ctx, actor, id, given.Args)
		if err == nil {
			review, err = r.lookOver(ctx, actor, review, in)
		}
		if err == nil {
			err = decide(review.Problems, marks(review.Problems))
		}
		if err != nil {
			return a, tool, cmp.Or(r.decidedMeanwhile(ctx, actor, id), err)
		}
		if given.Seen == "" || given.Seen != review.Seen {
			altered := warning(actor.Lang, "", "approval.altered")
			return a, tool, &Error{Kind: Unconfirmed, Problems: append([]Problem{altered}, review.Problems...)}
		}
		given.Args, given.Confirmed = review.Args, marks(review.Problems)
	} else if err := r.checkForm(ctx, actor, a, tool, given); err != nil {
		return a, tool, cmp.Or(r.decidedMeanwhile(ctx, actor, id), err)
	}
	a.Status, a.Final, a.Confirmed, a.By, a.Decided = ApprovalApproved, given.Args, given.Confirmed, actor.Lang, r.now().UTC()
	a.Changed = r.changedPaths(ctx, actor, tool, a)
	outcomes := []string{string(ApprovalApproved)}
	if len(a.Changed) > 0 {
		outcomes = []string{"changed", string(ApprovalApproved)}
	}
	for _, outcome := range outcomes {
		if err := r.auditApproval(ctx, a, actor, outcome); err != nil {
			return a, tool, err
		}
	}
	return a, tool, r.record(ctx, &a)
}

// notOpen returns the error of an approval that is decided, or is being made; nil of one that is open.
func (r *Runner) notOpen(actor Actor, a Approval) error {
	switch {
	case a.Status == ApprovalApproved:
		return &Error{Kind: Busy, RetryAfter: whole(r.CallTimeout)}
	case !a.Status.Open():
		return &Error{Kind: Invalid, Problems: []Problem{problem(actor.Lang, "", "approval."+string(a.Status))}}
	}
	return nil
}

// decidedMeanwhile is notOpen of an approval that was open: what another press has done is then what the bank's data refuses.
func (r *Runner) decidedMeanwhile(ctx context.Context, actor Actor, id string) error {
	a, found, err := r.readApproval(ctx, id)
	if err != nil || !found {
		return nil
	}
	return r.notOpen(actor, a)
}

// record stores a decision, if nobody was faster.
func (r *Runner) record(ctx context.Context, a *Approval) error {
	saved, err := r.saveApproval(ctx, a)
	if err == nil && !saved {
		err = &Error{Kind: Busy}
	}
	return err
}

// checkForm returns an error for arguments of a form that the bank would refuse, or whose warnings were not confirmed: the approval
// stays open.
func (r *Runner) checkForm(ctx context.Context, actor Actor, a Approval, tool *Tool, given Approved) error {
	call, err := r.callOf(ctx, a, tool, actor.Lang)
	if err != nil {
		return err
	}
	in, malformed := tool.decode(given.Args, actor.Lang)
	if in == nil {
		return decide(malformed, nil)
	}
	found, err := r.check(ctx, call, tool, in, malformed)
	if err != nil {
		return err
	}
	return decide(found.problems, given.Confirmed)
}

// changedPaths returns the paths of the fields in which what was approved differs from what was asked for. A process that is named
// in another way is the same.
func (r *Runner) changedPaths(ctx context.Context, actor Actor, tool *Tool, a Approval) []string {
	asked, _ := tool.decode(a.Args, a.By)
	final, _ := tool.decode(a.Final, a.By)
	if asked == nil || final == nil {
		return nil
	}
	named := func(field Field, in any) string {
		value, given := field.Value(in)
		if !given {
			return ""
		}
		text := fmt.Sprint(value.Interface())
		if option, ok := r.Option(ctx, actor, field, text, tool.answersOf(in, a.By)); ok {
			return option.Value
		}
		return text
	}
	bare := func(in any) any { // a form knows the names of files too
		return tool.mapFiles(tool.normalised(in), func(file FileRef) FileRef { return FileRef{ID: file.ID} })
	}
	var paths []string
	for _, field := range tool.Changed(bare(asked), bare(final)) {
		if !field.Refers() || named(field, asked) != named(field, final) {
			paths = append(paths, field.Path)
		}
	}
	if before, edits := asked.(Editor); edits {
		was, is := before.editing().Clear, final.(Editor).editing().Clear
		for _, path := range slices.Concat(was, is) {
			if slices.Contains(was, path) != slices.Contains(is, path) && !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
		}
	}
	return paths
}

// approvedRequest returns the call of an approval.
func approvedRequest(a Approval, tool *Tool) Request {
	return Request{
		Tool: tool, Actor: Actor{ID: a.Owner, Lang: a.By}, Args: a.Final, Confirmed: a.Confirmed, Key: "approval " + a.ID, Approval: a.ID, giver: a.Asker, Via: "approval",
	}
}

// makeApproved makes the call of an approval that was approved, under a key of its own, and records its outcome. It may be called again
// after a crash: the journal makes the call once.
func (r *Runner) makeApproved(ctx context.Context, a Approval, tool *Tool) (Result, error) {
	result, err := r.Run(ctx, approvedRequest(a, tool))
	failure := (*Error)(nil)
	if err != nil {
		failure = AsError(err)
	}
	a.Failure, a.Problems, a.Output = "", nil, nil
	switch {
	case failure == nil:
		a.Status = ApprovalDone
		if a.Output, err = pii.MarshalClear(result.Output); err != nil {
			r.Log.ErrorContext(ctx, "recording the output of an approval failed", "call", result.ID, "error", pii.Scrub(err.Error()))
		}
	case failure.Kind == Unclear || failure.Kind == Busy && failure.bank == nil: // it may be under way: the next round finds out
		return Result{}, failure
	case notSent(failure) || failure.Kind == Unconfirmed: // it may be tried again
		a.Status, a.Failure, a.Decided = ApprovalWaits, failure.Kind, time.Time{}
	default:
		a.Status, a.Failure, a.Problems = ApprovalFailed, failure.Kind, failure.Problems
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := r.record(ctx, &a); err != nil { // it is made already: the next round finds that and records it
		r.Log.ErrorContext(ctx, "recording the outcome of an approval failed", "approval", a.ID, "status", a.Status, "error", err)
	}
	if failure != nil {
		return Result{}, failure
	}
	return result, nil
}

// Reject ends an approval without making its call. reason is what the assistant is told; it may be "". Errors are [*Error].
func (r *Runner) Reject(ctx context.Context, actor Actor, id, reason string) error {
	a, err := r.ownApproval(ctx, actor, id)
	if err == nil {
		a.Reason = Clean(reason)
		err = r.closeApproval(ctx, actor, a, ApprovalRejected)
	}
	if err != nil {
		return r.explained(ctx, actor, nil, err)
	}
	return nil
}

// closeApproval ends an open approval. Ending it again in the same way does nothing.
func (r *Runner) closeApproval(ctx context.Context, actor Actor, a Approval, status ApprovalStatus) error {
	if a.Status == status {
		return nil
	}
	if err := r.notOpen(actor, a); err != nil {
		return err
	}
	a.Status, a.Decided = status, r.now().UTC()
	if err := r.auditApproval(ctx, a, actor, string(status)); err != nil {
		return err
	}
	return r.record(ctx, &a)
}

// Withdraw ends an approval for the assistant that asked for it. Errors are [*Error].
func (r *Runner) Withdraw(ctx context.Context, actor Actor, id string) error {
	a, err := r.askedApproval(ctx, actor, id)
	if err == nil {
		err = r.closeApproval(ctx, actor, a, ApprovalWithdrawn)
	}
	if err != nil {
		return r.explained(ctx, actor, nil, err)
	}
	return nil
}

// askedApproval reads an approval for the actor who asked for it.
func (r *Runner) askedApproval(ctx context.Context, actor Actor, id string) (Approval, error) {
	if r.Approvals == nil {
		return Approval{}, &Error{Kind: Forbidden}
	}
	a, found, err := r.readApproval(ctx, id)
	if err == nil && (!found || a.Asker != actor.ID) {
		err = gone(actor)
	}
	return a, err
}

// approvalPoll is how often an approval is read while somebody waits for its decision.
const approvalPoll = 500 * time.Millisecond

// AwaitApproval returns the approval that the actor asked for, once it is decided and made, or as it is when wait is over. Of one
// that is done, the result of its call has the personal data masked as for any assistant. Errors are [*Error].
func (r *Runner) AwaitApproval(ctx context.Context, actor Actor, id string, wait time.Duration) (Approval, Result, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+readTimeout)
	defer cancel()
	until := r.now().Add(wait)
	for {
		a, err := r.askedApproval(ctx, actor, id)
		if err != nil {
			return Approval{}, Result{}, r.explained(ctx, actor, nil, err)
		}
		if a.Status.Decided() || !r.now().Before(until) {
			return a, r.resultFor(ctx, actor, a), nil
		}
		timer := time.NewTimer(approvalPoll)
		select {
		case <-ctx.Done():
			timer.Stop()
			return a, Result{}, nil
		case <-timer.C:
		}
	}
}

// resultFor returns the result of an approval that is done for the assistant that asked.
func (r *Runner) resultFor(ctx context.Context, actor Actor, a Approval) Result {
	tool, known := r.Catalogue.Named(a.Tool)
	if a.Status != ApprovalDone || !known || a.Output == nil {
		return Result{}
	}
	output, err := tool.output(record{Output: a.Output})
	if err != nil {
		return Result{}
	}
	result := Result{ID: a.ID, Output: output, Card: output.Card(tool.sayer(actor.Lang))}
	result.Choices = r.choices(ctx, actor, tool, a.Final)
	return result
}

// A round of [Runner.SettleApprovals] is short, as one of Recover.
const settledMost = 40

// SettleApprovals ends the approvals that nobody decided in time, and makes those that were approved by a replica that crashed
// before it made them. err joins the errors of those that stay as they are.
func (r *Runner) SettleApprovals(ctx context.Context) error {
	if r.Approvals == nil {
		return nil
	}
	ids, err := r.Approvals.DueApprovals(ctx, r.now(), settledMost)
	errs := []error{err}
	for _, id := range ids {
		errs = append(errs, r.settleApproval(ctx, id))
	}
	return errors.Join(errs...)
}

func (r *Runner) settleApproval(ctx context.Context, id string) error {
	a, found, err := r.readApproval(ctx, id)
	tool, known := r.ToolOf(a)
	switch {
	case err != nil:
		return err
	case found && a.Status == ApprovalRemoved: // it was shown long enough
		_, err := r.saveApproval(ctx, &a)
		return err
	case !found || a.Status.Decided() && a.Status != ApprovalExpired:
		return r.Approvals.DropApproval(ctx, id)
	case !known:
		return r.settleUnknown(ctx, a)
	case a.Status == ApprovalExpired:
		if err := r.auditApproval(ctx, a, Actor{ID: a.Owner, Lang: a.Lang}, string(ApprovalExpired)); err != nil {
			return err
		}
		_, err := r.saveApproval(ctx, &a)
		return err
	case a.Status != ApprovalApproved:
		return nil
	}
	saved, err := r.saveApproval(ctx, &a) // due again later: one replica at a time makes it
	if err != nil || !saved {
		return err
	}
	result, err := r.makeApproved(ctx, a, tool)
	result.Close()
	return err
}

// auditApproval records a step of an approval. Nothing is shown or done before.
func (r *Runner) auditApproval(ctx context.Context, a Approval, actor Actor, outcome string) error {
	tool, _ := r.ToolOf(a)
	args := a.Args
	if a.Final != nil && slices.Contains([]string{"changed", string(ApprovalApproved)}, outcome) {
		args = a.Final
	}
	if err := r.audit(ctx, a.ID, Request{Tool: tool, Actor: actor, Args: args, Approval: a.ID}, outcome); err != nil {
		return unaudited(err)
	}
	return nil
}
