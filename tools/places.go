package tools

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/words"
)

// Destinations keeps what people want to hear where they are told what moves. A place is opaque here; see [Actor].
type Destinations interface {
	// Settings gives what is kept of a place: of one that is unknown, nothing.
	Settings(ctx context.Context, place string) (DestinationSettings, error)
	// ProcessChanged lets change change it, perhaps more than once, and gives it as it is then. It fails with change's error as it is.
	Change(ctx context.Context, place string, change func(*DestinationSettings) error) (DestinationSettings, error)
	// Announce has a place told of a change of its settings, once for each id, and keeps it to be undone.
	Announce(ctx context.Context, place string, change SettingsChange) error
	// LastChange gives the last change that was announced at a place; ok is false where none is kept any more.
	LastChange(ctx context.Context, place string) (change SettingsChange, ok bool, err error)
	// ChangeOwner changes whom the news of a process concern, and tells whether it did. Whom that concerns is told, and the
	// cards of the process show it.
	ChangeOwner(ctx context.Context, change OwnerChange) (changed bool, err error)
}

// DestinationSettings is what a place wants to hear.
type DestinationSettings struct {
	Lang          words.Lang // of what is told there
	Subscriptions []Subscription
	Mutes         map[uuid.UUID]time.Time // processes, and until when; the zero time is for good
	Quiet         QuietHours              // when nothing is told
	Digest        string                  // the time of a weekday, HH:MM, when all is told at once; "" tells each as it comes
}

// Subscription is one thing that a place hears about.
type Subscription struct {
	Kind  Scope
	Value string
	Name  string // what people call it, without personal data; no part of what tells two watches apart
	By    string // the actor who asked for it: the place is told what this actor's person may read; "" for the team's own
}

func (w Subscription) same(other Subscription) bool {
	return w.Kind == other.Kind && w.Value == other.Value
}

// Scope says what a watch's value names.
type Scope string

// The kinds.
const (
	ScopeAll     Scope = "all"     // every process; no value
	ScopeProcess Scope = "process" // a process's uuid
	ScopeBranch  Scope = "branch"  // an id of the bank's branches
	ScopePhase   Scope = "phase"   // an id of the bank's workflow phases
	ScopePerson  Scope = "person"  // the actor who owns a process
)

// QuietHours is the hours of each day, HH:MM in Lisbon, in which nothing is told; From after To goes over midnight. The zero
// value is none.
type QuietHours struct{ From, To string }

// History is the record of what moved, whoever may see it.
type History interface {
	// Since gives what moved at since or later, the oldest first and at most limit of it, in words of a language.
	Since(ctx context.Context, since time.Time, limit int, lang words.Lang) ([]Moved, error)
}

// Moved is one thing that happened to a process, without personal data.
type Moved struct {
	Process uuid.UUID
	Number  int64
	At      time.Time
	Status  string   // after it
	What    []string // what changed, each in a few words
}
