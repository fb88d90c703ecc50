package portal

import (
	"errors"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal/profile"
)

// Notification is what a delivery of the bank to a callback is about: a process or a simulation, or neither if its body
// names none.
type Notification struct{ Process, Simulation uuid.UUID }

// ErrNoNotification is the error of a body that is not a JSON object.
var ErrNoNotification = errors.New("the body is not a JSON object")

// ReadNotification reads the body of a delivery. The ids are found under the names of the profile, at the top level or one
// level below. Whether the bank sent it cannot be told.
func ReadNotification(p *profile.Profile, body []byte) (Notification, error) {
	ids, ok := p.Notified(body)
	if !ok {
		return Notification{}, ErrNoNotification
	}
	found := Notification{Process: ids["processUniqueId"], Simulation: ids["simulationUniqueId"]}
	if found.Process != uuid.Nil {
		found.Simulation = uuid.Nil
	}
	return found, nil
}

// ReadNotification is [ReadNotification] for the profile of the client.
func (u *User) ReadNotification(body []byte) (Notification, error) {
	return ReadNotification(u.client.config.Profile, body)
}
