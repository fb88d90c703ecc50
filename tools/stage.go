package tools

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/balcao/balcao/portal"
)

// Needs are the stages of its process at which a tool works.
type Needs string

// The needs.
const (
	AnyStage     Needs = ""
	NotCancelled Needs = "not cancelled"
	OpenProcess  Needs = "open"
)

// WorksAt reports whether the tool works at a stage of its process.
func (t *Tool) WorksAt(stage portal.Stage) bool {
	switch t.Needs {
	case OpenProcess:
		return stage == portal.Open
	case NotCancelled:
		return stage != portal.Cancelled
	}
	return true
}

// Ready returns an error of the kind [Closed] if the bank would refuse the form at the stage of its process, so that a person
// learns it before filling in the form. If the stage cannot be read, the form is ready.
func (r *Runner) Ready(ctx context.Context, actor Actor, tool *Tool, answers map[string]string) error {
	field, about := tool.processField()
	if !about || tool.Needs == AnyStage {
		return nil
	}
	call, err := r.enter(ctx, actor, tool)
	if err != nil {
		return nil // the runner reports it when the form is sent
	}
	err = call.ready(ctx, tool, ProcessRef(answers[field.Path]))
	if failure := AsError(err); err != nil && failure.Kind == Closed {
		failure.Tool = tool
		return failure
	}
	return nil
}

// readyFor is [Call.ready] for the process that an input names.
func (c *Call) readyFor(ctx context.Context, tool *Tool, in any) error {
	if field, about := tool.processField(); about {
		if ref, given := field.Value(in); given {
			return c.ready(ctx, tool, ProcessRef(ref.String()))
		}
	}
	return nil
}

// ready returns an error of the kind [Closed] if the bank would refuse a change at the stage of a process. Reads are never
// refused: the bank does so itself. An unknown process is reported by the tool itself.
func (c *Call) ready(ctx context.Context, tool *Tool, ref ProcessRef) error {
	if tool.Needs == AnyStage || !tool.Effect.Writes() || ref == "" {
		return nil
	}
	process, err := c.Process(ctx, ref)
	switch {
	case err != nil && (convert(err).Kind == NotFound || convert(err).Kind == Invalid):
		return nil
	case err != nil:
		return err
	case tool.WorksAt(portal.StageOf(process.Status)):
		return nil
	}
	reads := c.runner.Catalogue.StepsOn(process.ID, process.Status, c.Actor.Lang)
	return &Error{Kind: Closed, process: process, Steps: slices.DeleteFunc(reads, func(s Step) bool {
		other, _ := c.runner.Catalogue.Named(s.Tool)
		return other.Effect != Reads
	})}
}

// offered removes from the next steps of a card those that the bank would refuse at the stage of their process. A process
// that this call has not read counts as open.
func (c *Call) offered(ctx context.Context, steps []Step) []Step {
	steps = c.runner.declared(ctx, c.tool, steps)
	return slices.DeleteFunc(c.runner.Catalogue.labelled(steps, c.Actor.Lang), func(step Step) bool {
		tool, _ := c.runner.Catalogue.Named(step.Tool)
		field, about := tool.processField()
		process, read := c.known(ProcessRef(fmt.Sprint(step.Args[field.Path])))
		return about && read && !tool.WorksAt(portal.StageOf(process.Status))
	})
}

// declared removes steps that the tool's Next does not list.
func (r *Runner) declared(ctx context.Context, tool *Tool, steps []Step) []Step {
	return slices.DeleteFunc(slices.Clone(steps), func(step Step) bool {
		if tool.Next.declared(step) {
			return false
		}
		r.Log.ErrorContext(ctx, "a tool leads to a step that it does not declare", "tool", tool.Name, "step", step.Tool)
		return true
	})
}

// stepLabels returns the labels of the steps of an error, for a sentence.
func stepLabels(steps []Step) string {
	var labels []string
	for _, step := range steps {
		labels = append(labels, "«"+step.Label+"»")
	}
	return strings.Join(labels, ", ")
}

// stageArgs returns the data of an error's process for its text.
func (e *Error) stageArgs() map[string]any {
	return map[string]any{"number": e.process.Number, "status": Clean(e.process.Status), "steps": stepLabels(e.Steps)}
}
