package subscriptions

import (
	"cmp"
	"context"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// Own makes the actor or a colleague the owner of a process, who is mentioned in its updates.
var Own = tools.Define(Toolset, tools.Spec{
	Name: "own_process", Effect: tools.Remembers, NeedsDestination: true, CardOrder: 3,
	Next:    tools.Next{"own_process": {"process"}, "release_process": {"process"}, "follow_processes": {"mine"}},
	Example: `{"process":"1042"}`,
}, func(ctx context.Context, call *tools.Call, in Owning) (Owned, error) {
	process, err := call.Process(ctx, in.Process)
	if err != nil {
		return Owned{}, err
	}
	owner := cmp.Or(string(in.Owner), call.Actor.ID)
	owned := Owned{Process: process.ID, ProcessNumber: process.Number, Assigned: owner != call.Actor.ID}
	if owned.Assigned {
		if err := mayOwn(ctx, call, owner, process.ID); err != nil {
			return Owned{}, err
		}
	}
	changed, err := call.Destinations().ChangeOwner(ctx, tools.OwnerChange{Process: process.ID, Number: process.Number, To: owner, By: call.Actor})
	owned.Already = !changed
	return owned, tools.StoreError(err)
})

// Owning is a process and its new owner: the actor if there is none.
type Owning struct {
	Process tools.ProcessRef `json:"process" page:"owner" validate:"required"`
	Owner   tools.PersonRef  `json:"owner,omitzero" page:"owner"`
}

// mayOwn returns an error if the new owner is a stranger or may not see the process at the bank.
func mayOwn(ctx context.Context, call *tools.Call, actor string, process uuid.UUID) error {
	person, served := call.Person(ctx, actor)
	if !served {
		return call.Invalid("owner", "owner.unserved")
	}
	_, err := call.BankAs(person).Process(ctx, process)
	if portal.IsMissing(err) {
		return call.Invalid("owner", "owner.unseen")
	}
	return err
}

// assignStep returns the step to the form that makes a colleague the owner.
func assignStep(process uuid.UUID, say tools.Say) tools.Step {
	step := tools.NextStep("own_process", "process", process).Labelled(say("step.assign"))
	step.Form = true
	return step
}

// Owned is a process with an owner.
type Owned struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	Assigned      bool      `json:"assigned,omitempty"` // to a colleague
	Already       bool      `json:"already,omitempty"`  // before the call
}

// Card implements [tools.Carder].
func (o Owned) Card(say tools.Say) tools.Card {
	assign := assignStep(o.Process, say)
	card := tools.Card{
		Title: say("card.title", "number", o.ProcessNumber), Text: say("card.text", "number", o.ProcessNumber),
		Next: []tools.Step{
			assign,
			tools.NextStep("release_process", "process", o.Process),
			tools.NextStep("follow_processes", "mine", true).Labelled(say("step.follow_mine")),
		},
	}
	switch {
	case o.Assigned && o.Already:
		card.Title, card.Text, card.Next = say("card.assigned"), say("card.assigned_already", "number", o.ProcessNumber), []tools.Step{assign}
	case o.Assigned:
		card.Title, card.Text, card.Next = say("card.assigned"), say("card.assigned_text", "number", o.ProcessNumber), []tools.Step{assign}
	case o.Already:
		card.Title = say("card.already", "number", o.ProcessNumber)
	}
	return card
}
