package tools

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/balcao/balcao/portal"
)

// Needs says at which stages of its process the bank does what a tool asks.
type Needs string

// What tools need of their process.
const (
	AnyStage     Needs = ""
	NotCancelled Needs = "not cancelled"
	OpenProcess  Needs = "open"
)

// WorksAt tells whether the tool is of use at a stage of its process.
func (t *Tool) WorksAt(stage portal.Stage) bool {
	switch t.Needs {
	case OpenProcess:
		return stage == portal.Open
	case NotCancelled:
		return stage != portal.Cancelled
	}
	return true
}

// Ready fails with [Closed] when the process that a form names is at a stage at which the bank refuses what the form is
// for. Who opens the form learns it before filling in anything. While the bank does not say, the form is ready.
func (r *Runner) Ready(ctx context.Context, actor Actor, tool *Tool, answers map[string]string) error {
	field, about := tool.processField()
	if !about || tool.Needs == AnyStage {
		return nil
	}
	call, err := r.enter(ctx, actor, tool)
	if err != nil {
		return nil // the runner says so when the form is sent
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

// ready fails with [Closed] when a process is at a stage at which the bank refuses what a tool would change. Reading is
// not kept from anybody: the bank says at once what it does not give. A process that the bank does not know is for the
// tool itself to tell.
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

// offered leaves out of a card's next steps those that the bank would refuse at the stage of their process. A process
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

// declared drops steps that the tool's definition does not name.
func (r *Runner) declared(ctx context.Context, tool *Tool, steps []Step) []Step {
	return slices.DeleteFunc(slices.Clone(steps), func(step Step) bool {
		if tool.Next.declared(step) {
			return false
		}
		r.Log.ErrorContext(ctx, "a tool leads to a step that it does not declare", "tool", tool.Name, "step", step.Tool)
		return true
	})
}

// stepLabels lists what an error leads to, for a sentence.
func stepLabels(steps []Step) string {
	var labels []string
	for _, step := range steps {
		labels = append(labels, "«"+step.Label+"»")
	}
	return strings.Join(labels, ", ")
}

// stageArgs are what the words of an error may say of its process.
func (e *Error) stageArgs() map[string]any {
	return map[string]any{"number": e.process.Number, "status": Clean(e.process.Status), "steps": stepLabels(e.Steps)}
}
