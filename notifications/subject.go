package notifications

import "github.com/google/uuid"

// Subject is what is followed: a process or a simulation. One of the ids is set.
type Subject struct {
	Process    uuid.UUID `json:"process,omitzero"`
	Simulation uuid.UUID `json:"simulation,omitzero"`
}

// OfProcess returns a process as a Subject.
func OfProcess(id uuid.UUID) Subject { return Subject{Process: id} }

// OfSimulation returns a simulation as a Subject.
func OfSimulation(id uuid.UUID) Subject { return Subject{Simulation: id} }

// UID returns the id of the process or simulation, uuid.Nil if there is neither.
func (s Subject) UID() uuid.UUID {
	if s.Simulation != uuid.Nil {
		return s.Simulation
	}
	return s.Process
}

// isZero reports whether there is neither a process nor a simulation.
func (s Subject) isZero() bool { return s == Subject{} }

// Kind returns "simulation" or "process", for logs, names in Redis and keys of texts.
func (s Subject) Kind() string {
	if s.Simulation != uuid.Nil {
		return "simulation"
	}
	return "process"
}

// String returns kind and id.
func (s Subject) String() string { return s.Kind() + " " + s.UID().String() }
