package tools

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
)

// Review is what a person is shown of an approval: all that would be done, in clear for her alone.
type Review struct {
	Approval
	Of       *Tool
	Sections []Section
	Problems []Problem // warnings that she accepts by approving; of a draft also what is missing or wrong
	// Altered is set if what the call was made for has changed at the bank since the assistant asked.
	Altered bool
	// Seen identifies what is shown: the values before and after, and the warnings. It is returned to approve just this. "" for a
	// draft, and for a call that the bank would refuse now.
	Seen string
	// Card is the result of a call that was made, with personal data masked as in any card.
	Card Card
}

// Approval returns an approval as it is, for a front end that shows it to its owner alone. One whose time is over is returned as
// expired. Errors are [*Error].
func (r *Runner) Approval(ctx context.Context, id string) (a Approval, found bool, err error) {
	if r.Approvals == nil {
		return Approval{}, false, nil
	}
	return r.readApproval(ctx, id)
}

// OpenApprovals returns the approvals that wait for an actor's decision, the first asked first. Errors are [*Error].
func (r *Runner) OpenApprovals(ctx context.Context, actor Actor) ([]Approval, error) {
	if r.Approvals == nil || actor.Assistant {
		return nil, &Error{Kind: Forbidden}
	}
	return r.openApprovals(ctx, actor.ID)
}

// Review returns what an approval would do, as the bank's data is now; of one that is decided, what was asked for or approved, and
// what came of it. Only its owner may review it. What she is shown is in the audit log first. Errors are [*Error], and come with
// the approval and its tool where those are known; that of an approval which is gone, or is another's, has the problem
// «approval.gone».
func (r *Runner) Review(ctx context.Context, actor Actor, id string) (Review, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	review, err := r.review(ctx, actor, id)
	if err != nil {
		return Review{Approval: review.Approval, Of: review.Of}, r.explained(ctx, actor, review.Of, err)
	}
	return review, nil
}

// explained returns an error of an approval for a front end.
func (r *Runner) explained(ctx context.Context, actor Actor, tool *Tool, err error) error {
	failure := *convert(err)
	failure.ID = uuid.NewString()
	if failure.Tool = tool; tool != nil {
		failure.explain(actor, tool)
	}
	r.Log.WarnContext(ctx, "approval", "call", failure.ID, "actor", actor.ID, "outcome", failure.Kind, "error", pii.Scrub(failure.Error()))
	return &failure
}

func (r *Runner) review(ctx context.Context, actor Actor, id string) (Review, error) {
	review, in, err := r.toReview(ctx, actor, id, nil)
	switch {
	case err != nil:
		return review, err
	case !review.Status.Open():
		return r.lookBack(ctx, actor, review)
	}
	return r.lookOver(ctx, actor, review, in)
}

// lookBack fills in the review of an approval that is decided, without asking the bank for its records.
func (r *Runner) lookBack(ctx context.Context, actor Actor, review Review) (Review, error) {
	a, tool := review.Approval, review.Of
	args := a.Args
	if a.Final != nil {
		args = a.Final
	}
	call, err := r.callOf(ctx, a, tool, actor.Lang)
	if err != nil {
		return review, err
	}
	in, _ := tool.decode(args, actor.Lang)
	if in == nil {
		return review, gone(actor)
	}
	if err := r.auditApproval(ctx, a, actor, shown); err != nil {
		return review, err
	}
	found := checked{given: in, in: r.withNames(ctx, call, in), sent: in}
	review.Sections = r.sections(ctx, call.Actor, tool, found, Form{Answers: tool.answersOf(in, actor.Lang)})
	review.Card, err = r.cardOf(ctx, call, a, tool)
	return review, err
}

// cardOf returns the result of an approval that is done, for its owner.
func (r *Runner) cardOf(ctx context.Context, call *Call, a Approval, tool *Tool) (Card, error) {
	if a.Status != ApprovalDone || a.Output == nil || tool.removed {
		return Card{}, nil
	}
	output, err := tool.output(record{Output: a.Output})
	if err != nil {
		return Card{}, err
	}
	card := output.Card(tool.sayer(call.Actor.Lang))
	card.Next = call.offered(ctx, card.Next)
	card.Table.Steps = r.Catalogue.labelled(r.declared(ctx, tool, card.Table.Steps), call.Actor.Lang)
	return card, nil
}

// Outcome is [Runner.Review] of an approval that is not open, without what was asked for: how it ended, and the result's card. It shows
// nothing in clear, and so is not in the audit log.
func (r *Runner) Outcome(ctx context.Context, actor Actor, id string) (Review, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	review, _, err := r.toReview(ctx, actor, id, nil)
	if err == nil && !review.Status.Open() {
		var call *Call
		if call, err = r.callOf(ctx, review.Approval, review.Of, actor.Lang); err == nil {
			review.Card, err = r.cardOf(ctx, call, review.Approval, review.Of)
		}
	}
	if err != nil {
		return Review{Approval: review.Approval, Of: review.Of}, r.explained(ctx, actor, review.Of, err)
	}
	return review, nil
}

// withNames returns an input with the names of its files, which an assistant gives by their references alone.
func (r *Runner) withNames(ctx context.Context, call *Call, in any) any {
	return call.tool.mapFiles(in, func(file FileRef) FileRef {
		peeker, ok := r.fileSource(file).(FilePeeker)
		if !ok || !file.Name.IsZero() {
			return file
		}
		found, _, err := peeker.Peek(ctx, call.fileActor(file), file)
		if err != nil { // the check says so
			return file
		}
		return found
	})
}

// toReview reads an approval for its owner, and decodes the arguments of one that is open: these, or those that were asked for.
func (r *Runner) toReview(ctx context.Context, actor Actor, id string, args json.RawMessage) (review Review, in any, err error) {
	a, err := r.ownApproval(ctx, actor, id)
	if err != nil {
		return review, nil, err
	}
	tool, known := r.ToolOf(a)
	review = Review{Approval: a, Of: tool}
	if !known && a.Status.Open() {
		return review, nil, unknownTool(actor)
	}
	if args != nil {
		review.Args, review.State = args, ""
	}
	if a.Status.Open() {
		if in, review.Problems = tool.decode(review.Args, actor.Lang); in == nil {
			return review, nil, gone(actor)
		}
	}
	return review, in, nil
}

// lookOver checks the call of an approval with the bank and fills in the review.
func (r *Runner) lookOver(ctx context.Context, actor Actor, review Review, in any) (Review, error) {
	a, tool := review.Approval, review.Of
	call, err := r.callOf(ctx, a, tool, actor.Lang)
	if err != nil {
		return review, err
	}
	found, err := r.check(ctx, call, tool, in, review.Problems)
	if err != nil {
		return review, err
	}
	if err := r.auditApproval(ctx, a, actor, shown); err != nil {
		return review, err
	}
	named := found
	named.in = r.withNames(ctx, call, found.in)
	if found.before != nil {
		named.sent = r.withNames(ctx, call, found.sent)
	}
	review.Sections = r.sections(ctx, call.Actor, tool, named, Form{Answers: tool.answersOf(found.in, actor.Lang)})
	review.Problems = found.problems
	if blocked(found.problems) {
		return review, nil
	}
	review.Seen, err = r.state(found)
	review.Altered = a.State != "" && review.Seen != a.State
	return review, err
}

// state returns a fingerprint of what a call would do: what it changes from what to what, or what it sends, and its warnings. It
// does not depend on a language.
func (r *Runner) state(found checked) (string, error) {
	var parts []string
	add := func(value any) error {
		clear, err := pii.MarshalClear(value)
		if err != nil {
			return fmt.Errorf("fingerprinting an approval: %w", err)
		}
		parts = append(parts, string(clear))
		return nil
	}
	if found.before == nil {
		if err := add(found.sent); err != nil {
			return "", err
		}
	}
	for _, field := range found.changes {
		parts = append(parts, field.Path)
		for _, in := range []any{found.before, found.sent} {
			value, given := field.Value(in)
			if !given {
				parts = append(parts, "")
				continue
			}
			if err := add(value.Interface()); err != nil {
				return "", err
			}
		}
	}
	for _, p := range found.problems {
		if p.Severity == Warns {
			parts = append(parts, p.Path, p.Code, p.Facts.Reveal())
		}
	}
	return r.Fingerprint(encode(append([]string{"approval"}, parts...)...)), nil
}

// ownApproval reads an approval for its owner. Assistants decide nothing, and nobody another's.
func (r *Runner) ownApproval(ctx context.Context, actor Actor, id string) (Approval, error) {
	if r.Approvals == nil || actor.Assistant || actor.Guest {
		return Approval{}, &Error{Kind: Forbidden}
	}
	a, found, err := r.readApproval(ctx, id)
	if err == nil && (!found || a.Owner != actor.ID) {
		err = gone(actor)
	}
	return a, err
}

// gone returns the error of an approval that is not there for an actor.
func gone(actor Actor) error {
	return &Error{Kind: Invalid, Problems: []Problem{problem(actor.Lang, "", "approval.gone")}}
}
