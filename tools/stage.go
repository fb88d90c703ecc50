package tools

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

// StateMeaning is what a state of a process or a simulation means to the tools about it. The zero value is a state that is not
// known, in which all tools work: the bank decides.
type StateMeaning struct {
	Name        string // of the meaning in the profile; "" if it is not known
	Ends        End
	Editable    bool // of a simulation: it can be changed
	Cancelable  bool // of a simulation: it can be cancelled
	Convertible bool // of a simulation: a process can be made of it
}

// End is how a process or a simulation has ended.
type End = profile.End

// Needs says in which states of its process or simulation a tool works.
type Needs string

// The needs.
const (
	AnyState              Needs = ""
	NotCancelled          Needs = "not cancelled"
	InCreation            Needs = "unsubmitted"
	OpenProcess           Needs = "open"
	OpenSimulation        Needs = "open simulation"
	EditableSimulation    Needs = "editable simulation"
	CancelableSimulation  Needs = "cancelable simulation"
	ConvertibleSimulation Needs = "convertible simulation"
)

// creation are the meanings of the states of a process that is not yet submitted.
var creation = []string{"creation", "draft"}

// Submitted reports whether a state is known to be one of a process that was handed to the bank.
func Submitted(state profile.Meaning) bool {
	return state.Name != "" && !slices.Contains(creation, state.Name) && state.Ends != profile.Cancelled
}

// worksAt reports whether the tool works for what is in a state with this meaning.
func (t *Tool) worksAt(state StateMeaning) bool {
	unknown := state.Name == "" && state.Ends == profile.Open
	switch t.Needs {
	case InCreation:
		return state.Ends == profile.Open && (state.Name == "" || slices.Contains(creation, state.Name))
	case OpenProcess, OpenSimulation:
		return state.Ends == profile.Open
	case NotCancelled:
		return state.Ends != profile.Cancelled
	case EditableSimulation:
		return state.Editable || unknown
	case CancelableSimulation:
		return state.Cancelable || unknown
	case ConvertibleSimulation:
		return state.Convertible || unknown
	}
	return true
}

// listTimeout is how long a call waits for the bank's lists of states and phases. What they tell is of use, and not vital.
const listTimeout = 3 * time.Second

// State returns what the state of a process means, the zero value if that is not known. The bank's list is read if the status
// does not tell.
func (c *Call) State(ctx context.Context, process FoundProcess) profile.Meaning {
	c.mu.Lock()
	meaning, done := c.states[process]
	c.mu.Unlock()
	if done {
		return meaning
	}
	meaning, known := c.runner.States.Meaning(process.StatusID, process.Status)
	if !known {
		meaning, known = c.runner.States.Workflow(c.listedStates(ctx), nil).Meaning(process.StatusID, process.Status)
	}
	if !known && c.runner.UnknownState != nil {
		c.runner.UnknownState(process.StatusID)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.states == nil {
		c.states = map[FoundProcess]profile.Meaning{}
	}
	c.states[process] = meaning
	return meaning
}

// Phase returns the description of the bank's phase of a process: said, which the bank says of it, or else the one that
// follows from its state; "" if that is not known.
func (c *Call) Phase(ctx context.Context, process FoundProcess, said profile.Phase) string {
	if _, given := c.runner.States.Phases[strconv.Itoa(int(process.StatusID))]; !given && said.Description != "" {
		return said.Description
	}
	return c.phase(ctx, process, said).Description
}

// PhaseID returns the id of the bank's phase that follows from the state of a process, 0 if that is not known.
func (c *Call) PhaseID(ctx context.Context, process FoundProcess) int32 {
	return c.phase(ctx, process, profile.Phase{}).ID
}

func (c *Call) phase(ctx context.Context, process FoundProcess, said profile.Phase) profile.Phase {
	var phases []profile.Phase
	for _, item := range c.listed(ctx, "workflowPhases") {
		phases = append(phases, profile.Phase{ID: item.ID, Description: item.Description})
	}
	phase, _ := c.runner.States.Workflow(c.listedStates(ctx), phases).Phase(process.StatusID, process.Status, said)
	return phase
}

// listedStates returns the bank's list of states, nil if it cannot be read.
func (c *Call) listedStates(ctx context.Context) (states []profile.State) {
	for _, item := range c.listed(ctx, "workflowStatesProposal") {
		states = append(states, profile.State{ID: item.ID, Description: item.Description, PhaseID: item.ParentID})
	}
	return states
}

// listed returns a list of the bank, nil if it cannot be read. A call tries once.
func (c *Call) listed(ctx context.Context, key portal.TaxonomyKey) []portal.TaxonomyItem {
	c.mu.Lock()
	items, tried := c.lists[key]
	c.mu.Unlock()
	if tried {
		return items
	}
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	list, err := c.List(ctx, key)
	if err != nil {
		c.runner.Log.WarnContext(ctx, "reading a list of the bank failed", "list", string(key), "error", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lists == nil {
		c.lists = map[portal.TaxonomyKey][]portal.TaxonomyItem{}
	}
	c.lists[key] = list.Items
	return list.Items
}

// Ready returns an error of the kind [Closed] if the bank would refuse the form because of the state of its process or
// simulation, so that a person learns it before filling in the form. If that cannot be read, the form is ready.
func (r *Runner) Ready(ctx context.Context, actor Actor, tool *Tool, answers map[string]string) error {
	field, of, about := tool.subjectField()
	if !about || tool.Needs == AnyState {
		return nil
	}
	call, err := r.enter(ctx, actor, tool)
	if err != nil {
		return nil // the runner reports it when the form is sent
	}
	err = call.ready(ctx, tool, of, answers[field.Path])
	if failure := AsError(err); err != nil && failure.Kind == Closed {
		failure.Tool = tool
		return failure
	}
	return nil
}

// readyFor is [Call.ready] for the process or simulation that an input names.
func (c *Call) readyFor(ctx context.Context, tool *Tool, in any) error {
	if field, of, about := tool.subjectField(); about {
		if ref, given := field.Value(in); given {
			return c.ready(ctx, tool, of, ref.String())
		}
	}
	return nil
}

// ready returns an error of the kind [Closed] if the bank would refuse a change because of the state of what ref names. Reads
// are never refused: the bank does so itself. What is unknown is reported by the tool itself.
func (c *Call) ready(ctx context.Context, tool *Tool, of staged, ref string) error {
	if tool.Needs == AnyState || !tool.Effect.Writes() || ref == "" {
		return nil
	}
	stage, err := of.Stage(ctx, c, ref)
	switch {
	case err != nil && (convert(err).Kind == NotFound || convert(err).Kind == Invalid):
		return nil
	case err != nil:
		return err
	}
	if tool.worksAt(stage.Meaning) {
		return nil
	}
	reads := c.runner.Catalogue.StepsOn(stage.Subject, stage.Meaning, c.Actor.Lang)
	return &Error{Kind: Closed, stage: stage, Steps: slices.DeleteFunc(reads, func(s Step) bool {
		other, _ := c.runner.Catalogue.Named(s.Tool)
		return other.Effect != Reads
	})}
}

// offered removes from the next steps of a card those that the bank would refuse because of the state of their process or
// simulation. One that this call has not read counts as open.
func (c *Call) offered(ctx context.Context, steps []Step) []Step {
	steps = c.runner.declared(ctx, c.tool, steps)
	return slices.DeleteFunc(c.runner.Catalogue.labelled(steps, c.Actor.Lang), func(step Step) bool {
		tool, _ := c.runner.Catalogue.Named(step.Tool)
		field, of, about := tool.subjectField()
		if !about || tool.Needs == AnyState {
			return false
		}
		stage, read := of.Known(ctx, c, fmt.Sprint(step.Args[field.Path]))
		return read && !tool.worksAt(stage.Meaning)
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

// stageArgs returns the data of what an error is about for its text.
func (e *Error) stageArgs() map[string]any {
	return map[string]any{"number": e.stage.Number, "status": Clean(e.stage.Status), "steps": stepLabels(e.Steps)}
}
