package tools

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/words"
)

// Destinations stores what channels and people are notified of. The name of a destination is opaque here; see [Actor].
type Destinations interface {
	// Settings returns the settings of a destination, the zero value for an unknown one.
	Settings(ctx context.Context, dest string) (destination.Settings, error)
	// Change applies change, retrying on a conflict, and returns the stored settings. It returns an error of change as it is.
	Change(ctx context.Context, dest string, change func(*destination.Settings) error) (destination.Settings, error)
	// Announce posts a change of settings to its destination, once for each id, and stores it so that it can be undone.
	Announce(ctx context.Context, dest string, change SettingsChange) error
	// LastChange returns the last change announced at a destination; ok is false if none is stored.
	LastChange(ctx context.Context, dest string) (change SettingsChange, ok bool, err error)
	// ChangeOwner changes the owner of a process, and reports whether it did. The people concerned are notified, and the
	// cards of the process show the owner.
	ChangeOwner(ctx context.Context, change OwnerChange) (changed bool, err error)
}

// SettingsChange is a change of the settings of a destination, as it is announced there.
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

// History returns the changes of all processes and simulations, also of those that a caller may not see.
type History interface {
	// Since returns up to limit changes made at since or later, the oldest first, in a language.
	// states are the bank's descriptions of the statuses of processes in that language, by id; nil keeps those that were read.
	Since(ctx context.Context, since time.Time, limit int, lang words.Lang, states map[int32]string) ([]ProcessChange, error)
	// Horizon returns of which time the history has every change.
	Horizon(ctx context.Context) (Horizon, error)
}

// Horizon is the time of which a history has every change.
type Horizon struct {
	From    time.Time // its beginning; zero if nothing is known yet
	Checked time.Time // when the bank's list was last compared
	Late    bool      // what changed after Checked may be missing
}

// ProcessChange is one thing that happened to a process or simulation, without personal data.
type ProcessChange struct {
	Subject
	Number   int64
	At       time.Time
	StatusID int32 // after it
	Status   string
	Moved    bool     // the status changed
	What     []string // what changed, each in a few words
}

// StoreError returns a failure of the store of destinations as an [*Error].
func StoreError(err error) error {
	if failure := (*Error)(nil); err == nil || errors.As(err, &failure) {
		return err
	}
	if notWritten(err) {
		return &Error{Kind: Unavailable, Store: true, err: err}
	}
	return &Error{Kind: Internal, err: err}
}
