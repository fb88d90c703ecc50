package tools

import (
	"context"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
)

// Actor is the caller: a person in Slack, or an assistant on behalf of a person.
type Actor struct {
	ID          string     // opaque and stable: "slack:T0TEAM/U0ANA", "mcp:local"
	Lang        words.Lang // of results and errors
	Destination string     // the channel or person the call came from: "slack:C0TEAM", "slack:U0ANA"; "" for none
	Name        string     // as colleagues know the actor; "" if unknown
	Guest       bool       // from outside the broker's team, as the front end knows: may do nothing
	// Outsiders reports that people from outside the team read at Destination. Front ends set it for tools that subscribe.
	Outsiders bool
	// Direct is the destination of direct messages to the actor; "" for assistants.
	Direct string
	// Assistant is set if a program calls on behalf of a person: fields and tools for people only are refused.
	Assistant bool
	// ReadOnly is set if the credentials of the call do not allow to change or send anything, whatever its person may.
	ReadOnly bool
	// Client is what the program of an assistant calls itself, "Claude 1.2"; "" if unknown. It is text from outside.
	Client string
}

// Person is what an actor may do, and the user of the bank that the actor acts as.
type Person struct {
	Login    portal.Login
	ReadOnly bool
	// Account is the actor id under which the person decides on what an assistant asks for: "slack:T0TEAM/U0ANA"; "" if there
	// is none.
	Account string
}

// People finds the person of an actor.
type People interface {
	// Person returns the person of actor; ok is false for strangers.
	Person(ctx context.Context, actorID string) (person Person, ok bool)
}

// Team is a fixed list of people. The key "" is everybody who is not listed.
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
