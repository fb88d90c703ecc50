package tools

import (
	"context"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
)

// Actor is who asks: a person in Slack, or an assistant on somebody's behalf.
type Actor struct {
	ID          string     // opaque and stable: "slack:T0TEAM/U0ANA", "mcp:local"
	Lang        words.Lang // in which answers are given
	Destination string     // where people are told what moves and the actor is now: "slack:C0TEAM", "slack:U0ANA"; "" where there is none
	Name        string     // what colleagues call the actor; "" where that is not known
	Guest       bool       // from outside the broker's own team, as its door knows: may do nothing
	// Outsiders tells that people from outside the team read at Place. A front end finds it out for tools that subscribe.
	Outsiders bool
	// Direct is the place where the actor is told alone; "" for assistants.
	Direct string
	// Assistant is set when a program speaks on somebody's behalf: what only people may decide is refused.
	Assistant bool
}

// Person is what the broker's team lets an actor do, and as whom the bank sees the acts.
type Person struct {
	Login    portal.Login
	ReadOnly bool
}

// People knows who an actor is.
type People interface {
	// Person finds the actor's person; ok is false for strangers.
	Person(ctx context.Context, actorID string) (person Person, ok bool)
}

// Team is a fixed list of people. The key "" stands for everybody who is not listed.
type Team map[string]Person

// Person implements [People].
func (t Team) Person(_ context.Context, actorID string) (Person, bool) {
	if person, ok := t[actorID]; ok {
		return person, true
	}
	person, ok := t[""]
	return person, ok
}

func (p Person) may(effect Effect) bool { return !p.ReadOnly || !effect.Writes() }
