package sandbox

import (
	"errors"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
)

// Why a simulation is not changed.
var (
	ErrNoSimulation = errors.New("sandbox: there is no such simulation")
	ErrNoReason     = errors.New("sandbox: there is no such reason of a rejection")
)

// setSimulation sets the state of a simulation and notifies its broker. The caller holds the bank's lock.
func (b *Bank) setSimulation(s *simulation, state int32) {
	s.state = state
	s.touch(b.now())
	b.tellState(s)
	if state == simulationESIS {
		b.notify(s.subject(), notification{NotificationTypeID: esisAvailable})
	}
}

// tellState notifies the broker of a simulation of its state.
func (b *Bank) tellState(s *simulation) {
	b.notify(s.subject(), notification{NotificationTypeID: simulationChanged, SimulationStatusID: s.state})
}

// convert records the process that was made of a simulation. The caller holds the bank's lock.
func (b *Bank) convert(p *process) {
	if s := b.store.simulations[p.simulation]; s != nil {
		s.process, s.processNumber = p.id, p.number
		b.setSimulation(s, simulationConverted)
	}
}

// decide approves a simulation, or rejects it with the first of its warnings. The caller holds the bank's lock.
func (b *Bank) decide(s *simulation) {
	if against := s.warnings(b.now()); len(against) > 0 {
		s.reason = against[0].reject
		b.setSimulation(s, simulationRejected)
		return
	}
	b.setSimulation(s, simulationApproved)
}

// Decide makes the bank decide a simulation: it approves it, or rejects it for what it has warned of. It fails with [ErrEnded] if the
// simulation has ended.
func (b *Bank) Decide(id uuid.UUID) error {
	return b.withSimulation(id, func(s *simulation) error {
		b.decide(s)
		return nil
	})
}

// SetSimulationState sets a simulation to a state of the taxonomy workflowStatesSimulation and notifies its broker; of a rejection, with
// the reason, an id of simulationRejectReasons. It does nothing if the simulation has that state.
func (b *Bank) SetSimulationState(id uuid.UUID, state, reason int32) error {
	if _, known := taxonomies()["workflowStatesSimulation"][state]; !known {
		return ErrNoState
	}
	if _, known := taxonomies()["simulationRejectReasons"][reason]; (state == simulationRejected) != (reason != 0) || reason != 0 && !known {
		return ErrNoReason
	}
	return b.withSimulation(id, func(s *simulation) error {
		if s.state != state {
			s.reason = reason
			b.setSimulation(s, state)
		}
		return nil
	})
}

// WriteOnSimulation makes the bank write a message on a simulation and notify its broker.
func (b *Bank) WriteOnSimulation(id uuid.UUID) error {
	return b.withSimulation(id, func(s *simulation) error {
		b.addMessage(s.id, b.message("simulation", b.now()))
		s.touch(b.now())
		b.notify(s.subject(), notification{NotificationTypeID: newMessage})
		return nil
	})
}

// withSimulation calls do with a simulation that has not ended.
func (b *Bank) withSimulation(id uuid.UUID, do func(*simulation) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, known := b.store.simulations[id]
	switch {
	case !known:
		return ErrNoSimulation
	case s.meaning().Ends:
		return ErrEnded
	}
	return do(s)
}

// SimulationState returns the state of a simulation, 0 if it does not exist.
func (b *Bank) SimulationState(id uuid.UUID) int32 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s, ok := b.store.simulations[id]; ok {
		return s.state
	}
	return 0
}

// Simulated returns the ids of the simulations that Simulation Create has created, newest first, for tests to see what was done.
func (b *Bank) Simulated(broker Broker) (ids []uuid.UUID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.store.simulationsOf(broker.UID) {
		if s.number >= firstSimulation {
			ids = append(ids, s.id)
		}
	}
	return ids
}

// decideOne decides one of a broker's simulations that wait for it. The caller holds the bank's lock.
func (b *Bank) decideOne(broker Broker) bool {
	open := slices.DeleteFunc(b.store.simulationsOf(broker.UID), func(s *simulation) bool {
		return s.pinned() || s.state != simulationValidated && s.state != simulationESIS
	})
	if len(open) == 0 {
		return false
	}
	b.decide(open[b.rng.IntN(len(open))])
	return true
}

// putSimulationState is PUT /sandbox/simulations/{id}/state: the bank decides or, with the body {"state": 6, "reason": 1}, sets that
// state.
func (b *Bank) putSimulationState(r *http.Request, body []byte) error {
	simulation, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return &refusal{http.StatusBadRequest, []problem{{"request.uuid", "id"}}}
	}
	var to struct {
		State  int32 `json:"state"`
		Reason int32 `json:"reason"`
	}
	if len(body) > 0 {
		if err := decode(body, &to); err != nil {
			return err
		}
		err = b.SetSimulationState(simulation, to.State, to.Reason)
	} else {
		err = b.Decide(simulation)
	}
	switch {
	case errors.Is(err, ErrNoSimulation):
		return refused(http.StatusBadRequest, string(portal.SimulationMissing))
	case errors.Is(err, ErrEnded):
		return refused(http.StatusBadRequest, "simulation.state")
	case errors.Is(err, ErrNoState):
		return &refusal{http.StatusBadRequest, []problem{{"field.id", "state"}}}
	case errors.Is(err, ErrNoReason):
		return &refusal{http.StatusBadRequest, []problem{{"field.id", "reason"}}}
	}
	return err
}
