package tools

import (
	"cmp"
	"context"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
)

// OwnProcess makes the actor, or a colleague, the one whom a process's news concern: who is mentioned when it changes.
var OwnProcess = Define(Spec{
	Name: "own_process", Command: "balcao own", Toolset: News, Effect: Remembers, NeedsDestination: true, CardOrder: 3,
}, func(ctx context.Context, call *Call, in Owning) (Owned, error) {
	process, err := call.Process(ctx, in.Process)
	if err != nil {
		return Owned{}, err
	}
	owner := cmp.Or(string(in.Owner), call.Actor.ID)
	owned := Owned{Process: process.ID, ProcessNumber: process.Number, Assigned: owner != call.Actor.ID}
	if owned.Assigned {
		if err := call.mayOwn(ctx, owner, process.ID); err != nil {
			return Owned{}, err
		}
	}
	changed, err := call.runner.Destinations.ChangeOwner(ctx, OwnerChange{Process: process.ID, Number: process.Number, To: owner, By: call.Actor})
	owned.Already = !changed
	return owned, kept(err)
})

// Owning is a process, and who is to own it: the actor where nobody is named.
type Owning struct {
	Process ProcessRef `json:"process" page:"owner" validate:"required"`
	Owner   PersonRef  `json:"owner,omitzero" page:"owner"`
}

// OwnerChange makes an actor, or nobody, the owner of a process.
type OwnerChange struct {
	Process  uuid.UUID
	Number   int64
	To       string // an actor; "" for nobody
	By       Actor
	OnlyFrom string // nothing changes unless this actor is the owner; "" for whoever is
}

// mayOwn refuses to make somebody the owner who is not served here, or may not see the process at the bank.
func (c *Call) mayOwn(ctx context.Context, actor string, process uuid.UUID) error {
	person, served := c.runner.People.Person(ctx, actor)
	if !served {
		return c.invalid("owner", "owner.unserved")
	}
	_, err := c.runner.Bank.As(person.Login, string(c.Actor.Lang)).Process(ctx, process)
	if kind := portal.KindOf(err); kind == portal.Refused || kind == portal.NotFound {
		return c.invalid("owner", "owner.unseen")
	}
	return err
}

// Owned is a process with an owner.
type Owned struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	Assigned      bool      `json:"assigned,omitempty"` // to somebody else than who asked
	Already       bool      `json:"already,omitempty"`  // before it was asked for
}

// Card implements [Carder].
func (o Owned) Card(say Say) Card {
	assign := Step{Label: say("step.assign"), Tool: "own_process", Args: ofProcess(o.Process), Form: true}
	card := Card{
		Title: say("card.title", "number", o.ProcessNumber), Text: say("card.text", "number", o.ProcessNumber),
		Next: []Step{
			assign,
			{Label: say("step.release_process"), Tool: "release_process", Args: ofProcess(o.Process)},
			{Label: say("step.watch_mine"), Tool: "watch_process", Args: map[string]any{"mine": true}},
		},
	}
	switch {
	case o.Assigned && o.Already:
		card.Title, card.Text, card.Next = say("card.assigned"), say("card.assigned_already", "number", o.ProcessNumber), []Step{assign}
	case o.Assigned:
		card.Title, card.Text, card.Next = say("card.assigned"), say("card.assigned_text", "number", o.ProcessNumber), []Step{assign}
	case o.Already:
		card.Title = say("card.already", "number", o.ProcessNumber)
	}
	return card
}
