package tools

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/words"
)

// Subject is what an output is about: a process, a simulation, or neither.
type Subject struct {
	Process    uuid.UUID
	Simulation uuid.UUID
}

// Subjecter is implemented by the outputs of tools that change something at the bank.
type Subjecter interface {
	Subject() Subject
}

// id returns the uuid of what a subject is.
func (s Subject) id() uuid.UUID {
	if s.Process != uuid.Nil {
		return s.Process
	}
	return s.Simulation
}

// kind returns the kind of the fields that name such a subject; nil for neither.
func (s Subject) kind() *Kind {
	switch {
	case s.Process != uuid.Nil:
		return Process
	case s.Simulation != uuid.Nil:
		return Simulation
	}
	return nil
}

// Stage is how far a process or a simulation has come.
type Stage struct {
	Subject
	Number   int64
	StatusID int32
	Status   string       // what the bank calls it
	Meaning  StateMeaning // the zero value if it is not known
}

// staged is implemented by the [Choices] of the kinds that name a process or a simulation.
type staged interface {
	// Stage reads what ref names. The bank is asked once in a call.
	Stage(ctx context.Context, call *Call, ref string) (Stage, error)
	// Known returns the stage of what ref names, if this call has read it.
	Known(ctx context.Context, call *Call, ref string) (Stage, bool)
}

// subjectField returns the field that says which process or simulation a call is about.
func (t *Tool) subjectField() (field Field, of staged, ok bool) {
	for _, field := range t.Fields {
		if of, ok := field.Kind.Choices.(staged); ok {
			return field, of, true
		}
	}
	return Field{}, nil, false
}

// fieldOf returns the field of the tool that names what a call is about, of a kind of process or simulation.
func (t *Tool) fieldOf(kind *Kind) (Field, bool) {
	i := slices.IndexFunc(t.Fields, func(f Field) bool { return f.Kind == kind })
	if i < 0 {
		return Field{}, false
	}
	return t.Fields[i], true
}

// subjectName is what a call of the tool is about in the keys of texts: "process" or "simulation"; "" for neither.
func (t *Tool) subjectName() string {
	field, _, ok := t.subjectField()
	if !ok {
		return ""
	}
	return field.Kind.Name
}

// AsksForSubject reports whether a page of the tool's form asks which process or simulation a call is about.
func (t *Tool) AsksForSubject(page string) bool {
	field, _, ok := t.subjectField()
	return ok && field.Page == page
}

// StepsOn returns the steps on the card of a process or a simulation whose state means so: to the tools with a CardOrder that
// work then, in that order.
func (c *Catalogue) StepsOn(about Subject, state StateMeaning, lang words.Lang) []Step {
	var steps []Step
	onCard := slices.DeleteFunc(c.Tools(), func(t *Tool) bool { return t.CardOrder == 0 || !t.worksAt(state) })
	slices.SortStableFunc(onCard, func(a, b *Tool) int { return cmp.Compare(a.CardOrder, b.CardOrder) })
	for _, tool := range onCard {
		field, has := tool.fieldOf(about.kind())
		if !has {
			continue
		}
		args := map[string]any{field.Path: about.id()}
		maps.Copy(args, tool.CardArgs)
		steps = append(steps, Step{Label: tool.stepLabel(lang, "on_card."), Tool: tool.Name, Args: args})
	}
	return steps
}
