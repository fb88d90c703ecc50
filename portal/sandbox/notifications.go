package sandbox

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
)

// The types of notifications (taxonomy notificationTypes). That there are types with integer ids is confirmed; these
// are ours.
const (
	stateChanged      int32 = 1
	newMessage        int32 = 2 // written by the bank, on a process or a simulation
	documentAsked     int32 = 3
	esisAvailable     int32 = 4 // of a process or a simulation
	simulationChanged int32 = 5
	documentReceived  int32 = 6
	documentRefused   int32 = 7
	propertyValued    int32 = 8
)

// aboutSimulations are the types of notifications about simulations, and aboutBoth those that are about processes too.
var (
	aboutSimulations = []int32{simulationChanged, newMessage, esisAvailable}
	aboutBoth        = []int32{newMessage, esisAvailable}
)

// concerns reports whether a type of notification may be about a simulation, or else about a process.
func concerns(kind int32, simulation bool) bool {
	return slices.Contains(aboutBoth, kind) || simulation == slices.Contains(aboutSimulations, kind)
}

// notification is the body of a delivery. Known of the bank's is that it is JSON, that its fields depend on the type, and that
// it is about either a process or a simulation; all names are inferred. It has no personal data.
type notification struct {
	NotificationTypeID int32     `json:"notificationTypeID,omitzero"`
	ProcessUniqueID    uuid.UUID `json:"processUniqueId,omitzero"`
	SimulationUniqueID uuid.UUID `json:"simulationUniqueId,omitzero"`
	Date               string    `json:"date,omitzero"`
	ProcessStatusID    int32     `json:"processStatusID,omitzero"`    // of stateChanged
	DocumentTypeID     int32     `json:"documentTypeID,omitzero"`     // of the three about documents
	SimulationStatusID int32     `json:"simulationStatusID,omitzero"` // of simulationChanged
}

// fits reports whether the fields are those of a type.
func (n notification) fits(kind int32) bool {
	return (n.NotificationTypeID == 0 || n.NotificationTypeID == kind) &&
		(n.ProcessStatusID == 0 || kind == stateChanged) &&
		(n.DocumentTypeID == 0 || slices.Contains([]int32{documentAsked, documentReceived, documentRefused}, kind)) &&
		(n.SimulationStatusID == 0 || kind == simulationChanged)
}

// subject is the process or the simulation that a notification is about.
type subject struct {
	broker              uuid.UUID // whose it is
	process, simulation uuid.UUID // one of them
	at                  time.Time // of its last action
}

// id returns the id of the process or simulation.
func (s subject) id() uuid.UUID {
	if s.process != uuid.Nil {
		return s.process
	}
	return s.simulation
}

func (p *process) subject() subject { return subject{broker: p.broker, process: p.id, at: p.last} }

// notify sends a notification to the broker of a process or simulation if it has a callback for the type. The type and
// what is of the type are in n; the rest is filled in. The caller holds the bank's lock.
func (b *Bank) notify(about subject, n notification) {
	broker, _ := brokerOf(about.broker.String())
	address, configured := (*callbacks.row(b, broker.Partner))[n.NotificationTypeID]
	if !configured {
		return
	}
	n.ProcessUniqueID, n.SimulationUniqueID = about.process, about.simulation
	n.Date = about.at.Format("2006-01-02T15:04:05.000Z07:00")
	body, err := b.delivery(n)
	if err != nil {
		b.config.Log.Error("notification has no JSON", "error", err)
		return
	}
	b.webhooks.send(about, address, body)
}

// delivery returns the body of a notification.
func (b *Bank) delivery(n notification) ([]byte, error) {
	body, err := pii.MarshalClear(n)
	if err != nil {
		return nil, err
	}
	return b.config.Profile.WriteNotification(body, &b.aliases)
}
