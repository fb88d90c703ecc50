package tools

import (
	"context"
	"encoding/json"
	"maps"
)

// ReviewForm returns the form of an approval, filled in as the assistant asked: of an editor's, what it would change, laid over
// what the bank has now. labels are the texts of the options among the answers. Only the owner of the approval gets it, and the
// audit log has that she reviewed it. Errors are [*Error].
func (r *Runner) ReviewForm(ctx context.Context, actor Actor, id string) (review Review, form Form, labels map[string]string, err error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	review, form, labels, err = r.reviewForm(ctx, actor, id)
	if err != nil {
		return Review{Approval: review.Approval, Of: review.Of}, Form{}, nil, r.explained(ctx, actor, review.Of, err)
	}
	return review, form, labels, nil
}

func (r *Runner) reviewForm(ctx context.Context, actor Actor, id string) (review Review, form Form, labels map[string]string, err error) {
	review, in, err := r.toReview(ctx, actor, id, nil)
	if err != nil || !review.Status.Open() {
		return review, form, nil, err
	}
	if err := r.auditApproval(ctx, review.Approval, actor, reviewed); err != nil {
		return review, form, nil, err
	}
	tool := review.Of
	call, err := r.callOf(ctx, review.Approval, tool, actor.Lang)
	if err != nil {
		return review, form, nil, err
	}
	form.Answers, form.Approval = tool.answersOf(r.withNames(ctx, call, in), actor.Lang), id
	if !tool.Edits {
		return review, form, r.labelsOf(ctx, actor, tool, form.Answers), nil
	}
	if form.Before, labels, err = r.current(ctx, actor, tool, form.Answers); err != nil {
		return review, form, nil, err
	}
	asked := form.Answers
	form.Answers = maps.Clone(form.Before)
	for _, field := range tool.Fields {
		if answer, given := asked[field.Path]; given && !field.Hidden() {
			form.Answers[field.Path] = answer
		}
	}
	for _, path := range in.(Editor).editing().Clear {
		delete(form.Answers, path)
	}
	maps.Copy(labels, r.labelsOf(ctx, actor, tool, asked))
	return review, form, labels, nil
}

// labelsOf returns the texts of the options among the answers.
func (r *Runner) labelsOf(ctx context.Context, actor Actor, tool *Tool, answers map[string]string) map[string]string {
	labels := map[string]string{}
	for _, field := range tool.Fields {
		if option, is := r.Option(ctx, actor, field, answers[field.Path], answers); is {
			labels[field.Path] = option.Text
		}
	}
	return labels
}

// ReviewArgs is [Runner.Review] of an approval with other arguments: those of the form in which the owner changed it. They are
// approved with its Seen.
func (r *Runner) ReviewArgs(ctx context.Context, actor Actor, id string, args json.RawMessage) (Review, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	review, in, err := r.toReview(ctx, actor, id, args)
	if err == nil && review.Status.Open() {
		review, err = r.lookOver(ctx, actor, review, in)
	}
	if err != nil {
		return Review{}, r.explained(ctx, actor, review.Of, err)
	}
	return review, nil
}
