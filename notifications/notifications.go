// Package notifications turns the bank's callbacks into messages in the team's channels. A callback is only a trigger,
// because anybody who knows the address can send one: the process is read again through the API, its difference to the
// last snapshot becomes one update, and every destination that subscribed gets the update once, in order, and without
// personal data.
//
// All work in progress is stored in Redis, so that any replica continues where another crashed: triggers in a stream,
// the snapshot of a process and its updates that are not dispatched yet in one slot, and a queue for each destination.
package notifications

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/metric"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

// Source is where a trigger comes from.
type Source string

// The sources.
const (
	Callback   Source = "callback"   // from the bank, or from anybody who knows the address
	Balcao     Source = "balcao"     // a change made through Balcão
	Reconciler Source = "reconciler" // found in the bank's list
)

// Trigger requests that a process or simulation is read again, since it may have changed.
type Trigger struct {
	Subject // neither requests a reconciliation
	Source  Source
	Type    int32  // of a callback: the bank's notification type
	Actor   string // of a change made through Balcão: who made it
}

// Update is the changes of a process or simulation between two reads of the bank. It holds no personal data.
type Update struct {
	Subject
	Version  int64     `json:"version"` // counts the updates of a subject from 1, without a gap
	Number   int64     `json:"number"`
	At       time.Time `json:"at"` // when it was read
	Actor    string    `json:"actor,omitempty"`
	Owner    string    `json:"owner,omitempty"`
	Changes  []Change  `json:"changes"`
	Snapshot Snapshot  `json:"snapshot"` // after it
	// StatusBefore is the id of the status before the update; 0 if the subject is new.
	StatusBefore int32 `json:"statusBefore,omitzero"`
}

// ID returns the unique id of the update.
func (u Update) ID() string { return fmt.Sprintf("%s:%d", u.UID(), u.Version) }

// Snapshot is what was last read of a process or simulation.
type Snapshot struct {
	Subject
	Version    int64             `json:"version"` // of the last update; 0 before the first
	Number     int64             `json:"number"`
	StatusID   int32             `json:"statusId"`
	Status     string            `json:"status"`
	BranchID   int32             `json:"branchId"`
	Branch     string            `json:"branch,omitempty"`
	PhaseID    int32             `json:"phaseId,omitzero"` // 0 if the bank does not say
	Phase      string            `json:"phase,omitempty"`
	LastAction time.Time         `json:"lastAction,omitzero"`
	Borrowers  map[string]string `json:"borrowers,omitempty"` // a keyed digest of the data of each, by uuid
	Read       time.Time         `json:"read"`                // when
	Made       int64             `json:"made,omitzero"`       // the number of the process that was made of a simulation

	// What follows is nil until it was read once.
	Messages   *SeenMessages           `json:"messages,omitempty"`
	Documents  map[string]SeenDocument `json:"documents,omitzero"`  // by uuid
	Valuations map[string]string       `json:"valuations,omitzero"` // a keyed digest of each, by the uuid of the property; "" for none

	// Said is, for each kind of change that only a notification or the last action says, the last action when it was reported.
	Said map[string]time.Time `json:"said,omitzero"`
	// WholeRead and WholeAction are Read and LastAction when all parts were last read; zero in snapshots of an older version,
	// which are all whole.
	WholeRead   time.Time `json:"wholeRead,omitzero"`
	WholeAction time.Time `json:"wholeAction,omitzero"`

	action  string   // the bank's text of the last action
	authors []author // of the messages that are new
	unread  []string // the parts that the bank refused to show
	whole   bool     // all parts were read
}

// SeenMessages is what is remembered of the messages of a process or simulation.
type SeenMessages struct {
	Newest string    `json:"newest,omitempty"` // a keyed digest, "" if there are none
	Number int       `json:"number,omitzero"`  // the newest one's; 0 if the bank does not say
	At     time.Time `json:"at,omitzero"`      // the newest one's
}

// SeenDocument is what is remembered of a document.
type SeenDocument struct {
	Type   string `json:"type"`             // the bank's text
	State  string `json:"state,omitempty"`  // a kind of change; "" if the bank does not say
	Digest string `json:"digest,omitempty"` // keyed, of what else is in the list
}

// wholeState returns when all parts were last read, and the last action then.
func (p Snapshot) wholeState() (read, action time.Time) {
	if p.WholeRead.IsZero() {
		return p.Read, p.LastAction
	}
	return p.WholeRead, p.WholeAction
}

// Index stores what is read of the broker's processes, so that people find them.
type Index interface {
	// BeginList returns the number of a reading of the whole list, AddProcesses stores a page or a process, and EndList records that a reading
	// came to the end of the list.
	BeginList(ctx context.Context) (run int64, err error)
	AddProcesses(ctx context.Context, rows []portal.ProcessSummary) error
	EndList(ctx context.Context, run int64) error
	// AddBorrowers stores the names of all borrowers of a process.
	AddBorrowers(ctx context.Context, process uuid.UUID, borrowers []portal.Borrower)
}

// Config configures a [Service]. Store, Bank, Fingerprint and Poster are required.
type Config struct {
	Store       *conversations.Store // destinations, owners, and the Redis of everything else
	Bank        *portal.User         // the service user, who may read every process of the broker
	Poster      destination.Poster
	Fingerprint func([]byte) string // keyed and one-way
	// Reader returns the bank user who has to be able to read a process before an update is posted at dest for a
	// subscription that the actor by made ("" for the team's own): nil for the user of Bank. ok is false if by is not
	// served: nothing is posted then. A nil Reader permits everything.
	Reader  func(dest, by string) (user *portal.User, ok bool)
	Index   Index            // of what is read of the processes; nil for none
	Profile *profile.Profile // what states and types of notifications mean; the built-in one by default
	// UnknownState is called with the id of a state whose meaning is not known, each time that it matters.
	UnknownState func(state int32)
	// UnknownType is called with a type of notifications whose meaning is not known, each time that one comes.
	UnknownType func(notificationType int32)
	Log         *slog.Logger
	Meter       metric.Meter // none by default
	Now         func() time.Time

	Lang  words.Lang // of destinations that have none, and of the administrator
	Admin string     // the destination of the administrator's notices; "" for none

	URL    string   // the public address of [Service.Handler], without the path; "" if the bank cannot reach it
	Tokens []string // the first is registered at the bank, all are accepted

	Debounce          time.Duration // how long a destination waits for more updates before it posts; 2 s
	MinInterval       time.Duration // between two messages to one destination; 1 s
	Lease             time.Duration // after which the work of a crashed replica is taken over; 30 s
	ReadInterval      time.Duration // between two reads of a process for callbacks; 1 s
	ReconcileInterval time.Duration // between two reconciliations; 15 min
	PageInterval      time.Duration // between two pages of a reconciliation; 2 s
	RegisterInterval  time.Duration // between two checks of the callbacks registered at the bank; 6 h
	MaxTriggers       int64         // in the stream; a million
	MaxTries          int64         // attempts at a trigger that fails by its own fault; 20
	UnreachableRetry  time.Duration // between two attempts at an unreachable destination; 15 min
}
