// Package notifications is the way from the bank's callback to the team's channel. What the bank, or anybody who knows
// the address, says is a mere hint: the process is read again through the API, the difference to the last picture
// becomes one update, and every place that watches hears of it once, in order, and without personal data.
//
// Everything under way is in Redis, so that any replica carries on where another died: hints in a stream, pictures and
// updates not yet handed on beside each other in one slot, and a queue for each place.
package notifications

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/metric"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
)

// Source says where a hint came from.
type Source string

// The sources.
const (
	Callback   Source = "callback"   // the bank, or somebody who knows the address
	Balcao     Source = "balcao"     // a change made through Balcão
	Reconciler Source = "reconciler" // a walk over the bank's list
)

// Trigger says that something may have happened to a process.
type Trigger struct {
	Process uuid.UUID // uuid.Nil asks for a walk over all
	Source  Source
	Type    int32  // of a callback: the bank's notification type
	Actor   string // of a change made through Balcão: who made it
}

// Update is what moved of a process between two readings of the bank. It holds no personal data.
type Update struct {
	Process  uuid.UUID `json:"process"`
	Version  int64     `json:"version"` // counts the updates of a process from 1, without a gap
	Number   int64     `json:"number"`
	At       time.Time `json:"at"` // when it was noticed
	Actor    string    `json:"actor,omitempty"`
	Owner    string    `json:"owner,omitempty"`
	Changes  []Change  `json:"changes"`
	Snapshot Snapshot  `json:"snapshot"` // after it
}

// ID tells updates apart.
func (u Update) ID() string { return fmt.Sprintf("%s:%d", u.Process, u.Version) }

// ProcessChanged is one thing that differs. From and To are texts of the bank's lists or numbers: never personal data.
type Change struct {
	Kind string `json:"kind"` // its words are change.<kind>
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

// Snapshot is what was last read of a process.
type Snapshot struct {
	Process    uuid.UUID         `json:"process"`
	Version    int64             `json:"version"` // of the last update; 0 before the first
	Number     int64             `json:"number"`
	StatusID   int32             `json:"statusId"`
	Status     string            `json:"status"`
	BranchID   int32             `json:"branchId"`
	Branch     string            `json:"branch,omitempty"`
	LastAction time.Time         `json:"lastAction,omitzero"`
	Borrowers  map[string]string `json:"borrowers,omitempty"` // a keyed digest of the data of each, by uuid
	Read       time.Time         `json:"read"`                // when
}

// Config says what a [Service] works with. Store, Bank, Digest and Poster are needed.
type Config struct {
	Store       *conversations.Store // places, owners, and the Redis that everything is kept in
	Bank        *portal.User         // the service user, who sees every process of the broker
	Poster      destination.Poster
	Fingerprint func([]byte) string // keyed and one-way
	// Reader gives the bank user with whose eyes a place is told what an actor had it subscribe to ("" where nobody in
	// particular did, as in the team's channel): nil for that of Bank. ok is false where nobody reads, and nothing may be
	// told. Without it all is told as Bank reads it.
	Reader func(dest, by string) (user *portal.User, ok bool)
	Log    *slog.Logger
	Meter  metric.Meter // none by default
	Now    func() time.Time

	Lang  words.Lang // where a place says none, and of the administrator
	Admin string     // the place of the administrator, who hears what to mend; "" for none

	URL    string   // where the bank reaches [Service.Handler], without the path; "" when it cannot
	Tokens []string // the first is given to the bank, all are accepted

	Debounce          time.Duration // how long a place waits for more before it is told; 2 s
	MinInterval       time.Duration // between two messages to one place; 1 s
	Lease             time.Duration // after which what a dead replica held is taken over; 30 s
	ReadInterval      time.Duration // of a process between two readings for callbacks; 1 s
	ReconcileInterval time.Duration // between two walks over the bank's list; 15 min
	PageInterval      time.Duration // between two pages of a walk; 2 s
	RegisterInterval  time.Duration // between two looks at the bank's callbacks; 6 h
	MaxTriggers       int64         // in the stream; a million
	MaxTries          int64         // of a hint that fails through no fault of the bank's; 20
	UnreachableRetry  time.Duration // between two tries of a place that cannot be reached; 15 min
}
