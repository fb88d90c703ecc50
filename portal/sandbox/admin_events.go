package sandbox

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
)

// event is what the bank does to a process or a simulation, with a notification.
type event string

// processEvents and simulationEvents are the events that the admin API has, by their names.
var (
	processEvents = map[event]func(*Bank, uuid.UUID) error{
		"message": (*Bank).WriteMessage, "documentAsked": (*Bank).AskForDocument, "documentAccepted": (*Bank).acceptLastDocument,
		"documentRefused": (*Bank).refuseLastDocument, "valuation": (*Bank).ValueProperty, "esis": (*Bank).IssueESIS,
	}
	simulationEvents = map[event]func(*Bank, uuid.UUID) error{
		"message": (*Bank).WriteOnSimulation, "decision": (*Bank).Decide,
	}
)

func (b *Bank) acceptLastDocument(process uuid.UUID) error {
	return b.decideLastDocument(process, true)
}
func (b *Bank) refuseLastDocument(process uuid.UUID) error {
	return b.decideLastDocument(process, false)
}

// decideLastDocument accepts or refuses the latest document of a process that the bank has.
func (b *Bank) decideLastDocument(process uuid.UUID, accept bool) error {
	all := b.Documents(process)
	if len(all) == 0 {
		return ErrNoDocument
	}
	return b.DecideDocument(process, all[len(all)-1], accept)
}

// putEvent returns the handler of PUT /sandbox/processes/{id}/event or /sandbox/simulations/{id}/event: {"event": "message"}.
func (b *Bank) putEvent(events map[event]func(*Bank, uuid.UUID) error) http.HandlerFunc {
	return b.admin(func(r *http.Request, body []byte) error {
		id, err := uuid.Parse(r.PathValue("id"))
		if err != nil {
			return &refusal{http.StatusBadRequest, []problem{{"request.uuid", "id"}}}
		}
		var request struct {
			Event event `json:"event"`
		}
		if err := decode(body, &request); err != nil {
			return err
		}
		do, known := events[request.Event]
		if !known {
			return &refusal{http.StatusBadRequest, []problem{{"field.range", "event"}}}
		}
		return asEventRefusal(do(b, id))
	})
}

// asEventRefusal returns why an event does not happen as the bank says it.
func asEventRefusal(err error) error {
	for _, each := range []struct {
		is     error
		reason portal.Reason
	}{
		{ErrNoProcess, "process.missing"}, {ErrNoSimulation, portal.SimulationMissing}, {ErrEnded, "process.state"}, {ErrNoDocument, portal.DocumentMissing},
	} {
		if errors.Is(err, each.is) {
			return refused(http.StatusBadRequest, string(each.reason))
		}
	}
	return err
}
