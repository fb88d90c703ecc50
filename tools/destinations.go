package tools

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/words"
)

// Destinations keeps what people want to hear where they are told what moves. A place is opaque here; see [Actor].
type Destinations interface {
	// Settings gives what is kept of a place: of one that is unknown, nothing.
	Settings(ctx context.Context, place string) (destination.Settings, error)
	// Change applies change, again on a conflict, and returns the stored settings. It returns the error of change as it is.
	Change(ctx context.Context, place string, change func(*destination.Settings) error) (destination.Settings, error)
	// Announce has a place told of a change of its settings, once for each id, and keeps it to be undone.
	Announce(ctx context.Context, place string, change SettingsChange) error
	// LastChange gives the last change that was announced at a place; ok is false where none is kept any more.
	LastChange(ctx context.Context, place string) (change SettingsChange, ok bool, err error)
	// ChangeOwner changes whom the news of a process concern, and tells whether it did. Whom that concerns is told, and the
	// cards of the process show it.
	ChangeOwner(ctx context.Context, change OwnerChange) (changed bool, err error)
}

// SettingsChange is a change of what a place wants to hear, as it is announced there.
type SettingsChange struct {
	ID     string // by which it is undone
	Lang   words.Lang
	Title  string
	Text   string
	Before destination.Settings
	After  destination.Settings
	Undoes string // the change that it undid, "" for none
}

// OwnerChange makes an actor, or nobody, the owner of a process.
type OwnerChange struct {
	Process  uuid.UUID
	Number   int64
	To       string // an actor; "" for nobody
	By       Actor
	OnlyFrom string // nothing changes unless this actor is the owner; "" for whoever is
}

// History is the record of what moved, whoever may see it.
type History interface {
	// Since gives what moved at since or later, the oldest first and at most limit of it, in words of a language.
	// states are the bank's descriptions of its statuses in that language, by id; nil keeps those that were read.
	Since(ctx context.Context, since time.Time, limit int, lang words.Lang, states map[int32]string) ([]ProcessChange, error)
}

// ProcessChange is one thing that happened to a process, without personal data.
type ProcessChange struct {
	Process uuid.UUID
	Number  int64
	At      time.Time
	Status  string   // after it
	What    []string // what changed, each in a few words
}

// StoreError gives a failure of what keeps places its kind: the bank has nothing to do with it.
func StoreError(err error) error {
	if failure := (*Error)(nil); err == nil || errors.As(err, &failure) {
		return err
	}
	if notWritten(err) {
		return &Error{Kind: Unavailable, Store: true, err: err}
	}
	return &Error{Kind: Internal, err: err}
}
